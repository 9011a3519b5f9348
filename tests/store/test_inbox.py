"""What was received is kept once and answered once."""

from datetime import timedelta

import pytest
from sqlalchemy import Connection, Engine, select

from modemd.errors import VerbFailed
from modemd.messages import Concatenation, ReceivedSms
from modemd.store import database as opening
from modemd.store import inbox, outbox
from modemd.store import schema as tables
from modemd.store.inbox import Recorded
from modemd.store.schema import InboxState
from tests.store.outbox_driver import NOW, compose

TPDU = "040c9153988800000000006211320100000006f3367d0e"


def received(text: str | None = "smetka", **fields: object) -> ReceivedSms:
    given = {
        "pdu": "0791538988000000" + TPDU,
        "storage": "SM",
        "index": 1,
        "received_at": NOW,
        "number": "+359888000001",
        "replyable": True,
        "text": text,
        "smsc_time": NOW - timedelta(seconds=4),
    }
    return ReceivedSms(**{**given, **fields})  # type: ignore[arg-type]


def record(conn: Connection, line_id: int, *sms: ReceivedSms) -> list[Recorded]:
    return inbox.record(conn, line_id, sms, NOW)


def test_rule_1_an_sms_is_kept_with_all_that_was_read_from_it(conn: Connection, line_id: int) -> None:
    (recorded,) = record(conn, line_id, received())
    row = conn.execute(select(tables.inbox)).one()
    assert (row.id, row.line_id, row.number, row.replyable, row.text) == (
        recorded.inbox_id,
        line_id,
        "+359888000001",
        True,
        "smetka",
    )
    assert (row.state, row.parts, row.complete, row.received_at) == ("new", 1, True, NOW)
    part = conn.execute(select(tables.inbox_part)).one()
    assert (part.inbox_id, part.pdu) == (recorded.inbox_id, received().pdu)


@pytest.mark.parametrize(
    "again",
    [
        {},
        {"index": 7},
        {"storage": None, "index": None},
        {"received_at": NOW + timedelta(days=1)},
        {"pdu": "00" + TPDU},
        {"pdu": "0791538988000000" + TPDU.upper()},
    ],
    ids=["the same", "other place", "direct", "next day", "no SMSC prefix", "upper case"],
)
def test_rule_1_reading_an_sms_twice_records_it_once(conn: Connection, line_id: int, again: dict[str, object]) -> None:
    first, second = *record(conn, line_id, received()), *record(conn, line_id, received(**again))
    assert (first.duplicate, second) == (False, Recorded(None, duplicate=True))
    assert len(inbox.pending(conn, 10)) == 1


def test_reading_twice_in_one_listing_records_once(conn: Connection, line_id: int) -> None:
    assert [each.duplicate for each in record(conn, line_id, received(), received())] == [False, True]


def test_the_same_sms_on_another_line_is_another(conn: Connection, line_id: int, other_line_id: int) -> None:
    record(conn, line_id, received())
    assert not record(conn, other_line_id, received())[0].duplicate


def test_without_a_time_stamp_the_place_tells_which_sms_it_is(conn: Connection, line_id: int) -> None:
    stampless = [received(smsc_time=None, index=index) for index in (1, 1, 2)]
    assert [each.duplicate for each in record(conn, line_id, *stampless)] == [False, True, False]


def test_a_place_that_was_emptied_may_hold_a_new_sms_that_looks_the_same(conn: Connection, line_id: int) -> None:
    record(conn, line_id, received(smsc_time=None))
    inbox.deleted(conn, line_id, [received(smsc_time=None)])
    assert not record(conn, line_id, received(smsc_time=None))[0].duplicate


def test_deleting_does_not_forget_an_sms_with_a_time_stamp(conn: Connection, line_id: int) -> None:
    record(conn, line_id, received())
    inbox.deleted(conn, line_id, [received()])
    assert record(conn, line_id, received())[0].duplicate


def test_without_stamp_and_place_each_one_counts(conn: Connection, line_id: int) -> None:
    direct = received(smsc_time=None, storage=None, index=None)
    assert [each.duplicate for each in record(conn, line_id, direct, direct)] == [False, False]


@pytest.mark.parametrize("pdu", ["", "0", "zz", "ff0011"])
def test_rule_6_an_undecodable_pdu_is_kept_raw_and_blocks_nothing(conn: Connection, line_id: int, pdu: str) -> None:
    broken = received(None, pdu=pdu, number=None, replyable=False, smsc_time=None, error="it ends in mid-field")
    recorded = record(conn, line_id, broken, received())
    row = conn.execute(select(tables.inbox).where(tables.inbox.c.id == recorded[0].inbox_id)).one()
    assert (row.state, row.error, row.number) == ("unreadable", "it ends in mid-field", None)
    assert [question.id for question in inbox.pending(conn, 10)] == [recorded[1].inbox_id]
    assert record(conn, line_id, broken)[0].duplicate


def test_a_message_of_data_is_kept(conn: Connection, line_id: int) -> None:
    record(conn, line_id, received(None, data=b"\x00\xff"))
    assert conn.scalar(select(tables.inbox_part.c.data)) == b"\x00\xff"


def test_questions_come_oldest_first_and_no_more_than_asked_for(conn: Connection, line_id: int) -> None:
    ids = [record(conn, line_id, received(pdu=f"00{n:02x}"))[0].inbox_id for n in range(3)]
    assert [question.id for question in inbox.pending(conn, 2)] == ids[:2]


def test_only_what_waits_for_an_answer_is_a_question(conn: Connection, line_id: int) -> None:
    ids = [record(conn, line_id, received(pdu=f"00{n:02x}"))[0].inbox_id or 0 for n in range(3)]
    inbox.done(conn, ids[0], InboxState.DONE, "bill", NOW)
    assert [question.id for question in inbox.waiting(conn, ids[:2])] == ids[1:2]
    assert inbox.waiting(conn, []) == []


def test_done_says_what_the_question_was(conn: Connection, line_id: int) -> None:
    inbox_id = record(conn, line_id, received())[0].inbox_id or 0
    inbox.done(conn, inbox_id, InboxState.UNREAD, "unknown", NOW)
    row = conn.execute(select(tables.inbox)).one()
    assert (row.state, row.kind, row.done_at) == ("unread", "unknown", NOW)


def test_rule_3_an_answer_is_never_given_twice(database: Engine, make_line: object) -> None:
    with opening.writing(database) as conn:
        line_id = make_line(conn, 0)  # type: ignore[operator]
        inbox_id = record(conn, line_id, received())[0].inbox_id or 0

    def answer() -> None:
        with opening.writing(database) as conn:
            outbox.enqueue(conn, [compose(kind="reply", line_id=line_id, in_reply_to=inbox_id)], NOW)
            inbox.done(conn, inbox_id, InboxState.DONE, "bill", NOW)

    answer()
    with pytest.raises(VerbFailed, match="has its answer already"):
        answer()
    with opening.reading(database) as conn:
        assert len(conn.execute(select(tables.message)).all()) == 1


def test_a_part_with_an_error_is_not_held_back_for_others(conn: Connection, line_id: int) -> None:
    broken = received(None, error="cut short", concatenation=Concatenation(1, 2, 1))
    assert record(conn, line_id, broken)[0].inbox_id is not None
