import pytest

from modemd.spreadsheets import csv_text


@pytest.mark.parametrize("cell", ["=1+1", "+359888000101", "-1+1", "@SUM(A1)", "\t=1", "\r=1"])
def test_what_would_be_a_formula_becomes_text(cell: str) -> None:
    assert csv_text(["a"], [[cell]]).split("\r\n", 1)[1].lstrip('"').startswith(f"'{cell}")


@pytest.mark.parametrize(("cell", "written"), [(-3, "-3"), (1.5, "1.5"), (None, '""'), ("a=b", "a=b"), ('"', '""""')])
def test_everything_else_stays_as_it_is(cell: object, written: str) -> None:
    assert csv_text(["a"], [[cell]]) == f"a\r\n{written}\r\n"
