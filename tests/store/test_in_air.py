"""What is in the air stands in one small row of its line; whoever looks at the part must not be misled by that."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from modemd.errors import VerbFailed
from modemd.store import leases, listing, lives, outbox, snapshots
from modemd.store.outbox import Sending, Sent, Skip
from modemd.store.schema import in_air
from tests.store.outbox_driver import HOST, NOW, Outbox, in_the_air

LATER = NOW + timedelta(seconds=3)


def test_rule_2_the_mark_writes_one_row_of_the_line_and_no_other(out: Outbox, line_id: int) -> None:
    part_id = out.sending(line_id)
    (row,) = out.conn.execute(select(in_air))
    assert (row.line_id, row.part_id, row.submitted_at) == (line_id, part_id, NOW)
    assert (out.part(part_id).state, out.part(part_id).line_id) == ("queued", None)


def test_a_line_keeps_one_row_however_much_it_sends(out: Outbox, line_id: int, other_line_id: int) -> None:
    for each in (line_id, line_id, other_line_id, line_id):
        out.sent(out.sending(each))
    assert {row.line_id for row in out.conn.execute(select(in_air))} == {line_id, other_line_id}


def test_the_answer_brings_line_time_and_reference_into_the_part(out: Outbox, line_id: int) -> None:
    out.sent(out.sending(line_id), 7)
    part_id = out.sending(line_id)
    outbox.sent(out.conn, [Sent(part_id, 8, line_id=line_id)], LATER)
    row = out.part(part_id)
    assert (row.state, row.line_id, row.submitted_at, row.sent_at) == ("sent", line_id, NOW, LATER)
    assert (row.expected_reference, row.reference) == (8, 8)


def test_an_answer_without_its_line_is_understood(out: Outbox, line_id: int) -> None:
    part_id = out.sending(line_id)
    outbox.sent(out.conn, [Sent(part_id, 8)], LATER)
    assert (out.part(part_id).state, out.part(part_id).line_id, out.part(part_id).submitted_at) == (
        "sent",
        line_id,
        NOW,
    )
    assert in_the_air(out.conn) == set()


def test_what_was_landed_before_its_answer_keeps_what_was_written(out: Outbox, line_id: int) -> None:
    part_id = out.sending(line_id)
    out.land(part_id)
    outbox.sent(out.conn, [Sent(part_id, 8, line_id=line_id)], LATER)
    row = out.part(part_id)
    assert (row.state, row.line_id, row.submitted_at, row.sent_at) == ("sent", line_id, NOW, LATER)


def test_what_has_come_down_is_not_landed_again(out: Outbox, line_id: int) -> None:
    part_id = out.sending(line_id)
    out.sent(part_id)
    assert out.land(part_id).state == "sent"


def test_a_part_is_marked_once(out: Outbox, line_id: int) -> None:
    part_id = out.sending(line_id)
    with pytest.raises(VerbFailed), out.conn.begin_nested():
        outbox.mark_sending(out.conn, [Sending(part_id, line_id)], NOW, HOST)
    assert out.land(part_id).state == "sending"


def test_a_part_that_was_left_in_the_air_is_not_forgotten_when_the_next_begins(out: Outbox, line_id: int) -> None:
    left = out.sending(line_id)
    next_ = out.sending(line_id)
    assert (out.part(left).state, out.part(left).line_id, out.part(left).submitted_at) == ("sending", line_id, NOW)
    assert in_the_air(out.conn) == {left, next_}


def test_many_marks_at_once_are_all_or_none(out: Outbox, line_id: int, other_line_id: int) -> None:
    for each in (line_id, other_line_id):
        out.sent(out.sending(each))
    out.queue(), out.queue()
    (one,), (other,) = out.claim(line_id), out.claim(other_line_id)
    outbox.release(out.conn, [other.message_id], NOW, HOST)
    both = [Sending(claim.open_parts[0].id, claim.line_id) for claim in (one, other)]
    with pytest.raises(VerbFailed), out.conn.begin_nested():
        outbox.mark_sending(out.conn, both, NOW, HOST)
    assert in_the_air(out.conn) == set()
    outbox.mark_sending(out.conn, both[:1], NOW, HOST)
    assert in_the_air(out.conn) == {both[0].part_id}


def test_rule_11_what_was_in_the_air_at_a_kill_is_in_doubt(out: Outbox, line_id: int) -> None:
    part_id = out.sending(line_id)
    assert leases.recover(out.conn, HOST, LATER) == leases.Returned(0, 1)
    row = out.part(part_id)
    assert (row.state, row.line_id, row.submitted_at) == ("in_doubt", line_id, NOW)


def test_what_is_in_the_air_is_not_given_back(out: Outbox, line_id: int) -> None:
    part_id = out.sending(line_id)
    outbox.release(out.conn, [out.part(part_id).message_id], NOW, HOST)
    assert out.of_part(part_id).claimed_by == HOST


def test_what_is_in_the_air_cannot_be_taken_back(out: Outbox, line_id: int) -> None:
    part_id = out.sending(line_id)
    message_id = out.part(part_id).message_id
    assert outbox.cancel(out.conn, [Skip(message_id, "by a person")], LATER) == ["sending"]
    assert out.part(part_id).state == "sending"
    assert out.sent(part_id) == "sent"


def test_a_part_that_returns_to_the_queue_is_no_longer_in_the_air(out: Outbox, line_id: int) -> None:
    part_id = out.sending(line_id)
    outbox.not_sent(out.conn, [part_id], NOW)
    assert in_the_air(out.conn) == set()
    (claim,) = out.claim(line_id)
    assert out.begin(claim) == part_id
    out.refused(part_id, retry_after=None)
    assert in_the_air(out.conn) == set()


def test_a_report_that_comes_before_the_answer_finds_its_part_in_the_air(out: Outbox, line_id: int) -> None:
    out.sent(out.sending(line_id), 6)
    part_id = out.sending(line_id)
    out.report(line_id, 7)
    assert out.part(part_id).state == "delivered"


def test_people_see_that_it_is_being_sent(out: Outbox, line_id: int) -> None:
    waiting, message_id = out.queue(), out.part(out.sending(line_id, priority=0)).message_id
    assert {row.id: row.state for row in listing.find(out.conn)} == {waiting: "queued", message_id: "sending"}
    assert [row.id for row in listing.find(out.conn, state="queued")] == [waiting]
    assert [row.id for row in listing.find(out.conn, state="sending")] == [message_id]
    counted = listing.open_counts(out.conn)
    assert (counted["queued"], counted["sending"]) == (1, 1)


def test_its_life_tells_line_and_time(out: Outbox, line_id: int) -> None:
    life = lives.of(out.conn, "mt", out.part(out.sending(line_id)).message_id)
    assert life is not None
    (only,) = life.parts
    assert (life.message.state, life.message.line) == ("sending", f"gsm{line_id}")
    assert (only.state, only.line, only.submitted_at) == ("sending", f"gsm{line_id}", NOW)


def test_a_restored_copy_has_nothing_in_the_air(out: Outbox, line_id: int) -> None:
    part_id = out.sending(line_id)
    snapshots.mark(out.conn, NOW, None)
    snapshots.take_over(out.conn, LATER)
    assert out.part(part_id).state == "in_doubt"
    assert out.conn.scalars(select(in_air.c.part_id)).all() == [None]
