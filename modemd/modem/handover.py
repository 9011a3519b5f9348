"""From the modem to the gateway: what is handed over is on the disk when the call returns (rule 1)."""

import logging
from collections import deque
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Protocol

from modemd.at import commands
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
    """What comes straight to us (+CMT, +CDS) and waits for its commit, then for its acknowledgement (27.005, 3.4.4)."""

    def __init__(self, channel: Channel, handler: Handler, now: Callable[[], datetime]) -> None:
        self._channel = channel
        self._handler = handler
        self._now = now
        self._pdus: deque[bytes] = deque()
        self._failed: list[bytes] = []
        self._committed = 0  # and not acknowledged
        self.acknowledges = False

    def __len__(self) -> int:
        return len(self._pdus)

    def add(self, pdu: bytes) -> None:
        self._pdus.append(pdu)
        if len(self._pdus) >= MOST_DIRECT:
            self._channel.pause()

    def try_again(self) -> None:
        """Put back what could not be recorded."""
        self._pdus += self._failed
        self._failed = []

    async def take_in(self) -> bool:
        """Commit a batch, and acknowledge when nothing waits any more; False when something could not be recorded."""
        batch = [self._pdus.popleft() for _ in range(min(BATCH, len(self._pdus)))]
        items = [read_pdu(pdu, None, None, self._now()) for pdu in batch]
        committed = await commit(self._handler, items)
        self._failed += [pdu for pdu, item in zip(batch, items, strict=True) if item not in committed]
        if len(self._failed) > MOST_DIRECT:
            log.error("%s: too much that cannot be recorded; the network is left to repeat it", self._channel.path)
            del self._failed[MOST_DIRECT:]
        self._committed += len(committed)
        if not self._pdus:
            self._channel.resume()
            await self._acknowledge()
        return len(committed) == len(items)

    async def _acknowledge(self) -> None:
        while self.acknowledges and self._committed:
            self._committed -= 1
            try:
                await self._channel.ask(commands.ACKNOWLEDGE, urgent=True)
            except CommandRefused as error:  # +CMS ERROR 340: it expects none
                log.debug("%s", error)
                break
        self._committed = 0
