import pytest

from modemd.at.results import OK, final_result


def test_ok_and_error_are_final() -> None:
    assert final_result(b"OK") is OK
    error = final_result(b"ERROR")
    assert error is not None
    assert not error.ok


@pytest.mark.parametrize(
    "line",
    [
        b"OK see you at 5",
        b"ERROR?",
        b"NOT OK",
        b"ok",
        b"+CMS ERROR",
        b"+CMGS: 5",
        b"NO CARRIER",
        b"BUSY",
        b"RING",
        b"CONNECT",
        b"",
    ],
)
def test_only_a_whole_line_is_a_final_result_and_the_end_of_a_call_is_none(line: bytes) -> None:
    assert final_result(line) is None


@pytest.mark.parametrize(
    ("line", "family", "code", "name"),
    [
        (b"+CMS ERROR: 38", "S", 38, "network out of order"),
        (b"+CMS ERROR:304", "S", 304, "invalid PDU mode parameter"),
        (b"+CME ERROR: 16", "E", 16, "incorrect password"),
        (b"+CME ERROR: SIM not inserted", "E", 10, "SIM not inserted"),
        (b"+CME ERROR: sim pin required", "E", 11, "SIM PIN required"),
        (b"+CMS ERROR: Network timeout", "S", 332, "network timeout"),
        (b"+CMS ERROR: 512", "S", 512, "the maker's own"),
    ],
)
def test_numbers_and_names_are_read(line: bytes, family: str, code: int, name: str) -> None:
    result = final_result(line)
    assert result is not None
    assert (result.family, result.code, result.cause.name) == (family, code, name)


@pytest.mark.parametrize("line", [b"+CMS ERROR: \xff\xfe", b"+CME ERROR: 99999999999999", b"+CME ERROR: what?"])
def test_an_unreadable_number_is_a_refusal_without_a_reason(line: bytes) -> None:
    result = final_result(line)
    assert result is not None
    assert not result.ok
    assert result.code is None
    assert not result.cause.permanent


def test_a_result_says_its_number_and_its_name() -> None:
    assert str(final_result(b"+CMS ERROR: 42")) == "+CMS ERROR: 42, congestion"
    assert str(final_result(b"ERROR")) == "ERROR"


def test_a_refusal_tells_whose_fault_it_is_whether_it_passes_and_what_to_do() -> None:
    result = final_result(b"+CMS ERROR: 28")
    assert result is not None
    assert str(result.cause) == "message, permanent: it is not tried again; check the recipient's number"
