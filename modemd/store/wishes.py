"""What technicians want of modems: the panel or the command line writes a wish, the daemon obeys and answers it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, select, text

from modemd.messages import Reason
from modemd.store import reasons, wakeup
from modemd.store.schema import WishState, WishVerb, modem, wish

STALE = timedelta(minutes=10)  # who asked has gone; what he wanted then may do harm now
KEPT = timedelta(days=7)  # as long as transcripts (DOMAIN, section 8)

_PENDING = text("wish.state = 'pending'")  # the words of the index


@dataclass(frozen=True, slots=True)
class Wish:
    """One for the modem that is at `port` now."""

    id: int
    port: str
    verb: WishVerb
    argument: str | None


@dataclass(frozen=True, slots=True)
class Answer:
    state: WishState
    answer: str | None


@dataclass(frozen=True, slots=True)
class Asked:
    """A wish and what became of it."""

    id: int
    modem_id: int
    verb: WishVerb
    argument: str | None
    asked_by: str
    asked_at: datetime
    state: WishState
    answer: str | None
    reason: Reason | None  # why it was refused
    answered_at: datetime | None


def ask(conn: Connection, modem_id: int, verb: WishVerb, argument: str | None, asked_by: str, now: datetime) -> int:
    """Write the wish and wake the daemons; returns its id."""
    row = {
        "modem_id": modem_id,
        "verb": verb,
        "argument": argument,
        "asked_by": asked_by,
        "asked_at": now,
        "state": WishState.PENDING,
    }
    wakeup.notify(conn)
    return int(conn.execute(wish.insert().returning(wish.c.id), row).scalar_one())


def take(conn: Connection, host: str, now: datetime) -> Sequence[Wish]:
    """The new wishes for this host's modems, in order; they are `taken` now. Refuses those that waited for too long."""
    pending = conn.execute(
        select(wish.c.id, wish.c.verb, wish.c.argument, wish.c.asked_at, modem.c.port)
        .join_from(wish, modem)
        .where(_PENDING, modem.c.host == host)
        .order_by(wish.c.id)
    ).all()
    taken = []
    for row in pending:
        if row.asked_at < now - STALE:
            stale = Reason("the daemon was not running when it was asked for", "Stale")
            answer(conn, row.id, WishState.REFUSED, stale, now)
        else:
            conn.execute(wish.update().where(wish.c.id == row.id).values(state=WishState.TAKEN))
            taken.append(Wish(row.id, row.port, WishVerb(row.verb), row.argument))
        if row.verb == WishVerb.PIN:  # it only passes through here (rule 7)
            conn.execute(wish.update().where(wish.c.id == row.id).values(argument=None))
    return taken


def answer(conn: Connection, wish_id: int, state: WishState, words: str | None, now: datetime) -> None:
    """Say what became of it; what is refused is told as a Reason."""
    made = {"state": state, "answer": words, "answered_at": now, **reasons.columns(words, "answer")}
    conn.execute(wish.update().where(wish.c.id == wish_id).values(**made))


def forsake(conn: Connection, host: str, now: datetime) -> None:
    """At the daemon's start: what it was at when it ended is refused, not done twice. Clears away what is old."""
    own = select(modem.c.id).where(modem.c.host == host).scalar_subquery()
    of_this_host = wish.c.modem_id.in_(own)
    left = wish.update().where(wish.c.state == WishState.TAKEN, of_this_host)
    stopped = Reason("the daemon was stopped meanwhile", "Forsaken")
    made = {"state": WishState.REFUSED, "answer": stopped, "answered_at": now, **reasons.columns(stopped, "answer")}
    conn.execute(left.values(**made))
    forget(conn, now)


def forget(conn: Connection, now: datetime) -> None:
    """Clear away wishes that are older than KEPT: their answers hold dialogues."""
    conn.execute(wish.delete().where(wish.c.asked_at < now - KEPT))


def of_modem(conn: Connection, modem_id: int, *, limit: int = 20) -> list[Asked]:
    """The newest wishes for one modem, the newest first."""
    rows = conn.execute(select(wish).where(wish.c.modem_id == modem_id).order_by(wish.c.id.desc()).limit(limit))
    return [_asked(row) for row in rows]


def find(conn: Connection, modem_id: int, wish_id: int) -> Asked | None:
    """One wish for this modem."""
    row = conn.execute(select(wish).where(wish.c.modem_id == modem_id, wish.c.id == wish_id)).first()
    return _asked(row) if row else None


def _asked(row: Row[Any]) -> Asked:
    values = {name: getattr(row, name) for name in Asked.__slots__ if name not in ("reason", "verb", "state")}
    reason = reasons.read(row.answer, row.answer_code, row.answer_facts)
    return Asked(**values, verb=WishVerb(row.verb), state=WishState(row.state), reason=reason)


def outcome(conn: Connection, wish_id: int) -> Answer:
    """How the wish stands."""
    row = conn.execute(select(wish.c.state, wish.c.answer).where(wish.c.id == wish_id)).one()
    return Answer(WishState(row.state), row.answer)
