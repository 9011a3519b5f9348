from datetime import timedelta

from sqlalchemy import Connection

from modemd.messages import ReceivedSms
from modemd.store import answers, inbox, outbox
from modemd.store.outbox import NewMessage, Sending, Sent, Want
from modemd.store.schema import message
from tests.store.outbox_driver import HOST, LEASE, NOW


def ask(conn: Connection, line_id: int, number: int) -> int:
    sms = ReceivedSms(f"00{number:08x}", "SM", 1, NOW, f"+35988{number:07}", True, "smetka", None, NOW)
    (recorded,) = inbox.record(conn, line_id, [sms], NOW)
    assert recorded.inbox_id is not None
    new = NewMessage(
        "reply", f"+35988{number:07}", "x", 1, 0, NOW + LEASE * 100, line_id, in_reply_to=recorded.inbox_id
    )
    return outbox.enqueue(conn, [new], NOW)[0]


def test_each_question_is_measured_from_its_arrival_until_its_answer_is_out(conn: Connection, line_id: int) -> None:
    ask(conn, line_id, 1)
    ask(conn, line_id, 2)
    ((claim,),) = outbox.claim(conn, [Want(line_id, 1)], NOW, HOST, LEASE)
    at = NOW + timedelta(seconds=4)
    outbox.mark_sending(conn, [Sending(claim.open_parts[0].id, line_id)], at, HOST)
    outbox.sent(conn, [Sent(claim.open_parts[0].id, 1)], at)
    outbox.follow_up(conn, [claim.open_parts[0].id], at)
    assert sorted(answers.waited(conn, NOW, NOW + timedelta(seconds=9))) == [4.0, 9.0]  # the second waits still


def test_what_came_before_or_will_never_be_answered_does_not_count(conn: Connection, line_id: int) -> None:
    skipped = ask(conn, line_id, 1)
    outbox.skip(conn, [outbox.Skip(skipped, "no")], NOW)
    ask(conn, line_id, 2)
    assert answers.waited(conn, NOW, NOW + timedelta(seconds=9)) == [9.0]
    assert answers.waited(conn, NOW + timedelta(seconds=1), NOW + timedelta(seconds=9)) == []
    conn.execute(message.update().values(in_reply_to=None))
    assert answers.waited(conn, NOW, NOW + timedelta(seconds=9)) == []
