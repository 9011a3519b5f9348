import logging
from collections.abc import Callable
from datetime import date, timedelta

import pytest
from sqlalchemy import select

from modemd.config import Service, Settings
from modemd.errors import VerbFailed
from modemd.service import router
from modemd.store.schema import inbox, message, phone
from tests.service.desk import NOW, Desk

PHONE = "+359888000101"
DUE = date(2026, 12, 9)


def state(desk: Desk) -> tuple[str, str | None]:
    """Of the newest question."""
    found = desk.conn.execute(select(inbox.c.state, inbox.c.kind).order_by(inbox.c.id.desc()).limit(1)).one()
    return found.state, found.kind


@pytest.mark.parametrize(
    ("text", "kind", "begins"),
    [
        ("help", "help", "Elektrohold: za smetka izpratete SMETKA"),
        ("300000000001", "number", "Elektrohold: klientski nomer ne se registrira s SMS. Registratsia: portal"),
        ("STOP", "stop", "Elektrohold: SMS izvestiyata za tozi nomer sa spreni na 23.11.2026."),
        ("smetka", "bill", "Elektrohold: tozi nomer ne e registriran za SMS uslugi."),
    ],
)
def test_each_keyword_has_its_answer(desk: Desk, text: str, kind: str, begins: str) -> None:
    [reply] = desk.ask("+359888000199", text)
    assert reply.startswith(begins)
    assert state(desk) == ("done", kind)


@pytest.mark.parametrize("text", ["nyama tok", "", None, "🙂"])
def test_what_is_not_understood_waits_for_a_person_and_gets_no_reply(desk: Desk, text: str | None) -> None:
    assert desk.ask(PHONE, text) == []
    assert state(desk) == ("unread", "unknown")


def test_a_reply_leaves_through_the_line_that_received_the_question(desk: Desk, billed: Callable[..., str]) -> None:
    desk.ask(billed((3791, DUE)), "smetka")
    reply = desk.conn.execute(select(message)).one()
    assert reply.line_id == desk.line_id
    assert (reply.kind, reply.recipient, reply.parts) == ("reply", PHONE, 1)


def test_a_reply_has_the_priority_and_validity_of_its_kind(desk: Desk) -> None:
    desk.settings = Settings.model_validate({"kinds": {"reply": {"priority": 3, "validity_hours": 2}}})
    desk.ask(PHONE, "help")
    reply = desk.conn.execute(select(message)).one()
    assert (reply.priority, reply.expires_at) == (3, NOW + timedelta(hours=2))


def test_a_reply_of_two_parts_says_so(desk: Desk) -> None:
    desk.settings = Settings(service=Service(language="bg-Cyrl"))
    desk.ask(PHONE, "help")
    assert desk.conn.scalar(select(message.c.parts)) == 2


def test_a_question_answered_before_is_not_answered_again(desk: Desk) -> None:
    question = desk.receive(PHONE, "help")
    router.answer(desk.conn, question, desk.settings, NOW)
    with pytest.raises(VerbFailed), desk.conn.begin_nested():
        router.answer(desk.conn, question, desk.settings, NOW)
    assert len(desk.conn.execute(select(message)).all()) == 1


@pytest.mark.parametrize("sender", ["170077", "12345", "A1 BG", "", None])
def test_nothing_answers_short_codes_and_names(desk: Desk, sender: str | None) -> None:
    assert desk.ask(sender, "smetka") == []
    assert state(desk) == ("done", "bill")


def test_nothing_answers_a_sender_that_cannot_be_replied_to(desk: Desk) -> None:
    assert desk.ask("+359888000199", "help", replyable=False) == []
    assert state(desk) == ("done", "help")


def test_a_name_that_says_stop_is_no_phone_to_remember(desk: Desk) -> None:
    assert desk.ask("A1 BG", "STOP") == []
    assert desk.conn.execute(select(phone)).all() == []


def test_nothing_answers_one_phone_more_often_than_its_limits(desk: Desk) -> None:
    desk.settings = Settings(service=Service(answers_per_hour=3, answers_per_day=5))

    def answers(questions: int) -> int:
        return sum(len(desk.ask("+359888000199", "help")) for _ in range(questions))

    assert answers(5) == 3
    desk.now += timedelta(minutes=61)
    assert answers(5) == 2
    assert len(desk.ask("+359888000198", "help")) == 1
    desk.now += timedelta(days=1)
    assert answers(5) == 3


def test_the_limit_is_of_the_phone_however_the_network_writes_it(desk: Desk) -> None:
    desk.settings = Settings(service=Service(answers_per_hour=1))
    assert len(desk.ask("0888000199", "help")) == 1
    assert desk.ask("+359888000199", "help") == []


def test_a_phone_over_its_limit_can_still_stop(desk: Desk) -> None:
    desk.settings = Settings(service=Service(answers_per_hour=1))
    desk.ask(PHONE, "help")
    assert desk.ask(PHONE, "STOP") == []
    assert desk.conn.scalar(select(phone.c.stopped_at)) == NOW
    assert state(desk) == ("done", "stop")


def test_foreign_phones_are_answered(desk: Desk) -> None:
    assert len(desk.ask("+4915112345678", "help")) == 1


def test_a_bulgarian_number_in_national_form_is_the_same_phone(desk: Desk, billed: Callable[..., str]) -> None:
    billed((3791, DUE))
    assert "37,91 EUR" in desk.ask("0888000101", "smetka")[0]
    assert desk.conn.scalar(select(message.c.recipient)) == PHONE


def test_stop_is_confirmed_once_and_the_bill_check_stays(desk: Desk, billed: Callable[..., str]) -> None:
    phone_number = billed((3791, DUE))
    assert [len(desk.ask(phone_number, "STOP")) for _ in range(3)] == [1, 0, 0]
    assert "37,91 EUR" in desk.ask(phone_number, "smetka")[0]


def test_the_language_of_a_phone_holds_for_every_answer(desk: Desk, billed: Callable[..., str]) -> None:
    phone_number = billed((3791, DUE), language="bg-Cyrl")
    assert desk.ask(phone_number, "help")[0].startswith("Електрохолд: за сметка изпратете")
    assert desk.ask("+359888000199", "help")[0].startswith("Elektrohold: za smetka")


def test_the_stop_names_the_day_in_sofia(desk: Desk) -> None:
    desk.now = NOW.replace(hour=22, minute=30)
    assert "spreni na 24.11.2026" in desk.ask(PHONE, "STOP")[0]


def test_no_number_and_no_text_is_logged(desk: Desk, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, "modemd.service")
    desk.ask(PHONE, "smetka 300000000001 tajna")
    assert caplog.text
    assert not [secret for secret in ("888000101", "300000000001", "tajna") if secret in caplog.text]


@pytest.mark.parametrize("language", ["bg-Latn", "bg-Cyrl", "en"])
@pytest.mark.parametrize("text", ["help", "smetka", "STOP", "300000000001"])
def test_an_answer_of_ours_that_comes_back_is_not_answered(
    desk: Desk, billed: Callable[..., str], text: str, language: str
) -> None:
    phone_number = billed((3791, DUE), language=language)
    [answer] = desk.ask(phone_number, text)
    assert desk.ask(phone_number, f" {answer}") == []
    assert state(desk) == ("unread", "unknown")


def test_a_person_may_quote_us_after_the_stop(desk: Desk) -> None:
    [answer] = desk.ask(PHONE, "help")
    desk.ask(PHONE, f"STOP\n> {answer}")
    assert state(desk) == ("done", "stop")
