"""What the figures of a report count, each on both databases."""

import json
from collections import Counter
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import Connection, event

from modemd import reports
from modemd.cli.main import cli
from modemd.config import SOFIA
from modemd.errors import PeriodRefused
from modemd.reports import Period, Report
from modemd.store import database as opening
from modemd.store.schema import Channel
from tests.counted import Office

JANUARY = Period(date(2022, 1, 1), date(2022, 1, 31))
NOON = datetime(2022, 1, 12, 12, tzinfo=SOFIA)


@pytest.fixture
def office(conn: Connection) -> Office:
    return Office(conn)


def january(office: Office) -> Report:
    return reports.report(office.conn, JANUARY)


def test_a_bill_check_counts_once_by_its_answer(office: Office) -> None:
    office.answered(NOON)
    office.answered(NOON, read_as="help")
    office.sent("reminder", NOON)
    messages = january(office).messages
    assert messages.total == 3
    assert {kind: count for kind, count in messages.by_kind.items() if count} == {"bill": 1, "reply": 1, "reminder": 1}
    assert messages.shares["bill"] == 0.3333


@pytest.mark.parametrize(
    ("at", "counts"),
    [
        ("2021-12-31T23:59:59.999999+02:00", False),
        ("2022-01-01T00:00:00+02:00", True),
        ("2021-12-31T22:00:00+00:00", True),
        ("2022-01-31T23:59:59.999999+02:00", True),
        ("2022-02-01T00:00:00+02:00", False),
    ],
)
def test_a_message_counts_on_the_day_it_left_in_sofia_both_days_included(office: Office, at: str, counts: bool) -> None:
    moment = datetime.fromisoformat(at)
    office.sent("reminder", moment)
    office.answered(moment)
    found = january(office)
    assert found.messages.total == (2 if counts else 0)
    assert found.parts_per_line == ({"A1": 2} if counts else {})
    assert (found.answer_seconds.p50 is not None) == counts


def test_what_never_left_counts_nowhere(office: Office) -> None:
    for state in ("queued", "failed", "in_doubt", "held", "skipped", "cancelled", "expired"):
        office.sent("reminder", NOON, state=state, left=False)
    assert january(office).messages.total == 0


def test_months_are_those_of_sofia_and_none_is_left_out(office: Office) -> None:
    office.sent("reminder", datetime(2022, 3, 31, 23, 30, tzinfo=SOFIA))  # in summer time, 3 h from UTC
    office.sent("reminder", datetime(2022, 4, 1, 0, 30, tzinfo=SOFIA))
    office.sent("outage", datetime(2022, 4, 1, 0, 30, tzinfo=SOFIA))
    found = reports.report(office.conn, Period(date(2022, 1, 15), date(2022, 5, 2)))
    assert found.reminders_per_month == {"2022-01": 0, "2022-02": 0, "2022-03": 1, "2022-04": 1, "2022-05": 0}
    assert list(found.checking_customers_per_month) == list(found.reminders_per_month)


def test_a_customer_who_checks_often_counts_once_a_month(office: Office) -> None:
    office.agreed(NOON - timedelta(days=500), ended=NOON - timedelta(days=3))
    for _ in range(3):
        office.answered(NOON)
    office.answered(NOON, to="+359888000199")  # never registered
    office.answered(NOON, read_as="help")
    office.answered(NOON + timedelta(days=25))
    found = reports.report(office.conn, Period(date(2022, 1, 1), date(2022, 2, 28)))
    assert found.checking_customers_per_month == {"2022-01": 1, "2022-02": 1}
    assert found.messages.by_kind["bill"] == 5


@pytest.mark.parametrize(
    ("begun", "ended", "active"),
    [
        ("2016-05-05T10:00:00+03:00", None, True),
        ("2022-01-31T23:59:59+02:00", None, True),
        ("2022-02-01T00:00:00+02:00", None, False),
        ("2016-05-05T10:00:00+03:00", "2022-01-31T23:59:59+02:00", False),
        ("2016-05-05T10:00:00+03:00", "2022-02-01T00:00:00+02:00", True),
    ],
)
def test_active_is_as_of_the_end_of_the_last_day(office: Office, begun: str, ended: str | None, active: bool) -> None:
    office.agreed(datetime.fromisoformat(begun), ended=datetime.fromisoformat(ended) if ended else None)
    registrations = january(office).registrations
    assert registrations.active == int(active)
    assert registrations.by_service == {"bill": int(active), "reminder": int(active), "outage": 0}


def test_new_registrations_are_counted_by_channel(office: Office) -> None:
    for channel in (Channel.KEP, Channel.KEP, Channel.PASSWORD, Channel.CENTRE, Channel.COMMAND):
        office.agreed(NOON, channel=channel)
    office.agreed(NOON, channel=Channel.KEP, registered=False)  # other services for one that was there
    office.agreed(NOON - timedelta(days=30), channel=Channel.KEP)
    registrations = january(office).registrations
    assert registrations.new == 5
    assert registrations.by_channel == {"kep": 2, "password": 1, "centre": 1, "command": 1}
    assert registrations.active == 7


def test_the_delivery_rate_is_of_those_whose_fate_is_known(office: Office) -> None:
    for state, count in (("delivered", 6), ("undelivered", 1), ("expired", 1), ("sent", 9)):
        for _ in range(count):
            office.sent("reminder", NOON, state=state)
    assert january(office).delivery_rate == 0.75


def test_seconds_to_an_answer_are_those_of_answers_without_a_persons_help(office: Office) -> None:
    for seconds in range(1, 21):
        office.answered(NOON, seconds=seconds + 0.25)
    office.answered(NOON, seconds=9000, read_as="unknown", by="answered")
    office.answered(NOON, seconds=9000, by="spelling")
    waited = january(office).answer_seconds
    assert (waited.p50, waited.p95) == (10.25, 19.25)


@pytest.mark.parametrize(("count", "p50", "p95"), [(1, 1, 1), (2, 1, 2), (3, 2, 3), (100, 50, 95), (101, 51, 96)])
def test_a_percentile_is_the_nearest_rank(count: int, p50: float, p95: float) -> None:
    once = Counter(range(1, count + 1))
    assert (reports.percentile(once, 50), reports.percentile(once, 95)) == (p50, p95)


def test_a_value_that_occurs_often_counts_as_often() -> None:
    assert [reports.percentile({3: 1, 1: 18, 2: 1}, percent) for percent in (50, 90, 91, 95, 96)] == [1, 1, 2, 2, 3]


def test_parts_are_counted_by_line_and_refused_ones_are_not(office: Office) -> None:
    office.sent("reminder", NOON, line="A1", parts=2)
    office.sent("reminder", NOON, line="Vivacom", state="in_doubt", left=False)
    office.sent("reminder", NOON, line="Vivacom", state="failed", left=False)
    office.line("Yettel")
    assert january(office).parts_per_line == {"A1": 2, "Vivacom": 1}


def test_of_nothing_there_are_no_rates(office: Office) -> None:
    found = january(office)
    assert (found.delivery_rate, found.answer_seconds.p50, found.answer_seconds.p95) == (None, None, None)
    assert found.registrations.by_channel == {"kep": 0, "password": 0, "centre": 0}
    assert set(found.messages.shares.values()) == {0.0}


@pytest.mark.parametrize(
    ("first", "last", "reason"),
    [
        (date(2022, 2, 1), date(2022, 1, 31), "ends before that"),
        (date(1999, 12, 31), date(2000, 1, 1), "from 2000-01-01 to 2100-12-31"),
        (date(2022, 1, 1), date(9999, 12, 31), "from 2000-01-01 to 2100-12-31"),
        (date(2010, 1, 1), date(2022, 1, 1), "more than 3660 days"),
    ],
)
def test_a_period_that_is_none_is_refused(first: date, last: date, reason: str) -> None:
    with pytest.raises(PeriodRefused, match=reason):
        Period(first, last)


def test_a_report_reads_no_table_of_messages_from_end_to_end(sqlite_template: Path) -> None:
    """On SQLite, which plans without looking at the rows; tests/scenarios/test_year.py asks PostgreSQL."""
    engine = opening.connect(f"sqlite:///{sqlite_template}")
    with opening.reading(engine) as conn:
        plans = [plan for statement in _statements(conn) for plan in _plan(conn, *statement)]
    engine.dispose()
    assert any("COVERING INDEX ix_message_left" in plan for plan in plans)
    assert [
        plan for plan in plans if plan.startswith(("SCAN message", "SCAN part", "SCAN inbox", "SCAN consent"))
    ] == []


def _statements(conn: Connection) -> list[tuple[str, Any]]:
    seen: list[tuple[str, Any]] = []
    listen: Callable[..., None] = lambda _c, _k, sql, parameters, _x, _m: seen.append((sql, parameters))  # noqa: E731
    event.listen(conn, "before_cursor_execute", listen)
    reports.report(conn, JANUARY)
    event.remove(conn, "before_cursor_execute", listen)
    return seen


def _plan(conn: Connection, sql: str, parameters: Any) -> list[str]:
    return [row[3] for row in conn.exec_driver_sql(f"EXPLAIN QUERY PLAN {sql}", parameters)]


# the command


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "modemd.toml"
    path.write_text(f'[database]\nurl = "sqlite:///{tmp_path}/modemd.db"\n')
    engine = opening.connect(f"sqlite:///{tmp_path}/modemd.db")
    opening.prepare(engine)
    with opening.writing(engine) as conn:
        office = Office(conn)
        office.agreed(NOON, channel=Channel.PASSWORD)
        office.answered(NOON, seconds=4.5)
        office.sent("reminder", NOON, line='=HYPERLINK("x")[red]')
    engine.dispose()
    return path


def run(config: Path, *arguments: str, first: str = "2022-01-01", last: str = "2022-01-31") -> Result:
    return CliRunner().invoke(cli, ["report", "-c", str(config), "--from", first, "--to", last, *arguments])


def test_the_json_is_that_of_the_contract(config: Path) -> None:
    assert json.loads(run(config, "--json").stdout) == {
        "from": "2022-01-01",
        "to": "2022-01-31",
        "registrations": {
            "active": 1,
            "by_service": {"bill": 1, "reminder": 1, "outage": 0},
            "new": 1,
            "by_channel": {"kep": 0, "password": 1, "centre": 0},
        },
        "messages": {
            "total": 2,
            "by_kind": {"bill": 1, "reply": 0, "reminder": 1, "outage": 0, "otp": 0, "api": 0, "manual": 0},
            "shares": {"bill": 0.5, "reply": 0, "reminder": 0.5, "outage": 0, "otp": 0, "api": 0, "manual": 0},
        },
        "reminders_per_month": {"2022-01": 1},
        "checking_customers_per_month": {"2022-01": 1},
        "delivery_rate": 1.0,
        "answer_seconds": {"p50": 4.5, "p95": 4.5},
        "parts_per_line": {"A1": 1, '=HYPERLINK("x")[red]': 1},
    }


def test_the_csv_has_every_figure_and_no_formula(config: Path) -> None:
    lines = run(config, "--csv").stdout.splitlines()
    assert lines[0] == "figure,of,value"
    assert "messages.by_kind,bill,1" in lines
    assert "delivery_rate,,1.0" in lines
    assert """parts_per_line,"'=HYPERLINK(""x"")[red]",1""" in lines


def test_the_text_shows_charts_and_names_as_they_are(config: Path) -> None:
    shown = run(config).output
    assert "1 active registrations, 1 new" in shown
    assert "2022-01" in shown
    assert "█" in shown
    assert '=HYPERLINK("x")[red]' in shown
    assert "4.5 s (median)" in shown


def test_days_may_be_written_as_people_here_do(config: Path) -> None:
    assert json.loads(run(config, "--json", first="01.01.2022", last="31.01.2022").stdout)["from"] == "2022-01-01"


@pytest.mark.parametrize(
    ("first", "last", "said"),
    [
        ("2022-13-01", "2022-12-31", "is no day; write it as 2026-11-23"),
        ("2022-02-30", "2022-12-31", "is no day"),
        ("", "2022-12-31", "is no day"),
        ("2022-02-01", "2022-01-01", "ends before that"),
        ("0001-01-01", "2022-01-01", "from 2000-01-01"),
    ],
)
def test_days_that_are_none_are_misuse(config: Path, first: str, last: str, said: str) -> None:
    result = run(config, first=first, last=last)
    assert result.exit_code == 2
    assert said in " ".join(result.output.split())


def test_the_period_is_this_month_unless_said_otherwise(config: Path) -> None:
    today = datetime.now(UTC).astimezone(SOFIA).date()
    result = CliRunner().invoke(cli, ["report", "-c", str(config), "--json"])
    found = json.loads(result.stdout)
    assert (found["from"], found["to"]) in {
        (f"{day:%Y-%m}-01", day.isoformat()) for day in (today, today + timedelta(days=1))
    }
