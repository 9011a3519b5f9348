"""Webhooks as people see to them: which there are, what they were told, and telling it once more."""

import base64
import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from sqlalchemy import Connection, func, select

from modemd import audit
from modemd.errors import WebhookRefused
from modemd.store.schema import HookEvent, Telling, inbox, webhook, webhook_delivery

LONGEST_URL = 2000
SECRET_PREFIX = "whsec_"  # noqa: S105 -- as Standard Webhooks writes secrets
_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{1,63}")
_URL = re.compile(r"[!-~]+")


@dataclass(frozen=True, slots=True)
class Webhook:
    id: int
    name: str
    url: str
    events: frozenset[HookEvent]
    created_at: datetime
    created_by: str
    ended_at: datetime | None
    waiting: int  # deliveries
    given_up: int


@dataclass(frozen=True, slots=True)
class Logged:
    """A delivery as the log shows it."""

    id: int
    event: str
    inbox_id: int | None
    message_id: int | None
    state: str | None
    outcome: str
    attempts: int
    begun_at: datetime
    next_at: datetime
    status: int | None
    error: str | None
    ended_at: datetime | None


def check_url(url: str) -> None:
    """Whether something may be told there as far as can be seen without looking it up. Raises WebhookRefused."""
    if len(url) > LONGEST_URL or not _URL.fullmatch(url):
        raise WebhookRefused(what=f"an address has at most {LONGEST_URL} printable ASCII characters and no blank")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise WebhookRefused(what="this is no address") from None
    if parts.scheme not in ("http", "https") or not parts.hostname or port == 0:
        raise WebhookRefused(what="an address begins with https:// or http:// and names a host")
    if "@" in parts.netloc or "\\" in url:
        raise WebhookRefused(what="an address names no user")


def subscribe(conn: Connection, name: str, url: str, events: Sequence[HookEvent], who: str, now: datetime) -> str:
    """Tell this address of what comes from now on; returns the secret that signs it. Raises WebhookRefused."""
    if not _NAME.fullmatch(name):
        raise WebhookRefused(what="a name has 2 to 64 small Latin letters, digits and . _ -")
    check_url(url)
    if not events or HookEvent.DLR in events:
        raise WebhookRefused(what="it tells of incoming, of state, or of both")
    if conn.scalar(select(webhook.c.id).where(webhook.c.name == name)) is not None:
        raise WebhookRefused(what=f"there is or was one named {name}; names are never used again")
    secret = base64.b64encode(secrets.token_bytes(32)).decode()
    row = {"name": name, "url": url, "events": " ".join(sorted(set(events))), "secret": secret}
    newest = conn.scalar(select(func.max(inbox.c.id))) or 0
    conn.execute(webhook.insert(), {**row, "told_inbox": newest, "created_at": now, "created_by": who})
    audit.note(conn, who, "webhook.add", name, row["events"], now)
    return SECRET_PREFIX + secret


def end(conn: Connection, webhook_id: int, who: str, now: datetime) -> None:
    """Tell it nothing any more; what still waits is given up. Raises WebhookRefused where there is none."""
    own = webhook.update().where(webhook.c.id == webhook_id, webhook.c.ended_at.is_(None))
    name = conn.scalar(own.values(ended_at=now).returning(webhook.c.name))
    if name is None:
        raise WebhookRefused(what="there is none such")
    waiting = webhook_delivery.update().where(
        webhook_delivery.c.webhook_id == webhook_id, webhook_delivery.c.outcome == Telling.WAITING
    )
    conn.execute(waiting.values(outcome=Telling.GIVEN_UP, error="the webhook was ended", ended_at=now))
    audit.note(conn, who, "webhook.end", name, "", now)


def resend(conn: Connection, webhook_id: int, delivery_id: int, who: str, now: datetime) -> None:
    """Tell it once more, with two days anew; what is told later waits for it. Raises WebhookRefused."""
    own = webhook_delivery.update().where(
        webhook_delivery.c.id == delivery_id,
        webhook_delivery.c.webhook_id == webhook_id,
        webhook_delivery.c.outcome != Telling.WAITING,
        select(webhook.c.id).where(webhook.c.id == webhook_id, webhook.c.ended_at.is_(None)).exists(),
    )
    again = own.values(outcome=Telling.WAITING, begun_at=now, next_at=now, ended_at=None, claimed_until=None)
    if conn.execute(again).rowcount != 1:
        raise WebhookRefused(what="it waits already, or the webhook was ended")
    audit.note(conn, who, "webhook.resend", f"delivery {delivery_id}", "", now)


def all_of_them(conn: Connection) -> list[Webhook]:
    """Those that are told something, then those that were ended."""
    counted: dict[tuple[Any, str], int] = {
        (row[0], row[1]): row[2]
        for row in conn.execute(
            select(webhook_delivery.c.webhook_id, webhook_delivery.c.outcome, func.count())
            .where(webhook_delivery.c.outcome != Telling.DONE)
            .group_by(webhook_delivery.c.webhook_id, webhook_delivery.c.outcome)
        )
    }
    rows = conn.execute(select(webhook).order_by(webhook.c.ended_at.is_not(None), webhook.c.id))
    return [
        Webhook(
            id=row.id,
            name=row.name,
            url=row.url,
            events=frozenset(map(HookEvent, row.events.split())),
            created_at=row.created_at,
            created_by=row.created_by,
            ended_at=row.ended_at,
            waiting=counted.get((row.id, Telling.WAITING), 0),
            given_up=counted.get((row.id, Telling.GIVEN_UP), 0),
        )
        for row in rows
    ]


def logged(conn: Connection, webhook_id: int, limit: int, before: int | None = None) -> list[Logged]:
    """What it was told, the newest first."""
    query = select(*(webhook_delivery.c[name] for name in Logged.__slots__)).where(
        webhook_delivery.c.webhook_id == webhook_id
    )
    if before is not None:
        query = query.where(webhook_delivery.c.id < before)
    return [Logged(*row) for row in conn.execute(query.order_by(webhook_delivery.c.id.desc()).limit(limit))]
