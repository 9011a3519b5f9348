"""Messages that other programs hand in: each wish once, however often it comes, and all of it or nothing."""

import hashlib
import hmac
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

from sqlalchemy import Connection, exists, func, select

from modemd.config import Settings
from modemd.errors import KeyUsed, MessagesRefused, NotAPhone, NotCancelled, NotThen, TextError, TooManyMessages
from modemd.service import compose
from modemd.service.reminders import preview
from modemd.service.tokens import Token
from modemd.store import lives, outbox
from modemd.store.dialects import one_at_a_time
from modemd.store.lives import Life
from modemd.store.outbox import NewMessage, Skip
from modemd.store.schema import CampaignKind, MessageState, api_message, api_request, part

DAY = timedelta(days=1)
FURTHEST = timedelta(days=366)
Kind = Literal["api", "otp", "reminder", "outage"]


@dataclass(frozen=True, slots=True)
class Wanted:
    """One message as a client wants it."""

    to: str
    text: str
    kind: Kind = "api"
    not_before: datetime | None = None


@dataclass(frozen=True, slots=True)
class Reports:
    """Where a Kannel client wants to hear what became of it."""

    mask: int
    url: str


@dataclass(frozen=True, slots=True)
class Queued:
    ids: Sequence[int]
    before: bool  # the same wish came before


def queue(
    conn: Connection,
    token: Token,
    wanted: Sequence[Wanted],
    settings: Settings,
    now: datetime,
    *,
    key: str | None = None,
    secret: str = "",
    reports: Reports | None = None,
) -> Queued:
    """Put the messages into the outbox, once for each key of the client; in one transaction with the key.

    `secret` is the client's token itself. Raises KeyUsed for another body under a key, TooManyMessages, and
    MessagesRefused that says which message cannot be sent and why.
    """
    one_at_a_time(conn, f"api:{token.id}")  # two requests with one key: the second waits, and finds the first
    body_hmac = _body_hmac(secret, wanted)
    if key is not None:
        known = select(api_request).where(api_request.c.token_id == token.id, api_request.c.key == key)
        if (row := conn.execute(known).first()) is not None:
            if row.body_hmac != body_hmac:
                raise KeyUsed
            return Queued(_ids_of(conn, row.id), before=True)
    made = _compose(wanted, settings, now)
    if token.per_day and _of_a_day(conn, token, now) + len(made) > token.per_day:
        raise TooManyMessages(per_day=token.per_day)
    row_of_it = {"token_id": token.id, "key": key, "body_hmac": body_hmac, "messages": len(made), "created_at": now}
    request_id = conn.execute(api_request.insert().returning(api_request.c.id), row_of_it).scalar_one()
    ids = outbox.enqueue(conn, made, now)
    told = {"dlr_mask": reports.mask, "dlr_url": reports.url} if reports else {}
    conn.execute(api_message.insert(), [{"message_id": each, "request_id": request_id, **told} for each in ids])
    return Queued(ids, before=False)


def find(conn: Connection, token: Token, message_id: int) -> Life | None:
    """A message that this token has queued; None for anybody else's, as for one that does not exist."""
    own = exists().where(
        api_message.c.message_id == message_id,
        api_message.c.request_id == api_request.c.id,
        api_request.c.token_id == token.id,
    )
    return lives.of(conn, "mt", message_id) if conn.scalar(select(own)) else None


def cancel(conn: Connection, token: Token, message_id: int, now: datetime) -> Life | None:
    """Take back a message of this token of which nothing has begun to leave; None: there is none such.

    Once this is committed, nothing of it leaves. Raises NotCancelled.
    """
    life = find(conn, token, message_id)
    if life is None:
        return None
    begun = exists().where(part.c.message_id == message_id, part.c.line_id.is_not(None))
    if life.message.state != MessageState.QUEUED or conn.scalar(select(begun)):
        raise NotCancelled(state="sending" if life.message.state == MessageState.QUEUED else life.message.state)
    (state,) = outbox.cancel(conn, [Skip(message_id, f"cancelled by {token.name}")], now)
    if state is not MessageState.CANCELLED:  # it began in this very moment
        raise NotCancelled(state=state)
    return lives.of(conn, "mt", message_id)


def _compose(wanted: Sequence[Wanted], settings: Settings, now: datetime) -> list[NewMessage]:
    made, faults = [], []
    for number, each in enumerate(wanted):
        try:
            not_before = _when(each, settings, now)
            made.append(compose.message(each.kind, each.to, each.text, settings, now, not_before))
        except (NotAPhone, NotThen, TextError) as error:
            what = "to is no number that an SMS can go to" if isinstance(error, NotAPhone) else str(error)
            faults.append(f"message {number}: {what}")
    if faults:
        raise MessagesRefused(reason="; ".join(faults[:10]))
    return made


def _when(each: Wanted, settings: Settings, now: datetime) -> datetime | None:
    """Reminders and notices of outages wait for their window, as those of campaigns do. Raises NotThen."""
    earliest = max(now, each.not_before or now)
    if earliest > now + FURTHEST:
        raise NotThen(what=f"not_before is more than {FURTHEST.days} days from now")
    if each.kind in tuple(CampaignKind):
        opens = preview.window(settings, CampaignKind(each.kind)).opens(earliest)
        if opens is None:
            raise NotThen(what=f"the window of [{each.kind}s] never opens")
        earliest = opens
    return earliest if earliest > now else None


def _of_a_day(conn: Connection, token: Token, now: datetime) -> int:
    recent = (api_request.c.token_id == token.id) & (api_request.c.created_at > now - DAY)
    return conn.scalar(select(func.coalesce(func.sum(api_request.c.messages), 0)).where(recent)) or 0


def _ids_of(conn: Connection, request_id: int) -> list[int]:
    query = select(api_message.c.message_id).where(api_message.c.request_id == request_id)
    return list(conn.scalars(query.order_by(api_message.c.message_id)))


def _body_hmac(secret: str, wanted: Sequence[Wanted]) -> str:
    body: Any = json.dumps([asdict(each) for each in wanted], default=str).encode()
    return hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
