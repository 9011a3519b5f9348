"""Each thing that happens to a message is one line of the log, once it is committed."""

import asyncio
import logging
from datetime import datetime, timedelta

import pytest
from sqlalchemy import Connection, Engine

from modemd.errors import VerbFailed
from modemd.messages import ReceivedSms
from modemd.store import database as opening
from modemd.store import events, inbox, intake, lines, outbox
from modemd.store.ledger import Ledger
from modemd.store.lines import Sim
from modemd.store.outbox import Refused, Sending, Sent, Want
from modemd.store.schema import InboxState
from tests.store.outbox_driver import HOST, LEASE, NOW, compose


@pytest.fixture
def told(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    caplog.set_level(logging.INFO, logger=events.__name__)
    return caplog


def lines_of(told: pytest.LogCaptureFixture) -> list[str]:
    said = [line for each in told.records if each.name == events.__name__ for line in each.getMessage().split("\n")]
    told.clear()
    return said


def test_the_way_of_a_message_and_its_answer(database: Engine, told: pytest.LogCaptureFixture) -> None:
    with opening.writing(database) as conn:
        line = lines.identify(conn, Sim("89359010000000001", None), HOST, "p1", NOW, adopt=True).id
        sms = ReceivedSms("00", None, None, NOW, "+359888111001", True, "smetka")
        (recorded,) = inbox.record(conn, line, [sms], NOW)
        assert recorded.inbox_id is not None
        assert lines_of(told) == []
        (message,) = outbox.enqueue(conn, [compose(kind="reply", in_reply_to=recorded.inbox_id)], NOW)
        inbox.done(conn, recorded.inbox_id, InboxState.DONE, "bill", NOW)
    assert lines_of(told) == [
        f"event=received inbox={recorded.inbox_id} line={line}",
        f"event=queued message={message} kind=reply inbox={recorded.inbox_id}",
        f"event=done inbox={recorded.inbox_id} kind=bill",
    ]
    with opening.writing(database) as conn:
        ((claim,),) = outbox.claim(conn, [Want(line, 1)], NOW, HOST, LEASE)
        part = claim.open_parts[0].id
        outbox.mark_sending(conn, [Sending(part, line, None, message)], NOW, HOST)
        outbox.sent(conn, [Sent(part, 91, message, line)], NOW)
    assert lines_of(told) == [
        f"event=sending message={message} part={part} line={line}",
        f"event=sent message={message} part={part} reference=91",
    ]


def test_an_answer_that_comes_late_is_told_once(database: Engine, told: pytest.LogCaptureFixture) -> None:
    with opening.writing(database) as conn:
        line = lines.identify(conn, Sim("89359010000000001", None), HOST, "p1", NOW, adopt=True).id
        (message,) = outbox.enqueue(conn, [compose()], NOW)
        ((claim,),) = outbox.claim(conn, [Want(line, 1)], NOW, HOST, LEASE)
        part = claim.open_parts[0].id
        outbox.mark_sending(conn, [Sending(part, line, None, message)], NOW, HOST)
        outbox.doubt(conn, [part], NOW)
    lines_of(told)
    with opening.writing(database) as conn:
        outbox.sent(conn, [Sent(part, 91)], NOW)
    assert lines_of(told) == [f"event=sent message={message} part={part} reference=91"]


@pytest.mark.parametrize("verb", ["doubt", "refuse", "fail", "expire"])
def test_what_else_becomes_of_a_part(database: Engine, told: pytest.LogCaptureFixture, verb: str) -> None:
    with opening.writing(database) as conn:
        line = lines.identify(conn, Sim("89359010000000001", None), HOST, "p1", NOW, adopt=True).id
        (message,) = outbox.enqueue(conn, [compose()], NOW)
        ((claim,),) = outbox.claim(conn, [Want(line, 1)], NOW, HOST, LEASE)
        part = claim.open_parts[0].id
        if verb != "expire":
            outbox.mark_sending(conn, [Sending(part, line)], NOW, HOST)
    lines_of(told)
    with opening.writing(database) as conn:
        if verb == "doubt":
            outbox.doubt(conn, [part], NOW)
        elif verb == "expire":
            outbox.expire_messages(conn, [message], NOW)
        else:
            outbox.refused(conn, [Refused(part, "no", verb == "fail", None, 9)], NOW)
    state = {"doubt": "in_doubt", "refuse": "queued", "fail": "failed", "expire": "expired"}[verb]
    assert lines_of(told) == [f"event={state} message={message} part={part}"]


def test_what_is_rolled_back_is_not_told(database: Engine, told: pytest.LogCaptureFixture) -> None:
    def queue(conn: Connection) -> None:
        outbox.enqueue(conn, [compose()], NOW)

    def fail(conn: Connection) -> None:
        queue(conn)
        raise VerbFailed(reason="on purpose")

    async def scene() -> None:
        ledger = Ledger(database, lambda: NOW)
        await ledger.start()
        done, failed = ledger.do(queue), ledger.do(fail)  # one round, run again item by item
        await done
        with pytest.raises(VerbFailed):
            await failed
        await ledger.close()

    asyncio.run(scene())
    assert len(lines_of(told)) == 1
    with pytest.raises(VerbFailed), opening.writing(database) as conn:
        fail(conn)
    assert lines_of(told) == []


def test_many_that_are_queued_at_once_are_one_line(database: Engine, told: pytest.LogCaptureFixture) -> None:
    ids = intake.enqueue_all(database, [compose()] * 11, NOW)
    assert lines_of(told) == [f"event=queued messages={ids[0]}-{ids[-1]} count=11 kind=manual"]
    with opening.writing(database) as conn:
        outbox.enqueue(conn, [compose()] * 10, NOW)
    assert len(lines_of(told)) == 10


def test_nothing_is_noted_that_nobody_reads(conn: Connection, told: pytest.LogCaptureFixture) -> None:
    told.set_level(logging.WARNING, logger=events.__name__)
    outbox.enqueue(conn, [compose()], datetime.now(NOW.tzinfo) + timedelta())
    assert events.taken(conn) == ()
