"""The way of an SMS out, and that nothing leaves twice on it."""

from datetime import timedelta

import pytest
from sqlalchemy import Connection

from modemd.errors import VerbFailed
from modemd.store import outbox
from modemd.store.outbox import Sending, Sent, Skip
from tests.store.outbox_driver import HOST, NOW, PHONE, Outbox, compose, in_the_air

MINUTE = timedelta(minutes=1)


def test_a_message_gets_one_row_for_each_part(out: Outbox) -> None:
    message_id = out.queue(parts=3)
    assert [(row.number, row.state) for row in out.parts(message_id)] == [(1, "queued"), (2, "queued"), (3, "queued")]
    assert out.message(message_id).state == "queued"


def test_ids_come_in_the_order_of_the_messages(conn: Connection, out: Outbox) -> None:
    ids = outbox.enqueue(conn, [compose(text=str(number)) for number in range(2500)], NOW)
    assert [out.message(ids[number]).text for number in (0, 1, 999, 2499)] == ["0", "1", "999", "2499"]
    assert ids == sorted(ids)


def test_enqueueing_nothing_is_no_error(conn: Connection) -> None:
    assert outbox.enqueue(conn, [], NOW) == []


def test_an_external_id_is_taken_once(conn: Connection, out: Outbox) -> None:
    out.queue(external_id="notice-1")
    with pytest.raises(VerbFailed, match="notice-1"):
        out.queue(external_id="notice-1")
    with pytest.raises(VerbFailed, match="notice-2"):
        outbox.enqueue(conn, [compose(external_id="notice-2"), compose(external_id="notice-2")], NOW)


def test_rule_2_a_part_is_sending_with_its_line_and_time_before_ctrl_z(out: Outbox, line_id: int) -> None:
    part_id = out.sending(line_id)
    out.now += MINUTE
    row = out.land(part_id)
    assert (row.state, row.line_id, row.submitted_at) == ("sending", line_id, NOW)
    assert out.message(row.message_id).state == "sending"


def test_only_the_claim_s_holder_may_begin_a_message(out: Outbox, line_id: int, other_line_id: int) -> None:
    out.queue()
    (claim,) = out.claim(line_id)
    sending = Sending(claim.open_parts[0].id, line_id)
    for thief in [("gsm-host-2", sending), (HOST, Sending(sending.part_id, other_line_id))]:
        with pytest.raises(VerbFailed), out.conn.begin_nested():
            outbox.mark_sending(out.conn, [thief[1]], NOW, thief[0])
    outbox.mark_sending(out.conn, [sending], NOW, HOST)


def test_what_is_not_claimed_any_more_is_not_begun(out: Outbox, line_id: int) -> None:
    message_id = out.queue()
    (claim,) = out.claim(line_id)
    outbox.release(out.conn, [message_id], NOW, HOST)
    with pytest.raises(VerbFailed, match="claim"):
        out.begin(claim)


def test_a_part_is_begun_once(out: Outbox, line_id: int) -> None:
    out.queue()
    (claim,) = out.claim(line_id)
    out.begin(claim)
    with pytest.raises(VerbFailed):
        out.begin(claim)


def test_the_next_part_may_begin_in_the_round_that_settles_the_one_before(out: Outbox, line_id: int) -> None:
    message_id = out.queue(parts=2)
    (claim,) = out.claim(line_id)
    first, second = (Sending(each.id, line_id) for each in claim.open_parts)
    outbox.mark_sending(out.conn, [first], NOW, HOST)
    outbox.sent(out.conn, [Sent(first.part_id, 1, line_id=line_id)], NOW)
    outbox.mark_sending(out.conn, [second], NOW, HOST)
    outbox.follow_up(out.conn, [first.part_id], NOW)
    assert out.message(message_id).claimed_by == HOST
    assert out.sent(second.part_id, 2) == "sent"
    assert out.message(message_id).claimed_by is None


def test_one_turn_tells_what_became_of_the_part_before_and_begins_the_next(
    out: Outbox, line_id: int, other_line_id: int
) -> None:
    late, ended = out.sending(other_line_id), out.sending(line_id)
    out.doubt(late)
    out.queue()
    (claim,) = out.claim(line_id)
    begun = Sending(claim.open_parts[0].id, line_id)
    items = [begun, Sent(ended, 7, line_id=line_id), Sent(late, 9, line_id=other_line_id)]
    assert outbox.turn(out.conn, items, NOW, HOST) == [None] * 3
    assert [(out.part(each).state, out.part(each).reference) for each in (ended, late)] == [("sent", 7), ("sent", 9)]
    assert in_the_air(out.conn) == {begun.part_id}


def test_a_turn_that_may_not_begin_all_it_should_is_undone_as_a_whole(
    out: Outbox, line_id: int, other_line_id: int
) -> None:
    ended = out.sending(line_id)
    out.queue()
    (claim,) = out.claim(line_id)
    part_id = claim.open_parts[0].id
    items = [Sent(ended, 7, line_id=line_id), Sending(part_id, line_id), Sending(part_id, other_line_id)]
    for wrong in (items, [items[0], items[2]]):
        with pytest.raises(VerbFailed, match="claim"), out.conn.begin_nested():
            outbox.turn(out.conn, wrong, NOW, HOST)
    assert in_the_air(out.conn) == {ended}


def test_sent_keeps_the_reference_and_ends_the_claim(out: Outbox, line_id: int) -> None:
    part_id = out.sending(line_id)
    out.now += MINUTE
    assert out.sent(part_id, 77) == "sent"
    row, owner = out.part(part_id), out.of_part(part_id)
    assert (row.state, row.reference, row.sent_at) == ("sent", 77, NOW + MINUTE)
    assert (owner.state, owner.sent_at, owner.line_id, owner.claimed_by, owner.lease_until) == (
        "sent",
        NOW + MINUTE,
        line_id,
        None,
        None,
    )


def test_the_same_result_twice_changes_nothing(out: Outbox, line_id: int) -> None:
    part_id = out.sending(line_id)
    out.sent(part_id, 77)
    out.now += MINUTE
    assert out.sent(part_id, 99) == "sent"
    assert (out.part(part_id).reference, out.part(part_id).sent_at) == (77, NOW)


def test_many_results_at_once_reach_their_own_parts(out: Outbox, line_id: int, other_line_id: int) -> None:
    first, second = out.sending(line_id, parts=2), out.sending(other_line_id)
    outbox.sent(out.conn, [Sent(second, 9), Sent(first, 5)], NOW)
    outbox.follow_up(out.conn, [second, first], NOW)
    assert [out.part(each).reference for each in (first, second)] == [5, 9]
    assert [out.of_part(each).state for each in (first, second)] == ["queued", "sent"]


def test_the_expected_reference_follows_the_line_s_last_and_wraps(out: Outbox, line_id: int) -> None:
    first = out.sending(line_id)
    assert out.land(first).expected_reference is None
    out.sent(first, 254)
    second = out.sending(line_id)
    out.sent(second, 255)
    assert out.part(second).expected_reference == 255
    assert out.land(out.sending(line_id)).expected_reference == 0


def test_the_sender_knows_better_what_reference_comes_next(out: Outbox, line_id: int) -> None:
    out.sent(out.sending(line_id), 7)
    out.queue()
    (claim,) = out.claim(line_id)
    outbox.mark_sending(out.conn, [Sending(claim.open_parts[0].id, line_id, expected_reference=12)], NOW, HOST)
    assert out.land(claim.open_parts[0].id).expected_reference == 12


def test_what_follows_a_sent_part_may_wait_and_come_twice(out: Outbox, line_id: int) -> None:
    part_id = out.sending(line_id)
    outbox.sent(out.conn, [Sent(part_id, 7, line_id=line_id)], NOW)
    assert (out.part(part_id).state, out.of_part(part_id).state) == ("sent", "queued")
    for minutes in (1, 2):
        outbox.follow_up(out.conn, [part_id], NOW + minutes * MINUTE)
        owner = out.of_part(part_id)
        assert (owner.state, owner.state_at, owner.sent_at) == ("sent", NOW + MINUTE, NOW)


def test_a_message_that_waits_for_its_last_part_is_not_taken_for_sent(out: Outbox, line_id: int) -> None:
    message_id = out.queue(parts=2)
    (claim,) = out.claim(line_id)
    first = out.begin(claim)
    outbox.sent(out.conn, [Sent(first, 1)], NOW)
    outbox.mark_sending(out.conn, [Sending(claim.open_parts[1].id, line_id)], NOW, HOST)
    outbox.follow_up(out.conn, [first], NOW)
    assert (out.message(message_id).state, out.message(message_id).claimed_by) == ("queued", HOST)
    out.land(claim.open_parts[1].id)
    assert (out.message(message_id).state, out.message(message_id).claimed_by) == ("sending", HOST)


def test_a_long_message_keeps_its_claim_and_its_line_between_parts(out: Outbox, line_id: int) -> None:
    message_id = out.queue(parts=2)
    (claim,) = out.claim(line_id)
    out.begin(claim)
    assert out.sent(claim.open_parts[0].id, 1) == "queued"
    outbox.mark_sending(out.conn, [Sending(claim.open_parts[1].id, line_id)], NOW, HOST)
    assert out.sent(claim.open_parts[1].id, 2) == "sent"
    assert out.message(message_id).claimed_by is None


def test_an_interrupted_long_message_goes_on_with_the_rest_on_its_line(
    out: Outbox, line_id: int, other_line_id: int
) -> None:
    message_id = out.queue(parts=3)
    (claim,) = out.claim(line_id)
    out.sent(out.begin(claim))
    outbox.release(out.conn, [message_id], NOW, HOST)
    assert out.claim(other_line_id) == []
    (again,) = out.claim(line_id)
    assert [each.number for each in again.open_parts] == [2, 3]


def test_a_refusal_that_may_pass_is_tried_again_later_on_any_line(
    out: Outbox, line_id: int, other_line_id: int
) -> None:
    part_id = out.sending(line_id)
    assert out.refused(part_id, retry_after=MINUTE) == "queued"
    owner, row = out.of_part(part_id), out.part(part_id)
    assert (owner.attempts, owner.due, owner.not_before, owner.claimed_by) == (1, False, NOW + MINUTE, None)
    assert "network out of order" in owner.error
    assert (row.line_id, row.submitted_at, row.expected_reference) == (None, None, None)
    assert out.claim(other_line_id) == []


def test_a_refusal_without_a_pause_is_due_at_once(out: Outbox, line_id: int) -> None:
    part_id = out.sending(line_id)
    out.refused(part_id, retry_after=None)
    (again,) = out.claim(line_id)
    assert (again.attempts, again.open_parts[0].id) == (1, part_id)


@pytest.mark.parametrize(("permanent", "max_attempts"), [(True, 5), (False, 1)])
def test_a_permanent_refusal_and_the_last_attempt_end_it(
    out: Outbox, line_id: int, permanent: bool, max_attempts: int
) -> None:
    part_id = out.sending(line_id)
    assert out.refused(part_id, permanent=permanent, max_attempts=max_attempts) == "failed"
    assert out.of_part(part_id).claimed_by is None
    assert out.claim(line_id) == []


def test_what_was_certainly_not_sent_is_queued_without_counting_an_attempt(out: Outbox, line_id: int) -> None:
    part_id = out.sending(line_id)
    assert outbox.not_sent(out.conn, [part_id], NOW) == ["queued"]
    (again,) = out.claim(line_id)
    assert (again.attempts, out.part(part_id).submitted_at) == (0, None)


def test_doubt_takes_the_message_out_of_every_queue(out: Outbox, line_id: int) -> None:
    part_id = out.sending(line_id, parts=2)
    assert out.doubt(part_id) == "in_doubt"
    assert out.claim(line_id) == []
    assert out.part(part_id).submitted_at == NOW


def test_a_late_result_settles_doubt(out: Outbox, line_id: int) -> None:
    part_id = out.sending(line_id)
    out.doubt(part_id)
    assert out.sent(part_id, 3) == "sent"
    assert out.part(part_id).reference == 3


def test_a_late_refusal_settles_doubt(out: Outbox, line_id: int) -> None:
    part_id = out.sending(line_id)
    out.doubt(part_id)
    assert out.refused(part_id, retry_after=None) == "queued"


def test_a_late_result_does_not_move_the_line_s_reference_back(out: Outbox, line_id: int) -> None:
    doubtful = out.sending(line_id)
    out.doubt(doubtful)
    out.sent(out.sending(line_id), 12)
    out.sent(doubtful, 11)
    assert out.land(out.sending(line_id)).expected_reference == 13


def test_doubt_and_not_sent_come_too_late_for_what_is_sent(out: Outbox, line_id: int) -> None:
    part_id = out.sending(line_id)
    out.sent(part_id)
    assert out.doubt(part_id) == "sent"
    assert outbox.not_sent(out.conn, [part_id], NOW) == ["sent"]
    assert out.refused(part_id, permanent=True) == "sent"


def test_verbs_refuse_what_does_not_exist(out: Outbox, line_id: int) -> None:
    with pytest.raises(VerbFailed, match="there is no part 4711"):
        out.sent(4711)
    with pytest.raises(VerbFailed, match="there is no message 4711"):
        outbox.skip(out.conn, [Skip(4711, "paid")], NOW)


def test_release_leaves_alone_what_is_begun_or_another_s(out: Outbox, line_id: int) -> None:
    part_id = out.sending(line_id)
    message_id = out.part(part_id).message_id
    outbox.release(out.conn, [message_id], NOW, HOST)
    assert out.message(message_id).claimed_by == HOST
    other = out.queue()
    out.claim(line_id, host="gsm-host-2")
    outbox.release(out.conn, [other], NOW, HOST)
    assert out.message(other).claimed_by == "gsm-host-2"


def test_a_skipped_message_says_why_and_never_leaves(out: Outbox, line_id: int) -> None:
    message_id = out.queue(parts=2)
    out.claim(line_id)
    assert outbox.skip(out.conn, [Skip(message_id, "paid meanwhile")], NOW) == ["skipped"]
    assert out.message(message_id).error == "paid meanwhile"
    assert out.message(message_id).claimed_by is None
    assert out.claim(line_id) == []


def test_what_has_begun_is_not_skipped(out: Outbox, line_id: int) -> None:
    part_id = out.sending(line_id)
    assert outbox.skip(out.conn, [Skip(out.part(part_id).message_id, "paid")], NOW) == ["sending"]


def test_a_claim_carries_what_a_sender_needs(out: Outbox, line_id: int) -> None:
    message_id = out.queue(kind="reply", text="Смейтка", parts=2, priority=0)
    (claim,) = out.claim(line_id)
    assert (claim.message_id, claim.line_id, claim.kind, claim.recipient, claim.text, claim.parts) == (
        message_id,
        line_id,
        "reply",
        PHONE,
        "Смейтка",
        2,
    )
    assert (claim.priority, claim.expires_at, claim.attempts) == (0, NOW + timedelta(days=2), 0)
    assert [each.number for each in claim.open_parts] == [1, 2]
