"""Who is reminded: one fate for every row of billing's data."""

from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Any

import pytest

from modemd.config import SOFIA
from modemd.errors import CampaignRefused, NothingToSend
from modemd.service import subscriptions
from modemd.service.reminders.rules import Reason
from modemd.store.schema import customer as customers
from modemd.store.schema import phone as phones
from tests.service.desk import NOW
from tests.service.runs import Runs, customer, phone


def reasons(runs: Runs) -> dict[Reason, int]:
    found = runs.preview().audience
    assert found.rows == found.items + sum(found.left_out.values())
    return found.left_out


def set_phone(runs: Runs, **columns: Any) -> None:
    runs.conn.execute(phones.update().values(**columns))


SPEAKS_AGAINST: dict[str, tuple[Callable[[Runs], object], Reason]] = {
    "paid": (lambda runs: runs.change(1, status="PAID", open_cents=0), Reason.PAID),
    "nothing is open": (lambda runs: runs.change(1, open_cents=0), Reason.PAID),
    "cancelled": (lambda runs: runs.change(1, status="CANCELLED"), Reason.CANCELLED),
    "vulnerable": (lambda runs: runs.change(1, flags="V"), Reason.VULNERABLE),
    "disputed": (lambda runs: runs.change(1, flags="D"), Reason.DISPUTED),
    "instalments": (lambda runs: runs.change(1, flags="I"), Reason.INSTALMENTS),
    "no reminders": (lambda runs: runs.change(1, flags="N"), Reason.NO_REMINDERS),
    "several flags": (lambda runs: runs.change(1, flags="NIDV"), Reason.VULNERABLE),
    "no cut-off": (lambda runs: runs.change(1, cutoff_date=None), Reason.NO_CUTOFF),
    "one working day overdue": (lambda runs: runs.change(1, due_date=date(2026, 11, 20)), Reason.NOT_OVERDUE),
    "cut-off in two working days": (lambda runs: runs.change(1, cutoff_date=date(2026, 11, 25)), Reason.CUTOFF_NEAR),
    "cut-off past": (lambda runs: runs.change(1, cutoff_date=date(2026, 11, 1)), Reason.CUTOFF_NEAR),
    "inactive": (lambda runs: runs.conn.execute(customers.update().values(active=False)), Reason.INACTIVE),
    "left out of CUSTOMERS": (lambda runs: runs.conn.execute(customers.delete()), Reason.INACTIVE),
    "stopped": (lambda runs: subscriptions.stop(runs.conn, phone(1), "bg-Latn", NOW), Reason.STOPPED),
    "wrong number": (lambda runs: set_phone(runs, wrong_number_at=NOW), Reason.WRONG_NUMBER),
    "bills only": (lambda runs: set_phone(runs, reminder=False), Reason.NO_CONSENT),
}


@pytest.mark.parametrize("name", SPEAKS_AGAINST)
def test_who_is_left_out_and_why(runs: Runs, name: str) -> None:
    against, reason = SPEAKS_AGAINST[name]
    runs.debtors(2)
    assert reasons(runs) == {}
    against(runs)
    assert set(reasons(runs)) == {reason}
    assert phone(1) not in [each.phone for each in runs.preview().audience.addressees]


def test_an_unregistered_customer_has_no_phone(runs: Runs) -> None:
    runs.debtors(1)
    runs.desk.customers(customer(2))
    runs.owes(2)
    assert reasons(runs) == {Reason.NO_PHONE: 1}


@pytest.mark.parametrize(
    ("due", "today", "overdue"),
    [
        (date(2026, 11, 20), "2026-11-24", True),  # Friday: Monday and Tuesday are two working days
        (date(2026, 11, 20), "2026-11-23", False),
        (date(2026, 11, 21), "2026-11-24", True),  # Saturday
        (date(2026, 12, 22), "2026-12-24", False),  # Christmas Eve is none
        (date(2026, 12, 22), "2026-12-29", True),
    ],
)
def test_two_working_days_after_the_due_date(runs: Runs, due: date, today: str, overdue: bool) -> None:
    runs.debtors(1)
    runs.now = datetime.fromisoformat(f"{today}T10:00").replace(tzinfo=SOFIA)
    runs.data(runs.now - timedelta(hours=3))
    runs.change(1, due_date=due, cutoff_date=date(2027, 2, 1))
    assert (reasons(runs) == {}) is overdue


@pytest.mark.parametrize(
    ("cutoff", "in_time"),
    [(date(2026, 11, 26), True), (date(2026, 11, 25), False)],  # Wednesday: Tuesday, Monday and no third day
)
def test_three_working_days_before_the_cut_off(runs: Runs, cutoff: date, in_time: bool) -> None:
    runs.debtors(1)
    runs.change(1, cutoff_date=cutoff)
    assert (reasons(runs) == {}) is in_time


def test_one_phone_gets_one_message_for_all_its_customers(runs: Runs) -> None:
    runs.desk.customers(*map(customer, (1, 2, 3)))
    runs.desk.register(phone(1), customer(1), customer(2), customer(3), services="reminder")
    runs.owes(1, 1000)
    runs.owes(2, 2050, cutoff_date=date(2026, 12, 1))
    runs.owes(2, 100, invoice=9)
    runs.owes(3, 999, flags="D")
    made = runs.preview()
    (addressee,) = made.audience.addressees
    assert addressee.owed.customer_numbers == (customer(1), customer(2))
    assert addressee.owed.cents == 3150
    assert addressee.last_day == date(2026, 11, 26)
    assert "31,50 EUR za 2 klienta" in made.samples[0].text
    assert "01.12.2026" in made.samples[0].text
    assert made.figures()["left_out"] == {"disputed": 1}
    assert (made.figures()["file"], made.figures()["items"]) == (4, 3)


def test_every_phone_of_a_customer_that_wants_reminders_gets_one(runs: Runs) -> None:
    runs.debtors(1)
    runs.desk.register(phone(11), customer(1), services="reminder", language="bg-Cyrl")
    runs.desk.register(phone(12), customer(1), services="bill")
    made = runs.preview()
    assert [each.phone for each in made.audience.addressees] == [phone(1), phone(11)]
    assert (made.audience.items, made.audience.left_out) == (1, {})
    assert made.parts == (1, 2)


def test_whoever_has_least_time_comes_first(runs: Runs) -> None:
    runs.debtors(3)
    runs.change(3, cutoff_date=date(2026, 11, 30))
    assert [each.phone for each in runs.preview().audience.addressees] == [phone(3), phone(1), phone(2)]


def test_without_data_there_is_no_preview(runs: Runs) -> None:
    with pytest.raises(NothingToSend, match="no open items"):
        runs.preview()


def test_data_older_than_48_hours_remind_nobody(runs: Runs) -> None:
    runs.debtors(1)
    runs.data(NOW - timedelta(hours=48))
    assert runs.preview().recipients == 1
    runs.data(NOW - timedelta(hours=48, seconds=1))
    with pytest.raises(CampaignRefused, match="older than 48 hours"):
        runs.preview()


def test_samples_show_each_kind_of_text(runs: Runs) -> None:
    runs.debtors(6)
    runs.people(7, language="bg-Cyrl")
    runs.owes(7)
    runs.people(8, language="en")
    runs.owes(8)
    made = runs.preview()
    assert len(made.samples) == 5
    assert {sample.language for sample in made.samples} == {"bg-Latn", "bg-Cyrl", "en"}
    assert made.figures()["languages"] == {"bg-Cyrl": 1, "bg-Latn": 6, "en": 1}
    assert not any(customer(number) in sample.text for sample in made.samples for number in range(9))
