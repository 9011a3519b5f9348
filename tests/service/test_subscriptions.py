from datetime import timedelta

import pytest
from sqlalchemy import select

from modemd.errors import NotABulgarianMobile, RegistrationRefused
from modemd.service import subscriptions
from modemd.store.schema import phone, phone_customer
from tests.service.desk import NOW, Desk

PHONE = "+359888000101"
CUSTOMERS = [f"{300000000001 + at}" for at in range(7)]


def row(desk: Desk, number: str = PHONE) -> tuple[bool, bool, bool, bool, str]:
    """bill, reminder, outage, stopped, language."""
    found = desk.conn.execute(select(phone).where(phone.c.number == number)).one()
    return found.bill, found.reminder, found.outage, found.stopped_at is not None, found.language


def tied(desk: Desk) -> list[str]:
    return sorted(desk.conn.scalars(select(phone_customer.c.customer_no).where(phone_customer.c.phone == PHONE)))


def test_a_phone_is_tied_to_customers_however_it_is_written(desk: Desk) -> None:
    desk.customers(*CUSTOMERS)
    number = subscriptions.register(desk.conn, "0888 000 101", CUSTOMERS[:2], ["bill", "outage"], "en", NOW)
    assert number == PHONE
    assert row(desk) == (True, False, True, False, "en")
    assert tied(desk) == CUSTOMERS[:2]


def test_registering_again_adds_customers_and_sets_services_and_language(desk: Desk) -> None:
    desk.customers(*CUSTOMERS)
    desk.register(PHONE, *CUSTOMERS[:2])
    desk.register(PHONE, *CUSTOMERS[1:4], services="reminder", language="bg-Cyrl")
    assert row(desk) == (False, True, False, False, "bg-Cyrl")
    assert tied(desk) == CUSTOMERS[:4]


def test_a_phone_has_five_customers_at_most(desk: Desk) -> None:
    desk.customers(*CUSTOMERS)
    desk.register(PHONE, *CUSTOMERS[:3], CUSTOMERS[0])
    with pytest.raises(RegistrationRefused, match="5 customer numbers; this would be 6"):
        desk.register(PHONE, *CUSTOMERS[3:6])
    desk.register(PHONE, *CUSTOMERS[:5])
    assert tied(desk) == CUSTOMERS[:5]


@pytest.mark.parametrize(
    ("numbers", "services", "language", "reason"),
    [
        (["300000000009"], "bill", "en", "is not in the customers"),
        (["30000000000"], "bill", "en", "is not in the customers"),
        (["300000000008"], "bill", "en", "is not active"),
        ([CUSTOMERS[0], "300000000009"], "bill", "en", "is not in the customers"),
        ([], "bill", "en", "no customer number"),
        (CUSTOMERS[:1], "bill,gas", "en", "'gas' is no service"),
        (CUSTOMERS[:1], "", "en", "no service"),
        (CUSTOMERS[:1], "bill", "de", "'de' is no language"),
    ],
)
def test_a_refused_registration_changes_nothing(
    desk: Desk, numbers: list[str], services: str, language: str, reason: str
) -> None:
    desk.customers(*CUSTOMERS)
    desk.customers("300000000008", active=False)
    chosen = services.split(",") if services else []
    with pytest.raises(RegistrationRefused, match=reason):
        subscriptions.register(desk.conn, PHONE, numbers, chosen, language, NOW)
    assert desk.conn.execute(select(phone)).all() == []
    assert tied(desk) == []


def test_no_customer_can_be_registered_before_billing_has_handed_over_any(desk: Desk) -> None:
    with pytest.raises(RegistrationRefused, match="is not in the customers"):
        desk.register(PHONE, CUSTOMERS[0])


def test_only_bulgarian_mobiles_are_registered(desk: Desk) -> None:
    desk.customers(*CUSTOMERS)
    with pytest.raises(NotABulgarianMobile):
        desk.register("+4915112345678", CUSTOMERS[0])


def test_stop_ends_reminders_and_outage_notices_and_leaves_the_bill_check(desk: Desk) -> None:
    desk.customers(*CUSTOMERS)
    desk.register(PHONE, CUSTOMERS[0], services="bill,reminder,outage")
    assert subscriptions.stop(desk.conn, PHONE, "bg-Latn", NOW)
    assert row(desk) == (True, False, False, True, "bg-Latn")


def test_stop_of_a_phone_never_seen_is_remembered(desk: Desk) -> None:
    assert subscriptions.stop(desk.conn, "+4915112345678", "bg-Latn", NOW)
    assert row(desk, "+4915112345678") == (False, False, False, True, "bg-Latn")


def test_stop_is_confirmed_once_a_day(desk: Desk) -> None:
    def stop_after(hours: int) -> bool:
        return subscriptions.stop(desk.conn, PHONE, "bg-Latn", NOW + timedelta(hours=hours))

    assert [stop_after(hours) for hours in (0, 1, 23, 25, 26)] == [True, False, False, True, False]


@pytest.mark.parametrize(("services", "stopped"), [("bill", True), ("bill,reminder", False), ("outage", False)])
def test_choosing_notices_again_ends_the_stop(desk: Desk, services: str, stopped: bool) -> None:
    desk.customers(*CUSTOMERS)
    subscriptions.stop(desk.conn, PHONE, "bg-Latn", NOW)
    desk.register(PHONE, CUSTOMERS[0], services=services)
    assert row(desk)[3] is stopped


def test_a_stop_right_after_registering_again_is_confirmed(desk: Desk) -> None:
    desk.customers(*CUSTOMERS)
    subscriptions.stop(desk.conn, PHONE, "bg-Latn", NOW)
    desk.register(PHONE, CUSTOMERS[0], services="reminder")
    assert subscriptions.stop(desk.conn, PHONE, "bg-Latn", NOW)
    assert row(desk) == (False, False, False, True, "bg-Latn")
