"""What is kept for how long (DOMAIN, section 8), to the second, and broken off anywhere."""

import asyncio
import os
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, Table, select

from modemd import retention
from modemd.config import Settings
from modemd.retention import Retention, Swept, is_due, sweep, sweep_files, years_before
from modemd.store import lines
from modemd.store.database import reading, writing
from modemd.store.lines import Sim
from modemd.store.schema import (
    consent,
    dataset,
    document_check,
    inbox,
    inbox_part,
    kep_nonce,
    limit_use,
    message,
    open_item,
    payment,
    pending_phone,
    portal_session,
    status_report,
)

NOW = datetime(2026, 11, 23, 1, 0, tzinfo=UTC)
YEAR_AGO = datetime(2025, 11, 23, 1, 0, tzinfo=UTC)
SECOND = timedelta(seconds=1)


@pytest.fixture(autouse=True)
def small_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention, "BATCH", 3)
    monkeypatch.setattr(retention, "PAUSE", 0.0)
    monkeypatch.setattr(retention, "COUNTED_DAYS", 3)


def add(engine: Engine, table: Table, *rows: dict[str, Any]) -> None:
    with writing(engine) as conn:
        if table in (inbox, inbox_part, status_report):
            sim = Sim("8935901000000000001", None)
            line_id = lines.identify(conn, sim, "gsm-host-1", "/dev/modem00", NOW, adopt=True).id
            rows = tuple({**row, "line_id": line_id} for row in rows)
        conn.execute(table.insert(), list(rows))


def sent(at: datetime, state: str = "delivered", text: str = "Elektrohold: 37,91") -> dict[str, Any]:
    return {
        "kind": "reminder", "recipient": "+359888000101", "text": text, "parts": 1, "priority": 9, "state": state,
        "due": True, "expires_at": at, "created_at": at, "state_at": at,
    }  # fmt: skip


def came(at: datetime, state: str = "done", kind: str | None = "bill") -> dict[str, Any]:
    return {
        "number": "+359888000101", "replyable": True, "text": "smetka", "parts": 1, "complete": True, "state": state,
        "kind": kind, "received_at": at,
    }  # fmt: skip


def texts(engine: Engine, table: Table = message) -> list[str]:
    with reading(engine) as conn:
        return [text.split(" ")[0] for text in conn.scalars(select(table.c.text).order_by(table.c.id))]


def swept(engine: Engine, now: datetime = NOW, go_on: Callable[[], None] | None = None) -> Swept:
    return sweep(engine, Settings(), now, go_on)


def test_a_text_is_redacted_after_12_months_to_its_type_and_a_hash(database: Engine) -> None:
    add(database, message, sent(YEAR_AGO - SECOND), sent(YEAR_AGO), sent(NOW))
    assert swept(database).texts == 1
    with reading(database) as conn:
        old, *young = conn.scalars(select(message.c.text).order_by(message.c.id))
    digest = "9ac67b9c8bb1f0ac2b17e7eef9ea7d25fb0a7ec4b7e10ad7cc2a8ad7dc94cbd9"
    assert old.startswith("[redacted reminder ")
    assert len(old) == len(f"[redacted reminder {digest}]")
    assert young == ["Elektrohold: 37,91"] * 2


def test_what_may_still_leave_is_redacted_once_it_is_settled(database: Engine) -> None:
    old = YEAR_AGO - timedelta(days=1)
    add(database, message, *[sent(old, state) for state in ("queued", "held", "in_doubt", "sending", "failed")])
    add(database, message, sent(old + SECOND))
    assert swept(database).texts == 2
    assert texts(database) == ["Elektrohold:"] * 4 + ["[redacted"] * 2
    with writing(database) as conn:
        conn.execute(message.update().where(message.c.state == "held").values(state="cancelled"))
    assert swept(database, NOW + timedelta(days=30)).texts == 1


def test_what_came_is_redacted_too_and_an_unread_text_with_it(database: Engine) -> None:
    old = YEAR_AGO - SECOND
    add(database, inbox, came(old), came(old, "unread", None), came(old, "new"), came(NOW))
    assert swept(database).texts == 2
    with reading(database) as conn:
        found = [" ".join(text.split(" ")[:2]) for text in conn.scalars(select(inbox.c.text).order_by(inbox.c.id))]
    assert found == ["[redacted bill", "[redacted unread", "smetka", "smetka"]


def test_many_are_redacted_in_small_steps_and_none_twice(database: Engine) -> None:
    add(database, message, *[sent(YEAR_AGO - timedelta(days=10 - number % 3)) for number in range(10)])
    steps: list[None] = []
    assert swept(database, go_on=lambda: steps.append(None)).texts == 10
    assert len(steps) == 4
    before = texts(database)
    assert swept(database).texts == 0
    assert texts(database) == before == ["[redacted"] * 10


@pytest.mark.parametrize("after", [1, 2, 3])
def test_a_night_that_is_broken_off_is_done_to_the_end_the_next_time(database: Engine, after: int) -> None:
    add(database, message, *[sent(YEAR_AGO - timedelta(days=number + 1)) for number in range(10)])
    left = after

    def stop() -> None:
        nonlocal left
        left -= 1
        if not left:
            raise retention.Stopped

    with pytest.raises(retention.Stopped):
        swept(database, go_on=stop)
    assert sorted(texts(database)) == sorted(["[redacted"] * 3 * after + ["Elektrohold:"] * (10 - 3 * after))
    assert swept(database).texts == 10 - 3 * after


def test_raw_pdus_go_after_12_months(database: Engine) -> None:
    old, young = YEAR_AGO - SECOND, YEAR_AGO
    part = {"dedupe": None, "pdu": "00aa", "number": "+359888000101", "replyable": True, "text": "smetka"}
    add(database, inbox_part, *[{**part, "received_at": at} for at in (old,) * 5 + (young,)])
    report = {"reference": 1, "status": 0, "pdu": "00aa"}
    reports = [{**report, "dedupe": str(number), "received_at": at} for number, at in enumerate((old, young))]
    add(database, status_report, *reports)
    assert swept(database).raw == 6
    with reading(database) as conn:
        assert [row.received_at for row in conn.execute(select(inbox_part))] == [young]
        assert [row.received_at for row in conn.execute(select(status_report))] == [young]


def test_a_consent_goes_5_years_after_its_end(database: Engine) -> None:
    row = {
        "phone": "+359888000101", "bill": True, "reminder": False, "outage": False, "channel": "centre",
        "who": "elena", "registered": True, "begun_at": datetime(2015, 1, 1, tzinfo=UTC),
    }  # fmt: skip
    ends = [datetime(2021, 11, 23, 1, 0, tzinfo=UTC) - SECOND, datetime(2021, 11, 23, 1, 0, tzinfo=UTC), None]
    add(database, consent, *[{**row, "customer_no": str(number), "ended_at": at} for number, at in enumerate(ends)])
    assert swept(database).consents == 1
    with reading(database) as conn:
        assert sorted(conn.scalars(select(consent.c.customer_no))) == ["1", "2"]


def test_what_serves_only_for_a_while_goes_after_two_days(database: Engine) -> None:
    ends = [NOW - timedelta(days=2) - SECOND, NOW - timedelta(days=2)]
    visit = {"customer_no": "300000000001", "who": "elena"}
    code = {
        "phone": "+359888000101", "customer_numbers": "300000000001", "services": "bill", "language": "bg-Latn",
        "channel": "centre", "who": "elena", "text_version": "1", "text": "x", "code_hash": "x", "tries": 0,
    }  # fmt: skip
    for number, at in enumerate(ends):
        add(database, limit_use, {"key": "code:+359888000101", "at": at})
        add(database, document_check, {**visit, "expires_at": at})
        add(database, kep_nonce, {"nonce_hash": str(number), "browser_hash": "x", "expires_at": at})
        add(database, pending_phone, {**code, "expires_at": at})
        row = {"token_hash": str(number), "customer_numbers": "300000000001", "begun_at": at, "expires_at": at}
        add(database, portal_session, row)
    swept(database)
    with reading(database) as conn:
        for table in (limit_use, document_check, kep_nonce, pending_phone, portal_session):
            assert len(conn.execute(select(table)).all()) == 1, table.name


def test_a_payment_goes_when_every_invoice_holds_it(database: Engine) -> None:
    def pay(number: int, known_at: datetime) -> dict[str, Any]:
        return {
            "generation": 1, "customer_no": f"{number:012}", "invoice_no": "0480000001", "paid_at": known_at,
            "cents": 100, "known_at": known_at,
        }  # fmt: skip

    item_at = NOW - timedelta(days=100)
    item = {
        "generation": 2, "customer_no": "300000000001", "invoice_no": "0480000001", "invoice_date": NOW.date(),
        "due_date": NOW.date(), "total_cents": 1, "open_cents": 1, "status": "OPEN", "level": 0, "class": "H",
        "flags": "", "data_at": item_at,
    }  # fmt: skip
    add(database, open_item, item)
    add(database, dataset, {"type": "OPENITEMS", "generation": 2, "data_at": NOW})
    add(database, payment, pay(1, item_at - SECOND), pay(2, item_at), pay(3, NOW))
    assert swept(database).payments == 1
    with reading(database) as conn:
        assert sorted(conn.scalars(select(payment.c.customer_no))) == ["000000000002", "000000000003"]


# files


def test_imported_files_go_after_30_days_and_nothing_else(tmp_path: Path) -> None:
    for folder in ("in", "archive", "reject", "out", "transcripts"):
        (tmp_path / folder).mkdir()
        for name, days in (("old.csv", 30), ("old.csv.sha256", 30), ("young.csv", 29.9)):
            path = tmp_path / folder / name
            path.touch()
            at = (NOW - timedelta(days=days, seconds=1)).timestamp()
            os.utime(path, (at, at))
    (tmp_path / "archive" / "folder").mkdir()
    assert sweep_files(tmp_path, NOW) == 4
    left = {folder.name: len(list(folder.iterdir())) for folder in tmp_path.iterdir()}
    assert left == {"in": 3, "archive": 2, "reject": 1, "out": 3, "transcripts": 3}


def test_without_folders_there_is_nothing_to_delete(tmp_path: Path) -> None:
    assert sweep_files(tmp_path / "none", NOW) == 0


# when


@pytest.mark.parametrize(
    ("done_at", "now", "due"),
    [
        (None, "2026-11-23T12:00:00+02:00", True),
        ("2026-11-22T02:31:00+02:00", "2026-11-23T02:29:59+02:00", False),
        ("2026-11-22T02:31:00+02:00", "2026-11-23T02:30:00+02:00", True),
        ("2026-11-23T02:30:00+02:00", "2026-11-23T23:59:00+02:00", False),
        ("2026-11-20T02:30:00+02:00", "2026-11-23T23:59:00+02:00", True),
        ("2026-10-24T02:30:00+03:00", "2026-10-25T02:30:00+03:00", True),
        ("2026-03-28T02:30:00+02:00", "2026-03-29T02:30:00+02:00", True),
    ],
)
def test_it_is_due_once_a_night(done_at: str | None, now: str, due: bool) -> None:
    done = datetime.fromisoformat(done_at).astimezone(UTC) if done_at else None
    assert is_due(done, datetime.fromisoformat(now).astimezone(UTC)) is due


def test_a_year_before_29_february_is_1_march() -> None:
    assert years_before(datetime(2028, 2, 29, tzinfo=UTC), 1) == datetime(2027, 3, 1, tzinfo=UTC)
    assert years_before(NOW, 5) == datetime(2021, 11, 23, 1, 0, tzinfo=UTC)


def test_the_daemon_does_it_once_a_night(database: Engine, tmp_path: Path) -> None:
    add(database, message, sent(YEAR_AGO - SECOND))
    settings = Settings.model_validate({"daemon": {"data": str(tmp_path)}})
    clock = [NOW]
    job = Retention(settings, database, lambda: clock[0])
    asyncio.run(job._look())
    assert texts(database) == ["[redacted"]
    add(database, message, sent(YEAR_AGO + SECOND))
    clock[0] += timedelta(seconds=2)
    asyncio.run(job._look())
    assert texts(database) == ["[redacted", "Elektrohold:"]
    clock[0] += timedelta(days=1)
    asyncio.run(job._look())
    assert texts(database) == ["[redacted"] * 2


def test_a_key_that_cannot_be_read_ends_no_daemon(database: Engine, tmp_path: Path) -> None:
    given = {"daemon": {"data": str(tmp_path)}, "service": {"identity_key_file": str(tmp_path / "none")}}
    add(database, message, sent(YEAR_AGO - SECOND))
    asyncio.run(Retention(Settings.model_validate(given), database, lambda: NOW)._look())
    assert texts(database) == ["Elektrohold:"]
