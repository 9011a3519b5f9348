"""How a campaign's messages get into the outbox, a portion at a time, and back out of it.

Who takes a message back (a pause, the end of the window) makes its recipient wait again, unless it has begun to leave;
so a recipient never has two messages that could both leave.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, and_, bindparam, exists, func, select, text

from modemd.config import Language
from modemd.store.bulk import Bulk
from modemd.store.campaigns import Item
from modemd.store.parts import CANCELLED, EXPIRED, FAILED, QUEUED, SKIPPED, Work
from modemd.store.schema import (
    IN_OUTBOX,
    WAITING,
    MessageState,
    RecipientState,
    campaign_item,
    campaign_recipient,
    message,
    part,
)

CHUNK = 500


@dataclass(frozen=True, slots=True)
class Recipient:
    id: int
    phone: str
    language: Language
    customers: tuple[str, ...]
    items: tuple[Item, ...]


_HAND_OVER = Bulk(
    campaign_recipient.update()
    .where(campaign_recipient.c.id == bindparam("row_id"), campaign_recipient.c.state == RecipientState.WAITING)
    .values(state=RecipientState.QUEUED),
    ["message_id", "queued_at"],
)
_COUNT_ITEMS = Bulk(campaign_item.update().where(campaign_item.c.recipient_id == bindparam("of_recipient")), ["counts"])
_STATE = Bulk(campaign_recipient.update().where(campaign_recipient.c.id == bindparam("row_id")), ["state"])
_BACK = Bulk(
    campaign_recipient.update()
    .where(campaign_recipient.c.id == bindparam("row_id"))
    .values(state=RecipientState.WAITING, message_id=None, queued_at=None)
)
_BEGUN = exists().where(part.c.message_id == message.c.id, part.c.line_id.is_not(None))
NOT_SENT = (SKIPPED, FAILED, CANCELLED)  # as far as a recipient is concerned


def in_outbox(conn: Connection, campaign_id: int) -> int:
    """How many of its recipients have a message that waits or is being sent."""
    query = select(func.count()).where(campaign_recipient.c.campaign_id == campaign_id, text(IN_OUTBOX))
    return conn.scalar(query) or 0


def still_waiting(conn: Connection, campaign_id: int) -> int:
    query = select(func.count()).where(campaign_recipient.c.campaign_id == campaign_id, text(WAITING))
    return conn.scalar(query) or 0


def next_waiting(conn: Connection, campaign_id: int, count: int) -> list[Recipient]:
    """The first so many that wait, in order."""
    columns = (campaign_recipient.c[name] for name in ("id", "phone", "language", "customers"))
    query = select(*columns).where(campaign_recipient.c.campaign_id == campaign_id, text(WAITING))
    rows = conn.execute(query.order_by(campaign_recipient.c.id).limit(count)).all()
    items: defaultdict[int, list[Item]] = defaultdict(list)
    for start in range(0, len(rows), CHUNK):
        ids = [row.id for row in rows[start : start + CHUNK]]
        found = select(campaign_item.c.recipient_id, *(campaign_item.c[name] for name in Item.__slots__))
        for recipient_id, *facts in conn.execute(found.where(campaign_item.c.recipient_id.in_(ids))):
            items[recipient_id].append(Item(*facts))
    return [
        Recipient(row.id, row.phone, row.language, tuple(row.customers.split()), tuple(items[row.id])) for row in rows
    ]


def handed_over(conn: Connection, pairs: Sequence[tuple[int, int]], now: datetime) -> None:
    """These recipients (id, message id) have their message in the outbox, in the same transaction.

    Raises IntegrityError where an invoice has been reminded of on this phone before: then nobody is told again.
    """
    _HAND_OVER.run(conn, [{"row_id": row_id, "message_id": mid, "queued_at": now} for row_id, mid in pairs])
    _COUNT_ITEMS.run(conn, [{"of_recipient": row_id, "counts": True} for row_id, _ in pairs])


def settle(conn: Connection, campaign_id: int) -> int:
    """Look what became of the messages in the outbox; returns how many still wait there.

    One that was taken back or has expired without ever being begun makes its recipient wait again.
    """
    query = (
        select(campaign_recipient.c.id, message.c.state, _BEGUN.label("begun"))
        .join_from(campaign_recipient, message)
        .where(campaign_recipient.c.campaign_id == campaign_id, text(f"campaign_recipient.{IN_OUTBOX}"))
    )
    back, out, unsent, still = [], [], [], 0
    for row in conn.execute(query):
        state = MessageState(row.state)
        if state in (MessageState.QUEUED, MessageState.SENDING):
            still += 1
        elif state in (CANCELLED, EXPIRED) and not row.begun:
            back.append(row.id)
        else:
            out.append(row.id)
            if state in NOT_SENT:
                unsent.append(row.id)
    _move(conn, _BACK, [{"row_id": each} for each in back])
    _move(conn, _STATE, [{"row_id": each, "state": RecipientState.OUT.value} for each in out])
    _move(conn, _COUNT_ITEMS, [{"of_recipient": each, "counts": False} for each in (*back, *unsent)])
    return still


def take_back(conn: Connection, campaign_id: int, reason: str, now: datetime, *, for_good: bool = False) -> int:
    """Take from the outbox what has not begun to leave, claimed or not; returns how many messages that were.

    Their recipients wait again, or with `for_good` are cancelled together with those who wait.
    """
    query = (
        select(campaign_recipient.c.id, message.c.id.label("message_id"))
        .join_from(campaign_recipient, message)
        .where(campaign_recipient.c.campaign_id == campaign_id, message.c.state == QUEUED)
    )
    found = {row.message_id: row.id for row in conn.execute(query)}
    taken: list[int] = []
    for start in range(0, len(found), CHUNK):
        work = Work(conn, messages=list(found)[start : start + CHUNK])
        for each in work.messages.values():
            if all(one.state is QUEUED and one.line_id is None for one in each.parts):
                for one in each.parts:
                    work.move(one, CANCELLED)
                work.change(each, error=reason)
                taken.append(found[each.id])
        work.write(now)
    _move(conn, _COUNT_ITEMS, [{"of_recipient": each, "counts": False} for each in taken])
    if for_good:
        _move(conn, _STATE, [{"row_id": each, "state": RecipientState.CANCELLED.value} for each in taken])
        of_it = and_(campaign_recipient.c.campaign_id == campaign_id, text(WAITING))
        conn.execute(campaign_recipient.update().where(of_it).values(state=RecipientState.CANCELLED))
    else:
        _move(conn, _BACK, [{"row_id": each} for each in taken])
    return len(taken)


def _move(conn: Connection, bulk: Bulk, rows: Sequence[Mapping[str, Any]]) -> None:
    if rows:
        bulk.run(conn, rows)
