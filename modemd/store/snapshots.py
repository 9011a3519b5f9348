"""A restored copy of the database does not know what was sent after it was made: whatever waited then is in doubt now.

The row in `snapshot` is in the copy from the start, so that a file which somebody has put in place by hand says so too.
"""

import logging
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, bindparam, func, inspect, or_, select, text, update

from modemd.store.parts import IN_DOUBT, QUEUED, SENDING, UNCLAIMED
from modemd.store.schema import CampaignState, InboxState, UtcTime, campaign, in_air, inbox, message, part, snapshot

log = logging.getLogger(__name__)

_IDENTITY = text(
    "SELECT c.system_identifier::text || ':' || d.oid::text FROM pg_control_system() AS c, pg_database AS d"
    " WHERE d.datname = current_database()"
)


@dataclass(frozen=True, slots=True)
class Restored:
    made_at: datetime  # of the copy
    in_doubt: int  # messages that waited then
    unread: int  # questions that waited then


def identity(conn: Connection) -> str | None:
    """What tells this database from a copy of it; None on SQLite, where only copies are marked."""
    return str(conn.scalar(_IDENTITY)) if conn.dialect.name == "postgresql" else None


def mark(conn: Connection, now: datetime, origin: str | None) -> None:
    """What is copied from here on, or what this connection has open, is a copy made now.

    A database of an older program, which is copied before it is migrated, has no place for the mark.
    """
    if not inspect(conn).has_table(snapshot.name):
        return
    conn.execute(snapshot.delete())
    conn.execute(snapshot.insert().values(made_at=now, origin=origin))


def unmark(conn: Connection) -> None:
    """Nothing is being copied any more, or what was copied is taken over."""
    if not inspect(conn).has_table(snapshot.name):
        return
    conn.execute(snapshot.delete())


def take_over(conn: Connection, now: datetime) -> Restored | None:
    """At a daemon's start: when this is a restored copy, put in doubt what may have left since it was made.

    What was queued or in the air has perhaps been sent; status reports that the modems still hold, and then the policy
    of its kind, settle it. What is not due yet cannot have left. Questions that waited have perhaps been answered: they
    go to a person. A campaign that ran is paused until a person has looked, one that had not begun is void. None where
    this database is no copy.
    """
    foreign = or_(snapshot.c.origin.is_(None), snapshot.c.origin != identity(conn))
    made_at: datetime | None = conn.scalar(select(func.max(snapshot.c.made_at)).where(foreign))
    if made_at is None:
        return None
    waited = message.c.state.in_((QUEUED, SENDING)) & or_(
        message.c.not_before.is_(None), message.c.not_before <= bindparam("now", type_=UtcTime)
    )
    of_them = part.c.message_id.in_(select(message.c.id).where(waited))
    doubtful = update(part).where(part.c.state.in_((QUEUED, SENDING)), of_them)
    conn.execute(doubtful.values(state=IN_DOUBT, submitted_at=now, expected_reference=None), {"now": now})
    moved = update(message).where(waited).values(state=IN_DOUBT, state_at=now, **UNCLAIMED)
    messages = conn.execute(moved, {"now": now}).rowcount
    conn.execute(in_air.update().values(part_id=None))
    _halt_campaigns(conn, made_at)
    asked = update(inbox).where(inbox.c.state == InboxState.NEW).values(state=InboxState.UNREAD)
    questions = conn.execute(asked).rowcount
    unmark(conn)
    log.warning("a copy of %s was restored: %s messages in doubt, %s questions unread", made_at, messages, questions)
    return Restored(made_at, messages, questions)


def _halt_campaigns(conn: Connection, made_at: datetime) -> None:
    """Who has got a message of theirs since the copy was made is not known here."""
    reason = f"a copy of the database of {made_at:%Y-%m-%d %H:%M} UTC was restored: what left since is not known"
    moves = {
        CampaignState.PAUSED: [CampaignState.RUNNING],
        CampaignState.VOID: [CampaignState.PROPOSED, CampaignState.APPROVED],
    }
    for to, states in moves.items():
        conn.execute(update(campaign).where(campaign.c.state.in_(states)).values(state=to, reason=reason))
