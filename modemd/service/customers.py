"""A customer as staff and the customer himself may see him: found, shown, handed out as a whole."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, and_, func, select

from modemd import audit
from modemd.errors import Because, CustomerUnknown, NotABulgarianMobile, RevealRefused
from modemd.service import consent, phones
from modemd.service.consent import SERVICES, Consent
from modemd.store import listing
from modemd.store.schema import (
    account,
    customer,
    dataset,
    inbox,
    message,
    open_item,
    payment,
    phone,
    phone_customer,
)

LONGEST_SEARCH = 64  # characters


@dataclass(frozen=True, slots=True)
class Phone:
    """A phone of a customer. Mask its number wherever it is shown (`masks.phone`)."""

    number: str
    services: tuple[str, ...]
    language: str
    stopped_at: datetime | None
    wrong_number_at: datetime | None
    since: datetime  # tied to this customer
    customers: int  # that it is tied to, this one too


@dataclass(frozen=True, slots=True)
class Item:
    """An invoice."""

    invoice_no: str
    due_date: date
    cutoff_date: date | None
    open_cents: int
    status: str
    level: int
    flags: str


@dataclass(frozen=True, slots=True)
class Customer:
    customer_no: str
    known: bool  # to billing, by its last CUSTOMERS file
    active: bool
    class_: str | None  # H household, B business
    itn: str | None
    language: str | None
    identified: bool  # billing has told by which ЕГН, ЛНЧ or ЕИК it is known
    account: str | None  # user name at the portal
    phones: tuple[Phone, ...]
    items: tuple[Item, ...]


def search(conn: Connection, written: str, limit: int = 50) -> list[str]:
    """The customer numbers that a customer number, a phone or a metering point leads to, in order."""
    term = "".join(written.split()) if len(written) <= LONGEST_SEARCH else ""
    if len(term) == 12 and term.isdecimal() and not term.startswith("00"):
        return [term] if _is_known(conn, term) else []
    if term.upper().startswith("32Z"):
        query = _current(customer.c.customer_no).where(customer.c.itn == term.upper())
        return list(conn.scalars(query.order_by(customer.c.customer_no).limit(limit)))
    try:
        number = phones.normalise(written)
    except NotABulgarianMobile:
        return []
    tied = select(phone_customer.c.customer_no).where(phone_customer.c.phone == number)
    return list(conn.scalars(tied.order_by(phone_customer.c.customer_no).limit(limit)))


def show(conn: Connection, customer_no: str) -> Customer:
    """Everything that is known of a customer now. Raises CustomerUnknown."""
    row = conn.execute(_current(customer).where(customer.c.customer_no == customer_no)).first()
    if row is None and not _is_known(conn, customer_no):
        raise CustomerUnknown(customer=customer_no)
    return Customer(
        customer_no=customer_no,
        known=row is not None,
        active=bool(row and row.active),
        class_=row._mapping["class"] if row else None,
        itn=row.itn if row else None,
        language=row.language if row else None,
        identified=bool(row and row.identity),
        account=conn.scalar(select(account.c.name).where(account.c.customer_no == customer_no)),
        phones=tuple(_phones(conn, customer_no)),
        items=tuple(_items(conn, customer_no)),
    )


def export(conn: Connection, customer_no: str, who: str, now: datetime) -> dict[str, Any]:
    """All data of one customer, to be handed to him; audited. Raises CustomerUnknown.

    Of a phone that has other customers too the messages are named without their texts: they may speak of those.
    """
    found = show(conn, customer_no)
    numbers = _numbers_of(conn, customer_no)
    paid = select(payment.c.invoice_no, payment.c.paid_at, payment.c.cents).where(
        payment.c.customer_no == customer_no, payment.c.generation == _generation("PAYMENTS")
    )
    audit.note(conn, who, "customer.export", customer_no, f"{len(numbers)} phones", now)
    return {
        "exported_at": now,
        "customer": asdict(found),
        "payments": [dict(row._mapping) for row in conn.execute(paid.order_by(payment.c.paid_at))],
        "consents": [asdict(each) for each in consent.history(conn, customer_no=customer_no, limit=100_000)],
        "messages": [one for number in numbers for one in _messages(conn, number, customer_no)],
    }


def history(conn: Connection, customer_no: str) -> list[Consent]:
    """The consent history of a customer, oldest first."""
    return consent.history(conn, customer_no=customer_no)


def reveal(conn: Connection, number: str, who: str, why: str, now: datetime) -> str:
    """Let a person of staff see a number in full: an audited act. Raises RevealRefused without a reason."""
    if not why.strip():
        raise RevealRefused(reason=Because("say why you need it"))
    audit.note(conn, who, "number.reveal", number, why.strip(), now)
    return number


def reveal_message(
    conn: Connection, direction: listing.Direction, message_id: int, who: str, why: str, now: datetime
) -> str:
    """The number of a message that was sent (`mt`) or came (`mo`). Raises RevealRefused."""
    column = message.c.recipient if direction == "mt" else inbox.c.number
    number = conn.scalar(select(column).where(column.table.c.id == message_id))
    if number is None:
        raise RevealRefused(reason=Because("there is no message {message_id} with a number", message_id=message_id))
    return reveal(conn, number, who, f"message {message_id}: {why.strip()}" if why.strip() else "", now)


def _is_known(conn: Connection, customer_no: str) -> bool:
    tied = select(phone_customer.c.customer_no).where(phone_customer.c.customer_no == customer_no)
    here = _current(customer.c.customer_no).where(customer.c.customer_no == customer_no)
    return any(conn.execute(query.limit(1)).first() for query in (here, tied)) or bool(
        consent.history(conn, customer_no=customer_no, limit=1)
    )


def _numbers_of(conn: Connection, customer_no: str) -> list[str]:
    """The phones of a customer, today's and those of before."""
    today = {each.number for each in _phones(conn, customer_no)}
    return sorted(today | {each.phone for each in consent.history(conn, customer_no=customer_no, limit=100_000)})


def _phones(conn: Connection, customer_no: str) -> list[Phone]:
    all_ties = phone_customer.alias("all_ties")
    count = select(func.count()).where(all_ties.c.phone == phone.c.number).scalar_subquery()
    query = (
        select(phone, phone_customer.c.created_at.label("since"), count.label("customers"))
        .join_from(phone_customer, phone)
        .where(phone_customer.c.customer_no == customer_no)
        .order_by(phone.c.number)
    )
    return [
        Phone(
            number=row.number,
            services=tuple(service for service in SERVICES if row._mapping[service]),
            language=row.language,
            stopped_at=row.stopped_at,
            wrong_number_at=row.wrong_number_at,
            since=row.since,
            customers=row.customers,
        )
        for row in conn.execute(query)
    ]


def _items(conn: Connection, customer_no: str) -> list[Item]:
    query = select(*(open_item.c[name] for name in Item.__slots__)).where(
        open_item.c.generation == _generation("OPENITEMS"), open_item.c.customer_no == customer_no
    )
    return [Item(*row) for row in conn.execute(query.order_by(open_item.c.due_date, open_item.c.invoice_no))]


def _messages(conn: Connection, number: str, customer_no: str) -> Sequence[dict[str, Any]]:
    others = and_(phone_customer.c.phone == number, phone_customer.c.customer_no != customer_no)
    before = consent.history(conn, phone=number, limit=100_000)
    shared = conn.scalar(select(func.count()).where(others)) or any(
        each.customer_no not in (None, customer_no) for each in before
    )
    found = [
        listing.as_dict(row)
        for written in phones.spellings(number)
        for row in listing.find(conn, number=written, limit=None)
    ]
    return [{**each, "text": None} for each in found] if shared else found


def _current(*columns: Any) -> Any:
    return select(*columns).where(customer.c.generation == _generation("CUSTOMERS"))


def _generation(type_: str) -> Any:
    return select(dataset.c.generation).where(dataset.c.type == type_).scalar_subquery()
