"""READ THIS FIRST. The way of a message, and the only place where modems and the database meet:

    modem -> inbox.record, COMMIT -> modem deletes it -> router.answer (reply + inbox.done, one transaction)
          -> outbox.claim -> Sender (see sender.py) -> modem -> status report -> status_reports.reported

`Bank` (below us) calls `identified`, `sms_received` …; each returns only when the database has it. The dispatcher hands
queued messages to the senders, one for each line; housekeeping moves what time alone moves.
"""

import asyncio
import contextlib
import logging
from collections import defaultdict
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from sqlalchemy import Connection

from modemd import quota
from modemd.config import Limits, Settings
from modemd.errors import CommandRefused, ModemdError, ModemError
from modemd.messages import AlertKind, ReceivedSms, StatusReport
from modemd.modem.above import Known
from modemd.modem.lifecycle import State
from modemd.modem.modem import Modem
from modemd.quota import Quota
from modemd.sender import FIRST_RETRY, Sender
from modemd.service import router
from modemd.store import (
    alerts,
    inbox,
    leases,
    lines,
    modems,
    outbox,
    reassembly,
    recovery,
    rules,
    status_reports,
    switch,
    upkeep,
)
from modemd.store.ledger import Ledger
from modemd.store.rules import LineRule
from modemd.store.switch import Allowed

log = logging.getLogger(__name__)

HOUSEKEEPING_SECONDS = 5.0
WELL = frozenset({State.READY, State.UNREGISTERED, State.ABSENT, State.PAUSED})  # no longer a case for quarantine
NONE_READY = timedelta(minutes=1)  # a bank takes a moment to start
LATE_ATTEMPTS = 5  # a refusal that came too late to be the sender's business
IDENTITY_SECONDS = 10.0  # how long a modem waits to hear whether another one holds the same SIM


class Gateway:
    """Implements `modem.above.Gateway` over the store and the service."""

    def __init__(self, settings: Settings, ledger: Ledger, instance: str, now: Callable[[], datetime]) -> None:
        self._settings = settings
        self._ledger = ledger
        self._now = now
        self._host = settings.daemon.name
        self._instance = instance
        self._policies = {
            name: upkeep.DoubtPolicy(kind.repeatable, timedelta(seconds=kind.in_doubt_seconds))
            for name, kind in settings.kinds
        }
        self._senders: dict[int, Sender] = {}
        self._pumps: dict[int, asyncio.Task[None]] = {}
        self._modems: dict[str, Modem] = {}
        self._owners: dict[lines.Sim, str] = {}
        self._spoken: defaultdict[str, asyncio.Event] = defaultdict(asyncio.Event)
        self._answering: set[int] = set()
        self._answers: set[asyncio.Task[None]] = set()
        self._allowed = Allowed.ALL
        self._rules: dict[int, LineRule] = {}
        self._starting = asyncio.Lock()
        self._ending: set[asyncio.Task[None]] = set()  # pumps of senders that begin nothing more
        self._identified: set[str] = set()  # ports whose modem has told who it is since it was there
        self._doubles: dict[str, Modem] = {}  # by port: those that seem to have another modem's SIM
        self._told = asyncio.Event()
        self._told.set()
        self._alerts: dict[tuple[str, AlertKind], str | None] = {}
        self._none_ready_since: datetime | None = None

    # lifetime

    async def stop(self, seconds: float) -> None:
        """Claim nothing more and wait at most `seconds` for what is in the air."""
        for sender in self._senders.values():
            sender.stop()
        pumps = [*self._pumps.values(), *self._ending]
        if pumps:
            await asyncio.wait(pumps, timeout=seconds)
        for task in (*pumps, *self._answers):
            task.cancel()
        await asyncio.gather(*pumps, *self._answers, return_exceptions=True)

    def queue_changed(self) -> None:
        """Another process may have written: look at the queue and at what people want."""
        self._told.set()
        for sender in self._senders.values():
            sender.queue_changed()

    async def follow(self) -> None:
        """Do what people want, as soon as it is in the database, until cancelled."""
        while True:
            await self._told.wait()
            self._told.clear()
            try:
                position, found = await self._ledger.do(_orders)
                self._rules = {rule.line_id: rule for rule in found}
                for modem in list(self._modems.values()):
                    await self._obey(modem)
                self._share_out()
            except Exception:
                log.exception("what people want cannot be read; tried again when the database changes")
            else:
                self._allow(position.allowed)

    def _allow(self, allowed: Allowed) -> None:
        if allowed is not self._allowed:
            log.warning("sending: %s -> %s", self._allowed, allowed)
        self._allowed = allowed
        for sender in self._senders.values():
            sender.allow(allowed)

    async def _obey(self, modem: Modem) -> None:
        """Take over what a technician has set for the modem's line, and adopt it if he has."""
        rule = self._rules.get(modem.line_id) if modem.line_id is not None else None
        if rule is None:
            return
        if modem.line_name != rule.name:
            log.info("%s: is called %s from now on", modem.name, rule.name)
            modem.line_name = rule.name
        if rule.adopted and rule.line_id not in self._senders and modem.state is not State.ABSENT:
            await self._start_sender(modem, rule.line_id)
        sender = self._senders.get(rule.line_id)
        if sender is not None and sender.modem is modem:
            sender.limit(self._limits(modem))

    def _share_out(self) -> None:
        """Let the lines of this daemon leave to each other what one of them prefers and can send."""
        able = {
            line_id: rule.prefixes
            for line_id, rule in self._rules.items()
            if rule.prefixes and line_id in self._senders and self._senders[line_id].may_send()
        }
        for line_id, sender in self._senders.items():
            others = [prefix for other, prefixes in able.items() if other != line_id for prefix in prefixes]
            sender.prefer(able.get(line_id, ()), tuple(others))

    # from the bank: who is there

    async def identified(self, modem: Modem) -> None:
        """Give the modem the line of its SIM, adopting a SIM never seen before."""
        self._spoken[modem.port].set()
        self._identified.add(modem.port)
        own_sim = lines.Sim(modem.iccid, modem.imsi)
        sim = own_sim if await self._owner_of(own_sim, modem.port) == modem.port else lines.Sim(None, None)
        own = self._settings.line_of(modem.port, modem.imei, modem.iccid)
        row = await self._ledger.do(
            lines.identify,
            sim,
            self._host,
            modem.port,
            self._now(),
            adopt=self._settings.bank.adopt,
            name=own.name if own else None,
        )
        modem.line_id, modem.line_name = row.id, row.name
        for line_id, sender in list(self._senders.items()):
            if sender.modem is modem and line_id != row.id:  # the SIM that was in it sends through it no more
                self._end_sender(line_id)
        if row.adopted:
            await self._start_sender(modem, row.id)
        await self._look_at_doubles(modem, double=sim != own_sim)

    async def _look_at_doubles(self, modem: Modem, *, double: bool) -> None:
        """A modem that seemed to have another's SIM is asked once more when that one turns out to have a new one."""
        self._doubles.pop(modem.port, None)
        if double:
            self._doubles[modem.port] = modem
        for other in list(self._doubles.values()):
            sim = lines.Sim(other.iccid, other.imsi)
            if other is not modem and await self._owner_of(sim, other.port) == other.port:
                await self.identified(other)
                self.modem_changed(other)

    async def known(self, modem: Modem) -> Known:
        """What the database remembers of the modem."""
        return Known(*await self._ledger.do(modems.known, self._host, modem.port, modem.imei))

    async def pin_may_be_tried(self, sim: str, pin: str) -> bool:
        """Rule 7: the attempt is on the disk before the SIM sees the PIN, and there is one for each SIM and PIN."""
        return await self._ledger.do(lines.pin_may_be_tried, sim, lines.hash_pin(sim, pin), self._now())

    async def pin_accepted(self, sim: str, pin: str) -> None:
        """The SIM took it: it may be entered again after the next power cut."""
        await self._ledger.do(lines.pin_accepted, sim, lines.hash_pin(sim, pin))

    def modem_changed(self, modem: Modem) -> None:
        """Save what the panel shows of the modem, and let its sender begin or stop."""
        self._modems[modem.port] = modem
        if modem.state is State.ABSENT:
            self._identified.discard(modem.port)
        self._ledger.post(modems.save, _row_of(modem, self._host))
        if modem.state is State.QUARANTINED:
            self.alert(modem, AlertKind.QUARANTINED, modem.reason)
        elif modem.state in WELL:
            self.alert(modem, AlertKind.QUARANTINED, None)
        sender = self._senders.get(modem.line_id) if modem.line_id is not None else None
        if sender is not None and sender.modem is modem:
            sender.modem_changed()
            self._share_out()

    def alert(self, modem: Modem, kind: AlertKind, text: str | None) -> None:
        """Raise an alert about a modem, or clear it with None. Raising it again renews its words."""
        self._note(modem.port, modem.name, kind, text)

    def _note(self, subject: str, name: str, kind: AlertKind, text: str | None) -> None:
        if self._alerts.get((subject, kind)) != text:
            self._alerts[subject, kind] = text
            self._ledger.post(alerts.note, alerts.Notice(self._host, subject, kind, name, text))

    # from the bank: what came

    async def sms_received(self, modem: Modem, received: Sequence[ReceivedSms]) -> None:
        """Rule 1: return when the SMS are on the disk. Their answers follow by themselves."""
        questions = await self._ledger.do(_record, self._line_of(modem), received, self._now())
        for question in questions:
            self._begin_answer(question)

    async def stored_deleted(self, modem: Modem, received: Sequence[ReceivedSms]) -> None:
        await self._ledger.do(inbox.deleted, self._line_of(modem), received)

    async def status_reports_received(self, modem: Modem, reports: Sequence[StatusReport]) -> None:
        """Return when what the reports say is on the disk."""
        await self._ledger.do(status_reports.reported, self._line_of(modem), reports, self._now())

    def late_result(self, modem: Modem, part_id: int, outcome: int | ModemError) -> None:
        """The answer to Ctrl-Z came after its time-out: the part is in doubt no more."""
        log.info("%s: a late answer settles part %s", modem.name, part_id)
        if isinstance(outcome, int):
            self._ledger.post(outbox.sent, outbox.Sent(part_id, outcome))
        elif isinstance(outcome, CommandRefused):
            refused = outbox.Refused(part_id, str(outcome), outcome.permanent, self._now() + FIRST_RETRY, LATE_ATTEMPTS)
            self._ledger.post(outbox.refused, refused)

    # from the bank: how the modems are

    def call_hung_up(self, modem: Modem) -> None:
        log.info("%s: a call is hung up", modem.name)
        self._ledger.post(modems.calls_hung_up, modems.Call(self._host, modem.port))

    def rung_tried(self, modem: Modem, rung: str, helped: bool, seconds: float) -> None:
        self._ledger.post(recovery.count, recovery.Tried(modem.kind, rung, helped, seconds))

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
            want = sender.want_answer() if sender is not None else None
            claims = await self._ledger.do(_answer, question, self._settings, self._now(), want)
            if sender is not None:
                sender.take(claims)
        except ModemdError:
            log.exception("question %s is not answered; tried again in a while", question.id)
        finally:
            self._answering.discard(question.id)
            if sender is not None:
                sender.question_settled()

    # lines

    async def _start_sender(self, modem: Modem, line_id: int) -> None:
        async with self._starting:
            current = self._senders.get(line_id)
            if current is not None and current.modem is modem and not self._pumps[line_id].done():
                return
            before = self._end_sender(line_id)
            sender = Sender(modem, line_id, await self._quota(modem, line_id), self._ledger, self._settings, self._now)
            sender.allow(self._allowed)
            self._senders[line_id] = sender
            pump = _run_after(before, sender)
            self._pumps[line_id] = asyncio.get_running_loop().create_task(pump, name=f"send {modem.name}")
            sender.queue_changed()

    def _end_sender(self, line_id: int) -> asyncio.Task[None] | None:
        """Let the line's sender, if any, begin nothing more; gives its pump, which ends with what is in the air."""
        sender, pump = self._senders.pop(line_id, None), self._pumps.pop(line_id, None)
        if sender is not None:
            sender.stop()
        if pump is not None:
            self._ending.add(pump)
            pump.add_done_callback(self._ending.discard)
        return pump

    # housekeeping

    async def keep_house(self) -> None:
        """Move what time alone moves, until cancelled."""
        while True:
            pause = HOUSEKEEPING_SECONDS
            try:
                questions, next_due = await self._ledger.do(self._house_round, self._now())
            except Exception:
                log.exception("housekeeping failed; tried again in %s s", pause)
            else:
                for question in questions:
                    self._begin_answer(question)
                self.queue_changed()
                self._look_for_a_ready_line(self._now())
                if next_due is not None:
                    pause = min(pause, max(0.01, (next_due - self._now()).total_seconds()))
            await asyncio.sleep(pause)

    def _look_for_a_ready_line(self, now: datetime) -> None:
        if any(modem.state is State.READY for modem in self._modems.values()):
            self._none_ready_since = None
        elif self._none_ready_since is None:
            self._none_ready_since = now
        since = self._none_ready_since
        ill = since is not None and now - since >= NONE_READY
        text = f"no modem of {self._host} has been ready since {since:%H:%M} UTC" if ill else None
        self._note(alerts.BANK, self._host, AlertKind.NO_LINE_READY, text)

    def _house_round(self, connection: Connection, now: datetime) -> tuple[list[inbox.Question], datetime | None]:
        """What time alone moves, in one transaction: leases, due and expired messages, doubt, unfinished texts."""
        lines.host_seen(connection, self._host, self._instance, now)
        leases.renew(connection, self._host, now, timedelta(seconds=self._settings.daemon.lease_seconds))
        leases.reclaim_expired(connection, now)
        upkeep.expire(connection, now)
        upkeep.settle(connection, self._policies, now)
        reassembly.give_up(connection, now - timedelta(hours=self._settings.service.reassembly_hours))
        return inbox.pending(connection, limit=100), upkeep.promote_due(connection, now)

    # small things

    def _line_of(self, modem: Modem) -> int:
        if modem.line_id is None:
            raise ModemError(port=modem.port, reason="has no line yet")
        return modem.line_id

    async def _quota(self, modem: Modem, line_id: int) -> Quota:
        now = self._now()
        used = await self._ledger.do(
            lines.used, line_id, quota.day_start(now), quota.month_start(now), now - quota.MINUTE
        )
        return Quota(
            self._limits(modem),
            self._settings.bank.answer_reserve,
            now,
            today=used.today,
            this_month=used.this_month,
            recent=used.recent,
        )

    def _limits(self, modem: Modem) -> Limits:
        """What a technician has set wins over the settings."""
        limits = self._settings.limits_of(modem.port, modem.imei, modem.iccid)
        rule = self._rules.get(modem.line_id) if modem.line_id is not None else None
        return limits if rule is None else limits.but(rule.per_minute, rule.per_day, rule.per_month)

    async def _owner_of(self, sim: lines.Sim, port: str) -> str:
        """The port whose modem has the SIM's line. Emulators and clones show one SIM twice: ports keep them apart."""
        if sim == lines.Sim(None, None):
            return port
        before = await self._ledger.do(modems.port_of_sim, self._host, sim.iccid, sim.imsi)
        if before in self._modems:
            with contextlib.suppress(TimeoutError):  # it had this SIM before: let it speak first
                await asyncio.wait_for(self._spoken[before].wait(), IDENTITY_SECONDS)
        for owner in (self._owners.get(sim), before):
            if owner is not None and self._has(owner, sim):
                self._owners[sim] = owner
                return owner
        self._owners[sim] = port
        return port

    def _has(self, port: str, sim: lines.Sim) -> bool:
        modem = self._modems.get(port)
        return modem is not None and port in self._identified and lines.Sim(modem.iccid, modem.imsi) == sim


def _orders(connection: Connection) -> tuple[switch.Position, list[LineRule]]:
    return switch.sending(connection), rules.read(connection)


async def _run_after(before: asyncio.Task[None] | None, sender: Sender) -> None:
    """Send when the line's last sender is done: at most one part of a line is in the air."""
    if before is not None:
        await asyncio.wait([before])
    await sender.run()


def _record(
    connection: Connection, line_id: int, received: Sequence[ReceivedSms], now: datetime
) -> list[inbox.Question]:
    """Record what came; returns what is now whole and waits for an answer."""
    recorded = inbox.record(connection, line_id, received, now)
    return inbox.waiting(connection, [item.inbox_id for item in recorded if item.inbox_id is not None])


def _answer(
    connection: Connection, question: inbox.Question, settings: Settings, now: datetime, want: outbox.Want | None
) -> list[outbox.Claim]:
    """Answer, and claim the reply in the same transaction if its line wants it."""
    router.answer(connection, question, settings, now)
    if want is None:
        return []
    lease = timedelta(seconds=settings.daemon.lease_seconds)
    return outbox.claim(connection, [want], now, settings.daemon.name, lease)[0]


def _row_of(modem: Modem, host: str) -> modems.ModemRow:
    return modems.ModemRow(
        host=host,
        port=modem.port,
        line_id=modem.line_id,
        state=modem.state,
        state_since=modem.state_since,
        reason=modem.reason,
        imei=modem.imei,
        manufacturer=modem.manufacturer,
        model=modem.model,
        firmware=modem.firmware,
        operator=modem.operator,
        registration=modem.registration,
        signal_dbm=modem.signal_dbm,
        place=modem.place.name if modem.place else None,
        storage_used=modem.condition.storage_used,
        storage_total=modem.condition.storage_total,
        clock_offset=modem.condition.clock_offset,
    )
