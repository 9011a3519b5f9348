"""The consent history of DOMAIN section 7, and who receives what."""

import contextlib
import random
import threading
from datetime import timedelta

import pytest
from sqlalchemy import Engine, select

from modemd import audit
from modemd.errors import NotRegistered, RegistrationRefused, WrongNumber
from modemd.service import consent, subscriptions
from modemd.service.consent import SERVICES, Shown
from modemd.store import database as opening
from modemd.store.schema import Channel, customer, dataset, phone, phone_customer
from modemd.store.schema import consent as table
from tests.service.desk import GENERATION, NOW, Desk

PHONE = "+359888000101"
A, B, C = "300000000001", "300000000002", "300000000003"
TEXT = Shown("2026-1-bg", "Титуляр съм или съм упълномощен и ползвам този телефон.")
LATER = NOW + timedelta(hours=1)


@pytest.fixture
def desk(desk: Desk) -> Desk:
    desk.customers(A, B, C)
    return desk


def subscribe(desk: Desk, *numbers: str, services: str = "bill,reminder,outage", channel: Channel = Channel.PASSWORD,
              shown: Shown | None = TEXT) -> None:  # fmt: skip
    chosen = services.split(",")
    subscriptions.subscribe(
        desk.conn, PHONE, numbers, chosen, "bg-Latn", channel, consent.CUSTOMER, shown, desk.now
    )  # fmt: skip


def rows(desk: Desk) -> list[tuple[str | None, str, str | None]]:
    """Customer, services and how it ended, of the whole history."""
    found = consent.history(desk.conn, phone=PHONE)
    return [(each.customer_no, ",".join(each.services), each.end_channel) for each in found]


def receiving(desk: Desk) -> set[str]:
    """The services that the phone gets."""
    return {
        service
        for service in SERVICES
        if desk.conn.scalar(select(phone.c.number).where(phone.c.number == PHONE, subscriptions.receives(service)))  # type: ignore[arg-type]
    }


def test_a_consent_says_what_was_shown_when_by_whom_and_for_what(desk: Desk) -> None:
    subscribe(desk, A, services="bill,outage", channel=Channel.KEP)
    [kept] = consent.history(desk.conn, phone=PHONE)
    assert (kept.phone, kept.customer_no, kept.services) == (PHONE, A, ("bill", "outage"))
    assert (kept.channel, kept.who, kept.version, kept.text) == (Channel.KEP, "customer", TEXT.version, TEXT.text)
    assert (kept.registered, kept.begun_at, kept.ended_at) == (True, NOW, None)


def test_a_version_is_one_text_for_ever(desk: Desk) -> None:
    subscribe(desk, A)
    with pytest.raises(RegistrationRefused, match="shown with other words before"):
        subscribe(desk, B, shown=Shown(TEXT.version, "Something else."))


def test_other_services_end_the_consent_and_begin_the_next(desk: Desk) -> None:
    subscribe(desk, A)
    desk.now = LATER
    subscribe(desk, A, services="bill")
    first, second = consent.history(desk.conn, phone=PHONE)
    assert (first.ended_at, first.end_channel) == (LATER, Channel.PASSWORD)
    assert (second.services, second.begun_at, second.registered) == (("bill",), LATER, False)


def test_the_same_again_is_no_new_consent(desk: Desk) -> None:
    subscribe(desk, A)
    subscribe(desk, A)
    assert rows(desk) == [(A, "bill,reminder,outage", None)]


def test_the_services_of_a_phone_are_those_of_all_its_customers(desk: Desk) -> None:
    subscribe(desk, A, services="bill")
    subscribe(desk, B, services="reminder")
    assert rows(desk) == [(A, "bill", "password"), (A, "reminder", None), (B, "reminder", None)]


def test_stop_ends_the_notices_in_the_history_and_the_bill_goes_on_as_it_was_agreed_to(desk: Desk) -> None:
    subscribe(desk, A, B)
    subscriptions.stop(desk.conn, PHONE, "bg-Latn", LATER)
    assert rows(desk) == [
        (A, "bill,reminder,outage", "stop"), (B, "bill,reminder,outage", "stop"), (A, "bill", None), (B, "bill", None),
    ]  # fmt: skip
    going_on = consent.history(desk.conn, customer_no=A)[-1]
    assert (going_on.channel, going_on.version, going_on.registered) == (Channel.PASSWORD, TEXT.version, False)
    assert receiving(desk) == {"bill"}


def test_stop_of_a_phone_that_is_not_registered_is_in_the_history(desk: Desk) -> None:
    subscriptions.stop(desk.conn, PHONE, "bg-Latn", NOW)
    subscriptions.stop(desk.conn, PHONE, "bg-Latn", LATER)
    [kept] = consent.history(desk.conn, phone=PHONE)
    assert (kept.customer_no, kept.services, kept.channel, kept.ended_at) == (None, (), Channel.STOP, NOW)


def test_stop_of_a_phone_that_is_not_registered_blocks_notices_until_a_new_registration(desk: Desk) -> None:
    subscriptions.stop(desk.conn, PHONE, "bg-Latn", NOW)
    subscribe(desk, A, services="bill")
    desk.conn.execute(phone.update().values(reminder=True, outage=True))  # whatever may set it beside a registration
    assert receiving(desk) == {"bill"}
    subscribe(desk, A)
    assert receiving(desk) == {"bill", "reminder", "outage"}


def test_stop_of_a_phone_with_notices_only_ends_its_registration(desk: Desk) -> None:
    subscribe(desk, A, services="reminder")
    subscriptions.stop(desk.conn, PHONE, "bg-Latn", LATER)
    subscribe(desk, B, services="bill")
    assert rows(desk) == [(A, "reminder", "stop"), (B, "bill", None)]


def test_a_registration_ends_for_the_customers_named(desk: Desk) -> None:
    subscribe(desk, A, B)
    subscriptions.end(desk.conn, PHONE, Channel.PASSWORD, "customer", LATER, customer_numbers=[A])
    assert rows(desk) == [(A, "bill,reminder,outage", "password"), (B, "bill,reminder,outage", None)]
    assert receiving(desk) == set(SERVICES)
    subscriptions.end(desk.conn, PHONE, Channel.CENTRE, "elena", LATER)
    assert rows(desk)[1] == (B, "bill,reminder,outage", "centre")
    assert receiving(desk) == set()


def test_services_end_for_all_customers_of_the_phone(desk: Desk) -> None:
    subscribe(desk, A, B)
    subscriptions.end(desk.conn, PHONE, Channel.PASSWORD, "customer", LATER, services=["outage"])
    assert receiving(desk) == {"bill", "reminder"}
    assert rows(desk)[2:] == [(A, "bill,reminder", None), (B, "bill,reminder", None)]


@pytest.mark.parametrize(
    ("kwargs", "error", "reason"),
    [
        ({"customer_numbers": [A, C]}, NotRegistered, r"is not registered for customer 300000000003"),
        ({"services": ["gas"]}, RegistrationRefused, "'gas' is no service"),
        ({"services": []}, RegistrationRefused, "no service was chosen"),
    ],
)
def test_an_end_that_is_refused_changes_nothing(
    desk: Desk, kwargs: dict[str, list[str]], error: type[Exception], reason: str
) -> None:
    subscribe(desk, A, B)
    with pytest.raises(error, match=reason):
        subscriptions.end(desk.conn, PHONE, Channel.CENTRE, "elena", LATER, **kwargs)  # type: ignore[arg-type]
    assert [ended for _, _, ended in rows(desk)] == [None, None]
    assert receiving(desk) == set(SERVICES)


def test_what_is_not_registered_cannot_be_ended(desk: Desk) -> None:
    with pytest.raises(NotRegistered, match=r"\+35988•••101 is not registered"):
        subscriptions.end(desk.conn, PHONE, Channel.CENTRE, "elena", NOW)


# wrong numbers


def test_a_wrong_number_gets_nothing_and_loses_its_customers(desk: Desk) -> None:
    subscribe(desk, A, B)
    subscriptions.mark_wrong_number(desk.conn, "0888 000 101", "bg-Latn", "elena", LATER)
    assert receiving(desk) == set()
    assert [ended for _, _, ended in rows(desk)] == ["wrong_number", "wrong_number"]
    assert desk.conn.execute(select(phone_customer)).all() == []


def test_the_mark_blocks_whatever_the_phone_is_registered_for(desk: Desk) -> None:
    subscriptions.mark_wrong_number(desk.conn, PHONE, "bg-Latn", "elena", NOW)
    desk.conn.execute(phone.update().values(bill=True, reminder=True, outage=True))
    assert receiving(desk) == set()


@pytest.mark.parametrize("text", ["smetka", "help", "stop", A])
def test_a_wrong_number_gets_no_answer_to_anything(desk: Desk, text: str) -> None:
    assert desk.ask(PHONE, text)
    desk.now = NOW + timedelta(days=2)
    subscriptions.mark_wrong_number(desk.conn, PHONE, "bg-Latn", "elena", desk.now)
    assert desk.ask(PHONE, text) == []


def test_stop_of_a_wrong_number_is_kept_all_the_same(desk: Desk) -> None:
    subscriptions.mark_wrong_number(desk.conn, PHONE, "bg-Latn", "elena", NOW)
    desk.ask(PHONE, "stop")
    assert rows(desk) == [(None, "", "wrong_number"), (None, "", "stop")]


def test_a_wrong_number_is_registered_only_after_a_person_lifts_the_mark(desk: Desk) -> None:
    subscriptions.mark_wrong_number(desk.conn, PHONE, "bg-Latn", "elena", NOW)
    with pytest.raises(WrongNumber, match=r"\+35988•••101 was marked as a wrong number on 23\.11\.2026"):
        subscribe(desk, A)
    subscriptions.lift_wrong_number(desk.conn, PHONE, "elena", NOW)
    subscribe(desk, A)
    assert receiving(desk) == set(SERVICES)
    with pytest.raises(NotRegistered, match="is not marked"):
        subscriptions.lift_wrong_number(desk.conn, PHONE, "elena", NOW)


# what staff do is audited


def test_what_staff_do_is_in_the_audit_log_and_what_customers_do_is_not(desk: Desk) -> None:
    subscribe(desk, A)
    subscriptions.stop(desk.conn, PHONE, "bg-Latn", NOW)
    assert audit.entries(desk.conn, 9) == []
    subscribe(desk, B, channel=Channel.CENTRE)
    subscriptions.end(desk.conn, PHONE, Channel.COMMAND, "elena", NOW, customer_numbers=[A])
    subscriptions.mark_wrong_number(desk.conn, PHONE, "bg-Latn", "elena", NOW)
    subscriptions.lift_wrong_number(desk.conn, PHONE, "elena", NOW)
    noted = [(entry.action, entry.subject, entry.detail) for entry in reversed(audit.entries(desk.conn, 9))]
    assert noted == [
        ("phone.register", "+35988•••101", "bill, reminder, outage for ***0002"),
        ("phone.end", "+35988•••101", "***0001"),
        ("phone.wrong", "+35988•••101", ""),
        ("phone.right", "+35988•••101", ""),
    ]


def test_two_that_register_one_new_phone_at_once_both_do(database: Engine) -> None:
    with opening.writing(database) as conn:
        conn.execute(dataset.insert(), {"type": "CUSTOMERS", "generation": GENERATION, "data_at": NOW})
        rows = [{"generation": GENERATION, "customer_no": no, "class": "H", "active": True} for no in (A, B)]
        conn.execute(customer.insert(), rows)
    errors: list[Exception] = []
    ready = threading.Barrier(2)

    def work(customer_no: str) -> None:
        ready.wait()
        try:
            with opening.writing(database) as conn:
                subscriptions.register(conn, PHONE, [customer_no], ["bill"], "en", NOW)
        except Exception as error:
            errors.append(error)

    threads = [threading.Thread(target=work, args=(customer_no,)) for customer_no in (A, B)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    with opening.reading(database) as conn:
        assert sorted(conn.scalars(select(phone_customer.c.customer_no))) == [A, B]


# customers who leave


@pytest.mark.parametrize("how", ["left out", "inactive"])
def test_a_customer_who_leaves_the_customers_file_gets_no_bill_and_comes_back_with_it(desk: Desk, how: str) -> None:
    desk.no_items()
    subscribe(desk, A, B)
    assert "***0001" in desk.ask(PHONE, "smetka")[0]
    desk.conn.execute(dataset.update().where(dataset.c.type == "CUSTOMERS").values(generation=GENERATION + 1))
    present = {"generation": GENERATION + 1, "customer_no": B, "class": "H", "active": True}
    desk.conn.execute(customer.insert(), present)
    if how == "inactive":
        desk.conn.execute(customer.insert(), {**present, "customer_no": A, "active": False})
    [answer] = desk.ask(PHONE, "smetka")
    assert "***0002" in answer
    assert "***0001" not in answer
    assert "ne e registriran" in desk.ask(PHONE, f"smetka {A}")[0]
    assert list(desk.conn.scalars(select(subscriptions.active_customers().subquery().c.customer_no))) == [B]
    desk.conn.execute(dataset.update().where(dataset.c.type == "CUSTOMERS").values(generation=GENERATION))
    assert "***0001" in desk.ask(PHONE, "smetka")[0]


# whatever happens in whatever order


@pytest.mark.parametrize("seed", range(5))
def test_the_history_and_what_counts_agree_after_any_series_of_acts(desk: Desk, seed: int) -> None:
    chance = random.Random(seed)
    for step in range(40):
        desk.now = NOW + timedelta(hours=step)
        with contextlib.suppress(NotRegistered, RegistrationRefused, WrongNumber):
            act(desk, chance)
        tied = set(desk.conn.scalars(select(phone_customer.c.customer_no).where(phone_customer.c.phone == PHONE)))
        open_ = desk.conn.execute(select(table).where(table.c.phone == PHONE, table.c.ended_at.is_(None))).all()
        assert {row.customer_no for row in open_} == tied
        for row in open_:
            assert {service for service in SERVICES if row._mapping[service]} == receiving(desk)


def act(desk: Desk, chance: random.Random) -> None:
    services = chance.sample(SERVICES, chance.randint(1, 3))
    numbers = chance.sample([A, B, C], chance.randint(1, 3))
    match chance.choice(["subscribe", "subscribe", "stop", "end", "services", "mark", "lift"]):
        case "subscribe":
            subscribe(desk, *numbers, services=",".join(services))
        case "stop":
            subscriptions.stop(desk.conn, PHONE, "bg-Latn", desk.now)
        case "end":
            subscriptions.end(desk.conn, PHONE, Channel.KEP, "customer", desk.now, customer_numbers=numbers)
        case "services":
            subscriptions.end(desk.conn, PHONE, Channel.KEP, "customer", desk.now, services=services)
        case "mark":
            subscriptions.mark_wrong_number(desk.conn, PHONE, "bg-Latn", "elena", desk.now)
        case "lift":
            subscriptions.lift_wrong_number(desk.conn, PHONE, "elena", desk.now)
