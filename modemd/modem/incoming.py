"""What comes in through one modem: read out of its storages, handed to the gateway, and only then deleted (rule 1).

+CMTI and +CDSI say where something lies; since a URC can get lost, the storages are also looked through at the start,
after every disturbance and now and then. +CMT and +CDS bring the PDU itself and are acknowledged when it is committed.
SMS are questions and read at once. Status reports can wait: during a campaign they are taken in by the dozen.
"""

import asyncio
import logging
from collections.abc import Callable, Sequence
from datetime import datetime

from modemd.at import urc
from modemd.at.commands import Stored
from modemd.at.urc import Urc
from modemd.errors import CommandRefused, CommandTimeout, PortGone
from modemd.messages import ReceivedSms
from modemd.modem.channel import Channel
from modemd.modem.handover import BATCH, Direct, Handler, commit
from modemd.modem.reading import Incoming, read_pdu
from modemd.modem.recovery import Backoff
from modemd.modem.startup import Messaging
from modemd.modem.storages import Storages

log = logging.getLogger(__name__)

RECEIVED = (0, 1)  # <stat> of 27.005, 3.1: received unread, received read; the others are texts to be sent
NAMES = ("SM", "ME", "SR", "MT")  # in the order they are looked through; MT is SM and ME together: then it is empty
REPORTS = "SR"
SWEEP_SECONDS = 600.0  # a lost +CMTI strands no message for longer, even in a storage that is not in use
CHECK_SECONDS = 60.0  # the same for the storages in use, where one quick question tells
POLL_SECONDS = 5.0  # for a modem that announces nothing
RETRY_SECONDS = 5.0  # after a failure of the modem's storage or of the database
SWEEP_PAUSE_SECONDS = 1.0  # between two looks, however often the modem asks for one
REPORT_SECONDS = 10.0  # that a status report may wait while the modem is sending
IDLE_REPORT_SECONDS = 0.1  # the same while it is not
REST_CHECK_SECONDS = 0.5  # between two looks whether it is, while reports wait
MOST_REPORTS = 10  # that may wait where the size of their storage is not known
LIST_FROM = 4  # announced at once: one listing is cheaper than this many reads
MOST_SLOTS = 10_000  # no storage is larger
MOST_STORAGES = 8  # and no modem has more of them

Slots = dict[str, dict[int, None]]  # storage -> slots, in the order of their announcement


class Inbound:
    """The incoming side of one modem from its start to its end."""

    def __init__(self, channel: Channel, handler: Handler, now: Callable[[], datetime]) -> None:
        self._channel = channel
        self._handler = handler
        self._now = now
        self._loop = asyncio.get_running_loop()
        self._messaging = Messaging()
        self._storages = Storages(channel, handler.storages_told)
        self._direct = Direct(channel, handler, now)
        self._announced: Slots = {}
        self._reports: Slots = {}
        self._reports_at = float("inf")
        self._usual_storage: str | None = None  # where the modem announces messages
        self._retry = Backoff(RETRY_SECONDS, SWEEP_SECONDS)
        self._woken = asyncio.Event()
        self.taken_in = asyncio.Event()  # no message is announced and not yet committed
        self.taken_in.set()
        self._lost_at = float("-inf")  # when it was last said that a PDU was lost
        self._sweep_at = float("inf")
        self._swept_at = float("-inf")
        self._check_at = float("inf")

    def begin(self, messaging: Messaging) -> None:
        """The modem is set up, for the first time or anew: look through everything."""
        self._messaging = messaging
        self._storages.forget()
        self._check_at = self._loop.time() + CHECK_SECONDS
        self.sweep_in(0)

    def sweep_in(self, seconds: float) -> None:
        """Look through all storages in so many seconds."""
        due = max(self._loop.time() + seconds, self._swept_at + SWEEP_PAUSE_SECONDS)
        self._sweep_at = min(self._sweep_at, due)
        self._woken.set()

    def urc_received(self, event: Urc) -> bool:
        """Take a URC that is about messages; False: it is about something else."""
        if event.name == "+CMTI":
            self._note(event, self._announced)
        elif event.name == "+CDSI":
            self._note(event, self._reports)
            self._schedule_reports()
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

    async def run_direct(self) -> None:
        """Commit what comes straight to us, until cancelled."""
        await self._direct.run(self._recorded)

    # what there is to do

    async def _wait(self) -> None:
        if not self._announced:
            self.taken_in.set()
        pause = min(self._sweep_at, self._reports_due(), self._check_at) - self._loop.time()
        if self._reports:
            pause = min(pause, REST_CHECK_SECONDS)
        if pause > 0 and not self._announced and not self._to_acknowledge():
            self._woken.clear()
            try:
                async with asyncio.timeout(min(pause, SWEEP_SECONDS)):
                    await self._woken.wait()
            except TimeoutError:
                return

    async def _round(self) -> None:
        now = self._loop.time()
        if self._to_acknowledge():
            await self._direct.acknowledge()
        elif self._announced:
            storage = self._usual_storage = next(iter(self._announced))
            await self._take_in_announced(storage, self._announced.pop(storage))
        elif now >= self._reports_due():
            self._reports_at = float("inf")
            for storage in list(self._reports):
                await self._take_in_announced(storage, self._reports.pop(storage, {}))
        elif now >= self._sweep_at:
            self._swept_at = now
            self._sweep_at = now + (SWEEP_SECONDS if self._messaging.announces else POLL_SECONDS)
            await self._sweep()
        elif now >= self._check_at:
            self._check_at = now + CHECK_SECONDS
            await self._check()

    def _to_acknowledge(self) -> bool:
        return self._messaging.acknowledges and self._direct.unacknowledged > 0

    def _note(self, event: Urc, slots: Slots) -> None:
        found = urc.indication(event)
        if found is None or found.index > MOST_SLOTS or len(slots) >= MOST_STORAGES:
            slots.clear()
            self.sweep_in(0)
        else:
            slots.setdefault(found.storage, {})[found.index] = None
            if slots is self._announced:
                self.taken_in.clear()
            self._woken.set()

    def _schedule_reports(self) -> None:
        size = self._storages.size(REPORTS)
        most = size // 2 if size else MOST_REPORTS
        crowded = any(len(slots) >= most for slots in self._reports.values())
        self._reports_at = min(self._reports_at, self._loop.time() + (0.0 if crowded else REPORT_SECONDS))

    def _reports_due(self) -> float:
        """By the dozen during a campaign, soon when the modem is at rest."""
        if not self._reports:
            return float("inf")
        soon = self._reports_at - REPORT_SECONDS + IDLE_REPORT_SECONDS
        return min(self._reports_at, max(soon, self._channel.rests_from))

    def _take_direct(self, event: Urc) -> None:
        if event.pdu is None:
            if self._loop.time() - self._lost_at > SWEEP_SECONDS:
                log.warning("%s: the PDU of %s was lost on the serial line", self._channel.path, event.name)
                self._lost_at = self._loop.time()
            self.sweep_in(0)
            return
        self._direct.add(event.pdu)

    def _recorded(self, everything: bool) -> None:
        self._woken.set()
        if everything:
            self._retry.reset()
        else:
            self.sweep_in(self._retry.pause())

    # out of the storages

    async def _take_in_announced(self, storage: str, slots: dict[int, None]) -> None:
        if len(slots) >= LIST_FROM:
            await self._take_in_all(storage, slots)
        else:
            await self._take_in_slots(storage, list(slots))

    async def _take_in_slots(self, storage: str, slots: Sequence[int]) -> None:
        if not slots:
            return
        entries = await self._storages.read(storage, slots)
        if sum(entry.pdu is not None for entry in entries) < len(slots):
            self.sweep_in(RETRY_SECONDS)  # not there yet, or its PDU was lost on the serial line
        await self._take_in(storage, entries)

    async def _sweep(self) -> None:
        self._direct.try_again()
        offered = self._messaging.storages
        names = [name for name in NAMES if offered is not None and name in offered.reading] or ["SM"]
        last = self._usual_storage or names[0]
        for name in sorted(names, key=lambda name: name == last):  # stay there: the next +CMTI wants it
            await self._take_in_all(name, self._announced.pop(name, {}) | self._reports.pop(name, {}))

    async def _check(self) -> None:
        """Something nobody announced may fill a storage, and a full one takes nothing in and says nothing."""
        for storage in await self._storages.occupied():
            await self._take_in_all(storage, self._announced.pop(storage, {}) | self._reports.pop(storage, {}))

    async def _take_in_all(self, storage: str, announced: dict[int, None]) -> None:
        """Everything in the storage, and what was announced there and is not in its listing."""
        entries = await self._storages.read_all(storage)
        listed = {entry.slot for entry in entries}
        for waiting in (self._announced.get(storage, {}), self._reports.get(storage, {})):
            for slot in listed & waiting.keys():
                del waiting[slot]  # announced while we read it
        await self._take_in(storage, entries, everything=True)
        missing = [slot for slot in announced if slot not in listed]
        await self._take_in_slots(storage, missing)

    async def _take_in(self, storage: str, entries: Sequence[Stored], *, everything: bool = False) -> None:
        """Hand over, wait for the commit, delete: in this order (rule 1)."""
        whole = [entry for entry in entries if entry.pdu is not None and entry.status in RECEIVED]
        committed: list[Incoming] = []
        for start in range(0, len(whole), BATCH):
            items = [await self._readable(storage, entry) for entry in whole[start : start + BATCH]]
            done = await commit(self._handler, items)
            self._recorded(len(done) == len(items))
            committed += done
            if storage != REPORTS:
                await self._delete(storage, done)
        if storage == REPORTS:
            at_once = everything and len(committed) == len(entries) >= LIST_FROM
            if not (at_once and await self._storages.delete_read(storage)):
                await self._delete(storage, committed)

    async def _readable(self, storage: str, entry: Stored) -> Incoming:
        """What the entry says; one that makes no sense is read once more: the serial line may have damaged it."""
        item = read_pdu(entry.pdu or b"", storage, entry.slot, self._now())
        if isinstance(item, ReceivedSms) and item.error is not None:
            for again in await self._storages.read(storage, [entry.slot]):
                if again.pdu is not None:
                    return read_pdu(again.pdu, storage, entry.slot, item.received_at)
        return item

    async def _delete(self, storage: str, items: Sequence[Incoming]) -> None:
        deleted = await self._storages.delete(storage, [item.index for item in items if item.index is not None])
        received = [item for item in items if isinstance(item, ReceivedSms) and item.index in deleted]
        if received:
            await self._handler.stored_deleted(received)
