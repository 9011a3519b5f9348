"""Invented messages of both directions: reminders in the mornings of working days, bill checks at any hour."""

import math
from bisect import bisect
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from random import Random

from sqlalchemy import Connection

from modemd.config import ANSWERS
from modemd.scenarios import wordings
from modemd.scenarios.people import Moved, Phone, midnight
from modemd.scenarios.plans import Month, Plan, spread
from modemd.scenarios.wordings import SETTINGS, Worded
from modemd.service.calendar import Calendar
from modemd.store import loading
from modemd.store.schema import InboxState, MessageState, Outcome, inbox, message, part, unread_outcome

_CALENDAR = Calendar()
CHUNK = 20_000  # messages written at a time
A_MINUTE = 10  # parts that a line sends at most
_ASKED = ("smetka", "Smetka", "SMETKA", "сметка", "smetkata", "smetka molya", "СМЕТКА")
_UNREAD = (
    *("nyama tok", "kolko dalzha", "blagodarya", "koga shte doyde inkasatorat", "??", "нямаме ток от сутринта"),
    *("iskam da platya na vnoski", "zdraveyte", "greshen nomer", "=1+1", "Моля обадете ми се"),
)
_HOURS = (1, 1, 0.5, 0.5, 0.5, 1, 3, 6, 10, 12, 12, 11, 10, 9, 9, 9, 9, 10, 12, 12, 10, 7, 4, 2)  # of bill checks
_FATES = (MessageState.DELIVERED, MessageState.UNDELIVERED, MessageState.EXPIRED, MessageState.SENT)
_HOW_OFTEN = (0.972, 0.988, 0.997, 1.0)  # cumulated
_STATUS = {MessageState.DELIVERED: 0x00, MessageState.UNDELIVERED: 0x41, MessageState.EXPIRED: 0x46}  # TP-ST

_INBOX = (
    *("id", "line_id", "number", "replyable", "text", "parts", "complete", "state", "kind", "smsc_time", "received_at"),
    "done_at",
)
_MESSAGE = (
    *("id", "kind", "recipient", "text", "parts", "priority", "state", "due", "expires_at", "line_id", "in_reply_to"),
    *("created_at", "sent_at", "state_at"),
)
_PART = (
    *("message_id", "number", "state", "line_id", "reference", "submitted_at", "sent_at", "status", "discharged_at"),
)
_OUTCOME = ("inbox_id", "outcome", "by", "at")


@dataclass(frozen=True, slots=True, order=True)
class _Question:
    at: datetime
    phone: Phone = field(compare=False)
    text: str = field(compare=False)
    state: InboxState = field(compare=False)
    answered: bool = field(compare=False)


class Traffic:
    """Writes messages in the order in which they would have come, so that a later id is a later message."""

    def __init__(self, conn: Connection, phones: Sequence[Phone], lines: Sequence[int], random: Random) -> None:
        self._conn = conn
        self._phones = phones
        self._to_remind = [phone for phone in phones if phone.reminder]
        self._lines = lines
        self._random = random
        self._inbox: list[loading.Row] = []
        self._messages: list[loading.Row] = []
        self._parts: list[loading.Row] = []
        self._outcomes: list[loading.Row] = []
        self._questions = 0
        self._sent = 0
        self._references = 0

    def play(self, plan: Plan, moved: Moved) -> None:
        """All months of a plan."""
        strange = self._strange_texts(plan)
        for month in plan.months:
            asked = self._checks(month)
            reminders = self._reminders_a_day(month)
            for day in _days(month.first, month.last):
                questions = sorted([*asked[day], *strange[day]])
                early = [question for question in questions if question.at < _campaign(day)]
                for question in early:
                    self._ask(question)
                self._remind(day, reminders.get(day, 0))
                if day == plan.last:
                    self._doubt(day, plan.doubtful)
                for question in questions[len(early) :]:
                    self._ask(question)
                if len(self._messages) >= CHUNK or day == plan.last:
                    moved(self._flush())

    # questions

    def _checks(self, month: Month) -> dict[date, list[_Question]]:
        """Bill checks by day: every phone that checks does so once, and some again."""
        asking = self._random.sample(self._phones, month.checking)
        again = self._random.choices(asking, k=month.checks - month.checking) if asking else []
        days = (month.last - month.first).days + 1
        found: defaultdict[date, list[_Question]] = defaultdict(list)
        for phone in [*asking, *again]:
            day = month.first + timedelta(days=self._random.randrange(days))
            text = self._random.choice(_ASKED)
            found[day].append(_Question(self._moment(day), phone, text, InboxState.DONE, answered=True))
        return found

    def _strange_texts(self, plan: Plan) -> dict[date, list[_Question]]:
        """What no keyword is read in: the newest wait for a person, who has dropped the others."""
        days = list(_days(plan.first, plan.last))
        found: defaultdict[date, list[_Question]] = defaultdict(list)
        for count, state, of in ((plan.dropped, InboxState.DONE, days), (plan.unread, InboxState.UNREAD, days[-10:])):
            for _ in range(count):
                day, text = self._random.choice(of), self._random.choice(_UNREAD)
                phone = self._random.choice(self._phones)
                found[day].append(_Question(self._moment(day), phone, text, state, answered=False))
        return found

    def _moment(self, day: date) -> datetime:
        """When somebody texts, and is answered on the same day."""
        hour = self._random.choices(range(24), _HOURS)[0]
        return _utc(day) + timedelta(hours=hour, seconds=self._random.randrange(50 * 60))

    def _ask(self, question: _Question) -> None:
        self._questions += 1
        line_id, at, text = self._random.choice(self._lines), question.at, question.text
        closed_at = None if question.state is InboxState.UNREAD else at + timedelta(seconds=0.02)
        kind = "bill" if question.answered else "unknown"
        sent = at - timedelta(seconds=3)
        row = (self._questions, line_id, question.phone.number, True, text, 1, True, question.state, kind, sent, at)
        self._inbox.append((*row, closed_at))
        if question.answered:
            seconds = min(300.0, self._random.lognormvariate(1.5, 0.55))  # median 4.5, 95 % within 11
            worded = self._bill(question.phone, at)
            self._send("reply", question.phone, worded, line_id, at, at + timedelta(seconds=seconds), self._questions)
        elif closed_at is not None:
            self._outcomes.append((self._questions, Outcome.DROPPED, "technician-1", closed_at))

    def _bill(self, phone: Phone, at: datetime) -> Worded:
        owes = self._random.random() < 0.7
        due = at.date() + timedelta(days=self._random.randrange(-9, 14)) if owes else None
        cents = self._random.randrange(900, 21_000) if owes else 0
        return wordings.bill(phone, cents, due, at)

    # reminders

    def _reminders_a_day(self, month: Month) -> dict[date, int]:
        """On working days, some more than on others; a piece of a month without one takes all its days."""
        days = list(_days(month.first, month.last))
        working = [day for day in days if _CALENDAR.is_working(day)] or days
        weights = [self._random.uniform(0.5, 1.5) for _ in working]
        return dict(zip(working, spread(month.reminders, weights), strict=True))

    def _remind(self, day: date, count: int) -> None:
        """From 9 o'clock on, one message after another on each line, done by 19:00."""
        begin, created = _utc(day) + timedelta(hours=9), _campaign(day)
        step = min(60 / A_MINUTE / len(self._lines), 9.9 * 3600 / max(count, 1))
        for at, phone in enumerate(self._random.choices(self._to_remind, k=count)):
            sent = begin + timedelta(seconds=step * at + self._random.uniform(2, 4))
            self._send(
                "reminder", phone, self._reminder(phone, day), self._lines[self._sent % len(self._lines)], created, sent
            )

    def _reminder(self, phone: Phone, day: date) -> Worded:
        return wordings.reminder(phone, self._random.randrange(900, 21_000), day + timedelta(days=7))

    def _doubt(self, day: date, count: int) -> None:
        """Handed over, and nothing heard of it."""
        at = _utc(day) + timedelta(hours=9)
        for number, phone in enumerate(self._to_remind[:count]):
            state = MessageState.HELD if number % 2 else MessageState.IN_DOUBT
            worded, line_id = self._reminder(phone, day), self._lines[number % len(self._lines)]
            parts = self._message("reminder", phone, worded, line_id, state, _campaign(day), None, at, None)
            self._parts += [(self._sent, part_no, state, line_id, None, at, None, None, None) for part_no in parts]

    # messages

    def _send(
        self,
        kind: str,
        phone: Phone,
        worded: Worded,
        line_id: int,
        created: datetime,
        sent: datetime,
        in_reply_to: int | None = None,
    ) -> None:
        state, came = self._fate(sent)
        numbers = self._message(kind, phone, worded, line_id, state, created, sent, came or sent, in_reply_to)
        for number in numbers:
            self._references = (self._references + 1) % 256
            handed = sent - timedelta(seconds=1.5)
            row = (self._sent, number, state, line_id, self._references, handed, sent, _STATUS.get(state), came)
            self._parts.append(row)

    def _message(
        self,
        kind: str,
        phone: Phone,
        worded: Worded,
        line_id: int,
        state: MessageState,
        created: datetime,
        sent: datetime | None,
        settled: datetime,
        in_reply_to: int | None,
    ) -> range:
        """Keep it; returns the numbers of its parts."""
        self._sent += 1
        text, parts = worded
        of_kind = SETTINGS.kinds.reply if kind in ANSWERS else SETTINGS.kinds.reminder
        expires = created + timedelta(hours=of_kind.validity_hours)
        row = (self._sent, kind, phone.number, text, parts, of_kind.priority, state, True, expires, line_id)
        self._messages.append((*row, in_reply_to, created, sent, settled))
        return range(1, parts + 1)

    def _fate(self, sent: datetime) -> tuple[MessageState, datetime | None]:
        """What became of it, and when the service centre said so."""
        drawn = self._random.random()
        state = _FATES[bisect(_HOW_OFTEN, drawn)]
        if state is MessageState.SENT:
            return state, None
        if state is MessageState.EXPIRED:
            return state, sent + timedelta(hours=48)
        soon = self._random.random() < 0.93  # else the phone was switched off
        seconds = self._random.expovariate(1 / 8) if soon else self._random.uniform(600, 40 * 3600)
        return state, sent + timedelta(seconds=math.ceil(seconds))

    def _flush(self) -> int:
        """Write what is ready; returns how many messages."""
        count = len(self._messages)
        tables = (
            (inbox, _INBOX, self._inbox),
            (unread_outcome, _OUTCOME, self._outcomes),
            (message, _MESSAGE, self._messages),
            (part, _PART, self._parts),
        )
        for table, columns, rows in tables:
            loading.load(self._conn, table, columns, rows)
            rows.clear()
        return count


def _days(first: date, last: date) -> Iterator[date]:
    for offset in range((last - first).days + 1):
        yield first + timedelta(days=offset)


def _utc(day: date) -> datetime:
    return midnight(day).astimezone(UTC)


def _campaign(day: date) -> datetime:
    """When the reminders of a day are queued."""
    return _utc(day) + timedelta(hours=8, minutes=40)
