from datetime import timedelta

import pytest
from sqlalchemy import Connection

from modemd.messages import ReceivedSms
from modemd.store import failures, glance, inbox, lines
from modemd.store.schema import FailedOutcome, MessageState, message
from tests.store.outbox_driver import HOST, NOW, Outbox


@pytest.mark.parametrize(("silence", "running"), [(0, True), (20, True), (21, False)])
def test_a_daemon_that_was_not_seen_for_a_while_is_not_running(conn: Connection, silence: int, running: bool) -> None:
    lines.host_started(conn, HOST, "first", 4711, NOW)
    (daemon,) = glance.daemons(conn, NOW + timedelta(seconds=silence))
    assert (daemon.name, daemon.seen_at, daemon.running) == (HOST, NOW, running)


def test_a_daemon_that_stopped_in_good_order_is_not_running(conn: Connection) -> None:
    lines.host_started(conn, HOST, "first", 4711, NOW)
    lines.host_stopped(conn, HOST, "first", NOW)
    assert [daemon.running for daemon in glance.daemons(conn, NOW)] == [False]


def test_what_waits_is_counted_by_state_in_both_directions(conn: Connection, out: Outbox, line_id: int) -> None:
    for _ in range(3):
        out.queue()
    inbox.record(conn, line_id, [ReceivedSms("00", "SM", 1, NOW, "+359881234567", True, "smetka")], NOW)
    none = dict.fromkeys(("sending", "in_doubt", "held", "failed", "unread", "unreadable"), 0)
    assert glance.waiting(conn) == none | {"queued": 3, "new": 1}


def test_a_failed_message_waits_until_somebody_has_decided(conn: Connection, out: Outbox, line_id: int) -> None:
    ids = [out.queue() for _ in range(3)]
    conn.execute(message.update().where(message.c.id.in_(ids[:2])).values(state=MessageState.FAILED))
    assert glance.waiting(conn)["failed"] == 2
    failures.settle(conn, ids[0], failures.Decision(FailedOutcome.CLOSED, None, "seen", "ivo", NOW))
    assert glance.waiting(conn)["failed"] == 1
