"""At the desk of a customer centre: no document, no registration and no password."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from modemd import audit
from modemd.errors import CustomerUnknown, DocumentNotSeen
from modemd.service import confirmation, desk, identities
from modemd.service.desk import A_VISIT, Answer
from modemd.store.schema import Channel, account, customer, document_check, message
from tests.service.authority import EGN, EIK
from tests.service.desk import NOW, Desk

CUSTOMER, OTHER, COMPANY, UNTOLD = (f"30000000000{number}" for number in range(1, 5))
OTHER_EGN = "8032056031"
KEY = b"i" * 32


@pytest.fixture
def centre(desk: Desk) -> Desk:
    """Two people, a company, and somebody of whom billing has told no number."""
    desk.customers(CUSTOMER, OTHER, COMPANY, UNTOLD)
    told = {CUSTOMER: ("H", identities.of_person(EGN, KEY)), COMPANY: ("B", EIK)}
    told[OTHER] = ("H", identities.of_person(OTHER_EGN, KEY))
    for number, (class_, identity) in told.items():
        of = customer.update().where(customer.c.customer_no == number)
        desk.conn.execute(of.values({"class": class_, "identity": identity}))
    return desk


def compare(centre: Desk, typed: str, customer_no: str = CUSTOMER, who: str = "elena") -> Answer:
    return desk.compare(centre.conn, customer_no, typed, who, KEY, NOW)


def send(centre: Desk, *customer_numbers: str, who: str = "elena", at: timedelta = timedelta()) -> int:
    shown = confirmation.consent_text("bg", centre.settings.service)
    wanted = confirmation.Wanted(
        "+359888000101", customer_numbers or (CUSTOMER,), ["bill"], "bg-Latn", Channel.CENTRE, who, shown
    )
    return desk.send_code(centre.conn, wanted, "203.0.113.9", centre.settings, KEY, NOW + at)


def nothing_was_done(centre: Desk) -> bool:
    return not any(centre.conn.execute(select(table)).all() for table in (message, account))


@pytest.mark.parametrize(
    ("customer_no", "typed", "answer"),
    [
        (CUSTOMER, EGN, Answer.FITS),
        (CUSTOMER, f"{EGN[:6]} {EGN[6:]}", Answer.FITS),
        (CUSTOMER, OTHER_EGN, Answer.DIFFERS),
        (CUSTOMER, EGN[:9] + str((int(EGN[9]) + 1) % 10), Answer.MISTYPED),
        (CUSTOMER, "", Answer.MISTYPED),
        (COMPANY, EIK, Answer.FITS),
        (COMPANY, EGN, Answer.DIFFERS),
        (COMPANY, EIK[:8] + str((int(EIK[8]) + 1) % 10), Answer.MISTYPED),
        (UNTOLD, EGN, Answer.DIFFERS),
    ],
)
def test_only_a_document_that_fits_opens_the_desk(centre: Desk, customer_no: str, typed: str, answer: Answer) -> None:
    assert compare(centre, typed, customer_no) is answer
    assert desk.has_seen(centre.conn, customer_no, "elena", NOW) is (answer is Answer.FITS)


def test_without_it_nothing_is_sent_and_nothing_handed_out(centre: Desk) -> None:
    compare(centre, OTHER_EGN)
    with pytest.raises(DocumentNotSeen):
        send(centre)
    with pytest.raises(DocumentNotSeen):
        desk.hand_out(centre.conn, CUSTOMER, "elena", NOW)
    assert nothing_was_done(centre)


def test_with_it_both_are_done(centre: Desk) -> None:
    compare(centre, EGN)
    send(centre)
    handed = desk.hand_out(centre.conn, CUSTOMER, "elena", NOW)
    assert centre.conn.scalar(select(message.c.kind)) == "otp"
    assert centre.conn.scalar(select(account.c.name)) == handed.name


def test_it_is_good_for_this_customer_this_person_of_staff_and_this_visit(centre: Desk) -> None:
    compare(centre, EGN)
    for refused in (
        lambda: send(centre, OTHER),
        lambda: send(centre, CUSTOMER, OTHER),
        lambda: send(centre, who="boris"),
        lambda: send(centre, at=A_VISIT),
    ):
        with pytest.raises(DocumentNotSeen):
            refused()
    assert nothing_was_done(centre)


def test_a_mistyped_number_uses_up_no_try(centre: Desk) -> None:
    for _ in range(20):
        compare(centre, EGN[:9] + str((int(EGN[9]) + 1) % 10))
    assert compare(centre, EGN) is Answer.FITS


def test_tries_are_counted_and_past_them_even_the_right_number_opens_nothing(centre: Desk) -> None:
    answers = [compare(centre, OTHER_EGN) for _ in range(6)]
    assert answers == [Answer.DIFFERS] * 5 + [Answer.TOO_OFTEN]
    assert compare(centre, EGN) is Answer.TOO_OFTEN
    assert not desk.has_seen(centre.conn, CUSTOMER, "elena", NOW)


def test_where_billing_has_told_no_number_a_person_answers_for_the_document(centre: Desk) -> None:
    desk.vouch(centre.conn, UNTOLD, "elena", NOW)
    send(centre, UNTOLD)
    (noted,) = audit.entries(centre.conn, 1)
    assert (noted.who, noted.action, noted.detail) == ("elena", "customer.vouch", "billing has told no number")


def test_nobody_answers_for_a_document_that_can_be_compared(centre: Desk) -> None:
    for customer_no in (CUSTOMER, COMPANY):
        with pytest.raises(DocumentNotSeen):
            desk.vouch(centre.conn, customer_no, "elena", NOW)
    with pytest.raises(CustomerUnknown):
        desk.vouch(centre.conn, "399999999999", "elena", NOW)
    assert centre.conn.execute(select(document_check)).all() == []


def test_the_number_is_kept_nowhere_and_the_answer_is_audited(centre: Desk) -> None:
    compare(centre, OTHER_EGN)
    compare(centre, EGN)
    kept = [str(row) for table in (document_check, customer) for row in centre.conn.execute(select(table))]
    entries = audit.entries(centre.conn, 10)
    assert not any(EGN in each for each in [*kept, *map(str, entries)])
    assert [(entry.action, entry.detail) for entry in entries] == [
        ("customer.identity", "fits"),
        ("customer.identity", "does not fit"),
    ]


def test_past_visits_are_forgotten(centre: Desk) -> None:
    compare(centre, EGN)
    desk.vouch(centre.conn, UNTOLD, "elena", NOW + A_VISIT)
    assert list(centre.conn.scalars(select(document_check.c.customer_no))) == [UNTOLD]
