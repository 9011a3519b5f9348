"""Tells other programs what came in and what became of their messages; see store/webhooks.py for what and when.

Each stream (a webhook; the host of a Kannel client's dlr-url) is told one thing after another, and streams do not wait
for each other. It works with connections of its own beside the daemon's writer: a slow receiver delays nothing.
Standard Webhooks (https://www.standardwebhooks.com) names the headers, and what is signed: id, time and body.
"""

import asyncio
import base64
import hashlib
import hmac
import json
import logging
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import aiohttp
from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError
from yarl import URL

from modemd.config import Settings
from modemd.destinations import Forbidden, Guard
from modemd.kannel import report_url
from modemd.store import webhooks
from modemd.store.database import reading, writing
from modemd.store.schema import HookEvent, Telling
from modemd.store.webhooks import Delivery, Tried

log = logging.getLogger(__name__)

LOOK_SECONDS = 1.0  # between two looks at what there is to tell
SHARE = 20  # a look that takes long is followed by a pause so many times as long
STREAMS = 200  # at a time
GIVE_UP_AFTER = timedelta(hours=48)
FIRST_PAUSE, LONGEST_PAUSE = timedelta(seconds=5), timedelta(hours=1)
FORGET_SECONDS = 3600.0
AGENT = "modemd"


class Webhooks:
    def __init__(self, settings: Settings, engine: Engine, now: Callable[[], datetime]) -> None:
        self._engine = engine
        self._now = now
        self._patience = settings.webhooks.timeout_seconds
        self._guard = Guard(settings.webhooks.networks)
        self._busy: dict[str, asyncio.Task[None]] = {}
        self._forget_at = 0.0

    async def run(self) -> None:
        """Tell what there is to tell, until cancelled."""
        connector = aiohttp.TCPConnector(resolver=self._guard, use_dns_cache=False, force_close=True, limit=0)
        async with aiohttp.ClientSession(
            connector=connector, cookie_jar=aiohttp.DummyCookieJar(), timeout=aiohttp.ClientTimeout(self._patience)
        ) as session:
            try:
                while True:
                    pause = await self._look(session)
                    await asyncio.sleep(pause)
            finally:
                for task in self._busy.values():
                    task.cancel()
                await asyncio.gather(*self._busy.values(), return_exceptions=True)

    async def _look(self, session: aiohttp.ClientSession) -> float:
        """Make deliveries and begin to tell; returns how long to rest."""
        begun = time.monotonic()
        try:
            claimed = await asyncio.to_thread(self._find)
        except DBAPIError as error:
            log.warning("what there is to tell other programs is not known: %s", error.orig)
            return LOOK_SECONDS
        for stream, delivery in claimed:
            self._busy[stream] = asyncio.create_task(self._stream(session, stream, delivery), name=f"tell {stream}")
        return max(LOOK_SECONDS, (time.monotonic() - begun) * SHARE)

    def _find(self) -> list[tuple[str, Delivery]]:
        now = self._now()
        with reading(self._engine) as conn:
            changes = webhooks.changed(conn)
            incoming = webhooks.has_incoming(conn)
            waits = webhooks.next_at(conn)
        if changes or incoming:
            with writing(self._engine) as conn:
                webhooks.tell_changed(conn, changes, now)
                if incoming:
                    webhooks.tell_incoming(conn, now)
        if time.monotonic() >= self._forget_at:
            self._forget_at = time.monotonic() + FORGET_SECONDS
            with writing(self._engine) as conn:
                webhooks.forget_old(conn, now)
        if not changes and not incoming and (waits is None or waits > now):
            return []
        busy = list(self._busy)
        with writing(self._engine) as conn:
            return webhooks.claim(conn, now, STREAMS - len(busy), busy=busy)

    async def _stream(self, session: aiohttp.ClientSession, stream: str, delivery: Delivery) -> None:
        """Tell one thing after another while it goes well."""
        try:
            following: Delivery | None = delivery
            while following is not None:
                outcome = await self._tell(session, following)
                following = await asyncio.to_thread(self._settle, stream, outcome)
        except DBAPIError as error:
            log.warning("%s: what was told is not noted, so it is told again: %s", stream, error.orig)
        except Exception:
            log.exception("%s: not told; tried again in a while", stream)
        finally:
            del self._busy[stream]

    def _settle(self, stream: str, outcome: Tried) -> Delivery | None:
        """Note the attempt; returns what comes next in the stream."""
        now = self._now()
        with writing(self._engine) as conn:
            webhooks.tried(conn, [outcome], now)
            if outcome.outcome is Telling.WAITING:
                return None
            found = webhooks.claim(conn, now, 1, stream=stream)
        return found[0][1] if found else None

    async def _tell(self, session: aiohttp.ClientSession, delivery: Delivery) -> Tried:
        """One attempt."""
        status, error = None, None
        try:
            status = await self._ask(session, delivery)
        except (OSError, aiohttp.ClientError, TimeoutError, ValueError) as failed:
            error = _in_words(failed)
        if status is not None and 200 <= status < 300:
            return Tried(delivery.id, Telling.DONE, status, None, None)
        next_at = self._again_at(delivery, status)
        log.info("delivery %s: not told, status %s; next attempt: %s", delivery.id, status, next_at)
        words = (error or f"HTTP {status}")[:200]
        return Tried(delivery.id, Telling.WAITING if next_at else Telling.GIVEN_UP, status, words, next_at)

    async def _ask(self, session: aiohttp.ClientSession, delivery: Delivery) -> int:
        """The status of the answer; its body is not read. Raises what aiohttp raises, and Forbidden."""
        if delivery.event == HookEvent.DLR:
            url, method, body, headers = report_url(delivery), "GET", None, {}
        else:
            body = json.dumps(content(delivery), ensure_ascii=False).encode("utf-8", "replace")
            url, method, headers = delivery.url, "POST", signed(delivery, body, self._now())
        address = URL(url, encoded=True)
        self._guard.check_literal(address.host or "")
        headers["User-Agent"] = AGENT
        async with session.request(method, address, data=body, headers=headers, allow_redirects=False) as answer:
            return answer.status

    def _again_at(self, delivery: Delivery, status: int | None) -> datetime | None:
        """When it is tried again; None: never. What Kannel's clients refuse outright is not asked of them again."""
        refused = status is not None and 400 <= status < 500 and status not in (408, 429)
        if delivery.event == HookEvent.DLR and refused:
            return None
        now = self._now()
        next_at = now + min(FIRST_PAUSE * 2 ** min(delivery.attempts, 20), LONGEST_PAUSE)
        return next_at if next_at < delivery.begun_at + GIVE_UP_AFTER else None


def content(delivery: Delivery) -> dict[str, Any]:
    """What a webhook is told."""
    about = delivery.about
    if delivery.event == HookEvent.INCOMING:
        data: dict[str, Any] = {"id": about.id, "number": about.number, "text": about.text, "line": about.line}
        data["received_at"] = about.created_at.isoformat()
    else:
        at = delivery.state_at.isoformat() if delivery.state_at else None
        data = {"id": about.id, "to": about.number, "state": delivery.state, "state_at": at, "client": delivery.client}
    return {"type": delivery.event, "data": data}


def signed(delivery: Delivery, body: bytes, now: datetime) -> dict[str, str]:
    """The headers that prove who says this and when."""
    told_at = str(int(now.timestamp()))
    name = f"modemd_{delivery.id}"
    whole = b".".join((name.encode(), told_at.encode(), body))
    digest = hmac.new(base64.b64decode(delivery.secret or ""), whole, hashlib.sha256).digest()
    signature = f"v1,{base64.b64encode(digest).decode()}"
    headers = {"webhook-id": name, "webhook-timestamp": told_at, "webhook-signature": signature}
    return {"Content-Type": "application/json", **headers}


def _in_words(error: Exception) -> str:
    """For the log in the panel; what a receiver says is not repeated."""
    forbidden = next((each for each in (error, error.__cause__) if isinstance(each, Forbidden)), None)
    if forbidden is not None:
        return str(forbidden)
    if isinstance(error, TimeoutError):
        return "no answer in time"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return type(error).__name__
