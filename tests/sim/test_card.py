from collections.abc import Callable

import pytest

from modemd.sim.card import PUK
from tests.sim.bench import Bench


@pytest.fixture
def locked(make_bench: Callable[..., Bench]) -> Bench:
    bench = make_bench(pin="1234")
    bench.ask("ATE0")
    bench.ask("AT+CMEE=1")
    return bench


def test_a_locked_sim_registers_nowhere_and_sends_nothing(locked: Bench) -> None:
    assert locked.ask("AT+CPIN?") == ["+CPIN: SIM PIN", "OK"]
    assert locked.ask("AT+CREG?")[0] == "+CREG: 0,0"
    assert locked.ask("AT+CIMI") == ["+CME ERROR: 11"]
    assert locked.ask("AT+CMGL=4") == ["+CMS ERROR: 311"]
    assert locked.ask("AT+CGSN")[-1] == "OK"


def test_the_right_pin_unlocks_and_the_network_is_found_after_a_moment(locked: Bench) -> None:
    assert locked.ask('AT+CPIN="1234"') == ["OK"]
    assert locked.ask("AT+CPIN?") == ["+CPIN: READY", "OK"]
    assert locked.ask("AT+CREG?")[0] == "+CREG: 0,2"
    locked.clock.advance(1)
    assert locked.ask("AT+CREG?")[0] == "+CREG: 0,1"


def test_three_wrong_pins_and_the_sim_wants_its_puk(locked: Bench) -> None:
    assert [locked.ask('AT+CPIN="0000"') for _ in range(3)] == [["+CME ERROR: 16"]] * 3
    assert locked.ask("AT+CPIN?") == ["+CPIN: SIM PUK", "OK"]
    assert locked.ask('AT+CPIN="1234"') == ["+CME ERROR: 12"]
    assert locked.ask(f'AT+CPIN="{PUK}","9999"') == ["OK"]
    assert locked.ask("AT+CPIN?") == ["+CPIN: READY", "OK"]


def test_tries_come_back_with_the_right_pin_only(locked: Bench) -> None:
    locked.ask('AT+CPIN="0000"')
    assert locked.ask("AT+CPINR") == ["+CPINR: SIM PIN,2,3", "+CPINR: SIM PUK,10,10", "OK"]
    locked.fault("unplug")
    locked.come_back()
    locked.ask("ATE0")
    assert locked.ask("AT+CPINR")[0] == "+CPINR: SIM PIN,2,3"
    locked.ask('AT+CPIN="1234"')
    assert locked.ask("AT+CPINR")[0] == "+CPINR: SIM PIN,3,3"


def test_ten_wrong_puks_kill_the_sim(locked: Bench) -> None:
    locked.fault("sim-puk")
    for _ in range(10):
        locked.ask('AT+CPIN="00000000","1234"')
    assert locked.ask("AT+CPIN?") == ["+CME ERROR: 13"]


def test_a_restart_locks_the_sim_again(locked: Bench) -> None:
    locked.ask('AT+CPIN="1234"')
    locked.ask("AT+CFUN=1,1")
    locked.clock.advance(0.2)
    assert locked.hang_ups == [(1.0, "")]
    locked.come_back()
    locked.ask("ATE0")
    assert locked.ask("AT+CPIN?") == ["+CPIN: SIM PIN", "OK"]


@pytest.mark.parametrize(
    ("model", "command", "answer"),
    [("sim800", "AT+SPIC", "+SPIC: 3,10,3,10"), ("huawei-e173", "AT^CPIN?", "^CPIN: SIM PIN,3,10,3,10,3")],
)
def test_models_tell_the_tries_in_their_own_way(
    make_bench: Callable[..., Bench], model: str, command: str, answer: str
) -> None:
    bench = make_bench(model=model, pin="1234")
    bench.ask("ATE0")
    bench.heard()
    assert bench.ask(command) == [answer, "OK"]


def test_whether_a_pin_is_asked_for_can_be_asked(locked: Bench, bench: Bench) -> None:
    assert locked.ask('AT+CLCK="SC",2')[0] == "+CLCK: 1"
    assert bench.ask('AT+CLCK="SC",2')[0] == "+CLCK: 0"
