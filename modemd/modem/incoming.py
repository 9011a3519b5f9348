"""What comes in through one modem: read out of its storages, handed to the gateway, and only then deleted (rule 1).

+CMTI and +CDSI say where something lies; since a URC can get lost, the storages are also looked through at the start,
after every disturbance and now and then. +CMT and +CDS bring the PDU itself and are acknowledged when it is committed.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Protocol

from modemd.at import commands, urc
from modemd.at.commands import Stored
from modemd.at.urc import Urc
from modemd.errors import CommandRefused, CommandTimeout, PortGone
from modemd.messages import ReceivedSms, StatusReport
from modemd.modem.channel import Channel
from modemd.modem.reading import Incoming, read_pdu
from modemd.modem.recovery import Backoff
from modemd.modem.startup import Messaging
from modemd.modem.storages import StorageReader

log = logging.getLogger(__name__)

RECEIVED = (0, 1)  # <stat> of 27.005, 3.1: received unread, received read; the others are texts to be sent
STORAGES = ("SM", "ME", "SR", "MT")  # in the order they are looked through; MT is SM and ME together: then it is empty
SWEEP_SECONDS = 600.0  # a lost +CMTI strands no message for longer
POLL_SECONDS = 5.0  # for a modem that announces nothing
RETRY_SECONDS = 5.0  # after a failure of the modem's storage or of the database
SWEEP_PAUSE_SECONDS = 1.0  # between two looks, however often the modem asks for one
LIST_FROM = 4  # announced at once: one listing is cheaper than this many reads
BATCH = 32  # messages handed over in one piece
MOST_DIRECT = 256  # PDUs waiting for their commit, before the port is read no more
MOST_SLOTS = 10_000  # no storage is larger
MOST_STORAGES = 8  # and no modem has more of them


class Handler(Protocol):
    """Who takes what came in; each call returns when it is committed."""

    async def sms_received(self, received: Sequence[ReceivedSms]) -> None: ...

    async def status_reports_received(self, reports: Sequence[StatusReport]) -> None: ...

    async def stored_deleted(self, received: Sequence[ReceivedSms]) -> None: ...


class Inbound:
    """The incoming side of one modem from its start to its end."""

    def __init__(self, channel: Channel, handler: Handler, now: Callable[[], datetime]) -> None:
        self._channel = channel
        self._handler = handler
        self._now = now
        self._loop = asyncio.get_running_loop()
        self._messaging = Messaging()
        self._acknowledges = False
        self._announced: dict[str, dict[int, None]] = {}  # storage -> slots, in the order of their announcement
        self._direct: deque[bytes] = deque()
        self._unacknowledged = 0
        self._deferred: list[bytes] = []  # direct ones that could not be recorded, until the next look
        self._storages = StorageReader(channel)
        self._usual_storage: str | None = None  # where the modem announces messages
        self._retry = Backoff(RETRY_SECONDS, SWEEP_SECONDS)
        self._woken = asyncio.Event()
        self._sweep_at = float("inf")
        self._swept_at = float("-inf")

    def begin(self, messaging: Messaging) -> None:
        """The modem is set up, for the first time or anew: look through everything."""
        self._messaging = messaging
        self._acknowledges = messaging.acknowledges
        self._storages.forget()
        self.sweep_in(0)

    def sweep_in(self, seconds: float) -> None:
        """Look through all storages in so many seconds."""
        due = max(self._loop.time() + seconds, self._swept_at + SWEEP_PAUSE_SECONDS)
        self._sweep_at = min(self._sweep_at, due)
        self._woken.set()

    def urc_received(self, event: Urc) -> bool:
        """Take a URC that is about messages; False: it is about something else."""
        if event.name in ("+CMTI", "+CDSI"):
            self._take_indication(event)
        elif event.name in ("+CMT", "+CDS"):
            self._take_direct(event)
        elif urc.tells_memory_full(event):
            self.sweep_in(0)
        else:
            return False
        return True

    async def run(self) -> None:
        """Read in what comes until the port is gone (PortGone) or this is cancelled."""
        while True:
            await self._wait()
            try:
                await self._round()
            except PortGone:
                raise
            except (CommandRefused, CommandTimeout) as error:
                log.info("%s", error)
                self.sweep_in(RETRY_SECONDS)
            except Exception:
                log.exception("%s: reading in failed", self._channel.path)
                await asyncio.sleep(RETRY_SECONDS)
                self.sweep_in(0)

    # what there is to do

    async def _wait(self) -> None:
        pause = max(0.0, self._sweep_at - self._loop.time())
        if not self._announced and not self._direct and pause:
            self._woken.clear()
            try:
                async with asyncio.timeout(min(pause, SWEEP_SECONDS)):
                    await self._woken.wait()
            except TimeoutError:
                return

    async def _round(self) -> None:
        if self._direct:
            await self._take_in_direct()
        elif self._announced:
            await self._take_in_announced()
        elif self._loop.time() >= self._sweep_at:
            self._swept_at = self._loop.time()
            self._sweep_at = self._swept_at + (SWEEP_SECONDS if self._messaging.announces else POLL_SECONDS)
            await self._sweep()

    def _take_indication(self, event: Urc) -> None:
        found = urc.indication(event)
        if found is None or found.index > MOST_SLOTS:
            self.sweep_in(0)
            return
        self._announced.setdefault(found.storage, {})[found.index] = None
        if len(self._announced) > MOST_STORAGES:
            self._announced.clear()
            self.sweep_in(0)
        self._woken.set()

    def _take_direct(self, event: Urc) -> None:
        if event.pdu is None:
            log.warning("%s: the PDU of %s was lost on the serial line", self._channel.path, event.name)
            self.sweep_in(0)
            return
        self._direct.append(event.pdu)
        if len(self._direct) >= MOST_DIRECT:
            self._channel.pause()
        self._woken.set()

    # straight to us

    async def _take_in_direct(self) -> None:
        batch = [self._direct.popleft() for _ in range(min(BATCH, len(self._direct)))]
        items = [read_pdu(pdu, None, None, self._now()) for pdu in batch]
        committed = await self._committed(items)
        self._defer([pdu for pdu, item in zip(batch, items, strict=True) if item not in committed])
        self._unacknowledged += len(committed)
        if not self._direct:
            self._channel.resume()
            await self._acknowledge()

    def _defer(self, pdus: Sequence[bytes]) -> None:
        self._deferred += pdus
        if len(self._deferred) > MOST_DIRECT:
            log.error("%s: too much that cannot be recorded; the network is left to repeat it", self._channel.path)
            del self._deferred[MOST_DIRECT:]

    async def _acknowledge(self) -> None:
        """Say that it is on the disk, once for each, in the phase that wants it."""
        while self._acknowledges and self._unacknowledged:
            self._unacknowledged -= 1
            try:
                await self._channel.ask(commands.ACKNOWLEDGE, urgent=True)
            except CommandRefused as error:  # +CMS ERROR 340: it expects none
                log.debug("%s", error)
                break
        self._unacknowledged = 0

    # out of the storages

    async def _take_in_announced(self) -> None:
        storage, slots = next(iter(self._announced.items()))
        self._usual_storage = storage
        if len(slots) >= LIST_FROM and self._storages.lists:
            await self._take_in_all(storage)
            return
        slot = next(iter(slots))
        del slots[slot]
        if not slots:
            del self._announced[storage]
        await self._take_in_slot(storage, slot)

    async def _take_in_slot(self, storage: str, slot: int) -> None:
        async with self._channel.hold():
            await self._storages.select(storage)
            entry = await self._storages.read(slot)
        if entry is None or entry.pdu is None:
            self.sweep_in(RETRY_SECONDS)  # not there yet, or its PDU was lost on the serial line
        else:
            await self._take_in(storage, [entry])

    async def _sweep(self) -> None:
        self._direct += self._deferred
        self._deferred = []
        offered = self._messaging.storages
        names = [name for name in STORAGES if offered is not None and name in offered.reading] or ["SM"]
        last = self._usual_storage or names[0]
        for name in sorted(names, key=lambda name: name == last):  # stay there: the next +CMTI wants it
            await self._take_in_all(name)

    async def _take_in_all(self, storage: str) -> None:
        """Everything in the storage, and what was announced there and is not in its listing."""
        async with self._channel.hold():
            announced = self._announced.pop(storage, {})
            await self._storages.select(storage, refresh=not self._storages.lists)
            entries = await self._storages.listing()
            if entries is None:
                await self._storages.select(storage, refresh=True)
                entries = await self._storages.occupied()
        for start in range(0, len(entries), BATCH):
            await self._take_in(storage, entries[start : start + BATCH])
        for slot in announced.keys() - {entry.slot for entry in entries}:
            await self._take_in_slot(storage, slot)

    async def _take_in(self, storage: str, entries: Sequence[Stored]) -> None:
        """Hand over, wait for the commit, delete: in this order (rule 1)."""
        items = [
            await self._readable(storage, entry)
            for entry in entries
            if entry.pdu is not None and entry.status in RECEIVED
        ]
        deleted = [item for item in await self._committed(items) if await self._deleted(item)]
        received = [item for item in deleted if isinstance(item, ReceivedSms)]
        if received:
            await self._handler.stored_deleted(received)

    async def _readable(self, storage: str, entry: Stored) -> Incoming:
        """What the entry says; one that makes no sense is read once more: the serial line may have damaged it."""
        item = read_pdu(entry.pdu or b"", storage, entry.slot, self._now())
        if isinstance(item, ReceivedSms) and item.error is not None:
            async with self._channel.hold():
                await self._storages.select(storage)
                again = await self._storages.read(entry.slot)
            if again is not None and again.pdu is not None:
                return read_pdu(again.pdu, storage, entry.slot, item.received_at)
        return item

    async def _deleted(self, item: Incoming) -> bool:
        if item.storage is None or item.index is None:
            return False
        async with self._channel.hold():
            await self._storages.select(item.storage)
            return await self._storages.delete(item.index)

    # to the gateway

    async def _committed(self, items: Sequence[Incoming]) -> Sequence[Incoming]:
        """Hand over; gives what is on the disk. One that cannot be recorded holds up no other."""
        try:
            await self._hand_over(items)
        except Exception:
            if len(items) == 1:
                log.exception("%s: it stays in the modem and is tried again", self._channel.path)
                self.sweep_in(self._retry.pause())
                return []
        else:
            self._retry.reset()
            return items
        return [done for item in items for done in await self._committed([item])]

    async def _hand_over(self, items: Sequence[Incoming]) -> None:
        received = [item for item in items if isinstance(item, ReceivedSms)]
        reports = [item for item in items if isinstance(item, StatusReport)]
        if received:
            await self._handler.sms_received(received)
        if reports:
            await self._handler.status_reports_received(reports)
