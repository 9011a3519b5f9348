"""Deliveries to other programs: made of what came and what changed, each once; claimed, tried, done or given up."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from sqlalchemy import Connection, and_, func, or_, select, text

from modemd.store import inbox as incoming
from modemd.store.listing import INCOMING, OUTGOING, Listed
from modemd.store.schema import (
    WAITING_TO_BE_TOLD,
    HookEvent,
    MessageState,
    Telling,
    api_message,
    api_request,
    api_token,
    inbox,
    message,
    webhook,
    webhook_delivery,
)

CHUNK = 500  # deliveries made at a time
LEASE = timedelta(seconds=60)  # a daemon that dies in mid-telling lets another one try after this
REPORTS_COME = timedelta(days=7)  # after that nothing more is expected of a message that was sent
KEPT = timedelta(days=30)  # in the log
FINAL = frozenset(
    {
        MessageState.DELIVERED,
        MessageState.UNDELIVERED,
        MessageState.EXPIRED,
        MessageState.FAILED,
        MessageState.SKIPPED,
        MessageState.CANCELLED,
    }
)
# Kannel's dlr-mask: what of a message the client wants to hear.
DLR = {
    MessageState.DELIVERED: 1,
    MessageState.UNDELIVERED: 2,
    MessageState.EXPIRED: 2,
    MessageState.SENT: 8,
    MessageState.FAILED: 16,
    MessageState.SKIPPED: 16,
    MessageState.CANCELLED: 16,
}


@dataclass(frozen=True, slots=True)
class Changed:
    """A program's message that is in another state than was told."""

    message_id: int
    told: str
    state: str
    state_at: datetime


@dataclass(frozen=True, slots=True)
class Delivery:
    """One thing to be told now."""

    id: int
    event: str
    url: str  # of the webhook, or the client's dlr-url with its escapes
    secret: str | None
    client: str | None  # who queued the message
    state: str | None
    state_at: datetime | None
    attempts: int
    begun_at: datetime
    about: Listed


@dataclass(frozen=True, slots=True)
class Tried:
    """What came of an attempt; `next_at` None: no other one."""

    delivery_id: int
    outcome: Telling
    status: int | None
    error: str | None
    next_at: datetime | None


# what there is to tell


def changed(conn: Connection, limit: int = CHUNK) -> list[Changed]:
    """Programs' messages whose state was not told yet. It only reads, and reads every message that is still open."""
    query = (
        select(api_message.c.message_id, api_message.c.told, message.c.state, message.c.state_at)
        .join_from(api_message, message)
        .where(text("api_message.watched"), message.c.state != api_message.c.told)
        .order_by(message.c.state_at)
        .limit(limit)
    )
    return [Changed(*row) for row in conn.execute(query)]


def tell_changed(conn: Connection, items: Sequence[Changed], now: datetime) -> None:
    """Make the deliveries of these changes, unless another daemon was quicker."""
    hooks = _hooks(conn, HookEvent.STATE)
    for each in items:
        same = and_(api_message.c.message_id == each.message_id, api_message.c.told == each.told)
        told = api_message.update().where(same).values(told=each.state, watched=each.state not in FINAL)
        row = conn.execute(told.returning(api_message.c.dlr_mask, api_message.c.dlr_url)).first()
        if row is None:
            continue
        facts = {"message_id": each.message_id, "state": each.state, "state_at": each.state_at}
        for hook in hooks:
            _deliver(conn, HookEvent.STATE, f"webhook:{hook.id}", now, webhook_id=hook.id, **facts)
        if row.dlr_url and (row.dlr_mask or 0) & DLR.get(MessageState(each.state), 0):
            _deliver(conn, HookEvent.DLR, f"dlr:{urlsplit(row.dlr_url).netloc}"[:300], now, **facts)


def tell_incoming(conn: Connection, now: datetime, limit: int = CHUNK) -> int:
    """Make the deliveries of what came in; returns how many, and makes no more than `limit` for each webhook."""
    made = 0
    hooks = _hooks(conn, HookEvent.INCOMING)
    up_to = incoming.settled_up_to(conn) if hooks else 0
    for hook in hooks:
        new = select(inbox.c.id).where(inbox.c.id > hook.told_inbox, inbox.c.id <= up_to).order_by(inbox.c.id)
        ids = list(conn.scalars(new.limit(limit)))
        for each in ids:
            _deliver(conn, HookEvent.INCOMING, f"webhook:{hook.id}", now, webhook_id=hook.id, inbox_id=each)
        if ids:
            conn.execute(webhook.update().where(webhook.c.id == hook.id).values(told_inbox=ids[-1]))
        made += len(ids)
    return made


def has_incoming(conn: Connection) -> bool:
    """Whether `tell_incoming` would find something, perhaps; quick."""
    oldest = select(func.min(webhook.c.told_inbox)).where(
        webhook.c.ended_at.is_(None), webhook.c.events.contains(HookEvent.INCOMING)
    )
    told, newest = conn.scalar(oldest), conn.scalar(select(func.max(inbox.c.id)))
    return told is not None and newest is not None and newest > told


def forget_old(conn: Connection, now: datetime) -> None:
    """Watch no longer what nothing more is heard of, and take old deliveries out of the log."""
    unheard = select(message.c.id).where(
        message.c.id == api_message.c.message_id,
        message.c.state == MessageState.SENT,
        message.c.state_at < now - REPORTS_COME,
    )
    watched = and_(text("api_message.watched"), api_message.c.told == MessageState.SENT)
    conn.execute(api_message.update().where(watched, unheard.exists()).values(watched=False))
    conn.execute(
        webhook_delivery.delete().where(text("ended_at IS NOT NULL"), webhook_delivery.c.ended_at < now - KEPT)
    )


def _hooks(conn: Connection, event: HookEvent) -> Sequence[Any]:
    """Those who want to hear of it, locked: another daemon that does the same waits."""
    wanted = (webhook.c.ended_at.is_(None), webhook.c.events.contains(event))
    return conn.execute(select(webhook).where(*wanted).order_by(webhook.c.id).with_for_update()).all()


def _deliver(conn: Connection, event: HookEvent, stream: str, now: datetime, **facts: Any) -> None:
    row = {"event": event, "stream": stream, "outcome": Telling.WAITING, "attempts": 0, "begun_at": now, "next_at": now}
    conn.execute(webhook_delivery.insert(), {**row, **facts})


# telling it


def claim(
    conn: Connection, now: datetime, limit: int, *, busy: Sequence[str] = (), stream: str | None = None
) -> list[tuple[str, Delivery]]:
    """(stream, the next of it) of streams that may go on; nobody else takes them for a while.

    `busy` streams are passed by; with `stream`, that one alone.
    """
    these = webhook_delivery.c.stream.not_in(busy) if stream is None else webhook_delivery.c.stream == stream
    heads = (
        select(webhook_delivery.c.stream, func.min(webhook_delivery.c.id).label("id"))
        .where(text(WAITING_TO_BE_TOLD), these)
        .group_by(webhook_delivery.c.stream)
        .subquery()
    )
    free = or_(webhook_delivery.c.claimed_until.is_(None), webhook_delivery.c.claimed_until <= now)
    due = (
        select(webhook_delivery.c.id, webhook_delivery.c.stream)
        .join(heads, heads.c.id == webhook_delivery.c.id)
        .where(webhook_delivery.c.next_at <= now, free)
        .order_by(webhook_delivery.c.next_at)
        .limit(limit)
    )
    found = []
    for row in conn.execute(due).all():
        own = and_(webhook_delivery.c.id == row.id, text(WAITING_TO_BE_TOLD), free)
        if conn.execute(webhook_delivery.update().where(own).values(claimed_until=now + LEASE)).rowcount == 1:
            found.append((row.stream, _delivery(conn, row.id)))
    return found


def next_at(conn: Connection) -> datetime | None:
    """When something waits to be told; quick, and rather too early than too late."""
    found: datetime | None = conn.scalar(select(func.min(webhook_delivery.c.next_at)).where(text(WAITING_TO_BE_TOLD)))
    return found


def tried(conn: Connection, items: Sequence[Tried], now: datetime) -> list[None]:
    """Note what came of attempts."""
    for each in items:
        ended = None if each.outcome is Telling.WAITING else now
        values = {"outcome": each.outcome, "status": each.status, "error": each.error, "ended_at": ended}
        if each.next_at is not None:
            values["next_at"] = each.next_at
        own = webhook_delivery.update().where(webhook_delivery.c.id == each.delivery_id)
        conn.execute(own.values(claimed_until=None, attempts=webhook_delivery.c.attempts + 1, **values))
    return [None] * len(items)


def _delivery(conn: Connection, delivery_id: int) -> Delivery:
    of_hook = select(webhook_delivery, webhook.c.url, webhook.c.secret).outerjoin_from(webhook_delivery, webhook)
    row = conn.execute(of_hook.where(webhook_delivery.c.id == delivery_id)).one()
    if row.inbox_id is not None:
        about = conn.execute(INCOMING.where(inbox.c.id == row.inbox_id)).one()
    else:
        about = conn.execute(OUTGOING.where(message.c.id == row.message_id)).one()
    of_client = (
        select(api_message.c.dlr_url, api_token.c.name)
        .join_from(api_message, api_request)
        .join(api_token)
        .where(api_message.c.message_id == row.message_id)
    )
    client = conn.execute(of_client).first()
    return Delivery(
        id=row.id,
        event=row.event,
        url=row.url or (client.dlr_url if client else ""),
        secret=row.secret,
        client=client.name if client else None,
        state=row.state,
        state_at=row.state_at,
        attempts=row.attempts,
        begun_at=row.begun_at,
        about=Listed(*about),
    )
