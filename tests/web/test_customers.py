"""Customers are found and registered at the desk; texts are written, measured and answered."""

import re
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import select

from modemd import audit
from modemd.service import identities
from modemd.store.schema import customer, inbox, message, phone
from tests.panels import RunningPanel, Visitor
from tests.service.authority import EGN
from tests.web import billing
from web.panel import EXTENSION

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


def test_technicians_see_no_amounts_and_register_nobody(panel: RunningPanel, operator: Visitor) -> None:
    page = panel.signed_in("technician", "ivan").page(f"/customers/{NUMBER}")
    assert "112,40" not in page
    assert "Регистрация на място" not in page


# the desk


WANTED = {"phone": "0888 000 199", "services": "reminder", "language": "bg-Latn"}


def test_a_phone_is_active_only_after_its_code_was_read_out(panel: RunningPanel, operator: Visitor) -> None:
    path = f"/customers/{NUMBER}"
    answer = operator.post(f"{path}/register", WANTED, form_at=path)
    assert "pending=1" in answer.headers["Location"]
    ((to, kind, text),) = sent(panel)
    assert (to, kind) == ("+359888000199", "otp")
    digits = re.search(r"\d{6}", text)
    assert digits
    assert digits[0] not in operator.page(f"{path}?pending=1")
    wrong = f"{(int(digits[0]) + 1) % 1_000_000:06}"
    operator.post(f"{path}/confirm/1", {"code": wrong}, form_at=f"{path}?pending=1")
    assert "Кодът не е верен" in operator.page(f"{path}?pending=1")
    with panel.writing() as conn:
        assert conn.scalar(select(phone.c.number).where(phone.c.number == to)) is None
    operator.post(f"{path}/confirm/1", {"code": digits[0]}, form_at=f"{path}?pending=1")
    assert "Телефонът е регистриран" in operator.page(path)
    assert "+35988•••199" in operator.page(path)


def test_nobody_confirms_what_somebody_else_began(panel: RunningPanel, operator: Visitor) -> None:
    path = f"/customers/{NUMBER}"
    operator.post(f"{path}/register", WANTED, form_at=path)
    digits = re.search(r"\d{6}", sent(panel)[0][2])
    assert digits
    other = panel.signed_in("operator", "boris")
    assert "Изпратен е код" not in other.page(f"{path}?pending=1")
    other.post(f"{path}/confirm/1", {"code": digits[0]}, form_at=path)
    assert "+35988•••199" not in other.page(path)


@pytest.mark.parametrize("fields", [{"phone": "x"}, {"services": ""}, {"phone": "02 9876543"}])
def test_a_registration_that_cannot_be_sends_no_code(
    panel: RunningPanel, operator: Visitor, fields: dict[str, str]
) -> None:
    operator.post(f"/customers/{NUMBER}/register", {**WANTED, **fields}, form_at=f"/customers/{NUMBER}")
    assert sent(panel) == []


def test_a_registration_is_ended_and_a_phone_marked(panel: RunningPanel, operator: Visitor) -> None:
    path = f"/customers/{NUMBER}"
    operator.post(f"{path}/phone/0/end", form_at=path)
    assert "Няма регистриран телефон" in operator.page(path)
    operator.post("/customers/300000000002/phone/0/wrong", form_at=path)
    with panel.writing() as conn:
        marked = conn.scalars(select(phone.c.number).where(phone.c.wrong_number_at.is_not(None))).all()
    assert marked == ["+359880000002"]
    assert {"phone.end", "phone.wrong"} <= set(actions(panel))


def test_a_password_for_the_portal_is_shown_once(panel: RunningPanel, operator: Visitor) -> None:
    path = f"/customers/{NUMBER}"
    page = operator.post(f"{path}/account", form_at=path).text
    name, password = re.findall(r'<code class="password">([^<]+)</code>', page)
    assert password not in operator.page(path)
    assert name in operator.page(path)
    assert "account.hand-out" in actions(panel)


def test_without_the_key_no_document_is_compared(operator: Visitor) -> None:
    path = f"/customers/{NUMBER}"
    operator.post(f"{path}/identity", {"number": "7501010010"}, form_at=path)
    assert "Не е зададен ключ" in operator.page(path)


@pytest.fixture
def document(panel: RunningPanel, tmp_path: Path) -> str:
    """Of the customer, with the key under which billing gives it."""
    (tmp_path / "identity").write_text("i" * 32)
    service = panel.settings.service.model_copy(update={"identity_key_file": tmp_path / "identity"})
    settings = panel.settings.model_copy(update={"service": service})
    panel.app.extensions[EXTENSION] = replace(panel.app.extensions[EXTENSION], settings=settings)
    with panel.writing() as conn:
        mine = customer.update().where(customer.c.customer_no == NUMBER)
        conn.execute(mine.values(identity=identities.of_person(EGN, b"i" * 32)))
    return EGN


def test_a_document_fits_its_customer_alone_and_is_kept_nowhere(
    panel: RunningPanel, operator: Visitor, document: str
) -> None:
    for path, shown in ((f"/customers/{NUMBER}", "Документът съвпада"), ("/customers/300000000002", "не съвпада")):
        operator.post(f"{path}/identity", {"number": document}, form_at=path)
        page = operator.page(path)
        assert shown in page
        assert document not in page
    with panel.writing() as conn:
        assert not any(document in str(entry) for entry in audit.entries(conn, 10))


def test_nobody_finds_a_number_out_by_trying(operator: Visitor, document: str) -> None:
    path = f"/customers/{NUMBER}"
    for _ in range(5):
        operator.post(f"{path}/identity", {"number": "8032056031"}, form_at=path)
    operator.page(path)
    operator.post(f"{path}/identity", {"number": document}, form_at=path)
    page = operator.page(path)
    assert "Изчакайте един час" in page
    assert "Документът съвпада" not in page


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
