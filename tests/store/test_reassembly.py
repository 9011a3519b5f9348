"""Long messages come together from parts in any order, and only from their own parts."""

import itertools
from datetime import datetime, timedelta

import pytest
from sqlalchemy import Connection, Engine, select

from modemd.messages import Concatenation, ReceivedSms
from modemd.store import database as opening
from modemd.store import inbox, reassembly
from modemd.store import schema as tables
from modemd.store.inbox import Question
from tests.store.outbox_driver import NOW

MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
_pdus = itertools.count()


def part(
    number: int,
    text: str | None,
    *,
    total: int = 3,
    reference: int = 7,
    at: datetime | None = NOW,
    sender: str | None = "+359888000001",
    pdu: str | None = None,
) -> ReceivedSms:
    """One part with a PDU of its own."""
    return ReceivedSms(
        pdu=pdu or f"00{next(_pdus):08x}",
        storage="SM",
        index=number,
        received_at=at or NOW,
        number=sender,
        replyable=sender is not None,
        text=text,
        smsc_time=at,
        concatenation=Concatenation(reference, total, number),
    )


def record(conn: Connection, line_id: int, *parts: ReceivedSms) -> list[int | None]:
    return [each.inbox_id for each in inbox.record(conn, line_id, parts, NOW)]


def texts(conn: Connection) -> list[str | None]:
    return [question.text for question in inbox.pending(conn, 100)]


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
def test_parts_in_any_order_make_one_message(conn: Connection, line_id: int, order: tuple[int, ...]) -> None:
    parts = [part(1, "sme"), part(2, "tka "), part(3, "molya")]
    ids = record(conn, line_id, *(parts[index] for index in order))
    assert ids[:2] == [None, None]
    assert ids[2] is not None
    (question,) = inbox.pending(conn, 10)
    assert question == Question(ids[2], line_id, "+359888000001", True, "smetka molya", NOW, True)
    assert conn.scalar(select(tables.inbox.c.parts)) == 3


def test_a_message_said_to_be_long_with_one_part_is_complete(conn: Connection, line_id: int) -> None:
    record(conn, line_id, part(1, "smetka", total=1))
    assert texts(conn) == ["smetka"]


def test_parts_wait_through_a_restart(database: Engine, make_line: object) -> None:
    with opening.writing(database) as conn:
        line_id = make_line(conn, 0)  # type: ignore[operator]
        record(conn, line_id, part(2, "tka", total=2))
    database.dispose()
    with opening.writing(database) as conn:
        record(conn, line_id, part(1, "sme", total=2))
        assert texts(conn) == ["smetka"]


@pytest.mark.parametrize(
    "other", [{"sender": "+359888000002"}, {"sender": None}, {"reference": 8}, {"total": 3}, {"at": NOW + 2 * HOUR}]
)
def test_parts_of_different_messages_do_not_mix(conn: Connection, line_id: int, other: dict[str, object]) -> None:
    fields = {"total": 2, **other}
    record(conn, line_id, part(2, "shka", **fields), part(1, "sme", total=2))  # type: ignore[arg-type]
    assert texts(conn) == []


def test_parts_on_different_lines_do_not_mix(conn: Connection, line_id: int, other_line_id: int) -> None:
    record(conn, line_id, part(1, "sme", total=2))
    record(conn, other_line_id, part(2, "tka", total=2))
    assert texts(conn) == []


def test_a_sender_without_a_number_can_write_long_messages(conn: Connection, line_id: int) -> None:
    record(conn, line_id, part(1, "sme", total=2, sender=None), part(2, "tka", total=2, sender=None))
    assert texts(conn) == ["smetka"]


def test_one_reference_used_for_ever_makes_each_message_from_its_own_parts(conn: Connection, line_id: int) -> None:
    later = NOW + 10 * MINUTE
    record(conn, line_id, part(1, "A1", total=2), part(1, "B1", total=2, at=later))
    record(conn, line_id, part(2, "B2", total=2, at=later), part(2, "A2", total=2))
    assert sorted(texts(conn), key=str) == ["A1A2", "B1B2"]


def test_a_part_sent_again_under_another_stamp_is_dropped_while_the_others_are_awaited(
    conn: Connection, line_id: int
) -> None:
    record(conn, line_id, part(1, "sme", total=2))
    (again,) = inbox.record(conn, line_id, [part(1, "sme", total=2, at=NOW + 5 * MINUTE)], NOW)
    assert again.duplicate
    record(conn, line_id, part(2, "tka", total=2))
    assert texts(conn) == ["smetka"]


def test_a_part_sent_again_just_after_the_message_was_complete_is_dropped(conn: Connection, line_id: int) -> None:
    record(conn, line_id, part(1, "sme", total=2), part(2, "tka", total=2))
    (again,) = inbox.record(conn, line_id, [part(2, "tka", total=2, at=NOW + MINUTE)], NOW)
    assert again.duplicate


def test_the_same_long_question_a_while_later_is_a_new_one(conn: Connection, line_id: int) -> None:
    for at in (NOW, NOW + 10 * MINUTE):
        record(conn, line_id, part(1, "sme", total=2, at=at), part(2, "tka", total=2, at=at))
    assert texts(conn) == ["smetka", "smetka"]


def test_the_same_part_read_twice_is_recorded_once(conn: Connection, line_id: int) -> None:
    one = part(1, "sme", total=2)
    first, second = inbox.record(conn, line_id, [one, one], NOW)
    assert (first.duplicate, second.duplicate) == (False, True)


def test_parts_without_readable_stamps_go_by_when_they_were_read(conn: Connection, line_id: int) -> None:
    record(conn, line_id, part(1, "sme", total=2, at=None), part(2, "tka", total=2, at=None))
    assert texts(conn) == ["smetka"]


def test_after_a_time_a_message_is_read_as_it_is(conn: Connection, line_id: int) -> None:
    record(conn, line_id, part(1, "smetka ", total=4), part(4, "blagodarya", total=4, at=NOW + MINUTE))
    assert reassembly.give_up(conn, NOW + MINUTE) == []
    (inbox_id,) = reassembly.give_up(conn, NOW + 2 * MINUTE)
    (question,) = inbox.pending(conn, 10)
    assert (question.id, question.text, question.complete) == (inbox_id, "smetka  … blagodarya", False)
    assert reassembly.give_up(conn, NOW + HOUR) == []


def test_giving_up_keeps_messages_with_one_reference_apart(conn: Connection, line_id: int) -> None:
    record(conn, line_id, part(1, "A", total=3), part(1, "B", total=3, at=NOW + 10 * MINUTE))
    record(conn, line_id, part(2, "C", total=3, at=NOW + 3 * HOUR))
    assert len(reassembly.give_up(conn, NOW + 4 * HOUR)) == 3
    assert texts(conn) == ["A … ", "B … ", " … C … "]


def test_a_part_whose_text_cannot_be_read_does_not_stop_the_others(conn: Connection, line_id: int) -> None:
    record(conn, line_id, part(1, None, total=2), part(2, "tka", total=2))
    assert texts(conn) == ["tka"]


def test_a_long_message_of_data_has_no_text(conn: Connection, line_id: int) -> None:
    record(conn, line_id, part(1, None, total=2), part(2, None, total=2))
    assert texts(conn) == [None]


def test_a_part_number_beyond_the_total_blocks_nothing(conn: Connection, line_id: int) -> None:
    record(conn, line_id, part(9, "x", total=2), part(1, "sme", total=2), part(2, "tka", total=2))
    assert texts(conn) == ["smetka"]
    assert len(reassembly.give_up(conn, NOW + HOUR)) == 1
