"""Customers are found and registered at the desk; texts are written, measured and answered."""

import pytest
from sqlalchemy import select

from modemd import audit
from modemd.service import consent, subscriptions
from modemd.store.schema import Channel, inbox, message, phone
from tests.panels import RunningPanel, Visitor
from tests.web import billing

NUMBER = "300000000001"
PHONE = "+359880000001"


@pytest.fixture
def operator(panel: RunningPanel) -> Visitor:
    """Over a panel with a modem and two customers, each with a phone and an invoice."""
    panel.start_daemon()
    panel.add_modem(1, name="A1 first")
    billing.debtors(panel, 2)
    return panel.signed_in("operator")


def actions(panel: RunningPanel) -> list[str]:
    with panel.writing() as conn:
        return [each.action for each in audit.entries(conn, 10)]


def sent(panel: RunningPanel) -> list[tuple[str, str, str]]:
    with panel.writing() as conn:
        query = select(message.c.recipient, message.c.kind, message.c.text).order_by(message.c.id)
        return [tuple(row) for row in conn.execute(query)]


# finding and seeing


@pytest.mark.parametrize("term", [NUMBER, "0880 000 001", PHONE])
def test_a_customer_is_found_by_number_and_phone(operator: Visitor, term: str) -> None:
    response = operator.post("/customers/", {"term": term}, form_at="/customers/")
    assert response.headers["Location"] == f"/customers/{NUMBER}"


def test_a_metering_point_with_two_customers_lists_both(panel: RunningPanel, operator: Visitor) -> None:
    billing.give_point(panel)
    page = operator.post("/customers/", {"term": billing.POINT}, form_at="/customers/").text
    assert NUMBER in page
    assert "300000000002" in page


def test_nobody_is_found_and_it_is_said(operator: Visitor) -> None:
    assert "Няма намерени" in operator.post("/customers/", {"term": "399999999999"}, form_at="/customers/").text
    assert operator.get("/customers/399999999999").status_code == 404


def test_the_page_shows_services_consent_and_invoices_with_masked_phones(operator: Visitor) -> None:
    page = operator.page(f"/customers/{NUMBER}")
    for shown in ("+35988•••001", "112,40", "проверка на сметка", "Съгласия"):
        assert shown in page
    assert PHONE not in page


def test_who_registered_is_not_named_where_nobody_is(panel: RunningPanel, operator: Visitor) -> None:
    page = operator.page(f"/customers/{NUMBER}")
    assert "от администратора" in page
    assert "command" not in page


def test_a_customer_who_ends_it_is_not_named_in_english(panel: RunningPanel, operator: Visitor) -> None:
    with panel.writing() as conn:
        subscriptions.subscribe(
            conn, PHONE, [NUMBER], ["reminder"], "bg-Latn", Channel.PASSWORD, consent.CUSTOMER, None, panel.now
        )
        subscriptions.stop(conn, PHONE, "bg-Latn", panel.now)
    page = operator.page(f"/customers/{NUMBER}")
    assert "портал с парола, клиент → STOP от телефона, клиент</small>" in page


def test_technicians_see_no_amounts_and_register_nobody(panel: RunningPanel, operator: Visitor) -> None:
    page = panel.signed_in("technician", "ivan").page(f"/customers/{NUMBER}")
    assert "112,40" not in page
    assert "/desk/" not in page


def test_a_registration_is_ended_and_a_phone_marked(panel: RunningPanel, operator: Visitor) -> None:
    path = f"/customers/{NUMBER}"
    operator.post(f"{path}/phone/0/end", form_at=path)
    assert "Няма регистриран телефон" in operator.page(path)
    operator.post("/customers/300000000002/phone/0/wrong", form_at=path)
    with panel.writing() as conn:
        marked = conn.scalars(select(phone.c.number).where(phone.c.wrong_number_at.is_not(None))).all()
    assert marked == ["+359880000002"]
    assert {"phone.end", "phone.wrong"} <= set(actions(panel))


def test_the_messages_of_a_phone_are_a_click_away(panel: RunningPanel, operator: Visitor) -> None:
    path = f"/customers/{NUMBER}/phone/0/conversation"
    operator.post(path, form_at="/customers/")
    assert "още няма съобщения" in operator.page(f"/customers/{NUMBER}")
    panel.queue(recipient=PHONE)
    assert operator.post(path, form_at="/customers/").headers["Location"] == "/messages/mt/1/phone"


# writing


def write(visitor: Visitor, do: str, to: str = "0888 000 101", text: str = "Zdravey") -> str:
    return visitor.post("/write/", {"to": to, "text": text, "do": do}, form_at="/write/").text


def test_many_are_written_to_and_each_once(panel: RunningPanel, operator: Visitor) -> None:
    write(operator, "send", to="0888 000 101, 0888000102;+359888000101\n170077")
    assert [to for to, _, _ in sent(panel)] == ["+359888000101", "+359888000102", "170077"]
    assert "message.write" in actions(panel)


def test_one_wrong_recipient_keeps_all_back_and_is_named(panel: RunningPanel, operator: Visitor) -> None:
    assert "hello" in write(operator, "send", to="0888 000 101, hello")
    assert sent(panel) == []


@pytest.mark.parametrize("do", ["check", "latin", ""])
def test_only_the_button_to_send_sends(panel: RunningPanel, operator: Visitor, do: str) -> None:
    write(operator, do, text="Здравей")
    assert sent(panel) == []


def test_what_forces_cyrillic_is_shown_and_one_click_makes_it_latin(operator: Visitor) -> None:
    page = write(operator, "check", text="Щастие €")
    assert "<mark>Щ</mark>" in page
    assert "<mark>€</mark>" not in page
    assert "кирилица (UCS-2)" in page
    latin = write(operator, "latin", text="Щастие €")
    assert "Shtastie" in latin
    assert "латиница (GSM 7 бита)" in latin


def test_an_empty_page_complains_of_nothing(operator: Visitor) -> None:
    assert "а най-много са 10" not in operator.page("/write/")
    assert "а най-много са 10" in write(operator, "check", text="я" * 1500)


def test_the_figures_come_while_typing(operator: Visitor) -> None:
    fields = {"to": "0888000101,0888000101,x", "text": "я" * 71}
    measured = operator.post("/write/measure", fields, form_at="/write/").text
    assert "<html" not in measured
    assert "1, 1 повторен" in measured
    assert ">2 <small>" in measured


def test_what_still_fits_is_said_of_a_text_that_can_be_sent_alone(operator: Visitor) -> None:
    def measured(text: str) -> str:
        return operator.post("/write/measure", {"text": text}, form_at="/write/").text

    assert "остават 159 знака" in measured("a")
    assert "остават 69 знака" in measured("я")
    assert "остава 1 знак<" in measured("я" * 69)
    for unsendable in ("", "я" * 1500):
        assert "знака" not in measured(unsendable)
    assert "знака" not in operator.page("/write/")


# texts that were not understood


def unread(panel: RunningPanel, text: str) -> int:
    question = panel.receive(1, text, PHONE)
    panel.answer(question, "unread", "unknown")
    return question


def settle(visitor: Visitor, question: int, do: str, **fields: str) -> None:
    visitor.post("/messages/unread", {"id": str(question), "do": do, **fields}, form_at="/messages/queue/unread")


def state(panel: RunningPanel, question: int) -> str | None:
    with panel.writing() as conn:
        return conn.scalar(select(inbox.c.state).where(inbox.c.id == question))


def test_a_text_is_answered_in_own_words_or_with_a_ready_answer_or_left(panel: RunningPanel, operator: Visitor) -> None:
    first, second, third = (unread(panel, text) for text in ("koga shte doyde tok", "nyama tok", "blagodarya"))
    settle(operator, first, "answer", text="Tokat se vrashta v 16:00. Info 070010010")
    settle(operator, second, "canned", canned="no_power")
    settle(operator, third, "drop")
    assert [state(panel, each) for each in (first, second, third)] == ["done"] * 3
    assert [(to, kind) for to, kind, _ in sent(panel)] == [(PHONE, "reply")] * 2
    assert {"unread.answer", "unread.drop"} <= set(actions(panel))


def test_an_answer_that_may_not_be_changes_nothing_and_says_why(panel: RunningPanel, operator: Visitor) -> None:
    question = unread(panel, "kolko dalzha")
    settle(operator, question, "answer", text="see http://example.com")
    assert state(panel, question) == "unread"
    assert "Не беше изпълнено" in operator.page("/messages/queue/unread")


def test_a_spelling_is_taught(panel: RunningPanel, operator: Visitor) -> None:
    question = unread(panel, "kolko imam da plashtam")
    settle(operator, question, "teach", kind="bill")
    assert state(panel, question) == "new"
    assert "spelling.teach" in actions(panel)


def test_a_technician_answers_nobody(panel: RunningPanel, operator: Visitor) -> None:
    question = unread(panel, "kolko dalzha")
    technician = panel.signed_in("technician", "ivan")
    assert "Отговори" not in technician.page("/messages/queue/unread")
    assert technician.post("/messages/unread", {"id": str(question), "do": "drop"}, form_at="/").status_code == 403
