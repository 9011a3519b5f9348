"""From the modem to the gateway: what is handed over is on the disk when the call returns (rule 1)."""

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Collection, Sequence
from datetime import datetime
from typing import Protocol

from modemd.at import commands
from modemd.at.commands import Fill
from modemd.errors import CommandRefused
from modemd.messages import ReceivedSms, StatusReport
from modemd.modem.channel import Channel
from modemd.modem.reading import Incoming, read_pdu

log = logging.getLogger(__name__)

BATCH = 32  # handed over in one piece
MOST_DIRECT = 256  # PDUs waiting for their commit, before the port is read no more


class Handler(Protocol):
    """Who takes what came in; each call returns when it is committed."""

    async def sms_received(self, received: Sequence[ReceivedSms]) -> None: ...

    async def status_reports_received(self, reports: Sequence[StatusReport]) -> None: ...

    async def stored_deleted(self, received: Sequence[ReceivedSms]) -> None: ...

    def storages_told(self, fills: Collection[Fill]) -> None:
        """How full the storages in use are."""


async def commit(handler: Handler, items: Sequence[Incoming]) -> Sequence[Incoming]:
    """Hand over; gives what is on the disk. One that cannot be recorded is logged and holds up no other."""
    try:
        await _hand_over(handler, items)
    except Exception:
        if len(items) == 1:
            log.exception("it cannot be recorded; it is kept and tried again")
            return []
    else:
        return items
    return [done for item in items for done in await commit(handler, [item])]


async def _hand_over(handler: Handler, items: Sequence[Incoming]) -> None:
    received = [item for item in items if isinstance(item, ReceivedSms)]
    reports = [item for item in items if isinstance(item, StatusReport)]
    if received:
        await handler.sms_received(received)
    if reports:
        await handler.status_reports_received(reports)


class Direct:
    """What comes straight to us (+CMT, +CDS) and waits for its commit, then for its acknowledgement (27.005, 3.4.4).

    The pump that commits says nothing to the modem: an answer may stand behind a thousand of these.
    """

    def __init__(self, channel: Channel, handler: Handler, now: Callable[[], datetime]) -> None:
        self._channel = channel
        self._handler = handler
        self._now = now
        self._pdus: deque[bytes] = deque()
        self._failed: list[bytes] = []
        self._woken = asyncio.Event()
        self.unacknowledged = 0  # committed, and the modem does not know

    def add(self, pdu: bytes) -> None:
        self._pdus.append(pdu)
        self._woken.set()
        if len(self._pdus) >= MOST_DIRECT:
            self._channel.pause()

    def try_again(self) -> None:
        """Put back what could not be recorded."""
        for pdu in self._failed:
            self.add(pdu)
        self._failed = []

    async def run(self, recorded: Callable[[bool], None]) -> None:
        """Commit what comes until cancelled. `recorded` is told after each batch whether all of it could be."""
        while True:
            while not self._pdus:
                self._channel.resume()
                self._woken.clear()
                await self._woken.wait()
            recorded(await self._commit_batch())

    async def _commit_batch(self) -> bool:
        batch = [self._pdus.popleft() for _ in range(min(BATCH, len(self._pdus)))]
        items = [read_pdu(pdu, None, None, self._now()) for pdu in batch]
        committed = await commit(self._handler, items)
        self.unacknowledged += len(committed)
        self._failed += [pdu for pdu, item in zip(batch, items, strict=True) if item not in committed]
        if len(self._failed) > MOST_DIRECT:
            log.error("%s: too much that cannot be recorded; the network is left to repeat it", self._channel.path)
            del self._failed[MOST_DIRECT:]
        return len(committed) == len(items)

    async def acknowledge(self) -> None:
        """Tell the modem of each one that is on the disk."""
        while self.unacknowledged:
            self.unacknowledged -= 1
            try:
                await self._channel.ask(commands.ACKNOWLEDGE, urgent=True)
            except CommandRefused as error:  # +CMS ERROR 340: it expects none
                log.debug("%s", error)
                self.unacknowledged = 0
