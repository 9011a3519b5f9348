"""When a run will be through: speeds, quotas, windows and holidays."""

from datetime import date, datetime, timedelta

import pytest

from modemd.config import SOFIA, Limits, Reminders, Settings
from modemd.service import campaigns
from modemd.service.calendar import Calendar, Window
from modemd.service.reminders import preview
from modemd.service.reminders.forecast import UNMEASURED, Line, forecast
from modemd.store import rules, switch
from modemd.store.schema import modem, part
from modemd.store.switch import Allowed
from tests.service.desk import NOW
from tests.service.runs import Runs

WINDOW = Window(Calendar(), Reminders().hours)
SLOW = Line("slow", 3.0, Limits())  # 1,200 parts an hour, 12,000 a day
TEN_A_MINUTE = Line("capped", 3.0, Limits(per_minute=10))  # 600 an hour


def sofia(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=SOFIA)


MONDAY = sofia("2026-11-23T09:00")


@pytest.mark.parametrize(
    ("parts", "lines", "now", "finish", "days"),
    [
        (1200, [SLOW], MONDAY, "2026-11-23T10:00", 1),
        (1200, [SLOW, SLOW], MONDAY, "2026-11-23T09:30", 1),
        (600, [TEN_A_MINUTE], MONDAY, "2026-11-23T10:00", 1),
        (6750, [TEN_A_MINUTE] * 3, MONDAY, "2026-11-23T12:45", 1),  # the domain's group of 6,750: 3.75 hours
        (1200, [SLOW], sofia("2026-11-23T18:30"), "2026-11-24T09:30", 2),
        (1200, [SLOW], sofia("2026-11-27T18:30"), "2026-11-30T09:30", 2),  # over a weekend
        (1200, [SLOW], sofia("2026-12-23T18:30"), "2026-12-29T09:30", 2),  # over Christmas
        (1200, [SLOW], sofia("2026-11-22T12:00"), "2026-11-23T10:00", 1),  # started on a Sunday
        (1500, [Line("day", 3.0, Limits(per_day=1000))], MONDAY, "2026-11-24T09:25", 2),
        (500, [Line("day", 3.0, Limits(per_day=1000), sent_today=800)], MONDAY, "2026-11-24T09:15", 2),
        (1500, [Line("a", 3.0, Limits(per_day=600)), SLOW], MONDAY, "2026-11-23T09:45", 1),  # the first stops at 09:30
        (300, [Line("m", 3.0, Limits(per_month=1000), sent_this_month=800)], MONDAY, "2026-12-01T09:05", 2),
        (0, [SLOW], MONDAY, "2026-11-23T09:00", 0),
    ],
)
def test_when_it_is_through(parts: int, lines: list[Line], now: datetime, finish: str, days: int) -> None:
    found = forecast(parts, lines, WINDOW, [], now)
    assert found.finish_at is not None
    assert abs(found.finish_at - sofia(finish)) < timedelta(seconds=1)
    assert found.days == days


def test_without_a_line_that_can_send_there_is_no_end() -> None:
    assert forecast(10, [], WINDOW, [], MONDAY).finish_at is None
    never = Line("used up", 3.0, Limits(per_month=10), sent_this_month=10)
    assert forecast(10**9, [never], WINDOW, [], MONDAY).finish_at is None


def test_it_says_how_much_would_leave_too_late() -> None:
    last_days = [(date(2026, 11, 23), 13_000), (date(2026, 11, 24), 12_000)]
    found = forecast(25_000, [SLOW], WINDOW, last_days, MONDAY)
    assert found.late_parts == 1000 + 1000  # a day holds 12,000; the 1,000 push as many past the next day
    assert found.last_day == date(2026, 11, 23)
    assert forecast(12_000, [SLOW], WINDOW, [(date(2026, 11, 23), 12_000)], MONDAY).late_parts == 0


def test_with_no_line_everything_is_late() -> None:
    assert forecast(5, [], WINDOW, [(date(2026, 11, 23), 5)], MONDAY).late_parts == 5


def test_a_window_round_the_clock_knows_the_long_night() -> None:
    always = Window(Calendar(), Reminders(window="00:00-24:00", on_holidays=True, days=("sun",)).hours)
    found = forecast(25 * 1200, [SLOW], always, [], sofia("2026-10-25T00:00"))
    assert found.finish_at == sofia("2026-10-26T00:00")
    assert found.days == 1


# what the lines of this database can do


@pytest.fixture
def ready(runs: Runs) -> Runs:
    """The line's modem can send."""
    row = {"host": "h", "port": "/dev/modem00", "state": "ready", "state_since": NOW, "updated_at": NOW}
    runs.conn.execute(modem.delete())
    runs.conn.execute(modem.insert(), {**row, "line_id": runs.desk.line_id})
    return runs


def test_a_line_is_reckoned_with_by_its_limits_less_what_answers_may_use(ready: Runs) -> None:
    settings = Settings.model_validate({"bank": {"per_minute": 10, "per_day": 1000, "answer_reserve": 10}})
    (line,) = preview.lines_now(ready.conn, settings, NOW)
    assert (line.seconds_a_part, line.limits) == (UNMEASURED, Limits(10, 900, 0))
    rules.change(ready.conn, ready.desk.line_id, per_day=500)
    (line,) = preview.lines_now(ready.conn, settings, NOW)
    assert line.limits.per_day == 450


def test_the_speed_is_the_median_of_what_the_line_has_sent(ready: Runs) -> None:
    ready.debtors(5)
    ready.start()
    assert len(ready.send_all()) == 5
    for part_id, seconds in enumerate((4, 4, 4, 60, 1), start=1):
        sent_at = NOW + timedelta(seconds=seconds)
        ready.conn.execute(part.update().where(part.c.id == part_id).values(submitted_at=NOW, sent_at=sent_at))
    (line,) = preview.lines_now(ready.conn, ready.settings, NOW)
    assert (line.seconds_a_part, line.sent_today) == (4.0, 5)


def test_a_modem_that_is_not_ready_and_a_switch_that_is_off_do_not_count(ready: Runs) -> None:
    switch.allow(ready.conn, Allowed.ANSWERS, NOW)
    assert preview.lines_now(ready.conn, ready.settings, NOW) == []
    switch.allow(ready.conn, Allowed.ALL, NOW)
    ready.conn.execute(modem.update().values(state="silent"))
    assert preview.lines_now(ready.conn, ready.settings, NOW) == []


def test_a_preview_and_a_run_say_when_they_will_be_through(ready: Runs) -> None:
    ready.debtors(10)
    made = ready.preview().forecast
    assert made.finish_at == NOW + timedelta(minutes=1)  # 10 parts at 10 a minute
    assert made.late_parts == 0
    campaign_id = ready.start()
    left = campaigns.standing(ready.conn, campaign_id, ready.settings, NOW).forecast
    assert left is not None
    assert left.finish_at == made.finish_at
