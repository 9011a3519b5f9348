"""The switch that stops all sending: what it forbids cannot be marked as sending, from its commit on."""

import threading
from collections.abc import Callable

import pytest
from sqlalchemy import Connection, Engine

from modemd.errors import VerbFailed
from modemd.store import outbox, switch
from modemd.store.outbox import Sending, Sent, Want
from modemd.store.switch import Allowed
from tests.store.outbox_driver import HOST, LEASE, NOW, Outbox, compose


def test_it_is_on_until_somebody_moves_it(conn: Connection) -> None:
    assert switch.sending(conn) == switch.Position(Allowed.ALL, None)
    for allowed in (Allowed.NONE, Allowed.ANSWERS, Allowed.ALL):
        switch.allow(conn, allowed, NOW)
        assert switch.sending(conn) == switch.Position(allowed, NOW)


@pytest.mark.parametrize(
    ("allowed", "leave"),
    [
        (Allowed.ALL, {"reply", "otp", "reminder", "outage", "api", "manual"}),
        (Allowed.ANSWERS, {"reply", "otp"}),
        (Allowed.NONE, set()),
    ],
)
def test_rule_13_only_what_it_permits_can_be_marked(
    out: Outbox, line_id: int, allowed: Allowed, leave: set[str]
) -> None:
    kinds = ("reply", "otp", "reminder", "outage", "api", "manual")
    claims = {out.queue(kind=kind): kind for kind in kinds}
    waiting = out.claim(line_id, count=len(kinds))
    switch.allow(out.conn, allowed, NOW)
    marked = set()
    for claim in waiting:
        try:
            with out.conn.begin_nested():
                out.begin(claim)
        except VerbFailed:
            assert out.message(claim.message_id).state == "queued"
        else:
            marked.add(claims[claim.message_id])
        assert allowed.permits(claim.kind) == (claim.kind in leave)
    assert marked == leave


def test_only_answers_are_claimed_by_who_may_send_only_answers(out: Outbox, line_id: int, other_line_id: int) -> None:
    code, bulk = out.queue(kind="otp", priority=1), out.queue(priority=1)
    pinned, reply = out.queue(line_id=line_id, priority=0), out.queue(kind="reply", priority=1, line_id=other_line_id)
    wants = [Want(other_line_id, 5, 1, answers=True)]
    assert [claim.message_id for claim in outbox.claim(out.conn, wants, NOW, HOST, LEASE)[0]] == [code, reply]
    assert out.claimed(line_id, count=5) == [pinned, bulk]


def test_rule_13_when_it_is_moved_nothing_is_marked_that_it_forbids(
    database: Engine, make_line: Callable[[Connection, int], int]
) -> None:
    """Marks run against the switch from another connection; what is committed after it must have been permitted."""
    with database.begin() as conn:
        line_id = make_line(conn, 0)
        outbox.enqueue(conn, [compose() for _ in range(300)], NOW)
        (claims,) = outbox.claim(conn, [Want(line_id, 300)], NOW, HOST, LEASE)
    marked: list[int] = []
    started, ended = threading.Event(), threading.Event()

    def mark() -> None:
        for claim in claims:
            try:
                with database.begin() as conn:
                    outbox.mark_sending(conn, [Sending(claim.open_parts[0].id, line_id)], NOW, HOST)
            except VerbFailed:
                break
            marked.append(claim.message_id)
            started.set()
            ended.wait(0.005)  # SQLite is not fair to who waits for its lock
        ended.set()

    thread = threading.Thread(target=mark)
    thread.start()
    assert started.wait(20)
    with database.begin() as conn:
        switch.allow(conn, Allowed.NONE, NOW)
    before = len(marked)  # the last one may be committed and not yet counted
    assert ended.wait(20)
    thread.join()
    assert before <= len(marked) <= before + 1 < 300


@pytest.mark.parametrize("engine", ["postgresql"], indirect=True)
def test_rule_13_the_switch_waits_for_marks_that_are_on_their_way(
    database: Engine, make_line: Callable[[Connection, int], int]
) -> None:
    with database.begin() as conn:
        line_id = make_line(conn, 0)
        outbox.enqueue(conn, [compose(), compose()], NOW)
        ((first, claim),) = outbox.claim(conn, [Want(line_id, 2)], NOW, HOST, LEASE)
        outbox.mark_sending(conn, [Sending(first.open_parts[0].id, line_id)], NOW, HOST)  # a line's first takes longer
        outbox.sent(conn, [Sent(first.open_parts[0].id, 1, line_id=line_id)], NOW)
    moved = threading.Event()

    def move() -> None:
        with database.begin() as conn:
            switch.allow(conn, Allowed.NONE, NOW)
        moved.set()

    with database.begin() as conn:
        outbox.mark_sending(conn, [Sending(claim.open_parts[0].id, line_id)], NOW, HOST)
        thread = threading.Thread(target=move)
        thread.start()
        assert not moved.wait(0.3)
    thread.join(20)
    assert moved.is_set()
