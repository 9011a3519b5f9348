"""The answer to `smetka`: what the customers of a phone have to pay."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import Connection, and_, bindparam, func, select

from modemd.config import SOFIA, Language, Service
from modemd.service import subscriptions, templates
from modemd.service.templates import Site
from modemd.store.schema import dataset, open_item, phone, phone_customer


@dataclass(frozen=True, slots=True)
class Bill:
    """What one customer of a phone has to pay, as of the last import."""

    customer_no: str
    data_at: datetime | None  # None: no open items have ever been imported
    cents: int
    due: date | None  # the earliest; None where nothing is open


_OPEN = and_(
    open_item.c.generation == dataset.c.generation,
    open_item.c.customer_no == phone_customer.c.customer_no,
    open_item.c.status.in_(("OPEN", "PARTIAL")),
    open_item.c.open_cents > 0,
)
_BILLS = (
    select(
        phone_customer.c.customer_no,
        dataset.c.data_at,
        func.coalesce(func.sum(open_item.c.open_cents), 0).label("cents"),
        func.min(open_item.c.due_date).label("due"),
    )
    .join(phone, and_(phone.c.number == phone_customer.c.phone, subscriptions.receives("bill")))
    .outerjoin(dataset, dataset.c.type == "OPENITEMS")
    .outerjoin(open_item, _OPEN)
    .where(phone_customer.c.phone == bindparam("of_number"), subscriptions.is_active(phone_customer.c.customer_no))
    .group_by(phone_customer.c.customer_no, dataset.c.data_at)
    .order_by(phone_customer.c.customer_no)
)


def answer(
    conn: Connection, number: str, asked: Collection[str], language: Language, service: Service, now: datetime
) -> str:
    """The text for a phone that asks about all its customers, or about the customer numbers `asked`.

    A phone that is not registered for bill checks, and one that asks about a number which is not its own, are told the
    same. What was due before today (in Sofia) is overdue.
    """
    bills = bills_of(conn, number)
    if not bills or not {bill.customer_no for bill in bills}.issuperset(asked):
        return templates.render("not_registered", language, service)
    if bills[0].data_at is None:
        return templates.render("no_data", language, service)
    today = now.astimezone(SOFIA).date()
    sites = [
        Site(bill.customer_no, bill.cents, bill.due, overdue=bill.due is not None and bill.due < today)
        for bill in bills
        if not asked or bill.customer_no in asked
    ]
    return templates.bill(sites, bills[0].data_at, language, service)


def bills_of(conn: Connection, number: str) -> list[Bill]:
    """The bills of all active customers of a phone, by customer number; none if the phone has no bill check.

    One statement, so that on any database it sees the data of one moment: a FULL file that is switched to meanwhile
    (see billing/importing.py) is seen wholly or not at all.
    """
    rows = conn.execute(_BILLS, {"of_number": number})
    return [Bill(row.customer_no, row.data_at, int(row.cents), row.due) for row in rows]
