"""No way of looking for messages goes through all of them."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy import Connection, event, text

from modemd.store import lives, search
from modemd.store.glance import sent_by_others
from modemd.store.search import Position, Wanted
from tests.store.outbox_driver import NOW

A_WEEK = Wanted(NOW - timedelta(days=7), NOW)
LOOKS: dict[str, Callable[[Connection], object]] = {
    "the newest": lambda conn: search.page(conn, A_WEEK, 50),
    "the next page": lambda conn: search.page(conn, A_WEEK, 50, Position(NOW, "mt", 7)),
    "by state": lambda conn: search.page(conn, Wanted(A_WEEK.since, NOW, state="failed"), 50),
    "by words": lambda conn: search.page(conn, Wanted(A_WEEK.since, NOW, words="Сметка"), 50),
    "by all": lambda conn: search.page(conn, Wanted(A_WEEK.since, NOW, "mt", "sent", "reply", 1, "x"), 50),
    "a conversation": lambda conn: search.with_number(conn, "+359881234567", 50),
    "held": lambda conn: search.troubled(conn, "held", 50),
    "not understood": lambda conn: search.not_understood(conn, 50),
    "a life": lambda conn: lives.of(conn, "mt", 1),
    "a question's life": lambda conn: lives.of(conn, "mo", 1),
    "ours": lambda conn: lives.sent_to(conn, "+359881234567", A_WEEK.since, NOW),
    "a number": lambda conn: lives.find_number(conn, "+359881234567"),
    "sent by others": lambda conn: sent_by_others(conn, [1, 2], NOW - timedelta(hours=1)),
}
FULL_SCANS = ("SCAN message", "SCAN inbox", "SCAN part", "SEQ SCAN ON MESSAGE", "SEQ SCAN ON INBOX", "SEQ SCAN ON PART")


@pytest.mark.parametrize("look", LOOKS)
def test_no_look_goes_through_every_message(conn: Connection, look: str) -> None:
    plans = _plans_of(conn, LOOKS[look])
    assert plans
    for plan in plans:
        scans = [line for line in plan if line.strip().upper().startswith(tuple(map(str.upper, FULL_SCANS)))]
        assert scans == [], plan


def test_a_scan_would_be_seen(conn: Connection) -> None:
    plans = _plans_of(conn, lambda c: c.execute(text("SELECT * FROM message WHERE parts = 7")).all())
    assert any("SCAN" in line.upper() for line in plans[0])


def _plans_of(conn: Connection, look: Callable[[Connection], object]) -> list[list[str]]:
    """The plans of what a look asks; on PostgreSQL, whose tables are empty here, as if a scan were dear."""
    asked: list[tuple[str, object]] = []

    def note(_conn: object, _cursor: object, statement: str, parameters: object, *_more: object) -> None:
        asked.append((statement, parameters))

    event.listen(conn, "before_cursor_execute", note)
    try:
        look(conn)
    finally:
        event.remove(conn, "before_cursor_execute", note)
    sqlite = conn.dialect.name == "sqlite"
    if not sqlite:
        conn.execute(text("SET LOCAL enable_seqscan = off"))
    explain = "EXPLAIN QUERY PLAN " if sqlite else "EXPLAIN "
    return [
        [str(row[-1]) for row in conn.exec_driver_sql(explain + statement, parameters).all()]  # type: ignore[arg-type]
        for statement, parameters in asked
        if statement.lstrip().upper().startswith("SELECT")
    ]
