"""Rows are loaded into bare tables, and nothing that those rows had to pass is missing afterwards."""

import sqlite3

import pytest
from sqlalchemy import Engine
from sqlalchemy.exc import IntegrityError

from modemd.store import database as opening
from modemd.store import loading
from modemd.store.schema import day_figures, import_file, limit_use, line, message, metadata, open_item, part
from tests.databases import guards
from tests.store.outbox_driver import NOW

TABLES = metadata.sorted_tables
FILE: dict[str, object] = {"id": 1, "type": "OPENITEMS", "source": "test", "seq": 1, "mode": "FULL", "name": "f"}
FILE |= {"sha256": "", "rows": 1, "rejected": 0, "open_cents": 5, "state": "imported", "data_at": NOW, "at": NOW}


def test_what_was_taken_away_is_put_back_as_it_was(database: Engine) -> None:
    before = guards(database)
    with opening.writing(database) as conn, loading.bare(conn, TABLES):
        loading.load(conn, limit_use, ("key", "at"), [("a", NOW)])
    assert guards(database) == before


def test_a_row_that_points_nowhere_is_refused(database: Engine) -> None:
    row = (1, 1, 1, "sent", NOW)
    refused = pytest.raises((IntegrityError, sqlite3.IntegrityError))
    with refused, opening.writing(database) as conn, loading.bare(conn, TABLES):
        loading.load(conn, part, ("id", "message_id", "number", "state", "submitted_at"), [row])


def test_triggers_see_none_of_the_rows(database: Engine) -> None:
    """What is kept of a day may be loaded before the messages of that day."""
    kept = {"starts_at": NOW, "ends_at": NOW.replace(year=NOW.year + 1), "messages": "[]", "parts": "[]"}
    with opening.writing(database) as conn:
        conn.execute(day_figures.insert(), {**kept, "checks": "[]", "waited": "[]"})
        with loading.bare(conn, TABLES):
            sent = (1, "manual", "+359888000101", "x", 1, 5, "sent", True, NOW, NOW, NOW, NOW)
            columns = ("id", "kind", "recipient", "text", "parts", "priority", "state", "due", "expires_at")
            loading.load(conn, message, (*columns, "created_at", "sent_at", "state_at"), [sent])
        assert conn.execute(day_figures.select()).first() is not None
        conn.execute(message.update().values(sent_at=NOW))
        assert conn.execute(day_figures.select()).first() is None


def test_times_days_and_what_is_missing_are_kept_as_ever(database: Engine) -> None:
    """Also as they are compared: on SQLite they are text."""
    times = ("identity", "name", "new", "adopted_at", "created_at")
    rows = [(f"iccid:{at}", f"A1 {at}", at % 2 == 0, None if at % 3 else NOW, NOW) for at in range(2_500)]
    item = {"customer_no": "300000000001", "invoice_no": "0480000001", "invoice_date": NOW.date(), "total_cents": 5}
    item |= {"due_date": NOW.date(), "cutoff_date": None, "open_cents": 5, "status": "OPEN", "level": 0, "class": "H"}
    item |= {"generation": 1, "flags": ""}
    with opening.writing(database) as conn:
        conn.execute(import_file.insert(), FILE)
        with loading.bare(conn, TABLES):
            loading.load(conn, line, times, iter(rows))
            loading.load(conn, open_item, tuple(item), [tuple(item.values())])
        kept = line.select().with_only_columns(*(line.c[name] for name in times)).where(line.c.created_at == NOW)
        assert [tuple(row) for row in conn.execute(kept.order_by(line.c.id))] == rows
        kept = open_item.select().where(open_item.c.due_date == NOW.date(), open_item.c.cutoff_date.is_(None))
        assert conn.execute(kept).one().invoice_date == NOW.date()
