import logging
from pathlib import Path

import pytest

from modemd.modem.lifecycle import State
from tests.modem.bench import wired
from tests.modem.scripted_modem import ERROR, OK, line

PIN = "4711"
ICCID = "8935901000000000001"
LOCKED = line("+CPIN: SIM PIN", "OK")


@pytest.fixture
def pin_file(tmp_path: Path) -> Path:
    path = tmp_path / "pin"
    path.write_text(f"# unlocked\n\n {PIN} \n\n")
    return path


def entered(heard: list[str]) -> list[str]:
    return [command for command in heard if command.startswith("AT+CPIN=")]


async def test_the_last_line_of_the_file_is_entered_and_the_modem_is_ready(tmp_path: Path, pin_file: Path) -> None:
    async with wired(tmp_path, ready=False, pin_file=pin_file) as bench:
        bench.peer.next(r"AT\+CPIN\?", LOCKED)
        bench.peer.on(rf'AT\+CPIN="{PIN}"', OK)
        await bench.state(State.READY)
        assert entered(bench.peer.heard) == [f'AT+CPIN="{PIN}"']


async def test_rule_7_the_attempt_is_remembered_before_the_sim_sees_the_pin(tmp_path: Path, pin_file: Path) -> None:
    async with wired(tmp_path, ready=False, pin_file=pin_file) as bench:
        remembered = []

        def refuse(command: str) -> bytes:
            remembered.append(set(bench.gateway.tried))
            return line("+CME ERROR: 16")

        bench.peer.on(r"AT\+CPIN\?", LOCKED)
        bench.peer.on(r"AT\+CPIN=.*", refuse)
        await bench.state(State.QUARANTINED)
        assert remembered == [{(ICCID, PIN)}]
        assert "refused the PIN" in (bench.modem.reason or "")


async def test_rule_7_a_refused_pin_is_never_tried_again(tmp_path: Path, pin_file: Path) -> None:
    async with wired(tmp_path, ready=False, pin_file=pin_file) as bench:
        bench.peer.on(r"AT\+CPIN\?", LOCKED)
        bench.peer.on(r"AT\+CPIN=.*", line("+CME ERROR: 16"))
        await bench.until(lambda: "tried on this SIM before" in (bench.modem.reason or ""))
        assert len(entered(bench.peer.heard)) == 1
        pin_file.write_text("1234\n")
        bench.peer.on(
            r'AT\+CPIN="1234"', lambda command: bench.peer.on(r"AT\+CPIN\?", line("+CPIN: READY", "OK")) or OK
        )
        await bench.state(State.READY)
        assert entered(bench.peer.heard) == [f'AT+CPIN="{PIN}"', 'AT+CPIN="1234"']


async def test_an_accepted_pin_may_be_entered_again_after_the_next_power_cut(tmp_path: Path, pin_file: Path) -> None:
    async with wired(tmp_path, ready=False, pin_file=pin_file) as bench:
        bench.peer.next(r"AT\+CPIN\?", LOCKED)
        bench.peer.on(rf'AT\+CPIN="{PIN}"', OK)
        await bench.state(State.READY)
        assert bench.gateway.accepted == [(ICCID, PIN)]
        bench.peer.hang_up()
        await bench.state(State.ABSENT)
        bench.peer.plug_in()
        bench.peer.next(r"AT\+CPIN\?", LOCKED)
        await bench.state(State.READY)
        assert len(entered(bench.peer.heard)) == 2


@pytest.mark.parametrize(
    ("maker", "command", "answer"),
    [
        ("Invented", r"AT\+CPINR", "+CPINR: SIM PIN,1,3"),
        ("Invented", r"AT\+SPIC", "+SPIC: 1,10,3,10"),
        ("huawei", r"AT\^CPIN\?", "^CPIN: SIM PIN,1,10,1,10,3"),
        ("Quectel", r"AT\+QPINC\?", '+QPINC: "SC",1,10'),
        ("Telit", r"AT#PCT", "#PCT: 1"),
        ("Cinterion", r"AT\^SPIC", "^SPIC: 1"),
        ("u-blox", r"AT\+UPINCNT", "+UPINCNT: 1,3,10,10"),
    ],
)
async def test_rule_7_never_with_one_try_left(
    tmp_path: Path, pin_file: Path, maker: str, command: str, answer: str
) -> None:
    async with wired(tmp_path, ready=False, pin_file=pin_file) as bench:
        bench.peer.on(r"AT\+CGMI", line(maker, "OK"))
        bench.peer.on(r"AT\+CPIN\?", LOCKED)
        bench.peer.on(command, line(answer, "OK"))
        await bench.state(State.QUARANTINED)
        assert "tries left: 1" in (bench.modem.reason or "")
        assert not entered(bench.peer.heard)
        assert not bench.gateway.tried


@pytest.mark.parametrize("answer", [line("+CPIN: SIM PUK", "OK"), line("+CME ERROR: 12"), line("+CMS ERROR: 316")])
async def test_rule_7_never_in_puk_state(tmp_path: Path, pin_file: Path, answer: bytes) -> None:
    async with wired(tmp_path, ready=False, pin_file=pin_file) as bench:
        bench.peer.on(r"AT\+CPIN\?", answer)
        await bench.state(State.QUARANTINED)
        assert "PUK" in (bench.modem.reason or "")
        assert not entered(bench.peer.heard)


async def test_rule_7_the_pin_is_never_logged(tmp_path: Path, pin_file: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    async with wired(tmp_path, ready=False, pin_file=pin_file) as bench:
        bench.peer.on(r"AT\+CPIN\?", LOCKED)
        bench.peer.on(r"AT\+CPIN=.*", None)
        await bench.state(State.SILENT, State.QUARANTINED)
        assert len(entered(bench.peer.heard)) == 1
        bench.peer.on(r"AT\+CPIN=.*", line("+CME ERROR: 16"))
        await bench.until(lambda: "before" in (bench.modem.reason or ""))
        assert PIN not in (bench.modem.reason or "")
    assert PIN not in caplog.text
    assert len(entered(bench.peer.heard)) == 1


async def test_without_a_pin_file_it_says_what_to_do(tmp_path: Path) -> None:
    async with wired(tmp_path, ready=False) as bench:
        bench.peer.on(r"AT\+CPIN\?", LOCKED)
        await bench.state(State.QUARANTINED)
        assert "pin_file" in (bench.modem.reason or "")


@pytest.mark.parametrize("content", ["", "47\n", "fourseven\n", "123456789\n", "\xd1\xd2\xd3"])
async def test_a_file_without_a_pin_costs_no_try(tmp_path: Path, pin_file: Path, content: str) -> None:
    pin_file.write_text(content, encoding="latin-1")
    async with wired(tmp_path, ready=False, pin_file=pin_file) as bench:
        bench.peer.on(r"AT\+CPIN\?", LOCKED)
        await bench.state(State.QUARANTINED)
        assert "4 to 8 digits" in (bench.modem.reason or "")
        assert not entered(bench.peer.heard)


async def test_a_modem_that_knows_no_pin_command_needs_none(tmp_path: Path, pin_file: Path) -> None:
    async with wired(tmp_path, ready=False, pin_file=pin_file) as bench:
        bench.peer.on(r"AT\+CPIN\?", ERROR)
        await bench.state(State.READY)
        assert not entered(bench.peer.heard)


async def test_a_sim_without_a_serial_number_is_remembered_by_the_modem_s(tmp_path: Path, pin_file: Path) -> None:
    async with wired(tmp_path, ready=False, pin_file=pin_file) as bench:
        bench.peer.on(r"AT\+CCID", ERROR)
        bench.peer.on(r"AT\+CPIN\?", LOCKED)
        bench.peer.on(r"AT\+CPIN=.*", line("+CME ERROR: 16"))
        await bench.state(State.QUARANTINED)
        assert bench.gateway.tried == {("351234567890123", PIN)}
