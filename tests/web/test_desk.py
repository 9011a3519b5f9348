"""The page of the customer centre: each step after the one before, and what is typed is kept nowhere."""

import re
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import select

from modemd import audit
from modemd.service import identities
from modemd.store.schema import account, customer, message, phone
from tests.panels import RunningPanel, Visitor
from tests.service.authority import EGN
from tests.web import billing
from web.panel import EXTENSION

NUMBER, UNTOLD = "300000000001", "300000000002"
DESK, OTHER_DESK = f"/customers/{NUMBER}/desk/", f"/customers/{UNTOLD}/desk/"
WANTED = {"phone": "0888 000 199", "services": "reminder", "language": "bg-Latn"}


@pytest.fixture
def operator(panel: RunningPanel, tmp_path: Path) -> Visitor:
    """Over a panel with two customers, of whom billing has told one's ЕГН; and with its key."""
    panel.start_daemon()
    panel.add_modem(1, name="A1 first")
    billing.debtors(panel, 2)
    (tmp_path / "identity").write_text("i" * 32)
    service = panel.settings.service.model_copy(update={"identity_key_file": tmp_path / "identity"})
    settings = panel.settings.model_copy(update={"service": service})
    panel.app.extensions[EXTENSION] = replace(panel.app.extensions[EXTENSION], settings=settings)
    with panel.writing() as conn:
        mine = customer.update().where(customer.c.customer_no == NUMBER)
        conn.execute(mine.values(identity=identities.of_person(EGN, b"i" * 32)))
    return panel.signed_in("operator")


def sent(panel: RunningPanel) -> list[tuple[str, str, str]]:
    with panel.writing() as conn:
        query = select(message.c.recipient, message.c.kind, message.c.text).order_by(message.c.id)
        return [tuple(row) for row in conn.execute(query)]


def compare(operator: Visitor, typed: str = EGN, desk: str = DESK) -> str:
    """The page that follows."""
    operator.post(f"{desk}identity", {"number": typed}, form_at=desk)
    return operator.page(desk)


def code(panel: RunningPanel) -> str:
    found = re.search(r"\d{6}", sent(panel)[-1][2])
    assert found
    return found[0]


def register(operator: Visitor) -> str:
    """Ask for a code; returns where it is typed in."""
    where = operator.post(f"{DESK}register", WANTED, form_at=DESK).headers["Location"]
    assert "pending=1" in where
    return where


def test_a_document_fits_its_customer_alone_and_is_kept_nowhere(panel: RunningPanel, operator: Visitor) -> None:
    answer = compare(operator, "8032056031")
    assert "не съвпада" in answer
    assert "ако е вярно, не регистрирайте нищо" in answer
    page = compare(operator)
    assert "Документът съвпада" in page
    assert EGN not in page
    with panel.writing() as conn:
        assert not any(EGN in str(entry) for entry in audit.entries(conn, 10))


def test_before_that_there_is_no_field_for_a_phone_and_no_password(operator: Visitor) -> None:
    page = operator.page(DESK)
    assert 'name="phone"' not in page
    assert "/desk/account" not in page
    page = compare(operator)
    assert 'name="phone"' in page
    assert "/desk/account" in page


def test_posting_past_the_document_does_nothing(panel: RunningPanel, operator: Visitor) -> None:
    """And past somebody else's comparison, or another customer's, likewise."""
    compare(operator)
    for visitor, desk in ((panel.signed_in("operator", "boris"), DESK), (operator, OTHER_DESK)):
        visitor.post(f"{desk}register", WANTED, form_at=desk)
        visitor.post(f"{desk}account", form_at=desk)
        assert "Първо сравнете документа" in visitor.page(desk)
    assert sent(panel) == []
    with panel.writing() as conn:
        assert conn.scalar(select(account.c.id)) is None


def test_a_mistyped_number_is_called_so(operator: Visitor) -> None:
    assert "сгрешена е цифра" in compare(operator, EGN[:9] + str((int(EGN[9]) + 1) % 10))


def test_nobody_finds_a_number_out_by_trying(operator: Visitor) -> None:
    for _ in range(5):
        compare(operator, "8032056031")
    page = compare(operator)
    assert "Изчакайте един час" in page
    assert "Документът съвпада" not in page


def test_without_the_key_no_document_is_compared(panel: RunningPanel, operator: Visitor) -> None:
    panel.app.extensions[EXTENSION] = replace(panel.app.extensions[EXTENSION], settings=panel.settings)
    assert "Не е зададен ключ" in compare(operator)


def test_where_billing_told_no_number_the_operator_answers_for_the_document(
    panel: RunningPanel, operator: Visitor
) -> None:
    page = operator.page(OTHER_DESK)
    assert 'name="number"' not in page
    operator.post(f"{OTHER_DESK}vouch", form_at=OTHER_DESK)
    assert 'name="phone"' in operator.page(OTHER_DESK)
    operator.post(f"{DESK}vouch", form_at=DESK)
    assert 'name="phone"' not in operator.page(DESK)
    with panel.writing() as conn:
        assert [each.action for each in audit.entries(conn, 10)].count("customer.vouch") == 1


def test_a_phone_is_active_only_after_its_code_was_read_out(panel: RunningPanel, operator: Visitor) -> None:
    compare(operator)
    where = register(operator)
    ((to, kind, _),) = sent(panel)
    assert (to, kind) == ("+359888000199", "otp")
    page = operator.page(where)
    assert code(panel) not in page
    assert "Титуляр съм или съм упълномощен" in page
    wrong = f"{(int(code(panel)) + 1) % 1_000_000:06}"
    operator.post(f"{DESK}confirm/1", {"code": wrong}, form_at=where)
    assert "Кодът не е верен" in operator.page(where)
    with panel.writing() as conn:
        assert conn.scalar(select(phone.c.number).where(phone.c.number == to)) is None
    operator.post(f"{DESK}confirm/1", {"code": code(panel)}, form_at=where)
    assert "Телефонът е регистриран" in operator.page(DESK)
    assert "+35988•••199" in operator.page(f"/customers/{NUMBER}")


def test_nobody_confirms_what_somebody_else_began_nor_for_another_customer(
    panel: RunningPanel, operator: Visitor
) -> None:
    compare(operator)
    where = register(operator)
    other = panel.signed_in("operator", "boris")
    assert "Изпратен е код" not in other.page(where)
    other.post(f"{DESK}confirm/1", {"code": code(panel)}, form_at=where)
    operator.post(f"{OTHER_DESK}confirm/1", {"code": code(panel)}, form_at=where)
    assert "+35988•••199" not in operator.page(f"/customers/{NUMBER}")


@pytest.mark.parametrize("fields", [{"phone": "x"}, {"services": ""}, {"phone": "02 9876543"}])
def test_a_registration_that_cannot_be_sends_no_code(
    panel: RunningPanel, operator: Visitor, fields: dict[str, str]
) -> None:
    compare(operator)
    operator.post(f"{DESK}register", {**WANTED, **fields}, form_at=DESK)
    assert sent(panel) == []


def test_services_are_unticked(operator: Visitor) -> None:
    boxes = re.findall(r'<input[^>]*name="services"[^>]*>', compare(operator))
    assert len(boxes) == 3
    assert not any("checked" in box for box in boxes)


def test_a_password_for_the_portal_is_shown_once(panel: RunningPanel, operator: Visitor) -> None:
    compare(operator)
    page = operator.post(f"{DESK}account", form_at=DESK).text
    name, password = re.findall(r'<code class="password">([^<]+)</code>', page)
    assert password not in operator.page(DESK)
    assert name in operator.page(DESK)
    with panel.writing() as conn:
        assert audit.entries(conn, 1)[0].action == "account.hand-out"


def test_there_is_no_desk_for_a_customer_of_whom_nothing_is_known(operator: Visitor) -> None:
    nobody = "/customers/399999999999/desk/"
    assert operator.get(nobody).status_code == 404
    for step, fields in (("identity", {"number": EGN}), ("vouch", {}), ("account", {})):
        assert operator.post(f"{nobody}{step}", fields, form_at=DESK).status_code == 404
