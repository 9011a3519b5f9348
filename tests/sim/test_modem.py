"""The stream: echo, framing, prompt, and what is typed while the modem is busy."""

from collections.abc import Callable

import pytest

from modemd.pdu.submit import encode_message
from tests.sim.bench import Bench, lines

PART = encode_message("+359888000101", "smetka")[0]
CMGS = f"AT+CMGS={PART.length}\r".encode()
BODY = PART.pdu.encode() + b"\x1a"


def test_a_modem_echoes_until_it_is_told_not_to(make_bench: Callable[..., Bench]) -> None:
    bench = make_bench()
    assert bench.type(b"AT\r") == b"AT\r\r\nOK\r\n"
    assert bench.type(b"ATE0\r") == b"ATE0\r\r\nOK\r\n"
    assert bench.type(b"AT\r") == b"\r\nOK\r\n"
    assert bench.type(b"ATE1\r") == b"\r\nOK\r\n"
    assert bench.type(b"AT\r") == b"AT\r\r\nOK\r\n"


def test_each_byte_is_echoed_once_wherever_the_line_is_cut(make_bench: Callable[..., Bench]) -> None:
    bench = make_bench()
    assert bench.type(b"A") == b"A"
    assert bench.type(b"T+CM") == b"T+CM"
    assert bench.type(b"GF=0\rAT") == b"GF=0\r\r\nOK\r\nAT"
    assert bench.type(b"\r") == b"\r\r\nOK\r\n"


def test_an_answer_stands_between_line_ends_with_the_result_apart(bench: Bench) -> None:
    assert bench.type(b"AT+CGSN\r") == b"\r\n" + bench.modem.identity.imei.encode() + b"\r\n\r\nOK\r\n"
    assert bench.type(b"AT+NOPE\r") == b"\r\nERROR\r\n"


def test_the_prompt_has_no_line_end_and_the_body_is_echoed_without_its_ctrl_z(make_bench: Callable[..., Bench]) -> None:
    bench = make_bench()
    assert bench.type(CMGS) == CMGS + b"\r\n> "
    said = bench.type(BODY)
    assert said.startswith(PART.pdu.encode() + b"\r\n+CMGS: ")
    assert said.endswith(b"\r\n\r\nOK\r\n")


def test_a_body_may_come_in_pieces_with_line_ends_in_it(bench: Bench) -> None:
    assert bench.type(CMGS + b"\n") == b"\r\n> "
    for octet in PART.pdu:
        assert bench.type(octet.encode()) == b""
    assert lines(bench.type(b"\r\n\x1a"))[-1] == "OK"
    assert bench.shown("+359888000101") == [(bench.modem.number, "smetka")]


def test_escape_ends_a_prompt_with_ok_and_sends_nothing(bench: Bench) -> None:
    bench.type(CMGS + PART.pdu[:10].encode())
    assert bench.type(b"\x1b") == b"\r\nOK\r\n"
    assert bench.ask("AT") == ["OK"]
    assert bench.shown("+359888000101") == []


def test_an_open_prompt_outlives_its_program_and_ends_by_itself_after_a_minute(bench: Bench) -> None:
    bench.type(CMGS)
    bench.clock.advance(59)
    assert bench.type(b"AT\r") == b""
    bench.clock.advance(2)
    assert bench.heard() == b"\r\nERROR\r\n"
    assert bench.ask("AT") == ["OK"]


def test_an_answered_prompt_does_not_end_again(bench: Bench) -> None:
    bench.send("+359888000101", "smetka", status_report=False)
    bench.clock.advance(120)
    assert bench.heard() == b""


def test_what_is_typed_while_a_part_is_in_the_air_is_answered_after_it(make_bench: Callable[..., Bench]) -> None:
    bench = make_bench(send_seconds=2.0)
    bench.set_up()
    bench.type(CMGS)
    assert bench.type(BODY + b"AT+CGSN\r") == b""
    bench.clock.advance(2)
    said = lines(bench.heard())
    assert said[0].startswith("+CMGS: ")
    assert said[1:] == ["OK", bench.modem.identity.imei, "OK"]


def test_an_unsolicited_line_waits_while_a_prompt_is_open(bench: Bench) -> None:
    bench.type(CMGS)
    bench.network.text("0888000101", "smetka")
    assert bench.heard() == b""
    said = lines(bench.type(BODY))
    assert said[0] == '+CMTI: "SM",1'
    assert said[1].startswith("+CMGS: ")


def test_escape_outside_of_a_prompt_and_noise_before_at_are_ignored(bench: Bench) -> None:
    assert bench.ask("\x1bAT") == ["OK"]
    assert bench.type(b"0011000B91\x1a\xff\xfeAT\r") == b"\r\nOK\r\n"


@pytest.mark.parametrize("line", [b"\r", b"hello\r", b"\x00\xff\r"])
def test_a_line_without_at_gets_no_answer(bench: Bench, line: bytes) -> None:
    assert bench.type(line) == b""


def test_a_line_without_end_uses_no_memory_and_the_modem_recovers(bench: Bench) -> None:
    for _ in range(100):
        bench.type(b"x" * 1000)
    assert len(bench.modem._input) <= 4096
    bench.type(b"\r")
    assert bench.ask("AT") == ["OK"]


def test_several_commands_on_a_line_share_one_result_and_end_at_the_first_error(bench: Bench) -> None:
    assert bench.ask("ATE0V1;+CMGF?;+CSCS?") == ["+CMGF: 0", '+CSCS: "GSM"', "OK"]
    assert bench.ask("AT+CMGF?;+CMGR=99;+CSCS?") == ["+CMGF: 0", "+CMS ERROR: 321"]


@pytest.mark.parametrize(
    ("cmee", "expected"), [(0, "ERROR"), (1, "+CME ERROR: 3"), (2, "+CME ERROR: operation not allowed")]
)
def test_cmee_decides_how_an_equipment_error_is_written(bench: Bench, cmee: int, expected: str) -> None:
    bench.ask(f"AT+CMEE={cmee}")
    assert bench.ask('AT+CPIN="1234"') == [expected]


def test_z_brings_the_defaults_back(bench: Bench) -> None:
    bench.ask("ATZ")
    assert lines(bench.type(b"ATE0\r"))[-1] == "OK"
    assert bench.ask("AT+CNMI?;+CMEE?") == ["+CNMI: 0,0,0,0,0", "+CMEE: 0", "OK"]


def test_clac_lists_the_commands_line_by_line(bench: Bench) -> None:
    assert {"+CMGS", "+CPIN", "+CNMI", "OK"} <= set(bench.ask("AT+CLAC"))


def test_a_model_chatters_again_after_it_came_back(make_bench: Callable[..., Bench]) -> None:
    bench = make_bench(model="huawei-e173")
    assert b"^RSSI" in bench.heard()
    bench.fault("unplug:seconds=1")
    bench.come_back()
    bench.heard()
    bench.clock.advance(61)
    assert lines(bench.heard()) == ["^BOOT:20539504,0,0,0,75", "^RSSI:17"]
