"""What is kept of past days is what counting them gives, whatever has happened since."""

import random
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import date, datetime, timedelta

import pytest
from sqlalchemy import Connection, Engine, Executable, Insert, literal, select, text

from modemd import reports, retention
from modemd.config import SOFIA
from modemd.store import database as opening
from modemd.store import days, figures
from modemd.store.days import Counted
from modemd.store.schema import consent, day_figures, inbox, message, part, unread_outcome
from modemd.store.tables.base import UtcTime
from tests.counted import Office

DAYS = [(datetime(2022, 3, day, tzinfo=SOFIA), datetime(2022, 3, day + 1, tzinfo=SOFIA)) for day in range(24, 30)]
START, END = DAYS[0][0], DAYS[-1][1]  # the clock goes forward on the 27th
CUSTOMER, STRANGER, OFTEN = "+359888000201", "+359888000202", "+359888000203"  # the first two ask on the first day
REFUSED = "+359888000204"
NOON = datetime(2022, 3, 25, 12, tzinfo=SOFIA)


@pytest.fixture
def office(conn: Connection) -> Office:
    return Office(conn)


def slowly(conn: Connection) -> Counted:
    checks = figures.checks(conn, START, END)
    return Counted(
        Counter(figures.left(conn, START, END)),
        Counter(figures.parts_per_line(conn, START, END)),
        len(checks),
        len({phone for phone in checks if phone}),
        Counter(figures.answer_times(conn, START, END)),
    )


def quickly(conn: Connection) -> Counted:
    return days.counted(conn, START, END)


def fill(office: Office) -> None:
    for day, _ in DAYS:
        for hour in (0, 9, 23):
            office.sent("reminder", day + timedelta(hours=hour), parts=2)
        office.sent("manual", day + timedelta(hours=10), state="failed", left=False, line="A2")
        office.sent("manual", day + timedelta(hours=11), state="sent", line="A2")
    office.sent("manual", DAYS[0][0] + timedelta(hours=7), state="failed", left=False, to=REFUSED)
    office.conn.execute(message.update().where(message.c.recipient == REFUSED).values(state="sending"))
    office.agreed(START - timedelta(days=9), phone=CUSTOMER)
    office.agreed(START - timedelta(days=9), phone=OFTEN)
    office.answered(DAYS[0][0] + timedelta(hours=8), to=CUSTOMER)
    office.answered(DAYS[0][0] + timedelta(hours=8), to=STRANGER, seconds=7.5)
    for day, _ in DAYS:
        office.answered(day + timedelta(hours=12), to=OFTEN, seconds=5.25)
        office.answered(day + timedelta(hours=13), to=OFTEN, read_as="help")
    for day in DAYS:
        days.keep(office.conn, *day)


def kept(conn: Connection) -> int:
    return len(conn.execute(day_figures.select()).all())


def test_kept_days_give_what_counting_gives(office: Office) -> None:
    fill(office)
    assert quickly(office.conn) == slowly(office.conn)
    middle = START + timedelta(hours=5), END - timedelta(hours=5)
    assert days.counted(office.conn, *middle).messages == Counter(figures.left(office.conn, *middle))


def test_what_is_kept_is_what_is_read(office: Office) -> None:
    fill(office)
    office.conn.execute(day_figures.update().values(messages='[["manual", "sent", 7]]', parts="[]"))
    office.conn.execute(day_figures.update().values(checks=f'["{OFTEN}", ""]', waited="[[150, 1]]"))
    count = len(DAYS)
    expected = Counted(Counter({("manual", "sent"): 7 * count}), Counter(), 2 * count, 1, Counter({150: count}))
    assert days.counted(office.conn, START, END) == expected


CHANGES: dict[str, Callable[[Office], object]] = {
    "a late status report": lambda office: office.conn.execute(
        message.update().where(message.c.state == "sent", message.c.sent_at < DAYS[0][1]).values(state="delivered")
    ),
    "a message that comes late": lambda office: office.sent("api", DAYS[0][0] + timedelta(hours=5)),
    "a time that was found out later": lambda office: office.conn.execute(
        message.update().where(message.c.id == 4).values(sent_at=DAYS[0][0] + timedelta(hours=10), state="delivered")
    ),
    "a part that was refused": lambda office: office.conn.execute(
        part.update().where(part.c.submitted_at == DAYS[0][0]).values(state="failed")
    ),
    "a message that is deleted": lambda office: (
        office.conn.execute(part.delete().where(part.c.message_id == 1)),
        office.conn.execute(message.delete().where(message.c.id == 1)),
    ),
    "a message that failed after a part of it was refused": lambda office: office.conn.execute(
        message.update().where(message.c.recipient == REFUSED).values(state="failed")
    ),
    "an answer whose customer is erased": lambda office: office.conn.execute(
        message.update().where(message.c.recipient == CUSTOMER).values(recipient="x")
    ),
    "an answer to something else": lambda office: office.conn.execute(
        message.update().where(message.c.recipient == CUSTOMER).values(in_reply_to=None)
    ),
    "a question that is read in another way": lambda office: office.conn.execute(
        inbox.update().where(inbox.c.number == CUSTOMER).values(kind="help")
    ),
    "a question whose time was wrong": lambda office: office.conn.execute(
        inbox.update().where(inbox.c.number == CUSTOMER).values(received_at=START)
    ),
    "a person's outcome": lambda office: office.conn.execute(decided(CUSTOMER)),
    "a stranger who becomes a customer": lambda office: office.agreed(NOON, phone=STRANGER),
    "two registrations of a stranger at once": lambda office: (
        office.agreed(NOON, phone="x"),
        office.agreed(NOON, phone="x"),
        office.conn.execute(consent.update().where(consent.c.phone == "x").values(phone=STRANGER)),
    ),
    "a customer whose last consent is deleted": lambda office: office.conn.execute(
        consent.delete().where(consent.c.phone == CUSTOMER)
    ),
    "a phone that is nobody's any more": lambda office: office.conn.execute(
        consent.update().where(consent.c.phone == CUSTOMER).values(customer_no=None)
    ),
}


def decided(number: str) -> Insert:
    """A person's outcome for everything that came from there."""
    of_number = select(inbox.c.id, literal("dropped"), literal("ivo"), literal(NOON, UtcTime))
    names = ["inbox_id", "outcome", "by", "at"]
    return unread_outcome.insert().from_select(names, of_number.where(inbox.c.number == number))


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_a_day_is_forgotten_when_anything_in_it_changes_and_the_others_stay(
    office: Office, change: Callable[[Office], object]
) -> None:
    fill(office)
    change(office)
    assert kept(office.conn) == len(DAYS) - 1
    assert days.missing(office.conn, day_figures, DAYS) == [DAYS[0]]
    assert quickly(office.conn) == slowly(office.conn)


def test_a_day_is_forgotten_when_a_persons_outcome_is_taken_back(office: Office) -> None:
    office.answered(NOON, by="answered")
    fill(office)
    office.conn.execute(unread_outcome.delete())
    assert days.missing(office.conn, day_figures, DAYS) == [DAYS[1]]
    assert quickly(office.conn) == slowly(office.conn)


def test_what_counts_for_nothing_forgets_nothing(office: Office) -> None:
    fill(office)
    office.conn.execute(message.update().values(error="x", attempts=3))
    office.sent("api", END + timedelta(hours=1))
    office.sent("api", NOON, left=False, state="queued")
    office.conn.execute(part.update().where(part.c.message_id == 1).values(discharged_at=END))
    office.agreed(NOON, phone=OFTEN)
    office.conn.execute(consent.update().values(ended_at=END, bill=False))
    office.conn.execute(consent.delete().where(consent.c.phone == OFTEN, consent.c.begun_at < START))
    office.conn.execute(inbox.update().values(text=None))
    office.answered(END + timedelta(hours=1), to="x")
    office.conn.execute(inbox.update().where(inbox.c.number == "x").values(kind="help"))
    assert kept(office.conn) == len(DAYS) - 1, "only the day of the part that was handed over"
    assert quickly(office.conn) == slowly(office.conn)


@pytest.mark.parametrize("seed", [0, *(pytest.param(each, marks=pytest.mark.long) for each in (1, 2))])
def test_whatever_happens_both_ways_of_counting_agree(office: Office, seed: int) -> None:
    chance = random.Random(seed)
    fill(office)
    for _ in range(60):
        at = START + timedelta(seconds=chance.randrange(int((END - START).total_seconds())))
        row = chance.randrange(1, 60)
        phone = chance.choice([CUSTOMER, STRANGER, OFTEN])
        match chance.randrange(13):
            case 0:
                office.sent(chance.choice(["api", "otp"]), at, parts=chance.randrange(1, 4), line="A3")
            case 1:
                state = chance.choice(["delivered", "expired", "failed"])
                office.conn.execute(message.update().where(message.c.id == row).values(state=state))
            case 2:
                office.conn.execute(message.update().where(message.c.id == row).values(sent_at=at))
            case 3:
                changed = {"submitted_at": at, "line_id": office.line(chance.choice(["A1", "A2"]))}
                office.conn.execute(part.update().where(part.c.message_id == row).values(**changed))
            case 4:
                office.conn.execute(part.update().where(part.c.message_id == row).values(state="failed"))
            case 5:
                by, read_as = chance.choice([None, "spelling"]), chance.choice(["bill", "help"])
                office.answered(at, seconds=chance.randrange(60000) / 1000, to=phone, by=by, read_as=read_as)
            case 6:
                office.agreed(at, phone=phone)
            case 7:
                office.conn.execute(consent.delete().where(consent.c.phone == phone))
            case 8:
                office.conn.execute(consent.update().where(consent.c.id == row % 9).values(phone=phone))
            case 9:
                changed = {"kind": chance.choice(["bill", "help"]), "received_at": at}
                office.conn.execute(inbox.update().where(inbox.c.id == row).values(**changed))
            case 10:
                office.conn.execute(unread_outcome.delete())
                office.conn.execute(decided(phone))
            case 11:
                answer = message.c.in_reply_to == chance.choice(office.conn.scalars(select(inbox.c.id)).all())
                office.conn.execute(message.update().where(answer).values(recipient=phone))
            case 12:
                for day in days.missing(office.conn, day_figures, DAYS):
                    days.keep(office.conn, *day)
        assert quickly(office.conn) == slowly(office.conn), f"seed {seed}"


def test_the_report_is_the_same_with_and_without_what_is_kept(office: Office) -> None:
    fill(office)
    period = reports.Period(date(2022, 3, 1), date(2022, 4, 2))
    found = reports.report(office.conn, period)
    office.conn.execute(day_figures.delete())
    assert reports.report(office.conn, period) == found
    assert found.messages.total == 6 * len(DAYS) + 2
    assert found.checking_customers_per_month == {"2022-03": 2, "2022-04": 0}
    assert (found.answer_seconds.p50, found.answer_seconds.p95) == (4, 7.5)


def test_every_night_the_days_that_are_over_are_counted(database: Engine) -> None:
    now = datetime(2022, 3, 28, 4, tzinfo=SOFIA)
    with opening.writing(database) as conn:
        office = Office(conn)
        office.sent("api", NOON)
        office.sent("api", now)
    assert retention.count_days(database, now) == 43, "from the day on which the first message was queued"
    assert retention.count_days(database, now) == 0
    with opening.writing(database) as conn:
        assert conn.scalar(text("SELECT count(*) FROM day_figures WHERE messages != '[]'")) == 1, "today is not over"
        conn.execute(message.update().values(state="expired"))
    assert retention.count_days(database, now) == 1


WRITES: dict[str, Executable] = {
    "a message": message.update().values(state="expired"),
    "a question": inbox.update().values(kind="help"),
    "a consent": consent.update().values(phone="x"),
}


def write(engine: Engine, statement: Executable) -> None:
    with opening.writing(engine) as conn:
        conn.execute(statement)


def count(engine: Engine) -> None:
    with opening.writing(engine) as conn:
        days.keep(conn, *DAYS[1])


@pytest.fixture
def asked(database: Engine) -> Engine:
    with opening.writing(database) as conn:
        office = Office(conn)
        office.agreed(NOON, phone=CUSTOMER)
        office.answered(NOON, to=CUSTOMER)
        days.keep(conn, *DAYS[0])
    return database


@pytest.mark.parametrize("statement", WRITES.values(), ids=WRITES)
def test_whoever_changes_a_day_while_it_is_counted_waits_and_forgets_it(asked: Engine, statement: Executable) -> None:
    with ThreadPoolExecutor(1) as other:
        with opening.writing(asked) as conn:
            days.keep(conn, *DAYS[1])
            changing = other.submit(write, asked, statement)
            with pytest.raises(TimeoutError):
                changing.result(0.2)
        changing.result()
    with opening.reading(asked) as conn:
        assert days.missing(conn, day_figures, DAYS[:2]) == [DAYS[1]]


@pytest.mark.parametrize("statement", WRITES.values(), ids=WRITES)
def test_whoever_counts_a_day_that_changes_waits_and_counts_that(asked: Engine, statement: Executable) -> None:
    with ThreadPoolExecutor(1) as other:
        with opening.writing(asked) as conn:
            conn.execute(statement)
            counting = other.submit(count, asked)
            with pytest.raises(TimeoutError):
                counting.result(0.2)
        counting.result()
    with opening.reading(asked) as conn:
        assert days.missing(conn, day_figures, DAYS[:2]) == []
        assert quickly(conn) == slowly(conn)
