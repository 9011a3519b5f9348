"""A phone is registered by the code that was sent to it, and by nothing else."""

import re
from collections.abc import Sequence
from datetime import timedelta

import pytest
from sqlalchemy import select

from modemd.config import Portal, Settings
from modemd.errors import NotABulgarianMobile, PhoneIsFull, RegistrationRefused, TooOften, WrongNumber
from modemd.service import confirmation, consent, subscriptions
from modemd.service.confirmation import MOST_TRIES, VALID, Outcome, Wanted
from modemd.store.schema import Channel, message, pending_phone, phone_customer
from modemd.store.schema import consent as consent_table
from tests.service.desk import NOW, Desk

PHONE = "+359888000101"
CUSTOMER, OTHER = "300000000001", "300000000002"
KEY = b"k" * 32
SECOND = timedelta(seconds=1)
SETTINGS = Settings()


@pytest.fixture
def centre(desk: Desk) -> Desk:
    desk.customers(*(f"{300000000001 + at}" for at in range(9)))
    return desk


def wanted(
    *customer_numbers: str,
    phone: str = PHONE,
    channel: Channel = Channel.PASSWORD,
    services: Sequence[str] = ("bill", "reminder"),
) -> Wanted:
    who = "elena" if channel is Channel.CENTRE else consent.CUSTOMER
    shown = confirmation.consent_text("bg", SETTINGS.service)
    return Wanted(phone, customer_numbers or (CUSTOMER,), services, "bg-Latn", channel, who, shown)


def send(desk: Desk, asked: Wanted, address: str = "203.0.113.9", settings: Settings = SETTINGS) -> int:
    return confirmation.send_code(desk.conn, asked, address, settings, KEY, NOW)


def confirm(
    desk: Desk, pending: int, digits: str, mine: Sequence[str] = (CUSTOMER,), at: timedelta = SECOND
) -> Outcome:
    return confirmation.confirm(desk.conn, pending, consent.CUSTOMER, mine, digits, SETTINGS, KEY, NOW + at)


def texts(desk: Desk) -> list[tuple[str, str]]:
    """(kind, text) of what was queued for the phone."""
    rows = desk.conn.execute(select(message.c.kind, message.c.text).where(message.c.recipient == PHONE))
    return [(row.kind, row.text) for row in rows.all()]


def code(desk: Desk) -> str:
    """The last code that was sent."""
    found = re.findall(r"kod (\d{6})", " ".join(text for _, text in texts(desk)))
    return str(found[-1])


def registered(desk: Desk) -> list[str]:
    return list(desk.conn.scalars(select(phone_customer.c.customer_no).where(phone_customer.c.phone == PHONE)))


def test_the_code_registers_the_phone_and_a_welcome_follows(centre: Desk) -> None:
    pending = send(centre, wanted(phone="0888 000 101"))
    assert registered(centre) == []
    assert confirm(centre, pending, code(centre)) == Outcome(PHONE)
    assert registered(centre) == [CUSTOMER]
    assert [kind for kind, _ in texts(centre)] == ["otp", "manual"]
    assert "e registriran" in texts(centre)[1][1]


def test_the_consent_says_what_was_shown_and_through_which_door(centre: Desk) -> None:
    confirm(centre, send(centre, wanted(channel=Channel.KEP)), code(centre))
    kept = centre.conn.execute(select(consent_table)).one()
    assert kept.channel == "kep"
    assert (kept.bill, kept.reminder, kept.outage) == (True, True, False)
    assert kept.text_id is not None


def test_a_wrong_code_registers_nothing_and_five_end_it(centre: Desk) -> None:
    pending = send(centre, wanted())
    right = code(centre)
    wrong = f"{(int(right) + 1) % 10**6:06}"
    left = [confirm(centre, pending, wrong).tries_left for _ in range(MOST_TRIES)]
    assert left == [4, 3, 2, 1, 0]
    assert confirm(centre, pending, right) == Outcome(None)
    assert registered(centre) == []


def test_a_code_is_good_for_ten_minutes_and_once(centre: Desk) -> None:
    pending = send(centre, wanted())
    assert confirm(centre, pending, code(centre), at=VALID + SECOND) == Outcome(None)
    assert confirm(centre, pending, code(centre)).number == PHONE
    assert confirm(centre, pending, code(centre)) == Outcome(None)


def test_nobody_confirms_what_another_began(centre: Desk) -> None:
    pending = send(centre, wanted())
    assert confirm(centre, pending, code(centre), mine=(OTHER,)) == Outcome(None)
    staff = confirmation.confirm(centre.conn, pending, "elena", [CUSTOMER], code(centre), SETTINGS, KEY, NOW)
    assert staff == Outcome(None)
    assert registered(centre) == []
    assert confirmation.waiting(centre.conn, pending, "elena", NOW) is None


def test_a_code_of_another_registration_does_not_fit(centre: Desk) -> None:
    first, first_code = send(centre, wanted()), code(centre)
    second, second_code = send(centre, wanted()), code(centre)
    if first_code != second_code:
        assert confirm(centre, second, first_code).number is None
    assert confirm(centre, first, first_code).number == PHONE
    assert confirm(centre, second, second_code).number == PHONE


def test_the_database_alone_does_not_tell_the_code(centre: Desk) -> None:
    pending = send(centre, wanted())
    row = centre.conn.execute(select(pending_phone)).one()
    assert code(centre) not in map(str, row)
    other_key = [confirmation._hash(pending, f"{guess:06}", b"x" * 32) for guess in (int(code(centre)),)]
    assert row.code_hash not in other_key


def test_in_the_centre_the_code_is_for_the_person_at_the_desk(centre: Desk) -> None:
    pending = send(centre, wanted(channel=Channel.CENTRE))
    assert "na sluzhitelya" in texts(centre)[0][1]
    done = confirmation.confirm(centre.conn, pending, "elena", [CUSTOMER], f" {code(centre)} ", SETTINGS, KEY, NOW)
    assert done.number == PHONE


@pytest.mark.parametrize(
    ("asked", "error"),
    [
        (wanted(phone="02 987 65 43"), NotABulgarianMobile),
        (wanted("399999999999"), RegistrationRefused),
        (wanted(services=()), RegistrationRefused),
        (wanted(services=("gas",)), RegistrationRefused),
    ],
)
def test_what_cannot_be_registered_gets_no_code(centre: Desk, asked: Wanted, error: type[Exception]) -> None:
    with pytest.raises(error):
        send(centre, asked)
    assert texts(centre) == []


def test_a_customer_does_not_learn_what_is_known_of_a_phone(centre: Desk) -> None:
    """It gets no SMS, and the customer is told the same as ever."""
    subscriptions.mark_wrong_number(centre.conn, PHONE, "bg-Latn", "elena", NOW)
    pending = send(centre, wanted())
    assert texts(centre) == []
    assert confirm(centre, pending, "123456").tries_left == 4
    with pytest.raises(WrongNumber):
        send(centre, wanted(channel=Channel.CENTRE))


def test_a_customer_does_not_learn_that_a_phone_has_its_five_customers(centre: Desk) -> None:
    centre.register(PHONE, *(f"{300000000003 + at}" for at in range(5)))
    send(centre, wanted())
    assert texts(centre) == []
    with pytest.raises(PhoneIsFull):
        send(centre, wanted(channel=Channel.CENTRE))


@pytest.mark.parametrize(
    ("others", "most"),
    [
        pytest.param(
            lambda at: {"address": f"203.0.113.{at}", "customers": (f"{300000000001 + at % 9}",)}, 3, id="phone"
        ),
        pytest.param(lambda at: {"address": f"203.0.113.{at}", "phone": f"+3598880002{at:02}"}, 5, id="customer"),
        pytest.param(
            lambda at: {"phone": f"+3598880002{at:02}", "customers": (f"{300000000001 + at % 9}",)}, 10, id="address"
        ),
    ],
)
def test_codes_are_limited(centre: Desk, others, most: int) -> None:  # type: ignore[no-untyped-def]
    def ask(at: int) -> None:
        given = others(at)
        asked = wanted(*given.get("customers", (CUSTOMER,)), phone=given.get("phone", PHONE))
        send(centre, asked, given.get("address", "203.0.113.9"))

    for at in range(most):
        ask(at)
    with pytest.raises(TooOften):
        ask(most)


def test_codes_are_limited_in_all(centre: Desk) -> None:
    settings = Settings(portal=Portal(codes_per_hour=2))
    for at in range(2):
        send(centre, wanted(phone=f"+35988800030{at}"), f"203.0.113.{at}", settings)
    with pytest.raises(TooOften):
        send(centre, wanted(), "203.0.113.77", settings)


def test_the_consent_is_domains_text_in_both_languages() -> None:
    text = confirmation.consent_text("bg", SETTINGS.service)
    assert text.text == (
        "Титуляр съм или съм упълномощен и ползвам този телефон. Който го държи, ще вижда сумите. SMS до 170077 е по"
        " тарифата ми; известията са безплатни. Отказ: STOP, портал, център."
    )
    assert confirmation.consent_text("en", SETTINGS.service).version != text.version
