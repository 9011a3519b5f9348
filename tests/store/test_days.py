"""What is kept of past days is what counting them gives, whatever has happened since."""

import random
from collections import Counter
from collections.abc import Callable
from datetime import date, datetime, timedelta

import pytest
from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import OperationalError

from modemd import reports, retention
from modemd.config import SOFIA
from modemd.store import database as opening
from modemd.store import days, figures
from modemd.store.days import Counted
from modemd.store.schema import day_figures, message, part
from tests.counted import Office

DAYS = [(datetime(2022, 3, day, tzinfo=SOFIA), datetime(2022, 3, day + 1, tzinfo=SOFIA)) for day in range(24, 30)]
START, END = DAYS[0][0], DAYS[-1][1]  # the clock goes forward on the 27th
NOON = datetime(2022, 3, 25, 12, tzinfo=SOFIA)


@pytest.fixture
def office(conn: Connection) -> Office:
    return Office(conn)


def slowly(conn: Connection) -> Counted:
    return Counted(Counter(figures.left(conn, START, END)), Counter(figures.parts_per_line(conn, START, END)))


def fill(office: Office) -> None:
    for day, _ in DAYS:
        for hour in (0, 9, 23):
            office.sent("reminder", day + timedelta(hours=hour), parts=2)
        office.sent("manual", day + timedelta(hours=10), state="failed", left=False, line="A2")
        office.sent("manual", day + timedelta(hours=11), state="sent", line="A2")
    for day in DAYS:
        days.keep(office.conn, *day)


def kept(conn: Connection) -> int:
    return len(conn.execute(day_figures.select()).all())


def test_kept_days_give_what_counting_gives(office: Office) -> None:
    fill(office)
    assert days.counted(office.conn, START, END) == slowly(office.conn)
    middle = START + timedelta(hours=5), END - timedelta(hours=5)
    assert days.counted(office.conn, *middle).messages == Counter(figures.left(office.conn, *middle))


def test_what_is_kept_is_what_is_read(office: Office) -> None:
    fill(office)
    office.conn.execute(day_figures.update().values(messages='[["manual", "sent", 7]]', parts="[]"))
    assert days.counted(office.conn, START, END).messages == {("manual", "sent"): 7 * len(DAYS)}


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
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_a_day_is_forgotten_when_anything_in_it_changes_and_the_others_stay(
    office: Office, change: Callable[[Office], object]
) -> None:
    fill(office)
    change(office)
    assert kept(office.conn) == len(DAYS) - 1
    assert days.missing(office.conn, DAYS) == [DAYS[0]]
    assert days.counted(office.conn, START, END) == slowly(office.conn)


def test_what_counts_for_nothing_forgets_nothing(office: Office) -> None:
    fill(office)
    office.conn.execute(message.update().values(error="x", attempts=3))
    office.sent("api", END + timedelta(hours=1))
    office.sent("api", NOON, left=False, state="queued")
    office.conn.execute(part.update().where(part.c.message_id == 1).values(discharged_at=END))
    assert kept(office.conn) == len(DAYS) - 1, "only the day of the part that was handed over"
    assert days.counted(office.conn, START, END) == slowly(office.conn)


@pytest.mark.parametrize("seed", range(3))
def test_whatever_happens_both_ways_of_counting_agree(office: Office, seed: int) -> None:
    chance = random.Random(seed)
    fill(office)
    for _ in range(60):
        at = START + timedelta(seconds=chance.randrange(int((END - START).total_seconds())))
        row = chance.randrange(1, 40)
        match chance.randrange(6):
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
                for day in days.missing(office.conn, DAYS)[:1]:
                    days.keep(office.conn, *day)
        assert days.counted(office.conn, START, END) == slowly(office.conn), f"seed {seed}"


def test_the_report_is_the_same_with_and_without_what_is_kept(office: Office) -> None:
    fill(office)
    period = reports.Period(date(2022, 3, 1), date(2022, 4, 2))
    quickly = reports.report(office.conn, period)
    office.conn.execute(day_figures.delete())
    assert reports.report(office.conn, period) == quickly
    assert quickly.messages.total == 4 * len(DAYS)


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


def test_nobody_writes_while_a_day_is_counted(database: Engine) -> None:
    if database.dialect.name == "sqlite":
        return  # a writing transaction is alone there
    with opening.writing(database) as conn:
        Office(conn).sent("api", NOON)
    with opening.writing(database) as conn, database.connect() as other:
        days.keep(conn, *DAYS[1])
        other.execute(text("SET lock_timeout = '50ms'"))
        with pytest.raises(OperationalError, match="lock timeout"):
            other.execute(message.update().values(state="expired"))
