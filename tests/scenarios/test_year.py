"""A year of traffic: 3 million messages, which no report or list may read from end to end."""

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, event

from modemd import reports
from modemd.reports import Period
from modemd.scenarios import plans, writing
from modemd.scenarios.plans import Plan
from modemd.store import database as opening

YEAR = plans.year(date(2026, 11, 24))
BIG = ("message", "part")


def written(engine: Engine, plan: Plan) -> None:
    writing.write(engine, plan, lambda done, total: None)


def check_year(engine: Engine, plan: Plan) -> None:
    with opening.reading(engine) as conn:
        found = reports.report(conn, Period(plan.first, plan.last))
    assert found.messages.total == plan.messages
    assert found.registrations.active == plan.active
    assert sum(found.reminders_per_month.values()) == sum(month.reminders for month in plan.months)
    assert len(found.reminders_per_month) == len(plan.months) == 13
    assert len(found.parts_per_line) == plan.lines


def test_a_year_in_small_is_what_its_plan_says(database: Engine) -> None:
    small = YEAR.scaled(5000)
    written(database, small)
    check_year(database, small)


def test_a_month_can_be_counted_on_indexes_alone(database: Engine) -> None:
    """PostgreSQL reads a small table whole unless it is told not to: here it is asked whether it could do without."""
    written(database, YEAR.scaled(5000))
    with opening.reading(database) as conn:
        if conn.dialect.name == "postgresql":
            conn.exec_driver_sql("SET LOCAL enable_seqscan = off")
        assert whole_tables(conn) == []


@pytest.mark.large
@pytest.mark.timeout(3600)
def test_a_year_is_written_and_counted_without_reading_all_of_it(database: Engine) -> None:
    written(database, YEAR)
    check_year(database, YEAR)
    with opening.reading(database) as conn:
        assert whole_tables(conn) == []


def whole_tables(conn: Connection) -> list[str]:
    """The steps of a report on one month that read a big table from end to end."""
    seen: list[tuple[str, Any]] = []
    listen: Callable[..., None] = lambda _c, _k, sql, parameters, _x, _m: seen.append((sql, parameters))  # noqa: E731
    event.listen(conn, "before_cursor_execute", listen)
    month = YEAR.months[-2]
    reports.report(conn, Period(month.first, month.last))
    event.remove(conn, "before_cursor_execute", listen)
    explain, how = ("EXPLAIN", "Seq Scan on") if conn.dialect.name == "postgresql" else ("EXPLAIN QUERY PLAN", "SCAN")
    steps = [str(row[-1]) for sql, parameters in seen for row in conn.exec_driver_sql(f"{explain} {sql}", parameters)]
    assert steps
    return [step for step in steps if any(f"{how} {table} " in f"{step} " for table in BIG)]
