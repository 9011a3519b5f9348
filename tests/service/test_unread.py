"""The queue of texts that were not understood, and what people do with them."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from sqlalchemy import Engine, select

from modemd import audit
from modemd.config import Service, Settings
from modemd.errors import AnswerRefused, CannedRefused, NotUnread
from modemd.service import subscriptions, unread
from modemd.store import database as opening
from modemd.store import lines
from modemd.store.schema import inbox, message
from tests.service.desk import NOW, Desk

PHONE = "+359888000101"


def waiting(
    desk: Desk, number: str | None = PHONE, text: str | None = "kolko struva", *, replyable: bool = True
) -> int:
    """The id of a text that was not understood."""
    desk.ask(number, text, replyable=replyable)
    return unread.queue(desk.conn, desk.settings, limit=1000)[-1].id


def sent(desk: Desk) -> list[tuple[str, str, int]]:
    rows = desk.conn.execute(select(message.c.recipient, message.c.text, message.c.line_id).order_by(message.c.id))
    return [(row.recipient, row.text, row.line_id) for row in rows]


def test_the_queue_holds_what_was_not_understood_oldest_first(desk: Desk) -> None:
    first, second = waiting(desk), waiting(desk, text="🙂")
    desk.ask(PHONE, "help")
    found = unread.queue(desk.conn, desk.settings)
    assert [(each.id, each.text) for each in found] == [(first, "kolko struva"), (second, "🙂")]
    assert [each.id for each in unread.queue(desk.conn, desk.settings, limit=1)] == [first]
    assert [each.id for each in unread.queue(desk.conn, desk.settings, after=first)] == [second]


def test_an_answer_leaves_through_the_line_that_got_the_question(desk: Desk) -> None:
    other = lines.identify(desk.conn, lines.Sim("89359010000000000002", None), "host", "/dev/modem01", NOW, adopt=True)
    inbox_id = waiting(desk)
    [message_id] = unread.answer(desk.conn, [inbox_id], "Zdraveyte", "ivo", desk.settings, NOW)
    assert sent(desk) == [(PHONE, "Zdraveyte", desk.line_id)]
    assert other.id != desk.line_id
    reply = desk.conn.execute(select(message).where(message.c.id == message_id)).one()
    assert (reply.kind, reply.in_reply_to, reply.priority) == ("reply", inbox_id, 0)
    assert unread.queue(desk.conn, desk.settings) == []
    assert desk.conn.scalar(select(inbox.c.state)) == "done"


def test_of_two_people_the_second_is_told(desk: Desk) -> None:
    inbox_id = waiting(desk)
    unread.answer(desk.conn, [inbox_id], "Zdraveyte", "ivo", desk.settings, NOW)
    with pytest.raises(NotUnread, match="was answered by ivo meanwhile"):
        unread.answer(desk.conn, [inbox_id], "Dobar den", "eva", desk.settings, NOW)
    with pytest.raises(NotUnread, match="was answered by ivo meanwhile"):
        unread.drop(desk.conn, [inbox_id], "eva", NOW)
    assert len(sent(desk)) == 1


def test_of_two_people_at_the_same_moment_one_answers(database: Engine) -> None:
    with opening.writing(database) as conn:
        line = lines.identify(conn, lines.Sim("89359010000000000001", None), "host", "/dev/modem00", NOW, adopt=True)
        inbox_id = waiting(Desk(conn, line.id, Settings()))
    together = threading.Barrier(2)

    def answer(who: str) -> bool:
        together.wait()
        try:
            with opening.writing(database) as conn:
                unread.answer(conn, [inbox_id], f"Zdraveyte ot {who}", who, Settings(), NOW)
        except NotUnread:
            return False
        return True

    with ThreadPoolExecutor(2) as people:
        answered = list(people.map(answer, ["ivo", "eva"]))
    with opening.reading(database) as conn:
        assert len(conn.scalars(select(message.c.text)).all()) == sum(answered) == 1


def test_what_does_not_exist_or_was_understood_is_not_answered(desk: Desk) -> None:
    desk.ask(PHONE, "help")
    done = desk.conn.scalar(select(inbox.c.id))
    assert done is not None
    with pytest.raises(NotUnread, match="is done, and only an unread one"):
        unread.answer(desk.conn, [done], "Zdraveyte", "ivo", desk.settings, NOW)
    with pytest.raises(NotUnread, match="does not exist"):
        unread.drop(desk.conn, [999], "ivo", NOW)


@pytest.mark.parametrize("sender", ["170077", "A1 BG", None])
def test_short_codes_and_names_are_not_answered_by_hand_either(desk: Desk, sender: str | None) -> None:
    inbox_id = waiting(desk, sender)
    assert not unread.queue(desk.conn, desk.settings)[0].answerable
    with pytest.raises(AnswerRefused, match="takes no answer"):
        unread.answer(desk.conn, [inbox_id], "Zdraveyte", "ivo", desk.settings, NOW)
    with pytest.raises(AnswerRefused, match="takes no answer"):
        unread.answer_canned(desk.conn, [inbox_id], "no_power", "ivo", desk.settings, NOW)
    assert sent(desk) == []
    unread.drop(desk.conn, [inbox_id], "ivo", NOW)
    assert unread.queue(desk.conn, desk.settings) == []


def test_a_phone_marked_as_a_wrong_number_is_not_answered(desk: Desk) -> None:
    inbox_id = waiting(desk)
    subscriptions.mark_wrong_number(desk.conn, PHONE, "bg-Latn", "eva", NOW)
    with pytest.raises(AnswerRefused, match="marked as a wrong number"):
        unread.answer(desk.conn, [inbox_id], "Zdraveyte", "ivo", desk.settings, NOW)


def test_what_people_do_is_in_the_audit_log_without_texts_and_numbers(desk: Desk) -> None:
    texts = [waiting(desk) for _ in range(3)]
    unread.answer(desk.conn, texts[:1], "Zdraveyte", "ivo", desk.settings, NOW)
    unread.answer_canned(desk.conn, texts[1:2], "no_power", "ivo", desk.settings, NOW)
    unread.drop(desk.conn, texts[2:], "eva", NOW)
    assert [(entry.who, entry.action, entry.subject, entry.detail) for entry in audit.entries(desk.conn, 9)] == [
        ("eva", "unread.drop", f"text {texts[2]}", ""),
        ("ivo", "unread.answer", f"text {texts[1]}", "no_power"),
        ("ivo", "unread.answer", f"text {texts[0]}", "in own words"),
    ]


def test_a_sender_that_takes_no_reply_is_not_answered(desk: Desk) -> None:
    inbox_id = waiting(desk, replyable=False)
    with pytest.raises(AnswerRefused, match="takes no answer"):
        unread.answer(desk.conn, [inbox_id], "Zdraveyte", "ivo", desk.settings, NOW)


def test_answers_by_hand_count_against_the_limit_of_the_phone(desk: Desk) -> None:
    desk.settings = Settings(service=Service(answers_per_hour=1))
    first, second = waiting(desk), waiting(desk)
    unread.answer(desk.conn, [first], "Zdraveyte", "ivo", desk.settings, NOW)
    with pytest.raises(AnswerRefused, match="as many answers as it may get"), desk.conn.begin_nested():
        unread.answer(desk.conn, [second], "Zdraveyte", "ivo", desk.settings, NOW)
    assert [each.id for each in unread.queue(desk.conn, desk.settings)] == [second]
    later = NOW + timedelta(hours=2)
    unread.answer(desk.conn, [second], "Zdraveyte", "ivo", desk.settings, later)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("  ", "is empty"),
        ("Vizhte https://example.org/smetka", "holds a link"),
        ("Vizhte Example.bg/smetka", "holds a link"),
        ("a" * 307, "needs 3 parts, and 2 is the most"),
        ("ж" * 135, "needs 3 parts, and 2 is the most"),
    ],
)
def test_an_answer_that_may_not_leave_is_refused_and_the_text_waits_on(desk: Desk, text: str, reason: str) -> None:
    inbox_id = waiting(desk)
    with pytest.raises(AnswerRefused, match=reason):
        unread.answer(desk.conn, [inbox_id], text, "ivo", desk.settings, NOW)
    assert [each.id for each in unread.queue(desk.conn, desk.settings)] == [inbox_id]
    assert sent(desk) == []


def test_customer_numbers_are_masked_in_an_answer_and_phones_are_not(desk: Desk) -> None:
    unread.answer(desk.conn, [waiting(desk)], "Klient 300000000001, tel. +359888000101", "ivo", desk.settings, NOW)
    assert sent(desk)[0][1] == "Klient ***0001, tel. +359888000101"


@pytest.mark.parametrize("text", ["nyama tok", "НЯМА ТОК!!!", "zdraveyte, nqma tok ot sutrinta", "Имаме авария"])
def test_no_power_has_its_canned_answer_with_the_emergency_line(desk: Desk, text: str) -> None:
    inbox_id = waiting(desk, text=text)
    assert unread.queue(desk.conn, desk.settings)[0].canned == "no_power"
    unread.answer_canned(desk.conn, [inbox_id], "no_power", "ivo", desk.settings, NOW)
    assert "070010020" in sent(desk)[0][1]


def test_other_texts_have_no_canned_answer(desk: Desk) -> None:
    waiting(desk, text="koga shte ima tok")
    assert unread.queue(desk.conn, desk.settings)[0].canned is None


def test_a_canned_answer_speaks_the_language_of_the_phone(desk: Desk) -> None:
    desk.customers("300000000001")
    desk.register(PHONE, "300000000001", language="bg-Cyrl")
    unread.answer_canned(desk.conn, [waiting(desk)], "no_power", "ivo", desk.settings, NOW)
    assert sent(desk)[0][1].startswith("Електрохолд: за липса на ток")


def test_a_canned_answer_that_does_not_exist_is_refused_with_those_that_do(desk: Desk) -> None:
    inbox_id = waiting(desk)
    with pytest.raises(CannedRefused, match="there are no_power"):
        unread.answer_canned(desk.conn, [inbox_id], "no_water", "ivo", desk.settings, NOW)
    assert [each.id for each in unread.queue(desk.conn, desk.settings)] == [inbox_id]
