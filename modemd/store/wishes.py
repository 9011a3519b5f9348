"""What technicians want of modems: the panel or the command line writes a wish, the daemon obeys and answers it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, select, text

from modemd.store import wakeup
from modemd.store.schema import WishState, WishVerb, modem, wish

STALE = timedelta(minutes=10)  # who asked has gone; what he wanted then may do harm now

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
            answer(conn, row.id, WishState.REFUSED, "the daemon was not running when it was asked for", now)
        else:
            conn.execute(wish.update().where(wish.c.id == row.id).values(state=WishState.TAKEN))
            taken.append(Wish(row.id, row.port, WishVerb(row.verb), row.argument))
    return taken


def answer(conn: Connection, wish_id: int, state: WishState, words: str | None, now: datetime) -> None:
    """Say what became of it."""
    conn.execute(wish.update().where(wish.c.id == wish_id).values(state=state, answer=words, answered_at=now))


def forsake(conn: Connection, host: str, now: datetime) -> None:
    """At the daemon's start: what it was at when it ended is refused, not done twice."""
    own = select(modem.c.id).where(modem.c.host == host).scalar_subquery()
    left = wish.update().where(wish.c.state == WishState.TAKEN, wish.c.modem_id.in_(own))
    conn.execute(left.values(state=WishState.REFUSED, answer="the daemon was stopped meanwhile", answered_at=now))


def outcome(conn: Connection, wish_id: int) -> Answer:
    """How the wish stands."""
    row = conn.execute(select(wish.c.state, wish.c.answer).where(wish.c.id == wish_id)).one()
    return Answer(WishState(row.state), row.answer)
