"""Spellings that people teach: what may be one, and what becomes of the texts that wait."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from modemd import audit
from modemd.errors import NotUnread, SpellingRefused
from modemd.service import router, spellings, unread
from modemd.store import inbox
from modemd.store.schema import inbox as inbox_table
from modemd.store.schema import message, phone
from tests.service.desk import NOW, Desk

PHONE = "+359888000101"
OTHER = "+359888000102"


def waiting(desk: Desk, text: str, number: str = PHONE) -> int:
    desk.ask(number, text)
    return unread.queue(desk.conn, desk.settings, limit=1000)[-1].id


def teach(desk: Desk, text: str, kind: str, words: str | None = None) -> spellings.Lesson:
    inbox_id = waiting(desk, text)
    return spellings.teach(desk.conn, inbox_id, kind, "ivo", desk.settings.service, desk.now, words)


def answer_what_waits(desk: Desk) -> None:
    """As the daemon does when it is woken."""
    for question in inbox.pending(desk.conn, 100):
        router.answer(desk.conn, question, desk.settings, desk.now)


def kind(desk: Desk, text: str) -> str:
    return spellings.read(desk.conn, text, desk.settings.service).kind


@pytest.mark.parametrize("keyword", ["bill", "stop", "help"])
def test_a_taught_spelling_is_read_as_its_keyword(desk: Desk, keyword: str) -> None:
    lesson = teach(desk, "Kolko dalzha?!", keyword)
    assert (lesson.words, lesson.kind) == ("kolko dalzha", keyword)
    assert [kind(desk, text) for text in ("KOLKO dalzha", "Zdr, kolko - dalzha?", "dalzha kolko", "kolko dalzhat")] == [
        keyword,
        keyword,
        "unknown",
        "unknown",
    ]


def test_only_the_words_that_matter_may_be_taught(desk: Desk) -> None:
    assert teach(desk, "Dobar den, fakturata molya", "bill", "fakturata").words == "fakturata"
    assert kind(desk, "fakturata") == "bill"
    assert kind(desk, "dobar den") == "unknown"


def test_the_text_is_answered_at_once_and_so_are_others_like_it(desk: Desk) -> None:
    other = waiting(desk, "FAKTURATA", OTHER)
    unlike = waiting(desk, "zdraveyte", OTHER)
    lesson = teach(desk, "fakturata", "bill")
    assert set(lesson.read_again) > {other}
    answer_what_waits(desk)
    answered = desk.conn.execute(select(message.c.recipient, message.c.text)).all()
    assert sorted(row.recipient for row in answered) == [PHONE, OTHER]
    assert all("ne e registriran" in row.text for row in answered)
    assert [each.id for each in unread.queue(desk.conn, desk.settings)] == [unlike]


def test_what_came_days_ago_is_not_answered_by_itself(desk: Desk) -> None:
    old = waiting(desk, "fakturata", OTHER)
    desk.now = NOW + timedelta(days=3)
    lesson = teach(desk, "fakturata", "bill")
    assert old not in lesson.read_again
    assert [each.id for each in unread.queue(desk.conn, desk.settings)] == [old]


def test_a_taught_stop_stops_the_phone_that_wrote_it(desk: Desk) -> None:
    teach(desk, "ne mi pishete", "stop")
    answer_what_waits(desk)
    assert desk.conn.scalar(select(phone.c.stopped_at).where(phone.c.number == PHONE)) == NOW
    assert kind(desk, "smetka, no ne mi pishete") == "stop"


@pytest.mark.parametrize("keyword", ["bill", "help"])
@pytest.mark.parametrize("words", ["stp", "stopp", "sto", "otkas", "spry i", "OTPISVAN", "стп", "molya tsop"])
def test_what_may_mean_stop_never_becomes_something_else(desk: Desk, words: str, keyword: str) -> None:
    inbox_id = waiting(desk, "zdraveyte")
    desk.conn.execute(inbox_table.update().where(inbox_table.c.id == inbox_id).values(text=words))
    with pytest.raises(SpellingRefused, match=r"one letter away from STOP|is read as stop already"):
        spellings.teach(desk.conn, inbox_id, keyword, "ivo", desk.settings.service, NOW)
    assert spellings.known(desk.conn) == {}


def test_a_stop_word_is_not_taught_as_a_bill_check(desk: Desk) -> None:
    inbox_id = waiting(desk, "zdraveyte")
    for text in ("STOP", "smetka stop", "spri", "отказ"):
        desk.conn.execute(inbox_table.update().where(inbox_table.c.id == inbox_id).values(text=text))
        with pytest.raises(SpellingRefused, match="is read as stop already"):
            spellings.teach(desk.conn, inbox_id, "bill", "ivo", desk.settings.service, NOW)


@pytest.mark.parametrize(
    ("text", "kind", "reason"),
    [
        ("Elektrohold stava li, 300000000001", "bill", "holds a customer number"),
        ("??? 12 34", "bill", "fewer than 3 letters"),
        ("da", "stop", "fewer than 3 letters"),
        ("🙂", "help", "fewer than 3 letters"),
        ("kolko pari dalzha " * 4, "bill", "more than 64 characters"),
        ("fakturata", "number", "a keyword is one of bill, stop, help"),
    ],
)
def test_what_is_no_spelling_is_refused(desk: Desk, text: str, kind: str, reason: str) -> None:
    with pytest.raises(SpellingRefused, match=reason):
        teach(desk, text, kind)
    assert spellings.known(desk.conn) == {}


def test_words_that_another_keyword_reads_are_refused(desk: Desk) -> None:
    inbox_id = waiting(desk, "zdraveyte")
    desk.conn.execute(inbox_table.update().where(inbox_table.c.id == inbox_id).values(text="smetka molya"))
    with pytest.raises(SpellingRefused, match="is read as bill already"):
        spellings.teach(desk.conn, inbox_id, "help", "ivo", desk.settings.service, NOW)


def test_a_spelling_that_was_taught_is_not_taught_as_another_keyword(desk: Desk) -> None:
    later = waiting(desk, "zdraveyte, fakturata", OTHER)
    teach(desk, "fakturata", "bill")
    desk.conn.execute(inbox_table.update().where(inbox_table.c.id == later).values(state="unread"))
    with pytest.raises(SpellingRefused, match="is read as bill already"):
        spellings.teach(desk.conn, later, "help", "ivo", desk.settings.service, NOW)


def test_a_spelling_may_not_take_one_that_was_taught_before(desk: Desk) -> None:
    later = waiting(desk, "pratete", OTHER)
    teach(desk, "pratete fakturata", "bill")
    with pytest.raises(SpellingRefused, match="'pratete fakturata' would no longer be read as bill"):
        spellings.teach(desk.conn, later, "stop", "ivo", desk.settings.service, NOW)


def test_words_that_do_not_stand_in_the_text_are_refused(desk: Desk) -> None:
    with pytest.raises(SpellingRefused, match="do not stand in the text"):
        teach(desk, "fakturata molya", "bill", "dalzha")


def test_an_answer_of_ours_that_came_back_teaches_nothing(desk: Desk) -> None:
    [ours] = desk.ask(OTHER, "help")
    with pytest.raises(SpellingRefused, match="an answer of ours"):
        teach(desk, ours, "bill", "prashtame linkove")


def test_a_text_that_was_decided_teaches_nothing(desk: Desk) -> None:
    inbox_id = waiting(desk, "fakturata")
    unread.drop(desk.conn, [inbox_id], "eva", NOW)
    with pytest.raises(NotUnread, match="was dropped by eva"):
        spellings.teach(desk.conn, inbox_id, "bill", "ivo", desk.settings.service, NOW)


def test_a_spelling_can_be_taken_back(desk: Desk) -> None:
    teach(desk, "fakturata", "bill")
    assert spellings.forget(desk.conn, "Fakturata!", "eva", NOW) == "fakturata"
    assert kind(desk, "fakturata") == "unknown"
    assert [(entry.who, entry.action, entry.subject, entry.detail) for entry in audit.entries(desk.conn, 9)] == [
        ("eva", "spelling.forget", "fakturata", ""),
        ("ivo", "spelling.teach", "fakturata", "bill"),
    ]
    with pytest.raises(SpellingRefused, match="nobody taught it"):
        spellings.forget(desk.conn, "fakturata", "eva", NOW)
