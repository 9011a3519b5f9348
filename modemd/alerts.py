"""Looks for what no modem tells of itself, and tells people of alerts by e-mail and SMS: once, and when it is over.

What concerns the whole database (queue, doubt, silence) is looked at by one daemon alone, the first by name that runs.
Each daemon tells of its own alerts. An e-mail may come twice after a crash; an SMS is queued with the note that it was.
"""

import asyncio
import logging
import shutil
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy import Connection, Engine

from modemd import mail
from modemd.config import SOFIA, Settings
from modemd.messages import AlertKind
from modemd.service import compose
from modemd.store import alerts, glance, limits, lines, outbox, told, vitals
from modemd.store.alerts import Alert, Notice
from modemd.store.ledger import Ledger
from modemd.store.told import Due, Pace

log = logging.getLogger(__name__)

LOOK_SECONDS = 30.0
DOUBT_WITHIN = timedelta(hours=1)
SILENT_WEEKS = 3  # in each of which it was not silent at this time
MIB = 2**20
SMS_LENGTH = 300  # characters
# An SMS about these would wait where they wait, or make it worse.
NOT_BY_SMS = frozenset({AlertKind.NO_LINE_READY, AlertKind.QUEUE_OLD, AlertKind.DOUBT_GROWS})
WHAT_TO_DO: Mapping[AlertKind, str] = {
    AlertKind.QUARANTINED: "read the reason; unplug it and plug it in again; look at SIM and antenna",
    AlertKind.PUK: "take the SIM out and unlock it with its PUK in a phone; switch its PIN off there",
    AlertKind.STORAGE_FULL: "restart the modem; if it stays full, empty its SIM in a phone",
    AlertKind.CLOCK_OFF: "let the machine keep time by NTP: timedatectl set-ntp true",
    AlertKind.BALANCE_LOW: "top the SIM up",
    AlertKind.NO_LINE_READY: "nothing is answered: look at modemd doctor, power and hub",
    AlertKind.DATA_OLD: "ask billing why no file came; after 48 hours nobody is reminded",
    AlertKind.FILE_HELD: "look at it and decide: modemd file list --state held",
    AlertKind.FILE_REFUSED: "the reason lies beside the file in reject/; billing sends a new one",
    AlertKind.HAND_OVER: "check disk and rights of the folders in and out; the log says more",
    AlertKind.QUEUE_OLD: "look whether modems are ready and quotas left: modemd status",
    AlertKind.DISK_LOW: "make room: without it nothing that comes in can be kept",
    AlertKind.DOUBT_GROWS: "look at the modems that lose answers: modemd messages --state in_doubt",
    AlertKind.SILENT: "text the line from a phone; look at its SIM, contract and antenna",
    AlertKind.NOT_TOLD: "check [alerts] relay and its password; the log says what the relay answered",
}
Found = dict[tuple[str, AlertKind], tuple[str, str]]  # subject and kind: what people call it, and what is wrong


class Alarms:
    def __init__(self, settings: Settings, engine: Engine, ledger: Ledger, now: Callable[[], datetime]) -> None:
        self._settings = settings
        self._engine = engine
        self._ledger = ledger
        self._now = now
        self._host = settings.daemon.name
        self._stood: Found = {}
        given = settings.alerts
        self._pace = Pace(
            timedelta(seconds=given.after_seconds),
            timedelta(minutes=given.pause_minutes),
            timedelta(hours=given.repeat_hours),
        )

    async def run(self) -> None:
        """Look and tell until cancelled."""
        while True:
            try:
                await self.look()
                await self.tell()
            except Exception:
                log.exception("alerts are not looked after; tried again in %s s", LOOK_SECONDS)
            await asyncio.sleep(LOOK_SECONDS)

    async def look(self) -> None:
        """Raise what is wrong now, clear what is over."""
        found = await asyncio.to_thread(self._disk)
        found |= await self._ledger.do(_look, self._settings, self._now())
        kept = {key: said for key, said in self._stood.items() if key[1] is AlertKind.NOT_TOLD}
        self._note(found | kept)

    async def tell(self) -> None:
        """Tell people what they do not know."""
        given = self._settings.alerts
        if given.sms_to:
            await self._ledger.do(_tell_by_sms, self._settings, self._pace, self._now())
        if not given.email_to:
            return
        due = await self._ledger.do(told.due, self._host, "email", self._pace, self._now())
        if not due:
            return
        if await self._ledger.do(_may, f"alerts:email:{self._host}", given.emails_per_hour, 1, self._now()):
            await self._tell_by_email(due)

    async def _tell_by_email(self, due: Due) -> None:
        stood = {key: said for key, said in self._stood.items() if key[1] is not AlertKind.NOT_TOLD}
        try:
            await asyncio.to_thread(mail.send, self._settings.alerts, *letter(self._host, due))
        except (OSError, ValueError) as error:
            log.warning("no e-mail can be sent through %s: %s", self._settings.alerts.relay, error)
            words = f"no e-mail can be sent: {type(error).__name__}"
            self._note({**stood, (alerts.BANK, AlertKind.NOT_TOLD): (self._host, words)})
        else:
            await self._ledger.do(told.mark, self._host, "email", due, self._now())
            self._note(stood)

    def _note(self, found: Found) -> None:
        for key in self._stood.keys() | found.keys():
            if self._stood.get(key) != found.get(key):
                name, words = found.get(key) or (self._stood[key][0], None)
                self._ledger.post(alerts.note, Notice(self._host, key[0], key[1], name, words))
        self._stood = found

    def _disk(self) -> Found:
        least = self._settings.alerts.disk_mib
        for folder in (self._settings.daemon.data, *_folder_of(self._engine)):
            free = shutil.disk_usage(folder).free // MIB
            if free < least:
                return {(alerts.BANK, AlertKind.DISK_LOW): (self._host, f"only {free} MiB are free where {folder} is")}
        return {}


def _folder_of(engine: Engine) -> list[Path]:
    file = engine.url.database if engine.dialect.name == "sqlite" else None
    return [Path(file).parent] if file else []


def _look(conn: Connection, settings: Settings, now: datetime) -> Found:
    """What is wrong with the whole; nothing where another daemon looks at it."""
    host, given = settings.daemon.name, settings.alerts
    if host != next((daemon.name for daemon in glance.daemons(conn, now) if daemon.running), host):
        return {}
    found: Found = {}
    waiting = vitals.waiting(conn)
    patience = (timedelta(minutes=given.answer_minutes), timedelta(hours=given.queue_hours))
    for what, since, longest in zip(
        ("an answer or a code", "a message"), (waiting.answers, waiting.others), patience, strict=True
    ):
        if since is not None and now - since > longest:
            minutes = (now - since) // timedelta(minutes=1)
            found[f"queue: {what}", AlertKind.QUEUE_OLD] = (host, f"{what} waits for {_rounded(minutes)}")
    doubtful = vitals.doubtful_since(conn, now - DOUBT_WITHIN)
    if doubtful > given.doubts:
        words = f"{doubtful} parts of the last hour are in doubt"
        found[alerts.BANK, AlertKind.DOUBT_GROWS] = (host, words)
    silence = timedelta(minutes=given.silence_minutes)
    silent = vitals.silent_lines(conn, now, silence, SILENT_WEEKS, given.silence_usual) if silence else []
    names = lines.names(conn, silent)
    for line_id in silent:
        words = f"nothing has come in for {given.silence_minutes:g} minutes, where there is usually traffic"
        found[f"line {line_id}", AlertKind.SILENT] = (names[line_id], words)
    return found


def _rounded(minutes: int) -> str:
    """Not renewed at every look: in steps that grow."""
    return f"more than {minutes // 60} hours" if minutes >= 60 else f"more than {minutes // 10 * 10 or minutes} minutes"


def _may(conn: Connection, key: str, most: int, hours: int, now: datetime) -> bool:
    return limits.take(conn, key, [(most, timedelta(hours=hours))], now)


def _tell_by_sms(conn: Connection, settings: Settings, pace: Pace, now: datetime) -> None:
    """Queue the SMS and note that it is told, in one transaction."""
    host, given = settings.daemon.name, settings.alerts
    if given.is_quiet(now):
        return
    all_due = told.due(conn, host, "sms", pace, now)
    due = Due(*([each for each in some if each.kind not in NOT_BY_SMS] for some in (all_due.raised, all_due.over)))
    if due and _may(conn, f"alerts:sms:{host}", given.sms_per_day, 24, now):
        outbox.enqueue(conn, [compose.message("manual", to, sms(host, due), settings, now) for to in given.sms_to], now)
        told.mark(conn, host, "sms", due, now)


def sms(host: str, due: Due) -> str:
    """All of it in a few words, the new before what is over."""
    said = [f"{each.name}: {each.text}" for each in due.raised]
    said += [f"over: {each.name}: {each.kind}" for each in due.over]
    return f"modemd {host}: {'; '.join(said)}"[:SMS_LENGTH]


def letter(host: str, due: Due) -> tuple[str, str]:
    """Subject and text."""
    first = (*due.raised, *due.over)[0]
    count = len(due.raised) + len(due.over)
    more = f" and {count - 1} more" if count > 1 else ""
    over = "" if due.raised else "over: "
    parts = [_paragraph(each) for each in due.raised]
    if due.over:
        parts.append("\n".join(("Over:", *(f"  {each.name}: {each.text}" for each in due.over))))
    return f"[modemd {host}] {over}{first.name}: {first.kind}{more}", "\n\n".join(parts) + "\n"


def _paragraph(each: Alert) -> str:
    since = each.raised_at.astimezone(SOFIA)
    return f"{each.name}: {each.text}\nsince {since:%d.%m.%Y %H:%M}\nWhat to do: {WHAT_TO_DO[each.kind]}."
