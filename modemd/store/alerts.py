"""What somebody has to be told of: raised once, kept while it lasts, cleared when it is over."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, bindparam, select, text

from modemd.messages import AlertKind
from modemd.store.dialects import insert_into
from modemd.store.schema import alert

BANK = "bank"  # the subject of what concerns no single modem
_OPEN = text("cleared_at IS NULL")


@dataclass(frozen=True, slots=True)
class Notice:
    """How it is now with one thing that may be wrong with one subject."""

    host: str
    subject: str  # the port of a modem, or BANK
    kind: AlertKind
    name: str  # what people call the subject
    text: str | None  # None: it is over, or was never so


@dataclass(frozen=True, slots=True)
class Alert:
    host: str
    subject: str
    kind: AlertKind
    name: str
    text: str
    raised_at: datetime


_CLEAR = alert.update().where(
    _OPEN,
    alert.c.host == bindparam("of_host"),
    alert.c.subject == bindparam("of_subject"),
    alert.c.kind == bindparam("of_kind"),
)


def note(conn: Connection, notices: Sequence[Notice], now: datetime) -> list[None]:
    """Raise what is wrong, clear what is over; of several notices of one thing the last counts. For Ledger.post.

    What is raised again while it lasts stays one alert, of the time when it began, in its newest words.
    """
    latest = {(each.host, each.subject, each.kind): each for each in notices}.values()
    over = [
        {"of_host": each.host, "of_subject": each.subject, "of_kind": each.kind, "cleared_at": now}
        for each in latest
        if each.text is None
    ]
    raised = [
        {name: getattr(each, name) for name in Notice.__slots__} | {"raised_at": now}
        for each in latest
        if each.text is not None
    ]
    if over:
        conn.execute(_CLEAR, over)
    if raised:
        insert = insert_into(conn, alert)
        newest = {"name": insert.excluded.name, "text": insert.excluded.text}
        key = ["host", "subject", "kind"]
        conn.execute(insert.on_conflict_do_update(index_elements=key, index_where=_OPEN, set_=newest), raised)
    return [None] * len(notices)


def forget(conn: Connection, host: str, now: datetime) -> None:
    """Clear every alert of a host that starts: what is still wrong is found again."""
    conn.execute(alert.update().where(_OPEN, alert.c.host == host).values(cleared_at=now))


def standing(conn: Connection) -> list[Alert]:
    """What is wrong now, the oldest first."""
    rows = conn.execute(select(alert).where(_OPEN).order_by(alert.c.raised_at, alert.c.id))
    return [read(row) for row in rows]


def read(row: Row[Any]) -> Alert:
    """One row of the table."""
    return Alert(row.host, row.subject, AlertKind(row.kind), row.name, row.text, row.raised_at)
