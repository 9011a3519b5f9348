from collections.abc import Callable

import pytest

from modemd.errors import SimulatorError
from modemd.pdu.submit import encode_message
from modemd.sim import models
from tests.sim.bench import Bench

PART = encode_message("+359888000101", "smetka")[0]


def test_an_unknown_model_is_refused_with_those_there_are() -> None:
    with pytest.raises(SimulatorError, match=r"generic, huawei-e1550, .*zte-mf626"):
        models.find("nokia")


@pytest.mark.parametrize("model", models.MODELS.values(), ids=lambda model: model.name)
def test_every_row_names_its_source(model: models.Model) -> None:
    assert model.source


def test_a_terse_modem_frames_barely_prompts_without_a_space_and_lists_nothing(
    make_bench: Callable[..., Bench],
) -> None:
    bench = make_bench(model="terse")
    assert bench.type(b"ATE0\r") == b"ATE0\rOK\r\n"
    assert bench.type(b"AT+CPMS?\r") == b'+CPMS: "MT",0,30,"MT",0,30,"MT",0,30\r\nOK\r\n'
    assert bench.type(f"AT+CMGS={PART.length}\r".encode()) == b"\r\n>"
    assert bench.type(b"\x1b") == b"OK\r\n"
    assert bench.ask("AT+CMGL=4") == ["+CMS ERROR: 303"]


def test_an_echo_that_cannot_be_switched_off_stays(make_bench: Callable[..., Bench]) -> None:
    bench = make_bench(model="echoing")
    assert bench.type(b"ATE0\r") == b"ATE0\r\r\nOK\r\n"
    assert bench.type(b"AT\r") == b"AT\r\r\nOK\r\n"


@pytest.mark.parametrize(("model", "first"), [("generic", 1), ("sim7600", 0)])
def test_slots_count_from_where_the_model_counts(make_bench: Callable[..., Bench], model: str, first: int) -> None:
    bench = make_bench(model=model)
    bench.set_up()
    bench.network.text("+359888000101", "smetka")
    assert bench.heard().rstrip().endswith(f",{first}".encode())
    assert bench.ask(f"AT+CMGR={first}")[-1] == "OK"
    assert bench.ask(f"AT+CMGD={first}")[-1] == "OK"
    assert bench.stored(next(iter(models.find(model).slots))) == []


def test_a_cinterion_takes_one_form_of_cnmi_only(make_bench: Callable[..., Bench]) -> None:
    bench = make_bench(model="cinterion")
    assert bench.ask("AT+CNMI=2,1,0,2,0")[-1] == "+CMS ERROR: 303"
    assert bench.ask("AT+CNMI=2,1,0,2,1")[-1] == "OK"


def test_chatter_ends_when_it_is_told_to(make_bench: Callable[..., Bench]) -> None:
    bench = make_bench(model="huawei-e173")
    bench.set_up()
    bench.clock.advance(31.0)
    assert b"^BOOT" in bench.heard()
    bench.ask("AT^CURC=0")
    bench.clock.advance(120.0)
    assert bench.heard() == b""
