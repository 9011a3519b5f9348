"""What is kept of past months is what their days give, and who was registered then; whatever has happened since."""

import random
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

import pytest
from sqlalchemy import Connection, Engine, Executable, func, select

from modemd import reports, retention
from modemd.config import SOFIA
from modemd.store import database as opening
from modemd.store import days, figures
from modemd.store.schema import consent, day_figures, message, month_figures
from tests.counted import Office

MARCH, APRIL, MAY = (datetime(2022, month, 1, tzinfo=SOFIA) for month in (3, 4, 5))
EASTER = datetime(2022, 4, 24, 9, 30, tzinfo=SOFIA)
MONTHS = [(MARCH, APRIL), (APRIL, MAY)]  # the clock goes forward in the first
CUSTOMER, OFTEN = "+359888000201", "+359888000203"


@pytest.fixture
def office(conn: Connection) -> Office:
    return Office(conn)


def all_days() -> list[tuple[datetime, datetime]]:
    return reports.past_days(MAY.date(), 61)


def fill(office: Office) -> None:
    office.agreed(MARCH - timedelta(days=900), phone=CUSTOMER, ended=EASTER)
    office.agreed(MARCH - timedelta(days=90), phone=OFTEN)
    office.agreed(MARCH - timedelta(days=90), phone="+359888000205", services=("outage",))
    office.agreed(EASTER, phone=CUSTOMER, services=("bill",), registered=False)
    office.agreed(EASTER - timedelta(days=5), phone="+359888000206", ended=EASTER - timedelta(days=1))
    for day, _ in all_days():
        office.sent("reminder", day + timedelta(hours=9), parts=2)
        office.sent("manual", day + timedelta(hours=10), state="sent", line="A2")
        office.answered(day + timedelta(hours=12), to=OFTEN, seconds=5.25)
        office.answered(day + timedelta(hours=13), to=CUSTOMER, seconds=day.day)
    keep(office.conn)


def keep(conn: Connection) -> None:
    for day in days.missing(conn, day_figures, all_days()):
        days.keep(conn, *day)
    for month in days.missing(conn, month_figures, MONTHS):
        days.keep_month(conn, *month)


def missing(conn: Connection) -> list[tuple[datetime, datetime]]:
    return days.missing(conn, month_figures, MONTHS)


def agrees(conn: Connection) -> None:
    """Kept, or counted: the same."""
    for start, end in MONTHS:
        found, checks = days.counted(conn, start, end), figures.checks(conn, start, end)
        assert found.messages == Counter(figures.left(conn, start, end))
        assert found.parts == Counter(figures.parts_per_line(conn, start, end))
        assert (found.checks, found.customers) == (len(checks), len({phone for phone in checks if phone}))
        assert found.waited == Counter(figures.answer_times(conn, start, end))
    for moment in (MARCH, APRIL, EASTER, MAY, MAY + timedelta(days=9)):
        assert days.registered(conn, moment) == figures.registered(conn, moment), moment


def test_kept_months_give_what_counting_gives(office: Office) -> None:
    fill(office)
    assert missing(office.conn) == []
    agrees(office.conn)


def test_what_is_kept_is_what_is_read(office: Office) -> None:
    fill(office)
    kept = {"messages": '[["api", "sent", 7]]', "parts": "[[1, 8]]", "checks": 9, "customers": 5}
    kept |= {"waited": "[[150, 2]]", "registered": "[[true, false, false, 40]]"}
    office.conn.execute(month_figures.update().where(month_figures.c.starts_at == MARCH).values(**kept))
    found = days.counted(office.conn, MARCH, APRIL)
    assert found == days.Counted(Counter({("api", "sent"): 7}), Counter({1: 8}), 9, 5, Counter({150: 2}))
    assert days.registered(office.conn, APRIL) == {(True, False, False): 40}
    assert days.registered(office.conn, EASTER + timedelta(days=1))[True, False, False] == 41
    assert days.registered(office.conn, MAY) == figures.registered(office.conn, MAY), "from the end of April"


def test_only_the_whole_month_is_read_from_what_is_kept_of_it(office: Office) -> None:
    fill(office)
    office.conn.execute(month_figures.update().values(checks=9000))
    for start, end in ((MARCH, APRIL - timedelta(days=1)), (MARCH + timedelta(days=1), APRIL), (MARCH, MAY)):
        assert days.counted(office.conn, start, end).checks == len(figures.checks(office.conn, start, end))


def test_a_month_of_which_a_day_is_missing_is_not_kept(office: Office) -> None:
    fill(office)
    office.conn.execute(day_figures.delete().where(day_figures.c.starts_at == MARCH + timedelta(days=4)))
    assert missing(office.conn) == [MONTHS[0]], "it goes with its day"
    days.keep_month(office.conn, *MONTHS[0])
    assert missing(office.conn) == [MONTHS[0]]
    keep(office.conn)
    assert missing(office.conn) == []


BOTH, SECOND = MONTHS, MONTHS[1:]
CHANGES: dict[str, tuple[Callable[[Office], object], list[tuple[datetime, datetime]]]] = {
    "a late status report": (
        lambda office: office.conn.execute(
            message.update().where(message.c.state == "sent", message.c.sent_at > APRIL).values(state="delivered")
        ),
        SECOND,
    ),
    "a registration that is told of late": (lambda office: office.agreed(EASTER, phone="x"), SECOND),
    "one of long ago": (lambda office: office.agreed(MARCH - timedelta(days=40), phone="x"), BOTH),
    "one that begins when a month does": (lambda office: office.agreed(APRIL, phone="x"), SECOND),
    "other services": (lambda office: office.conn.execute(consent.update().values(bill=False)), BOTH),
    "an earlier beginning": (
        lambda office: office.conn.execute(
            consent.update().where(consent.c.begun_at == EASTER).values(begun_at=MARCH + timedelta(days=3))
        ),
        BOTH,
    ),
    "an end that is told of late": (
        lambda office: office.conn.execute(
            consent.update().where(consent.c.phone == OFTEN).values(ended_at=APRIL + timedelta(days=1))
        ),
        SECOND,
    ),
    "an end that is taken back": (
        lambda office: office.conn.execute(
            consent.update().where(consent.c.ended_at == EASTER).values(ended_at=None)
        ),
        SECOND,
    ),
    "an end that was earlier": (
        lambda office: office.conn.execute(
            consent.update().where(consent.c.ended_at == EASTER).values(ended_at=MARCH)
        ),
        BOTH,
    ),
    "a consent that is deleted": (
        lambda office: office.conn.execute(consent.delete().where(consent.c.ended_at == EASTER)),
        MONTHS[:1],
    ),
}  # fmt: skip


@pytest.mark.parametrize(("change", "forgotten"), CHANGES.values(), ids=CHANGES)
def test_a_month_is_forgotten_when_it_counts_in_another_way_and_the_others_stay(
    office: Office, change: Callable[[Office], object], forgotten: list[tuple[datetime, datetime]]
) -> None:
    fill(office)
    change(office)
    assert missing(office.conn) == forgotten
    agrees(office.conn)
    keep(office.conn)
    assert missing(office.conn) == []
    agrees(office.conn)


def test_what_comes_afterwards_forgets_nothing(office: Office) -> None:
    fill(office)
    office.agreed(MAY, phone="y")
    office.conn.execute(consent.update().where(consent.c.phone == OFTEN).values(ended_at=MAY + timedelta(hours=1)))
    office.conn.execute(consent.update().values(who="ivo", bill=consent.c.bill, begun_at=consent.c.begun_at))
    office.conn.execute(consent.delete().where(consent.c.phone == "y"))
    office.sent("api", MAY + timedelta(hours=1))
    assert missing(office.conn) == []
    agrees(office.conn)


@pytest.mark.parametrize("seed", [0, *(pytest.param(each, marks=pytest.mark.long) for each in (1, 2))])
def test_whatever_happens_to_consents_both_ways_of_counting_agree(office: Office, seed: int) -> None:
    chance = random.Random(seed)
    fill(office)
    for _ in range(60):
        at = MARCH + timedelta(seconds=chance.randrange(-9_000_000, 9_000_000))
        some = consent.c.id % 5 == chance.randrange(5)
        match chance.randrange(6):
            case 0:
                services = tuple(chance.sample(["bill", "reminder", "outage"], chance.randrange(4)))
                office.agreed(at, phone=f"x{chance.random()}", services=services)
            case 1:
                office.conn.execute(consent.update().where(some).values(ended_at=chance.choice([at, None])))
            case 2:
                office.conn.execute(consent.update().where(some).values(begun_at=at))
            case 3:
                changed = {chance.choice(["bill", "reminder", "outage"]): chance.random() < 0.5}
                office.conn.execute(consent.update().where(some).values(**changed))
            case 4:
                office.conn.execute(consent.delete().where(some, consent.c.id == chance.randrange(30)))
            case 5:
                keep(office.conn)
        agrees(office.conn)


def test_every_night_the_months_that_are_over_are_summed_up(database: Engine) -> None:
    now = MAY + timedelta(hours=4)
    with opening.writing(database) as conn:
        Office(conn).sent("api", APRIL + timedelta(days=19))  # queued 40 days before
    retention.count_days(database, now)
    with opening.writing(database) as conn:
        assert missing(conn) == [MONTHS[0]], "nothing was counted of its first days"
        conn.execute(message.update().values(state="expired"))
        assert missing(conn) == MONTHS
    assert retention.count_days(database, now) == 1
    with opening.reading(database) as conn:
        assert missing(conn) == [MONTHS[0]]


def test_a_month_that_is_not_over_is_not_kept(database: Engine) -> None:
    with opening.writing(database) as conn:
        Office(conn).sent("api", MARCH + timedelta(days=40))  # queued in its first night
    for now, months in ((MAY - timedelta(minutes=1), 1), (MAY, 2)):
        retention.count_days(database, now)
        with opening.reading(database) as conn:
            assert conn.scalar(select(func.count()).select_from(month_figures)) == months


WRITES: dict[str, Executable] = {
    "a message": message.update().values(state="expired"),
    "a consent": consent.update().values(bill=False),
    "an end": consent.update().values(ended_at=MARCH),
}


@pytest.mark.parametrize("statement", WRITES.values(), ids=WRITES)
@pytest.mark.parametrize("summed_up_first", [True, False])
def test_who_changes_a_month_that_is_summed_up_waits_and_forgets_or_is_waited_for(
    database: Engine, statement: Executable, summed_up_first: bool
) -> None:
    with opening.writing(database) as conn:
        fill(Office(conn))
        conn.execute(month_figures.delete())

    def write(what: Callable[[Connection], object]) -> None:
        with opening.writing(database) as conn:
            what(conn)

    first: Callable[[Connection], object] = lambda conn: days.keep_month(conn, *MONTHS[0])  # noqa: E731
    second: Callable[[Connection], object] = lambda conn: conn.execute(statement)  # noqa: E731
    if not summed_up_first:
        first, second = second, first
    with ThreadPoolExecutor(1) as other:
        with opening.writing(database) as conn:
            first(conn)
            waiting = other.submit(write, second)
            with pytest.raises(TimeoutError):
                waiting.result(0.2)
        waiting.result()
    with opening.reading(database) as conn:
        agrees(conn)
