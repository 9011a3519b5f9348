"""Invented customers, their phones, what they agreed to and what they owe.

Registrations are numbered: first those from before the period, then those that began in it, then those that ended.
"""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from random import Random
from typing import Any

from sqlalchemy import Connection
from stdnum.eu import eic

from modemd.config import SOFIA, Language
from modemd.scenarios import ground
from modemd.scenarios.plans import Plan
from modemd.store import loading
from modemd.store.schema import Channel, consent, customer, open_item, phone, phone_customer

Moved = Callable[[int], None]  # so many rows more are written

_OPENED = date(2016, 3, 1)  # the service
_LANGUAGES: tuple[Language, ...] = ("bg-Latn", "bg-Cyrl", "en")
_EARLIER = (Channel.CENTRE, Channel.PASSWORD, Channel.KEP)
_SHARING = 25  # one registration of so many is a second customer on the phone before
_STOPPING = 200  # one of so many has sent STOP
_PHONES = 1_000_000  # +359999 000000 …: numbers that nobody has


@dataclass(frozen=True, slots=True)
class Phone:
    number: str
    customer_no: str
    language: Language
    reminder: bool
    outage: bool


@dataclass(frozen=True, slots=True)
class _Registration:
    at: int
    phone: Phone
    shares: bool  # the phone is that of the registration before
    channel: Channel
    begun_at: datetime
    stopped_at: datetime | None
    ended_at: datetime | None


def settle(conn: Connection, plan: Plan, random: Random, moved: Moved) -> list[Phone]:
    """Write them all; returns the phones that were registered all the time and get everything they chose."""
    everyone = list(_registrations(plan, random))
    customers = ("generation", "customer_no", "itn", "class", "identity", "language", "active")
    loading.load(conn, customer, customers, map(_customer, everyone))
    moved(len(everyone))
    by_number = sorted(everyone, key=lambda each: each.phone.number)  # a key that grows is written fastest
    phones = ("number", "language", "bill", "reminder", "outage", "stopped_at", "created_at")
    loading.load(conn, phone, phones, (_phone(each) for each in by_number if not each.shares))
    moved(len(everyone))
    ties = ((each.phone.number, _number_of(each.at), each.begun_at) for each in by_number if each.ended_at is None)
    loading.load(conn, phone_customer, ("phone", "customer_no", "created_at"), ties)
    moved(len(everyone))
    loading.load(conn, consent, _CONSENT, (row for each in everyone for row in _consents(each)))
    moved(len(everyone))
    owing = sorted(random.sample(range(plan.active), plan.open_items))
    loading.load(conn, open_item, _OPEN_ITEM, (_open_item(at, owes, plan, random) for at, owes in enumerate(owing)))
    moved(plan.open_items)
    old = everyone[: plan.active - sum(plan.new.values())]
    return [each.phone for each in old if not each.shares and each.stopped_at is None]


def rows(plan: Plan) -> int:
    """How many `settle` moves."""
    return 4 * (plan.active + plan.ended) + plan.open_items


def midnight(day: date) -> datetime:
    return datetime.combine(day, time(), SOFIA)


def _registrations(plan: Plan, random: Random) -> Iterator[_Registration]:
    new = [channel for channel, count in plan.new.items() for _ in range(count)]
    random.shuffle(new)
    old = plan.active - len(new)
    before: Phone | None = None
    for at in range(plan.active + plan.ended):
        shares = at % _SHARING == _SHARING - 1 and at < old
        if before is None or not shares:
            before = _invented(at, random)
        stops = at % _STOPPING == _STOPPING // 2 and at < old
        ends = at >= plan.active
        begins_late = old <= at < plan.active
        yield _Registration(
            at,
            before,
            shares,
            new[at - old] if begins_late else random.choices(_EARLIER, (70, 25, 5))[0],
            _office_hours(random, *((plan.first, plan.last) if begins_late else (_OPENED, _before(plan)))),
            _office_hours(random, plan.first, plan.last) if stops else None,
            _office_hours(random, plan.first, plan.last) if ends else None,
        )


def _invented(at: int, random: Random) -> Phone:
    number = f"+359999{at * 7919 % _PHONES:06}"  # 7919 is prime: each number comes once
    language = random.choices(_LANGUAGES, (82, 16, 2))[0]
    return Phone(number, _number_of(at), language, reminder=at % 33 != 5, outage=at % 3 == 0)


def _before(plan: Plan) -> date:
    return plan.first - timedelta(days=1)


def _office_hours(random: Random, first: date, last: date) -> datetime:
    """Some moment in one of these days that a customer centre is open at."""
    day = first + timedelta(days=random.randrange((last - first).days + 1))
    return midnight(day) + timedelta(seconds=random.randrange(9 * 3600, 17 * 3600))


def _number_of(at: int) -> str:
    return f"{300_000_000_001 + at}"


def _class(at: int) -> str:
    return "B" if at % 17 == 0 else "H"


def _customer(each: _Registration) -> loading.Row:
    code = f"32Z{each.at:012}"
    identity = hashlib.sha256(f"invented {each.at}".encode()).hexdigest()
    itn = code + eic.calc_check_digit(code)
    return ground.CUSTOMERS, _number_of(each.at), itn, _class(each.at), identity, each.phone.language, True


def _phone(each: _Registration) -> loading.Row:
    on = each.ended_at is None
    notices = on and each.stopped_at is None
    chosen = (on, notices and each.phone.reminder, notices and each.phone.outage)
    return each.phone.number, each.phone.language, *chosen, each.stopped_at, each.begun_at


_CONSENT = (
    *("phone", "customer_no", "bill", "reminder", "outage", "channel", "who", "text_id", "registered", "begun_at"),
    *("ended_at", "end_channel", "ended_by", "begin_file_id", "end_file_id"),
)


def _consents(each: _Registration) -> Iterator[loading.Row]:
    """What was agreed to, and what went on after a STOP."""
    who = f"operator-{each.at % 7 + 1}" if each.channel is Channel.CENTRE else "customer"
    number = _number_of(each.at)
    end: tuple[Any, ...] = (None, None, None, ground.TOLD, None)
    if each.stopped_at is not None:
        end = (each.stopped_at, Channel.STOP, "customer", ground.TOLD, ground.TOLD)
    elif each.ended_at is not None:
        end = (each.ended_at, Channel.PASSWORD, "customer", ground.TOLD, ground.TOLD)
    chosen = (True, each.phone.reminder, each.phone.outage)
    given = (each.channel, who, ground.TEXT)
    yield each.phone.number, number, *chosen, *given, True, each.begun_at, *end
    if each.stopped_at is not None:
        goes_on = (each.stopped_at, None, None, None, ground.TOLD, None)
        yield each.phone.number, number, True, False, False, *given, False, *goes_on


_OPEN_ITEM = (
    *("generation", "customer_no", "invoice_no", "invoice_date", "due_date", "cutoff_date", "total_cents"),
    *("open_cents", "status", "level", "class", "flags"),
)


def _open_item(at: int, owes: int, plan: Plan, random: Random) -> Sequence[Any]:
    invoiced = plan.last - timedelta(days=random.randrange(2, 33))
    due = invoiced + timedelta(days=14)
    total = random.randrange(800, 24_000)
    left = total if random.random() < 0.95 else total // 2
    status, flags = "OPEN" if left == total else "PARTIAL", random.choices(("", "V", "D", "I"), (97, 1, 1, 1))[0]
    return (
        *(ground.OPENITEMS, _number_of(owes), f"{480_000_001 + at:010}", invoiced, due, due + timedelta(days=13)),
        *(total, left, status, 0, _class(owes), flags),
    )
