"""What is held is a person's to decide, once, and nothing else is."""

from datetime import timedelta

import pytest
from sqlalchemy import Connection

from modemd.errors import NotHeld
from modemd.store import doubt, outbox, upkeep
from modemd.store.outbox import Sending
from modemd.store.upkeep import DoubtPolicy
from tests.store.outbox_driver import HOST, NOW, Outbox

VALIDITY = {"manual": timedelta(hours=48)}
LONG = timedelta(days=3)


def hold(out: Outbox, line_id: int) -> int:
    """A message that is held; returns the id of its part."""
    part_id = out.sending(line_id)
    out.doubt(part_id)
    upkeep.settle(out.conn, {"manual": DoubtPolicy(repeatable=False, patience=timedelta())}, out.now)
    assert out.of_part(part_id).state == "held"
    return part_id


def test_resend_queues_it_once_more_for_its_whole_validity(out: Outbox, line_id: int, other_line_id: int) -> None:
    part_id = hold(out, line_id)
    message_id = out.of_part(part_id).id
    out.now = NOW + LONG
    doubt.resend(out.conn, [message_id], out.now, VALIDITY)
    stored = out.message(message_id)
    assert (stored.state, stored.repeats, stored.expires_at) == ("queued", 1, out.now + VALIDITY["manual"])
    assert out.claimed(other_line_id) == [message_id]


def test_a_late_report_still_settles_what_has_not_left_again(out: Outbox, line_id: int) -> None:
    part_id = hold(out, line_id)
    doubt.resend(out.conn, [out.of_part(part_id).id], out.now, VALIDITY)
    out.report(line_id, reference=1)
    assert out.of_part(part_id).state == "delivered"
    assert out.claim(line_id) == []


def test_drop_leaves_it_as_it_is(out: Outbox, line_id: int) -> None:
    part_id = hold(out, line_id)
    doubt.drop(out.conn, [out.of_part(part_id).id], out.now)
    assert out.of_part(part_id).state == "cancelled"
    assert out.claim(line_id) == []
    assert out.sent(part_id) == "cancelled"  # a late +CMGS changes it no more


def test_only_the_part_that_is_held_is_sent_again(out: Outbox, line_id: int) -> None:
    message_id = out.queue(parts=2)
    (claim,) = out.claim(line_id)
    out.sent(out.begin(claim))
    second = claim.open_parts[1].id
    outbox.mark_sending(out.conn, [Sending(second, line_id)], out.now, HOST)
    out.doubt(second)
    upkeep.settle(out.conn, {"manual": DoubtPolicy(repeatable=False, patience=timedelta())}, out.now)
    doubt.resend(out.conn, [message_id], out.now, VALIDITY)
    (again,) = out.claim(line_id)
    assert [each.id for each in again.open_parts] == [second]


@pytest.mark.parametrize("decide", [lambda *given: doubt.resend(*given, VALIDITY), doubt.drop])
def test_what_is_not_held_is_refused_and_nothing_is_changed(out: Outbox, line_id: int, decide: object) -> None:
    held = out.of_part(hold(out, line_id)).id
    doubtful = out.of_part(_in_doubt(out, line_id)).id
    for other, why in ((out.queue(), "queued"), (doubtful, "in_doubt"), (4711, "unknown")):
        with pytest.raises(NotHeld, match=why):
            decide(out.conn, [held, other], out.now)  # type: ignore[operator]
        assert out.message(held).state == "held"


def test_a_decision_is_taken_once(out: Outbox, line_id: int) -> None:
    message_id = out.of_part(hold(out, line_id)).id
    doubt.resend(out.conn, [message_id], out.now, VALIDITY)
    with pytest.raises(NotHeld, match="queued"):
        doubt.drop(out.conn, [message_id], out.now)


def test_it_may_be_decided_for_many_at_once(out: Outbox, line_id: int, conn: Connection) -> None:
    ids = [out.of_part(hold(out, line_id)).id for _ in range(3)]
    doubt.resend(conn, [*ids, ids[0]], out.now, VALIDITY)
    assert {out.message(each).state for each in ids} == {"queued"}


def _in_doubt(out: Outbox, line_id: int) -> int:
    part_id = out.sending(line_id)
    out.doubt(part_id)
    return part_id
