"""The rows of an OPENITEMS file: invoices that are, or were, to be paid."""

import re
from typing import Any

from modemd.billing import cells
from modemd.billing.cells import Row
from modemd.billing.customers import CLASSES
from modemd.errors import Because

STATUSES = ("OPEN", "PARTIAL", "PAID", "CANCELLED")
FLAGS = "VDIN"  # vulnerable, disputed, in instalments, no reminders
_LEVEL = re.compile(r"[0-9]{1,2}")


def parse(row: Row) -> dict[str, Any]:
    """A row of the table `open_item` without its generation. Raises BadCell."""
    return {
        "customer_no": cells.digits(row, "customer_no", 12),
        "invoice_no": cells.digits(row, "invoice_no", 10),
        "itn": cells.metering_point(row, "itn"),
        "invoice_date": cells.day(row, "invoice_date"),
        "due_date": cells.day(row, "due_date"),
        "cutoff_date": cells.day(row, "cutoff_date") if row["cutoff_date"] else None,
        "total_cents": cells.amount(row, "amount_total"),
        "open_cents": cells.amount(row, "amount_open"),
        "status": cells.one_of(row, "status", STATUSES),
        "level": _level(row["level"]),
        "class": cells.one_of(row, "class", CLASSES),
        "flags": _flags(row["flags"]),
    }


def _level(cell: str) -> int:
    if not _LEVEL.fullmatch(cell):
        raise cells.BadCell(Because("level: {cell} is no number from 0 to 99", cell=cells.shown(cell)))
    return int(cell)


def _flags(cell: str) -> str:
    if not set(cell) <= set(FLAGS) or len(set(cell)) != len(cell):
        raise cells.BadCell(
            Because("flags: {cell} is not made of {flags}, each once at most", cell=cells.shown(cell), flags=FLAGS)
        )
    return cell
