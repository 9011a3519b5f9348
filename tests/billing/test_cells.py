"""What a cell may hold: a bad one rejects its row with a reason that names the column."""

from datetime import UTC, datetime

import pytest

from modemd.billing import customers, open_items, payments
from modemd.billing.cells import Row
from tests.billing.office import CUSTOMERS, OPENITEMS, PAYMENTS, item, paid, person

BAD_ITEMS = {
    "customer_no": ["", "30000000001", "3000000000001", "30000000000a", "٣٠٠٠٠٠٠٠٠٠٠١"],
    "invoice_no": ["", "480000001", "04800000012"],
    "itn": ["32Z000000000001Q", "32Z", "33Z0000000000018", "x" * 16],
    "invoice_date": ["", "2026-13-01", "10/11/2026", "10.11.26", "20261110", "1026-11-10"],
    "due_date": ["", "30.02.2026"],
    "cutoff_date": ["soon"],
    "amount_total": ["", "1.234,56", "37", "37,9", "-0,01", "1e3", "9999999999,99"],
    "amount_open": ["", "x", "-37,91"],
    "status": ["", "open", "DUE"],
    "level": ["", "-1", "100", "1.0"],
    "class": ["", "X"],
    "flags": ["X", "VV", "v"],
}
BAD_CUSTOMERS = {
    "customer_no": ["", "abc", "3000000000010"],
    "itn": ["32Z000000000001Q"],
    "class": ["", "h"],
    "identity": ["7501020018", "AB" * 32, "ab" * 31],
    "language": ["bg", "EN"],
    "active": ["", "yes", "2"],
}
BAD_PAYMENTS = {
    "customer_no": ["", "abc"],
    "invoice_no": ["", "480000001"],
    "paid_at": ["", "2026-13-01", "2026-11-22T10:00:00", "2026-11-22T99:00:00+02:00", "0001-01-01T00:00:00+02:00"],
    "amount": ["", "x", "-1,00", "9999999999,99"],
}


def cases(bad: dict[str, list[str]]) -> list[tuple[str, str]]:
    return [(column, cell) for column, cells in bad.items() for cell in cells]


def row(columns: str, line: str, **other: str) -> Row:
    return {**dict(zip(columns.split(";"), line.split(";")[1:], strict=True)), **other}


@pytest.mark.parametrize(("column", "cell"), cases(BAD_ITEMS))
def test_a_bad_cell_of_an_open_item(column: str, cell: str) -> None:
    with pytest.raises(ValueError, match=f"^{column}: "):
        open_items.parse(row(OPENITEMS, item(), **{column: cell}))


@pytest.mark.parametrize(("column", "cell"), cases(BAD_CUSTOMERS))
def test_a_bad_cell_of_a_customer(column: str, cell: str) -> None:
    with pytest.raises(ValueError, match=f"^{column}: "):
        customers.parse(row(CUSTOMERS, person(), **{column: cell}))


@pytest.mark.parametrize(("column", "cell"), cases(BAD_PAYMENTS))
def test_a_bad_cell_of_a_payment(column: str, cell: str) -> None:
    with pytest.raises(ValueError, match=f"^{column}: "):
        payments.parse(row(PAYMENTS, paid(), **{column: cell}))


@pytest.mark.parametrize(
    ("cell", "moment"),
    [
        ("2026-11-22", datetime(2026, 11, 21, 22, 0, tzinfo=UTC)),
        ("22.07.2026", datetime(2026, 7, 21, 21, 0, tzinfo=UTC)),
        ("2026-11-22T10:30:00+02:00", datetime(2026, 11, 22, 8, 30, tzinfo=UTC)),
    ],
)
def test_a_payment_is_of_a_day_in_sofia_or_of_a_moment(cell: str, moment: datetime) -> None:
    assert payments.parse(row(PAYMENTS, paid(), paid_at=cell))["paid_at"] == moment


@pytest.mark.parametrize("identity", ["12345678", "1234567890", "12345678901234", "ab" * 32])
def test_a_business_is_known_by_an_eik_of_9_or_13_digits(identity: str) -> None:
    with pytest.raises(ValueError, match=r"^identity: is no ЕИК"):
        customers.parse(row(CUSTOMERS, person(class_="B", identity=identity)))
    assert customers.parse(row(CUSTOMERS, person(class_="B", identity="1234567890123")))["identity"] == "1234567890123"


def test_a_reason_quotes_nothing_that_cannot_be_printed() -> None:
    with pytest.raises(ValueError, match=r"^flags: '\\x00\\u202e' is not made of"):
        open_items.parse(row(OPENITEMS, item(), flags="\0\u202e"))
