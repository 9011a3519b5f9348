"""The rows of a PAYMENTS file, and what payments leave of the invoices.

Payments reach billing up to two working days late, and OPENITEMS may be older or newer than PAYMENTS. So every payment
is kept with the moment of the first file that told of it, and every invoice with the moment of the file that brought
it: a payment told at that moment or later is not in the invoice yet, and is taken off it. In whatever order files come,
the result is the same.
"""

from collections.abc import Callable
from datetime import UTC, datetime, time
from typing import Any

from sqlalchemy import Connection, and_, bindparam, exists, func, or_, select, tuple_

from modemd.billing import cells
from modemd.billing.cells import Row
from modemd.config import SOFIA
from modemd.errors import Because
from modemd.store.schema import dataset, open_item, payment

_SAME = and_(payment.c.customer_no == open_item.c.customer_no, payment.c.invoice_no == open_item.c.invoice_no)
_NOT_IN_IT_YET = func.coalesce(open_item.c.data_at, payment.c.known_at) <= payment.c.known_at
_WRITE = open_item.update().where(
    open_item.c.generation == bindparam("of_generation"),
    open_item.c.customer_no == bindparam("of_customer"),
    open_item.c.invoice_no == bindparam("of_invoice"),
)


def parse(row: Row) -> dict[str, Any]:
    """A row of the table `payment` without its generation. Raises BadCell."""
    return {
        "customer_no": cells.digits(row, "customer_no", 12),
        "invoice_no": cells.digits(row, "invoice_no", 10),
        "paid_at": _moment(row, "paid_at"),
        "cents": cells.amount(row, "amount"),
    }


def _moment(row: Row, column: str) -> datetime:
    """A day, or a time with an offset; a day is its midnight in Sofia."""
    cell = row[column]
    if "T" in cell:
        try:
            return cells.moment(cell)
        except cells.BadCell as error:
            raise cells.BadCell(Because("{column}: {reason}", column=column, reason=error.reason)) from None
    return datetime.combine(cells.day(row, column), time(), SOFIA).astimezone(UTC)


def unknown_invoice(conn: Connection) -> Callable[[dict[str, Any]], str | None]:
    """Tells why a good row cannot be taken off anything now: its invoice is not among those of its customer.

    Such a payment is kept all the same, and shown in reject/: the invoice may come with the next OPENITEMS.
    """
    current = select(dataset.c.generation).where(dataset.c.type == "OPENITEMS").scalar_subquery()
    query = select(open_item.c.customer_no, open_item.c.invoice_no).where(open_item.c.generation == current)
    known = {(row.customer_no, row.invoice_no) for row in conn.execute(query)}

    def reason(row: dict[str, Any]) -> str | None:
        if (row["customer_no"], row["invoice_no"]) in known:
            return None
        return f"invoice {row['invoice_no']} of customer {row['customer_no']} is not among the open items (kept)"

    return reason


def keep_first_moment(conn: Connection, loaded: int, current: int) -> None:
    """What has been told of before keeps the moment of its first file."""
    before = payment.alias("before")
    key = (payment.c.customer_no, payment.c.invoice_no, payment.c.paid_at, payment.c.cents)
    same = and_(before.c.generation == current, *(before.c[column.name] == column for column in key))
    first = select(before.c.known_at).where(same).scalar_subquery()
    known = select(*(before.c[column.name] for column in key)).where(before.c.generation == current)
    conn.execute(payment.update().where(payment.c.generation == loaded, tuple_(*key).in_(known)).values(known_at=first))


def settle(conn: Connection, items: int | None, payments: int | None) -> None:
    """Bring the invoices of the generation `items` to what the payments of the generation `payments` leave of them."""
    if items is None or payments is None:
        return
    of_it = and_(payment.c.generation == payments, _SAME)
    paid = select(func.coalesce(func.sum(payment.c.cents), 0)).where(of_it, _NOT_IN_IT_YET).scalar_subquery()
    touched = or_(open_item.c.paid_cents > 0, exists().where(of_it))
    query = select(open_item, paid.label("paid")).where(
        open_item.c.generation == items, open_item.c.status != "CANCELLED", touched
    )
    changed = [_after(row) for row in conn.execute(query) if min(row.paid, _billed(row)) != row.paid_cents]
    if changed:
        conn.execute(_WRITE, changed)


def _billed(row: Any) -> int:
    return int(row.open_cents + row.paid_cents)


def _after(row: Any) -> dict[str, Any]:
    billed = _billed(row)
    paid = min(int(row.paid), billed)  # what is paid too much is for billing to give back
    whole = paid == 0 and billed == row.total_cents
    status = "PAID" if paid == billed else "OPEN" if whole else "PARTIAL"
    key = {"of_generation": row.generation, "of_customer": row.customer_no, "of_invoice": row.invoice_no}
    return {**key, "open_cents": billed - paid, "paid_cents": paid, "status": status}
