"""The rows of a hand-over file, parsed one by one and counted."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Table

from modemd.billing import customers, open_items
from modemd.billing.cells import Row
from modemd.billing.files import HandOverFile, Record
from modemd.billing.rejects import BadRow
from modemd.store.schema import customer, open_item


@dataclass(frozen=True, slots=True)
class RowType:
    """How the rows of one type of file are read and stored."""

    table: Table
    key: tuple[str, ...]  # what a row is known by, within its generation
    parse: Callable[[Row], dict[str, Any]]


ROW_TYPES: Mapping[str, RowType] = {
    "CUSTOMERS": RowType(customer, ("customer_no",), customers.parse),
    "OPENITEMS": RowType(open_item, ("customer_no", "invoice_no"), open_items.parse),
}


@dataclass(slots=True)
class Tally:
    """What a file holds."""

    rows: int = 0  # bad ones too
    cents: int = 0  # open, of the good ones
    bad: list[BadRow] = field(default_factory=list)

    @property
    def good(self) -> int:
        return self.rows - len(self.bad)


def good_rows(file: HandOverFile, tally: Tally) -> Iterator[dict[str, Any]]:
    """The rows that can be stored; the tally counts them and keeps the others. Raises FileRefused as `records` does."""
    row_type = ROW_TYPES[file.header.type]
    seen: set[tuple[Any, ...]] = set()
    for record in file.records():
        tally.rows += 1
        try:
            row = _parse(record, row_type, seen)
        except ValueError as error:
            tally.bad.append(BadRow(record.line, str(error), record.shown))
        else:
            tally.cents += row.get("open_cents", 0)
            yield row


def _parse(record: Record, row_type: RowType, seen: set[tuple[Any, ...]]) -> dict[str, Any]:
    if record.values is None:
        raise ValueError("it has not as many cells as C names columns")
    row = row_type.parse(record.values)
    key = tuple(row[name] for name in row_type.key)
    if key in seen:
        raise ValueError(f"{' '.join(key)} stands in the file twice")
    seen.add(key)
    return row
