"""READ THIS FIRST. The way of a message, and the only place where modems and the database meet:

    modem -> inbox.record, router.answer (reply + inbox.done), outbox.claim, COMMIT -> modem deletes it
          -> Sender (see sender.py) -> modem -> status report -> status_reports.reported

`Bank` (below us) calls `identified`, `sms_received` …; each returns only when the database has it. `Lines` (see
identity.py) knows which modem holds which SIM and keeps a sender for each line; housekeeping moves what time alone
moves.
"""

import asyncio
import json
import logging
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from sqlalchemy import Connection

from modemd import answering
from modemd.config import Settings
from modemd.errors import CommandRefused, ModemError
from modemd.identity import Lines
from modemd.messages import AlertKind, ReceivedSms, StatusReport
from modemd.modem.above import Known
from modemd.modem.lifecycle import State
from modemd.modem.way import Way
from modemd.sender import FIRST_RETRY, Sender
from modemd.service.last_look import LastLook
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
    standins,
    status_reports,
    switch,
    upkeep,
)
from modemd.store.ledger import Ledger
from modemd.store.schema import CampaignKind

log = logging.getLogger(__name__)

HOUSEKEEPING_SECONDS = 5.0
WELL = frozenset({State.READY, State.UNREGISTERED, State.ABSENT, State.PAUSED})  # no longer a case for quarantine
HANGS_SECONDS = 60.0  # without housekeeping
NONE_READY = timedelta(minutes=1)  # a bank takes a moment to start
MOST_AT_ONCE = 3  # questions of one modem that are answered in the round that records them
LATE_ATTEMPTS = 5  # a refusal that came too late to be the sender's business


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
        look = LastLook(settings)
        self._lines = Lines(settings, ledger, now, dict.fromkeys(CampaignKind, look.mark_sending))
        self._answering: set[int] = set()
        self._answers: set[asyncio.Task[None]] = set()
        self._told = asyncio.Event()
        self._told.set()
        self._alerts: dict[tuple[str, AlertKind], str | None] = {}
        self._none_ready_since: datetime | None = None
        self._house_kept_at: float | None = None  # in the loop's time

    # lifetime

    async def stop(self, seconds: float) -> None:
        """Claim nothing more and wait at most `seconds` for what is in the air."""
        await self._lines.stop(seconds)
        for task in self._answers:
            task.cancel()
        await asyncio.gather(*self._answers, return_exceptions=True)

    def hangs(self) -> str | None:
        """Housekeeping that does not come round, or a line whose sender is dead."""
        kept_at = self._house_kept_at
        if kept_at is not None and asyncio.get_running_loop().time() - kept_at > HANGS_SECONDS:
            return f"housekeeping hangs for more than {HANGS_SECONDS:.0f} s"
        return self._lines.hangs()

    def queue_changed(self) -> None:
        """Another process may have written: look at what people want, and then at the queue."""
        self._told.set()

    def slow_bulk(self, share: float) -> None:
        """Bulk takes this share of every line's time."""
        self._lines.slow_bulk(share)

    async def follow(self) -> None:
        """Do what people want, as soon as it is in the database, until cancelled. The switch comes first (rule 13).

        The queue comes last: what was set before a message was queued holds for it.
        """
        while True:
            await self._told.wait()
            self._told.clear()
            try:
                self._lines.allow((await self._ledger.do(switch.sending)).allowed)
                await self._lines.obey(await self._ledger.do(rules.read))
            except Exception:
                log.exception("what people want cannot be read; tried again when the database changes")
            self._lines.queue_changed()

    # from the bank: who is there

    async def identified(self, modem: Way) -> None:
        """Give the modem the line of its SIM, adopting a SIM never seen before."""
        for other in await self._lines.identified(modem):
            self.modem_changed(other)

    async def known(self, modem: Way) -> Known:
        """What the database remembers of the modem."""
        return Known(*await self._ledger.do(modems.known, self._host, modem.port, modem.imei))

    async def pin_may_be_tried(self, sim: str, pin: str) -> bool:
        """Rule 7: the attempt is on the disk before the SIM sees the PIN, and there is one for each SIM and PIN."""
        return await self._ledger.do(lines.pin_may_be_tried, sim, lines.hash_pin(sim, pin), self._now())

    async def pin_accepted(self, sim: str, pin: str) -> None:
        """The SIM took it: it may be entered again after the next power cut."""
        await self._ledger.do(lines.pin_accepted, sim, lines.hash_pin(sim, pin))

    def modem_changed(self, modem: Way) -> None:
        """Save what the panel shows of the modem, and let its sender begin or stop."""
        self._ledger.post(modems.save, _row_of(modem, self._host))
        if modem.state is State.QUARANTINED:
            self.alert(modem, AlertKind.QUARANTINED, modem.reason)
        elif modem.state in WELL:
            self.alert(modem, AlertKind.QUARANTINED, None)
        self._lines.modem_changed(modem)

    def alert(self, modem: Way, kind: AlertKind, text: str | None) -> None:
        """Raise an alert about a modem, or clear it with None. Raising it again renews its words."""
        self._note(modem.port, modem.name, kind, text)

    def _note(self, subject: str, name: str, kind: AlertKind, text: str | None) -> None:
        if self._alerts.get((subject, kind)) != text:
            self._alerts[subject, kind] = text
            self._ledger.post(alerts.note, alerts.Notice(self._host, subject, kind, name, text))

    # from the bank: what came

    async def sms_received(self, modem: Way, received: Sequence[ReceivedSms]) -> None:
        """Rule 1: return when the SMS are on the disk, with their answers; or these follow by themselves."""
        line_id = self._line_of(modem)
        if len(received) <= MOST_AT_ONCE and await self._answered_at_once(line_id, received):
            return
        for question in await self._ledger.do(answering.record, line_id, received, self._now()):
            self._begin_answer(question)

    async def _answered_at_once(self, line_id: int, received: Sequence[ReceivedSms]) -> bool:
        sender = self._lines.sender_of(line_id)
        want = sender.want_answer() if sender is not None else None
        try:
            claims = await self._ledger.do(
                answering.record_and_answer, line_id, received, self._settings, self._now(), want
            )
        except Exception as error:  # whoever is to blame is named when they are taken in one by one
            log.debug("%s SMS are not answered at once: %s", len(received), error)
            return False
        if sender is not None:
            sender.take(claims)
        return True

    async def stored_deleted(self, modem: Way, received: Sequence[ReceivedSms]) -> None:
        await self._ledger.do(inbox.deleted, self._line_of(modem), received)

    async def status_reports_received(self, modem: Way, reports: Sequence[StatusReport]) -> None:
        """Return when what the reports say is on the disk."""
        await self._ledger.do(status_reports.reported, self._line_of(modem), reports, self._now())

    def late_result(self, modem: Way, part_id: int, outcome: int | ModemError) -> None:
        """The answer to Ctrl-Z came after its time-out: the part is in doubt no more."""
        log.info("%s: a late answer settles part %s", modem.name, part_id)
        if isinstance(outcome, int):
            self._ledger.post(outbox.sent, outbox.Sent(part_id, outcome))
            self._ledger.later(outbox.follow_up, part_id)
        elif isinstance(outcome, CommandRefused):
            refused = outbox.Refused(part_id, str(outcome), outcome.permanent, self._now() + FIRST_RETRY, LATE_ATTEMPTS)
            self._ledger.post(outbox.refused, refused)

    # from the bank: how the modems are

    def call_hung_up(self, modem: Way) -> None:
        log.info("%s: a call is hung up", modem.name)
        self._ledger.post(modems.calls_hung_up, modems.Call(self._host, modem.port))

    def rung_tried(self, modem: Way, rung: str, helped: bool, seconds: float) -> None:
        self._ledger.post(recovery.count, recovery.Tried(modem.kind, rung, helped, seconds))

    # answers

    def _begin_answer(self, question: inbox.Question) -> None:
        if question.id in self._answering:
            return
        self._answering.add(question.id)
        sender = self._lines.sender_of(question.line_id)
        if sender is not None:
            sender.question_came()
        task = asyncio.get_running_loop().create_task(self._answer(question, sender))
        self._answers.add(task)
        task.add_done_callback(self._answers.discard)

    async def _answer(self, question: inbox.Question, sender: Sender | None) -> None:
        """Rule 3: the reply, what it changes and `inbox.done` are one transaction."""
        try:
            want = sender.want_answer() if sender is not None else None
            claims = await self._ledger.do(answering.answer, [question], self._settings, self._now(), want)
            if sender is not None:
                sender.take(claims)
        except Exception:
            log.exception("question %s is not answered; tried again in a while", question.id)
        finally:
            self._answering.discard(question.id)
            if sender is not None:
                sender.question_settled()

    # housekeeping

    async def keep_house(self) -> None:
        """Move what time alone moves, until cancelled."""
        while True:
            pause = HOUSEKEEPING_SECONDS
            self._house_kept_at = asyncio.get_running_loop().time()
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
        if self._lines.any_ready():
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
        standins.hand_over(connection, now)
        upkeep.expire(connection, now)
        upkeep.settle(connection, self._policies, now)
        reassembly.give_up(connection, now - timedelta(hours=self._settings.service.reassembly_hours))
        return inbox.pending(connection, limit=100), upkeep.promote_due(connection, now)

    # small things

    def _line_of(self, modem: Way) -> int:
        if modem.line_id is None:
            raise ModemError(port=modem.port, reason="has no line yet")
        return modem.line_id


def _row_of(modem: Way, host: str) -> modems.ModemRow:
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
        ports=json.dumps([port._asdict() for port in modem.ports]) if modem.ports else None,
    )
