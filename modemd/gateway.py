"""READ THIS FIRST. The way of a message, and the only place where modems and the database meet:

    modem -> inbox.record, COMMIT -> modem deletes it -> router.answer (reply + inbox.done, one transaction)
          -> outbox.claim -> Sender (see sender.py) -> modem -> status report -> outbox.reported

`Bank` (below us) calls `identified`, `sms_received` …; each returns only when the database has it. The dispatcher hands
queued messages to the senders, one for each line; housekeeping moves what time alone moves.
"""

import asyncio
import contextlib
import hashlib
import logging
from collections import defaultdict
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from sqlalchemy import Connection

from modemd.config import SOFIA, Settings
from modemd.errors import CommandRefused, ModemdError, ModemError
from modemd.messages import ReceivedSms, StatusReport
from modemd.modem.lifecycle import State
from modemd.modem.modem import Modem
from modemd.sender import Quota, Sender
from modemd.service import router
from modemd.store import inbox, lines, outbox, reassembly
from modemd.store.ledger import Ledger

log = logging.getLogger(__name__)

HOUSEKEEPING_SECONDS = 5.0
IDENTITY_SECONDS = 10.0  # how long a modem waits to hear whether another one holds the same SIM


class Gateway:
    """Implements `modem.bank.Gateway` over the store and the service."""

    def __init__(self, settings: Settings, ledger: Ledger, now: Callable[[], datetime]) -> None:
        self._settings = settings
        self._ledger = ledger
        self._now = now
        self._host = settings.daemon.name
        self._senders: dict[int, Sender] = {}
        self._pumps: dict[int, asyncio.Task[None]] = {}
        self._modems: dict[str, Modem] = {}
        self._spoken: defaultdict[str, asyncio.Event] = defaultdict(asyncio.Event)
        self._answering: set[int] = set()
        self._answers: set[asyncio.Task[None]] = set()
        self._queue_hint = asyncio.Event()

    # lifetime

    async def run(self) -> None:
        """Dispatch and keep house until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._dispatch())
            tasks.create_task(self._keep_house())

    async def stop(self, seconds: float) -> None:
        """Claim nothing more and wait at most `seconds` for what is in the air."""
        for sender in self._senders.values():
            await sender.stop()
        if self._pumps:
            await asyncio.wait(self._pumps.values(), timeout=seconds)
        for pump in (*self._pumps.values(), *self._answers):
            pump.cancel()
        await asyncio.gather(*self._pumps.values(), *self._answers, return_exceptions=True)

    def queue_changed(self) -> None:
        """Something may have come into the queue: look."""
        self._queue_hint.set()

    # from the bank: who is there

    async def identified(self, modem: Modem) -> None:
        """Give the modem the line of its SIM, adopting a SIM never seen before."""
        self._spoken[modem.port].set()
        identity = lines.Identity(
            host=self._host,
            port=modem.port,
            imei=modem.imei,
            iccid=modem.iccid,
            imsi=modem.imsi,
            name=self._configured_name(modem),
            trusted=not await self._another_has_this_sim(modem),
        )
        row = await self._ledger.do(lines.identify, identity, self._settings.bank.adopt, self._now())
        modem.line_id, modem.line_name = row.id, row.name
        if row.adopted:
            await self._start_sender(modem, row.id)

    async def pin_may_be_tried(self, sim: str, pin: str) -> bool:
        """Rule 7: the attempt is on the disk before the SIM sees the PIN, and there is one for each SIM and PIN."""
        digest = hashlib.scrypt(pin.encode(), salt=sim.encode(), n=2**12, r=8, p=1).hex()[:64]
        return await self._ledger.do(lines.pin_may_be_tried, sim, digest, self._now())

    def modem_changed(self, modem: Modem) -> None:
        """Save what the panel shows of the modem, and let its sender begin or stop."""
        self._modems[modem.port] = modem
        self._ledger.post(lines.save_modem, self._modem_row(modem))
        sender = self._senders.get(modem.line_id) if modem.line_id is not None else None
        if sender is not None and sender.modem is modem:
            sender.wake()
            self._queue_hint.set()

    # from the bank: what came

    async def sms_received(self, modem: Modem, received: Sequence[ReceivedSms]) -> None:
        """Rule 1: return when the SMS are on the disk. Their answers follow by themselves."""
        recorded = await self._ledger.do(inbox.record, self._line_of(modem), received, self._now())
        for question in recorded.questions:
            self._begin_answer(question)

    async def stored_deleted(self, modem: Modem, received: Sequence[ReceivedSms]) -> None:
        await self._ledger.do(inbox.deleted, self._line_of(modem), received)

    async def status_reports_received(self, modem: Modem, reports: Sequence[StatusReport]) -> None:
        """Return when what the reports say is on the disk."""
        await self._ledger.do(outbox.reported, self._line_of(modem), reports, self._now())

    def late_result(self, modem: Modem, part_id: int, outcome: int | ModemError) -> None:
        """The answer to Ctrl-Z came after its time-out: the part is in doubt no more."""
        log.info("%s: the late answer settles part %s", modem.name, part_id)
        if isinstance(outcome, int):
            self._ledger.post(outbox.sent, outbox.Sent(part_id, outcome, self._now()))
        elif isinstance(outcome, CommandRefused):
            retry_at = None if outcome.permanent else self._now() + timedelta(seconds=30)
            self._ledger.post(outbox.refused, outbox.Refused(part_id, str(outcome), retry_at, self._now()))

    # answers

    def _begin_answer(self, question: inbox.Question) -> None:
        if question.id in self._answering:
            return
        self._answering.add(question.id)
        sender = self._senders.get(question.line_id)
        if sender is not None:
            sender.question_came()
        task = asyncio.get_running_loop().create_task(self._answer(question, sender))
        self._answers.add(task)
        task.add_done_callback(self._answers.discard)

    async def _answer(self, question: inbox.Question, sender: Sender | None) -> None:
        """Rule 3: the reply, what it changes and `inbox.done` are one transaction."""
        try:
            await self._ledger.do(router.answer, question, self._settings, self._now())
        except ModemdError:
            log.exception("question %s is not answered; tried again in a while", question.id)
        finally:
            self._answering.discard(question.id)
        await self._claim_for_all()
        if sender is not None:
            sender.question_settled()

    # the dispatcher

    async def _dispatch(self) -> None:
        while True:
            await self._queue_hint.wait()
            self._queue_hint.clear()
            try:
                while await self._claim_for_all():
                    pass
            except Exception:
                log.exception("claiming from the queue failed; tried again in a while")

    async def _claim_for_all(self) -> bool:
        """Claim for every line with room; True if there was something."""
        wants = [want for sender in self._senders.values() if (want := sender.want())]
        if not wants:
            return False
        lease = timedelta(seconds=self._settings.daemon.lease_seconds)
        claims = await self._ledger.do(outbox.claim, wants, self._host, self._now(), lease)
        for claim in claims:
            if self._may_be_texted(claim.recipient):
                self._senders[claim.line_id].take(claim)
            else:
                skip = outbox.Skip(claim.message_id, "[daemon] only_to does not name this number", self._now())
                self._ledger.post(outbox.skipped, skip)
        return bool(claims)

    def _may_be_texted(self, number: str) -> bool:
        """Rule 13."""
        return not self._settings.daemon.only_to or number in self._settings.daemon.only_to

    async def _start_sender(self, modem: Modem, line_id: int) -> None:
        if (pump := self._pumps.pop(line_id, None)) is not None:
            await self._senders[line_id].stop()
            pump.cancel()
        now = self._now()
        midnight = now.astimezone(SOFIA).replace(hour=0, minute=0, second=0, microsecond=0)
        sent = await self._ledger.do(lines.sent_times, line_id, midnight)
        sender = Sender(
            modem, line_id, self._quota(modem, sent), self._ledger, self._settings, self._now, self._queue_hint.set
        )
        self._senders[line_id] = sender
        self._pumps[line_id] = asyncio.get_running_loop().create_task(sender.run(), name=f"send {modem.name}")
        self._queue_hint.set()

    # housekeeping

    async def _keep_house(self) -> None:
        while True:
            pause = HOUSEKEEPING_SECONDS
            try:
                questions, next_due = await self._ledger.do(self._house_round, self._now())
            except Exception:
                log.exception("housekeeping failed; tried again in %s s", pause)
            else:
                for question in questions:
                    self._begin_answer(question)
                self._queue_hint.set()
                if next_due is not None:
                    pause = min(pause, max(0.01, (next_due - self._now()).total_seconds()))
            await asyncio.sleep(pause)

    def _house_round(self, connection: Connection, now: datetime) -> tuple[list[inbox.Question], datetime | None]:
        """What time alone moves, in one transaction: leases, due and expired messages, doubt, unfinished texts."""
        lines.host_seen(connection, self._host, now)
        outbox.renew(connection, self._host, now, timedelta(seconds=self._settings.daemon.lease_seconds))
        outbox.reclaim_expired(connection, now)
        outbox.expire(connection, now)
        outbox.settle(connection, self._policies(), now)
        reassembly.give_up(connection, now - timedelta(hours=self._settings.service.reassembly_hours), now)
        return inbox.pending(connection, limit=100), outbox.promote_due(connection, now)

    # small things

    def _policies(self) -> dict[str, outbox.DoubtPolicy]:
        return {
            name: outbox.DoubtPolicy(kind.repeatable, timedelta(seconds=kind.in_doubt_seconds))
            for name, kind in self._settings.kinds
        }

    def _line_of(self, modem: Modem) -> int:
        if modem.line_id is None:
            raise ModemError(port=modem.port, reason="has no line yet")
        return modem.line_id

    def _quota(self, modem: Modem, sent: Sequence[datetime]) -> Quota:
        bank = self._settings.bank
        own = self._settings.line_of(modem.port, modem.imei, modem.iccid)
        per_minute = bank.per_minute if own is None or own.per_minute is None else own.per_minute
        per_day = bank.per_day if own is None or own.per_day is None else own.per_day
        return Quota(per_minute, per_day, sent)

    def _configured_name(self, modem: Modem) -> str | None:
        own = self._settings.line_of(modem.port, modem.imei, modem.iccid)
        return own.name if own else None

    async def _another_has_this_sim(self, modem: Modem) -> bool:
        """True when two modems at once claim one SIM: emulators and clones do. Then the port tells them apart."""
        holder = await self._ledger.do(lines.port_of_sim, self._host, modem.iccid, modem.imsi)
        other = self._modems.get(holder) if holder and holder != modem.port else None
        if other is None:
            return False
        with contextlib.suppress(TimeoutError):  # it held this SIM before: let it speak first
            await asyncio.wait_for(self._spoken[other.port].wait(), IDENTITY_SECONDS)
        return other.state is not State.ABSENT and (other.iccid, other.imsi) == (modem.iccid, modem.imsi)

    def _modem_row(self, modem: Modem) -> lines.ModemRow:
        return lines.ModemRow(
            host=self._host,
            port=modem.port,
            line_id=modem.line_id,
            imei=modem.imei,
            manufacturer=modem.manufacturer,
            model=modem.model,
            firmware=modem.firmware,
            state=modem.state,
            state_since=modem.state_since,
            reason=modem.reason,
            operator=modem.operator,
            registration=modem.registration,
            signal_dbm=modem.signal_dbm,
            updated_at=self._now(),
        )
