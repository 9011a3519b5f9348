"""What the states of parts make of their message."""

import pytest

from modemd.errors import VerbFailed
from modemd.store.parts import MOVES, Work, derive, follow
from modemd.store.schema import MessageState, part
from tests.store.outbox_driver import HOST, Outbox

STATES = pytest.mark.parametrize(
    ("parts", "message"),
    [
        ("queued queued", "queued"),
        ("sent queued", "queued"),
        ("sending queued", "sending"),
        ("in_doubt sending", "sending"),
        ("in_doubt queued", "in_doubt"),
        ("held queued", "held"),
        ("held in_doubt", "in_doubt"),
        ("failed queued", "failed"),
        ("sent sent", "sent"),
        ("sent delivered", "sent"),
        ("delivered delivered", "delivered"),
        ("delivered undelivered", "undelivered"),
        ("expired undelivered", "undelivered"),
        ("delivered expired", "expired"),
        ("sent skipped", "skipped"),
    ],
)


@STATES
def test_a_message_is_in_the_state_that_matters_most(parts: str, message: str) -> None:
    states = [MessageState(word) for word in parts.split()]
    assert derive(states) == derive(states[::-1]) == message


@STATES
def test_a_message_that_follows_its_parts_gets_the_same_state(parts: str, message: str, out: Outbox) -> None:
    message_id = out.queue(parts=2)
    for row, state in zip(out.parts(message_id), parts.split(), strict=True):
        out.conn.execute(part.update().where(part.c.id == row.id).values(state=state))
    follow(out.conn, [out.parts(message_id)[1].id], out.now)
    assert out.message(message_id).state == message


def test_a_message_that_is_open_no_more_loses_its_claim(out: Outbox, line_id: int) -> None:
    message_id = out.queue(parts=2)
    out.claim(line_id)
    for state, claimed_by in (("sending", HOST), ("sent", None)):
        out.conn.execute(part.update().where(part.c.message_id == message_id).values(state=state))
        follow(out.conn, [out.parts(message_id)[0].id], out.now)
        assert out.message(message_id).claimed_by == claimed_by


def test_every_state_has_its_moves_and_a_message_of_one_part_is_as_its_part() -> None:
    assert set(MOVES) == set(MessageState)
    assert all(derive([state]) is state for state in MessageState)


def test_nothing_that_left_is_ever_queued_again() -> None:
    for state in ("sent", "delivered", "undelivered", "expired"):
        assert not MOVES[MessageState(state)] & {MessageState.QUEUED, MessageState.SENDING}


def test_a_move_that_is_none_is_refused(out: Outbox, line_id: int) -> None:
    part_id = out.sending(line_id)
    out.sent(part_id)
    work = Work(out.conn, parts=[part_id])
    with pytest.raises(VerbFailed, match="cannot go from sent to queued"):
        work.move(work.part(part_id), MessageState.QUEUED)


def test_a_row_that_vanished_is_noticed(out: Outbox, line_id: int) -> None:
    part_id = out.sending(line_id)
    out.sent(part_id)
    work = Work(out.conn, parts=[part_id])
    work.note(work.part(part_id), status=1)
    work.note(type(work.part(part_id))(4711, work.part(part_id).message, MessageState.SENT, None), status=1)
    with pytest.raises(VerbFailed, match="1 of 2 rows of part"):
        work.write(out.now)
