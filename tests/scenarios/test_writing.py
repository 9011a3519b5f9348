"""What a scenario writes, in small, on both databases."""

import shutil
from collections.abc import Iterator
from contextlib import nullcontext
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from sqlalchemy import Connection, Engine, func, select

from modemd import reports
from modemd.cli.main import cli
from modemd.config import SOFIA
from modemd.errors import ScenarioRefused
from modemd.reports import Period, Report
from modemd.scenarios import plans, writing
from modemd.scenarios.plans import Plan
from modemd.store import database as opening
from modemd.store import days, loading, outbox
from modemd.store.outbox import NewMessage
from modemd.store.schema import (
    MessageState,
    consent,
    customer,
    day_figures,
    inbox,
    message,
    metadata,
    part,
    phone,
    phone_customer,
    staff,
)
from tests.databases import everything, guards

SMALL = plans.article().scaled(500)  # 406 customers, 398 messages


def no_progress(done: int, total: int) -> None:
    pass


def written(engine: Engine, plan: Plan = SMALL) -> Report:
    writing.write(engine, plan, no_progress)
    with opening.reading(engine) as conn:
        return reports.report(conn, Period(plan.first, plan.last))


def test_the_report_gives_back_what_the_plan_says(database: Engine) -> None:
    found = written(database)
    assert found.registrations.active == SMALL.active
    assert found.registrations.by_channel == SMALL.new
    assert found.messages.by_kind["bill"] == sum(month.checks for month in SMALL.months)
    assert found.messages.total == SMALL.messages
    assert list(found.reminders_per_month.values()) == [month.reminders for month in SMALL.months]
    assert list(found.checking_customers_per_month.values()) == [month.checking for month in SMALL.months]
    assert found.delivery_rate is not None
    assert found.delivery_rate > 0.9
    assert len(found.parts_per_line) == SMALL.lines


@pytest.mark.long
def test_the_same_is_written_each_time(tmp_path: Path) -> None:
    contents = []
    for name in ("one", "other"):
        engine = opening.connect(f"sqlite:///{tmp_path}/{name}.db")
        opening.upgrade(engine)
        writing.write(engine, SMALL, no_progress)
        with opening.reading(engine) as conn:
            contents.append([conn.execute(select(table)).all() for table in metadata.sorted_tables])
        engine.dispose()
    assert contents[0] == contents[1]


def test_a_database_that_holds_something_is_refused(database: Engine) -> None:
    writing.write(database, SMALL, no_progress)
    with pytest.raises(ScenarioRefused, match=r"is not empty .* holds rows"):
        writing.write(database, SMALL, no_progress)
    with opening.reading(database) as conn:
        assert conn.scalar(select(func.count()).select_from(customer)) == SMALL.active + SMALL.ended


def test_the_command_says_what_to_do_about_a_database_that_is_not_empty(tmp_path: Path) -> None:
    config = tmp_path / "modemd.toml"
    config.write_text(f'[database]\nurl = "sqlite:///{tmp_path}/modemd.db"\n')
    engine = opening.connect(f"sqlite:///{tmp_path}/modemd.db")
    opening.upgrade(engine)
    writing.write(engine, SMALL, no_progress)
    engine.dispose()
    result = CliRunner().invoke(cli, ["sim-load", "-c", str(config), "--scenario", "year"])
    assert result.exit_code == 1
    assert "Name another one in [database] url" in str(result.exception)


def test_whoever_may_look_at_it_may_be_there_before(database: Engine) -> None:
    with opening.writing(database) as conn:
        row = {"name": "ivo", "role": "technician", "password_hash": "", "one_time": True, "session": "1"}
        conn.execute(staff.insert(), row | {"created_at": datetime(2022, 8, 26, tzinfo=UTC)})
    written(database)


def test_what_is_broken_off_leaves_nothing_and_takes_no_guard_away(database: Engine) -> None:
    before = guards(database)

    def break_off(done: int, total: int) -> None:
        if done > total / 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        writing.write(database, SMALL, break_off)
    assert not any(everything(database).values())
    assert guards(database) == before
    written(database)
    assert guards(database) == before


def test_it_ends_as_if_each_row_had_passed_every_guard(
    database: Engine, other: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    written(database)
    monkeypatch.setattr(loading, "bare", lambda _conn, _tables: nullcontext())
    written(other)
    assert everything(database) == everything(other)


@pytest.fixture
def other(tmp_path: Path, sqlite_template: Path) -> Iterator[Engine]:
    shutil.copy(sqlite_template, tmp_path / "other.db")
    engine = opening.connect(f"sqlite:///{tmp_path}/other.db")
    yield engine
    engine.dispose()


def test_a_kept_day_is_forgotten_afterwards_as_ever(database: Engine) -> None:
    written(database)
    with opening.writing(database) as conn:
        conn.execute(day_figures.delete())
        first, last = conn.execute(select(func.min(message.c.sent_at), func.max(message.c.sent_at))).one()
        days.keep(conn, first, last + timedelta(seconds=1))
        conn.execute(message.update().where(message.c.sent_at == first).values(state=MessageState.FAILED))
        assert conn.scalar(select(func.count()).select_from(day_figures)) == 0


def test_the_daemon_goes_on_where_the_scenario_ends(database: Engine) -> None:
    written(database)
    with opening.writing(database) as conn:
        now = conn.execute(select(func.max(message.c.state_at))).scalar_one()
        new = NewMessage("manual", "+359888000101", "Zdravey", 1, 5, now)
        [message_id] = outbox.enqueue(conn, [new], now)
        assert message_id == conn.scalar(select(func.max(message.c.id)))
        row = {"line_id": 1, "replyable": True, "parts": 1, "complete": True, "state": "new", "received_at": now}
        assert conn.execute(inbox.insert().returning(inbox.c.id), row).scalar_one() > SMALL.unread


def test_progress_goes_up_to_the_end(database: Engine) -> None:
    seen: list[tuple[int, int]] = []
    writing.write(database, SMALL, lambda done, total: seen.append((done, total)))
    assert all(before <= after for before, after in pairwise(seen))
    assert seen[-1][0] == seen[-1][1]
    assert len(seen) > 5


@pytest.fixture
def conn(database: Engine) -> Any:
    """A small article."""
    written(database)
    with opening.reading(database) as conn:
        yield conn


def test_reminders_leave_on_working_days_within_the_window(conn: Connection) -> None:
    sent = [
        at.astimezone(SOFIA) for at in conn.scalars(select(message.c.sent_at).where(message.c.kind == "reminder")) if at
    ]
    assert {at.hour for at in sent} <= set(range(9, 19))
    assert {at.isoweekday() for at in sent} <= {1, 2, 3, 4, 5}
    assert not {at.date() for at in sent} & {date(2022, 3, 3), date(2022, 5, 6), date(2022, 5, 24), date(2022, 4, 25)}


def test_a_later_id_is_a_later_message(conn: Connection) -> None:
    created = conn.scalars(select(message.c.created_at).order_by(message.c.id)).all()
    assert created == sorted(created)
    received = conn.scalars(select(inbox.c.received_at).order_by(inbox.c.id)).all()
    assert received == sorted(received)


def test_every_kind_of_trouble_is_there(conn: Connection) -> None:
    states = set(conn.scalars(select(message.c.state)))
    assert {"delivered", "in_doubt", "held"} <= states
    left = conn.execute(select(message.c.state, message.c.sent_at).where(message.c.state.in_(["in_doubt", "held"])))
    assert all(row.sent_at is None for row in left)
    assert len(conn.scalars(select(message.c.line_id).distinct()).all()) == SMALL.lines
    assert conn.scalar(select(func.count()).select_from(inbox).where(inbox.c.state == "unread")) == SMALL.unread


def test_every_message_has_its_parts_and_never_more_than_two(conn: Connection) -> None:
    told = conn.execute(
        select(message.c.parts, message.c.state, func.count(part.c.id), func.min(part.c.state))
        .join_from(message, part)
        .group_by(message.c.id)
    ).all()
    assert all(parts == count <= 2 and state == of_part for parts, state, count, of_part in told)


def test_registrations_phones_and_consents_agree(conn: Connection) -> None:
    open_ = select(consent.c.phone, consent.c.customer_no).where(consent.c.ended_at.is_(None))
    assert set(conn.execute(open_).all()) == set(
        conn.execute(select(phone_customer.c.phone, phone_customer.c.customer_no)).all()
    )
    services = ("bill", "reminder", "outage")
    of_phone = select(phone.c.number, *(phone.c[name] for name in services)).where(phone.c.bill)
    agreed = select(consent.c.phone, *(consent.c[name] for name in services)).where(consent.c.ended_at.is_(None))
    assert set(conn.execute(of_phone).all()) == set(conn.execute(agreed).all())
    assert conn.scalar(select(func.count()).select_from(phone).where(phone.c.stopped_at.is_not(None)))


def test_numbers_are_invented(conn: Connection) -> None:
    numbers = [*conn.scalars(select(phone.c.number)), *conn.scalars(select(message.c.recipient))]
    assert all(number.startswith("+359999") and len(number) == 13 for number in numbers)
