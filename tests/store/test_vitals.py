"""What is measured and watched: how long messages wait, what is in doubt, which lines nobody texts any more."""

from collections.abc import Callable
from datetime import datetime, timedelta

from sqlalchemy import Connection

from modemd.messages import ReceivedSms
from modemd.store import inbox, outbox, upkeep, vitals
from modemd.store.vitals import Waiting
from tests.store.outbox_driver import NOW, Outbox

HOUR, WEEK = timedelta(hours=1), timedelta(weeks=1)


def test_the_oldest_of_what_waits_answers_apart(conn: Connection, out: Outbox, line_id: int) -> None:
    assert vitals.waiting(conn) == Waiting(None, None)
    out.queue(kind="reminder", priority=9)
    out.now = NOW + timedelta(minutes=1)
    out.queue(kind="manual")
    out.queue(kind="otp", priority=1)
    assert vitals.waiting(conn) == Waiting(NOW + timedelta(minutes=1), NOW)
    out.now = NOW + timedelta(minutes=2)
    out.queue(kind="reply", priority=0, line_id=line_id)
    assert vitals.waiting(conn) == Waiting(NOW + timedelta(minutes=1), NOW)


def test_what_is_a_lines_own_waits_too(conn: Connection, out: Outbox, line_id: int) -> None:
    out.queue(kind="reply", priority=0, line_id=line_id)
    assert vitals.waiting(conn) == Waiting(NOW, None)


def test_what_a_line_has_claimed_and_what_is_for_later_does_not_wait(
    conn: Connection, out: Outbox, line_id: int
) -> None:
    out.queue()
    out.queue(not_before=NOW + HOUR)
    assert out.claim(line_id)
    assert vitals.waiting(conn) == Waiting(None, None)


def test_what_was_put_off_waits_from_then_on(conn: Connection, out: Outbox) -> None:
    out.now = NOW - HOUR
    out.queue(not_before=NOW - timedelta(minutes=5))
    upkeep.promote_due(conn, NOW)
    assert vitals.waiting(conn) == Waiting(None, NOW - timedelta(minutes=5))


def test_doubt_is_counted_by_when_it_was_handed_over(conn: Connection, out: Outbox, line_id: int) -> None:
    for _ in range(2):
        outbox.doubt(conn, [out.sending(line_id)], NOW)
    out.sending(line_id)
    assert vitals.doubtful_since(conn, NOW - HOUR) == 2
    assert vitals.doubtful_since(conn, NOW + HOUR) == 0


def came(conn: Connection, line_id: int, at: datetime, count: int) -> None:
    texts = [ReceivedSms(f"{line_id}{at:%d%H}{n}", None, None, at, "+359881234567", True, "x") for n in range(count)]
    inbox.record(conn, line_id, texts, at)


def test_a_line_is_silent_when_nothing_comes_where_it_always_did(
    conn: Connection, make_line: Callable[[Connection, int], int]
) -> None:
    usual, quiet, new, alive = (make_line(conn, number) for number in range(4))
    for week in (1, 2, 3):
        at = NOW - week * WEEK - HOUR / 2
        came(conn, usual, at, 3)
        came(conn, alive, at, 3)
        came(conn, quiet, at, 3 if week == 1 else 2)
        if week == 1:
            came(conn, new, at, 9)
    came(conn, alive, NOW - HOUR / 2, 1)
    assert vitals.silent_lines(conn, NOW, HOUR, 3, 3) == [usual]
    assert vitals.silent_lines(conn, NOW + 2 * HOUR, HOUR, 3, 3) == []
