"""The history of consent: who agreed to which services for which customer on which phone, when, and when it ended.

One row for each phone and customer; other services end it and begin the next. `subscriptions` writes it.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, select

from modemd.errors import Because, RegistrationRefused
from modemd.store.dialects import insert_into
from modemd.store.schema import Channel, consent, consent_text

SERVICES = ("bill", "reminder", "outage")
NOTICES = ("reminder", "outage")  # what STOP ends
CUSTOMER = "customer"  # who acts where it is nobody of staff


@dataclass(frozen=True, slots=True)
class Shown:
    """The text that was agreed to. A version is one text for ever: another text or language is another version."""

    version: str
    text: str


@dataclass(frozen=True, slots=True)
class Given:
    """How a consent is given or ended."""

    channel: Channel
    who: str  # the person of staff, or CUSTOMER
    now: datetime
    shown: Shown | None = None


@dataclass(frozen=True, slots=True)
class Consent:
    """One row of the history. A STOP or a mark of a phone that is not registered has no customer and no service."""

    id: int
    phone: str  # E.164, or a pseudonym once the customer is erased
    customer_no: str | None
    services: tuple[str, ...]
    channel: Channel
    who: str
    version: str | None
    text: str | None
    registered: bool  # False: goes on from the one that ended then, with other services
    begun_at: datetime
    ended_at: datetime | None
    end_channel: Channel | None
    ended_by: str | None


def give(conn: Connection, number: str, customer_numbers: Iterable[str], services: Collection[str], how: Given) -> None:
    """From now on these are the services for these customers on this phone; what differs ends, what is so stays.

    Raises RegistrationRefused for a version that was shown with another text before.
    """
    wanted = {service: service in services for service in SERVICES}
    text_id = _text_id(conn, how.shown) if how.shown else None
    rows = conn.execute(select(consent).where(consent.c.phone == number, consent.c.ended_at.is_(None)))
    open_ = {row.customer_no: row._mapping for row in rows}
    new = []
    for customer_no in customer_numbers:
        before = open_.get(customer_no)
        if before is not None and all(before[service] == is_on for service, is_on in wanted.items()):
            continue
        if before is not None:
            _end(conn, consent.c.id == before["id"], how)
        new.append(_row(number, customer_no, how, wanted, text_id=text_id, registered=before is None))
    if new:
        conn.execute(consent.insert(), new)


def narrow(conn: Connection, number: str, ended: Collection[str], how: Given) -> None:
    """End some services of a phone for all its customers; what remains goes on as it was agreed to."""
    rows = conn.execute(select(consent).where(consent.c.phone == number, consent.c.ended_at.is_(None))).all()
    for row in rows:
        left = {service: row._mapping[service] and service not in ended for service in SERVICES}
        if all(row._mapping[service] == is_on for service, is_on in left.items()):
            continue
        _end(conn, consent.c.id == row.id, how)
        if any(left.values()):
            given = Given(Channel(row.channel), row.who, how.now)
            going_on = _row(number, row.customer_no, given, left, text_id=row.text_id, registered=False)
            conn.execute(consent.insert(), going_on)


def end(conn: Connection, number: str, customer_numbers: Collection[str], how: Given) -> None:
    """End everything that was agreed to for these customers on this phone."""
    _end(conn, (consent.c.phone == number) & consent.c.customer_no.in_(customer_numbers), how)


def object_(conn: Connection, number: str, how: Given) -> None:
    """Keep that a phone which has agreed to nothing wants nothing: a row that ends as it begins."""
    nothing = dict.fromkeys(SERVICES, False)
    row = _row(number, None, how, nothing, text_id=None, registered=False)
    conn.execute(consent.insert(), {**row, "ended_at": how.now, "end_channel": how.channel, "ended_by": how.who})


def history(
    conn: Connection, *, phone: str | None = None, customer_no: str | None = None, limit: int = 500
) -> list[Consent]:
    """The newest rows for a phone or a customer (or both), oldest first."""
    query = (
        select(consent, consent_text.c.version, consent_text.c.text)
        .join_from(consent, consent_text, isouter=True)
        .order_by(consent.c.id.desc())
        .limit(limit)
    )
    if phone is not None:
        query = query.where(consent.c.phone == phone)
    if customer_no is not None:
        query = query.where(consent.c.customer_no == customer_no)
    return [_consent(row._mapping) for row in reversed(conn.execute(query).all())]


def _consent(row: Any) -> Consent:
    services = tuple(service for service in SERVICES if row[service])
    end_channel = Channel(row["end_channel"]) if row["end_channel"] else None
    kept = {name: row[name] for name in Consent.__slots__ if name not in ("services", "channel", "end_channel")}
    return Consent(**kept, services=services, channel=Channel(row["channel"]), end_channel=end_channel)


def _end(conn: Connection, which: ColumnElement[bool], how: Given) -> None:
    ended = {"ended_at": how.now, "end_channel": how.channel, "ended_by": how.who}
    conn.execute(consent.update().where(which, consent.c.ended_at.is_(None)).values(ended))


def _row(
    number: str,
    customer_no: str | None,
    how: Given,
    services: dict[str, bool],
    *,
    text_id: int | None,
    registered: bool,
) -> dict[str, Any]:
    return {
        "phone": number,
        "customer_no": customer_no,
        **services,
        "channel": how.channel,
        "who": how.who,
        "text_id": text_id,
        "registered": registered,
        "begun_at": how.now,
    }


def _text_id(conn: Connection, shown: Shown) -> int:
    added = insert_into(conn, consent_text).values(version=shown.version, text=shown.text)
    conn.execute(added.on_conflict_do_nothing(index_elements=["version"]))
    row = conn.execute(select(consent_text).where(consent_text.c.version == shown.version)).one()
    if row.text != shown.text:
        reason = Because(
            "version {version!r} of the consent text was shown with other words before", version=shown.version
        )
        raise RegistrationRefused(reason=reason)
    return int(row.id)
