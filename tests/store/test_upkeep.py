"""What time does to messages."""

from datetime import timedelta

import pytest

from modemd.store import outbox, upkeep
from modemd.store.upkeep import DoubtPolicy, Settled
from tests.store.outbox_driver import HOST, NOW, Outbox

MINUTE = timedelta(minutes=1)
POLICIES = {"manual": DoubtPolicy(False, 10 * MINUTE), "otp": DoubtPolicy(True, 5 * MINUTE)}


def test_messages_become_due_in_time_and_the_next_one_is_told(out: Outbox, line_id: int) -> None:
    soon, later = out.queue(not_before=NOW + MINUTE), out.queue(not_before=NOW + 5 * MINUTE)
    assert upkeep.promote_due(out.conn, NOW) == NOW + MINUTE
    assert upkeep.promote_due(out.conn, NOW + MINUTE) == NOW + 5 * MINUTE
    assert out.claimed(line_id, count=5) == [soon]
    assert upkeep.promote_due(out.conn, NOW + 5 * MINUTE) is None
    assert out.claimed(line_id, count=5) == [later]


def test_what_nobody_took_in_time_expires(out: Outbox, line_id: int) -> None:
    stale, kept = out.queue(expires_at=NOW + MINUTE, parts=2), out.queue()
    assert upkeep.expire(out.conn, NOW) == 0
    assert upkeep.expire(out.conn, NOW + MINUTE) == 1
    assert (out.message(stale).state, out.message(kept).state) == ("expired", "queued")
    assert {row.state for row in out.parts(stale)} == {"expired"}


def test_what_is_claimed_or_sent_does_not_expire(out: Outbox, line_id: int) -> None:
    sent = out.sending(line_id, expires_at=NOW + MINUTE)
    out.sent(sent)
    out.queue(expires_at=NOW + MINUTE)
    out.claim(line_id)
    assert upkeep.expire(out.conn, NOW + 2 * MINUTE) == 0


def test_a_begun_long_message_that_expires_keeps_what_was_sent(out: Outbox, line_id: int) -> None:
    part_id = out.sending(line_id, parts=2, expires_at=NOW + MINUTE)
    out.sent(part_id)
    message_id = out.part(part_id).message_id
    outbox.release(out.conn, [message_id], NOW, HOST)
    upkeep.expire(out.conn, NOW + MINUTE)
    assert [row.state for row in out.parts(message_id)] == ["sent", "expired"]


def test_doubt_lasts_for_its_kind_s_time(out: Outbox, line_id: int) -> None:
    part_id = out.sending(line_id)
    out.doubt(part_id)
    assert upkeep.settle(out.conn, POLICIES, NOW + 9 * MINUTE) == Settled(0, 0)
    assert out.part(part_id).state == "in_doubt"


def test_a_kind_that_is_not_repeatable_is_held_for_a_person(out: Outbox, line_id: int) -> None:
    part_id = out.sending(line_id)
    out.doubt(part_id)
    assert upkeep.settle(out.conn, POLICIES, NOW + 10 * MINUTE) == Settled(repeated=0, held=1)
    assert (out.part(part_id).state, out.of_part(part_id).state) == ("held", "held")
    assert out.claim(line_id) == []


def test_a_repeatable_kind_is_sent_again_once(out: Outbox, line_id: int) -> None:
    part_id = out.sending(line_id, kind="otp")
    out.doubt(part_id)
    assert upkeep.settle(out.conn, POLICIES, NOW + 5 * MINUTE) == Settled(repeated=1, held=0)
    (again,) = out.claim(line_id)
    out.begin(again)
    out.doubt(part_id)
    assert upkeep.settle(out.conn, POLICIES, NOW + timedelta(days=1)) == Settled(repeated=0, held=1)


def test_doubt_of_a_kind_without_a_policy_stays(out: Outbox, line_id: int) -> None:
    out.doubt(out.sending(line_id, kind="api"))
    assert upkeep.settle(out.conn, POLICIES, NOW + timedelta(days=9)) == Settled(0, 0)


@pytest.mark.parametrize("policies", [{}, POLICIES])
def test_settling_nothing_is_no_error(out: Outbox, policies: dict[str, DoubtPolicy]) -> None:
    assert upkeep.settle(out.conn, policies, NOW) == Settled(0, 0)
