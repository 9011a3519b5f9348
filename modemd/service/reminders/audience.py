"""Who is to be reminded, of what, and why the others are not: every row of billing's data has just one fate."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from itertools import groupby
from typing import Any

from sqlalchemy import Connection, and_, select

from modemd.config import SOFIA, Language
from modemd.service.calendar import Calendar
from modemd.service.notices import Owed
from modemd.service.reminders.rules import Reason, Rules, facts
from modemd.store.campaigns import Item
from modemd.store.progress import was_reminded
from modemd.store.schema import dataset, open_item, phone, phone_customer

_ORDER = (Reason.STOPPED, Reason.WRONG_NUMBER, Reason.NO_CONSENT, Reason.NO_PHONE)  # of several phones' reasons
_ITEMS = (
    select(
        open_item.c.customer_no,
        open_item.c.invoice_no,
        *facts(open_item.c.customer_no),
        phone.c.language,
        was_reminded(open_item.c.customer_no, open_item.c.invoice_no, open_item.c.level).label("reminded"),
    )
    .select_from(open_item)
    .join(dataset, and_(dataset.c.type == "OPENITEMS", dataset.c.generation == open_item.c.generation))
    .outerjoin(phone_customer, phone_customer.c.customer_no == open_item.c.customer_no)
    .outerjoin(phone, phone.c.number == phone_customer.c.phone)
    .order_by(open_item.c.customer_no, open_item.c.invoice_no, phone.c.number)
)


@dataclass(frozen=True, slots=True)
class Addressee:
    """A phone and the invoices of all its customers that it is reminded of, in one message."""

    phone: str
    language: Language
    items: tuple[Item, ...]
    last_day: date  # on which the message may leave

    @property
    def owed(self) -> Owed:
        customers = tuple(dict.fromkeys(item.customer_no for item in self.items))
        return Owed(customers, sum(item.cents for item in self.items), min(item.cutoff_date for item in self.items))


@dataclass(frozen=True, slots=True)
class Audience:
    rows: int  # of billing's data
    items: int  # that somebody is reminded of
    left_out: dict[Reason, int]  # the rest: rows == items + their sum
    addressees: tuple[Addressee, ...]  # whoever has least time first


@dataclass(frozen=True, slots=True)
class Data:
    """Which open items count, and of when they are."""

    generation: int
    at: datetime


def current_data(conn: Connection) -> Data | None:
    """None: billing has never handed over open items."""
    query = select(dataset.c.generation, dataset.c.data_at).where(dataset.c.type == "OPENITEMS")
    row = conn.execute(query).one_or_none()
    return None if row is None else Data(row.generation, row.data_at)


def find(conn: Connection, calendar: Calendar, now: datetime) -> Audience:
    """Everybody who is to be reminded at this moment."""
    rules = Rules(calendar, now.astimezone(SOFIA).date())
    left_out: Counter[Reason] = Counter()
    by_phone: dict[str, tuple[Language, list[Item]]] = {}
    rows = 0
    for row, phones in _grouped(conn):
        rows += 1
        reason = rules.of_item(row) or (Reason.REMINDED if row.reminded else None)
        against = {each.number: rules.of_phone(each) for each in phones}
        if reason is None and None not in against.values():
            reason = min(filter(None, against.values()), key=_ORDER.index)
        if reason is not None:
            left_out[reason] += 1
            continue
        item = Item(row.customer_no, row.invoice_no, row.level, row.open_cents, row.cutoff_date)
        for each in phones:
            if against[each.number] is None:
                by_phone.setdefault(each.number, (each.language, []))[1].append(item)
    addressees = [
        Addressee(number, language, tuple(items), min(rules.last_day(item.cutoff_date) for item in items))
        for number, (language, items) in by_phone.items()
    ]
    addressees.sort(key=lambda each: (each.last_day, each.phone))
    return Audience(rows, rows - left_out.total(), dict(left_out), tuple(addressees))


def _grouped(conn: Connection) -> Iterator[tuple[Any, list[Any]]]:
    """Each invoice with its phones, at least one row; a row without a phone has none."""
    rows = conn.execute(_ITEMS)
    for _, several in groupby(rows, key=lambda row: (row.customer_no, row.invoice_no)):
        phones = list(several)
        yield phones[0], phones
