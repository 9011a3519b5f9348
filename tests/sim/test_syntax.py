import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modemd.sim.syntax import Form, Request, parse


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("AT", ()),
        ("at", ()),
        ("ATE0", (Request("E", Form.EXECUTE, ("0",)),)),
        ("ATE0V1Q0", tuple(Request(name, Form.EXECUTE, (value,)) for name, value in ("E0", "V1", "Q0"))),
        ("AT&F", (Request("&F", Form.EXECUTE),)),
        ("ATS3=13", (Request("S", Form.EXECUTE, ("3",)),)),
        ("ATD+359888000101;", (Request("D", Form.EXECUTE, ("+359888000101",)),)),
        ("AT+CGSN", (Request("+CGSN", Form.EXECUTE),)),
        ("AT+CGSN=?", (Request("+CGSN", Form.TEST),)),
        ("AT+CREG?", (Request("+CREG", Form.READ),)),
        ("at+cmgs=23", (Request("+CMGS", Form.SET, ("23",)),)),
        ("AT+CMGD=", (Request("+CMGD", Form.SET, ()),)),
        ('AT+CPMS="SM","ME"', (Request("+CPMS", Form.SET, ("SM", "ME")),)),
        ("AT+CNMI=2,,0", (Request("+CNMI", Form.SET, ("2", "", "0")),)),
        ("AT+CNMI=2,", (Request("+CNMI", Form.SET, ("2", "")),)),
        ('AT+CUSD=1,"*1;2#",15', (Request("+CUSD", Form.SET, ("1", "*1;2#", "15")),)),
        ("AT+CMEE=1;+CREG?", (Request("+CMEE", Form.SET, ("1",)), Request("+CREG", Form.READ))),
        ("ATE0;+CMEE=1", (Request("E", Form.EXECUTE, ("0",)), Request("+CMEE", Form.SET, ("1",)))),
        ("\x1b\x1aAT^ICCID?", (Request("^ICCID", Form.READ),)),
    ],
)
def test_a_command_line_is_read_as_v250_says(line: str, expected: tuple[Request, ...]) -> None:
    assert parse(line) == expected


def test_a_line_without_at_is_none() -> None:
    assert parse("hello") is None


@pytest.mark.parametrize("line", ["AT?", "AT+", 'AT+CMGS=2"3"4', "AT=1", 'AT+CPMS="SM"x'])
def test_what_is_no_command_is_an_error(line: str) -> None:
    with pytest.raises(ValueError, match="no "):
        parse(line)


@pytest.mark.parametrize(("value", "number"), [("7", 7), ("", 5), ("x", None), ("-1", None), ("٣", None)])
def test_an_argument_is_a_number_its_default_or_none(value: str, number: int | None) -> None:
    assert Request("+X", Form.SET, (value,)).number(0, 5) == number


@given(st.text(alphabet='AaTt+=?,;"0dDsS&^ \x1b\xff', max_size=40))
def test_no_line_breaks_the_reader(line: str) -> None:
    with contextlib.suppress(ValueError):
        assert parse(line) is None or "AT" in line.upper()
