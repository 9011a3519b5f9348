"""The rows of a hand-over file, parsed one by one and counted."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Table

from modemd.billing import customers, open_items, payments
from modemd.billing.cells import BadCell, Row
from modemd.billing.files import HandOverFile, Record
from modemd.billing.rejects import BadRow
from modemd.errors import Because
from modemd.store.schema import customer, open_item, payment


@dataclass(frozen=True, slots=True)
class RowType:
    """How the rows of one type of file are read and stored."""

    table: Table
    key: tuple[str, ...]  # what a row is known by, within its generation
    parse: Callable[[Row], dict[str, Any]]
    moment: str | None = None  # the column that says of which moment the row is


ROW_TYPES: Mapping[str, RowType] = {
    "CUSTOMERS": RowType(customer, ("customer_no",), customers.parse),
    "OPENITEMS": RowType(open_item, ("customer_no", "invoice_no"), open_items.parse, "data_at"),
    "PAYMENTS": RowType(payment, ("customer_no", "invoice_no", "paid_at", "cents"), payments.parse, "known_at"),
}


@dataclass(slots=True)
class Tally:
    """What a file holds."""

    rows: int = 0  # bad ones too
    cents: int = 0  # open, of the good ones
    bad: list[BadRow] = field(default_factory=list)
    aside: list[BadRow] = field(default_factory=list)  # good ones that a person should look at

    @property
    def good(self) -> int:
        return self.rows - len(self.bad)


def good_rows(
    file: HandOverFile, tally: Tally, doubt: Callable[[dict[str, Any]], str | None] | None = None
) -> Iterator[dict[str, Any]]:
    """The rows that can be stored; the tally counts them and keeps the others. Raises FileRefused as `records` does.

    `doubt` says what a person should know of a good row.
    """
    row_type = ROW_TYPES[file.header.type]
    moment = {row_type.moment: file.header.data_at} if row_type.moment else {}
    seen: set[tuple[Any, ...]] = set()
    for record in file.records():
        tally.rows += 1
        try:
            row = _parse(record, row_type, seen)
        except BadCell as error:
            tally.bad.append(BadRow(record.line, error.reason, record.shown))
        else:
            tally.cents += row.get("open_cents", 0)
            if doubt is not None and (reason := doubt(row)) is not None:
                tally.aside.append(BadRow(record.line, reason, record.shown))
            yield row | moment


def _parse(record: Record, row_type: RowType, seen: set[tuple[Any, ...]]) -> dict[str, Any]:
    if record.values is None:
        raise BadCell(Because("it has not as many cells as C names columns"))
    row = row_type.parse(record.values)
    key = tuple(row[name] for name in row_type.key)
    if key in seen:
        raise BadCell(Because("{key} stands in the file twice", key=" ".join(map(str, key[:2]))))
    seen.add(key)
    return row
