"""Rule 10: a reminder's invoice is looked up again in the moment before it is sent."""

from collections.abc import Callable
from datetime import date, timedelta

import pytest

from modemd.service import campaigns, subscriptions
from modemd.service.calendar import Calendar
from modemd.store import outbox
from modemd.store.outbox import NewMessage
from modemd.store.schema import customer, message, open_item, part, phone_customer
from modemd.store.schema import phone as phones
from tests.service.desk import NOW
from tests.service.runs import ELENA, Runs, phone
from tests.service.runs import customer as number_of


def skipped(runs: Runs, campaign_id: int) -> dict[str, int]:
    return dict(campaigns.standing(runs.conn, campaign_id, runs.settings, runs.now).progress.skipped)


MEANWHILE: dict[str, tuple[Callable[[Runs], object], str]] = {
    "paid": (lambda runs: runs.change(1, status="PAID", open_cents=0), "paid"),
    "partly paid": (lambda runs: runs.change(1, status="PARTIAL", open_cents=5000), "changed since the preview"),
    "grown": (lambda runs: runs.change(1, open_cents=20000), "changed since the preview"),
    "gone from the data": (lambda runs: runs.conn.execute(open_item.delete()), "paid"),
    "cancelled by billing": (lambda runs: runs.change(1, status="CANCELLED"), "cancelled by billing"),
    "disputed": (lambda runs: runs.change(1, flags="D"), "disputed"),
    "another cut-off": (lambda runs: runs.change(1, cutoff_date=date(2026, 12, 8)), "changed since the preview"),
    "another level": (lambda runs: runs.change(1, level=2), "changed since the preview"),
    "STOP": (lambda runs: subscriptions.stop(runs.conn, phone(1), "bg-Latn", NOW), "stopped by the customer"),
    "wrong number": (lambda runs: runs.conn.execute(phones.update().values(wrong_number_at=NOW)), "wrong number"),
    "opted out": (lambda runs: runs.conn.execute(phones.update().values(reminder=False)), "reminders not chosen"),
    "moved": (
        lambda runs: runs.conn.execute(phone_customer.delete()),
        "the phone is not the customer's any more",
    ),
    "left": (lambda runs: runs.conn.execute(customer.update().values(active=False)), "customer not active"),
}


@pytest.mark.parametrize("name", MEANWHILE)
def test_what_has_become_untrue_meanwhile_is_not_said_and_the_reason_is_kept(runs: Runs, name: str) -> None:
    meanwhile, reason = MEANWHILE[name]
    runs.debtors(1)
    campaign_id = runs.start()
    runs.tick()
    meanwhile(runs)
    assert runs.send() == []
    assert runs.texts == []
    assert skipped(runs, campaign_id) == {reason: 1}
    runs.tick()
    assert runs.state(campaign_id)[0] == "done"


def test_one_paid_invoice_of_a_merged_message_is_enough(runs: Runs) -> None:
    runs.desk.customers(number_of(1), number_of(2))
    runs.desk.register(phone(1), number_of(1), number_of(2), services="reminder")
    runs.owes(1)
    runs.owes(2)
    campaign_id = runs.start()
    runs.tick()
    runs.change(2, status="PAID", open_cents=0)
    assert runs.send() == []
    assert skipped(runs, campaign_id) == {"paid": 1}
    runs.tick()
    assert runs.preview().figures()["left_out"] == {"paid": 1}  # the other invoice is for the next run
    assert runs.preview().recipients == 1


def test_a_run_that_lasts_into_the_last_days_before_a_cut_off_ends_there(runs: Runs) -> None:
    runs.debtors(1)
    runs.change(1, cutoff_date=date(2026, 11, 26))
    campaign_id = runs.start()
    runs.tick()
    runs.now += timedelta(days=1)
    assert Calendar().working_days_before(date(2026, 11, 26), 3) == NOW.date()
    assert runs.send() == []
    assert skipped(runs, campaign_id) == {"cut-off nearer than 3 working days": 1}


def test_newer_data_that_say_the_same_change_nothing(runs: Runs) -> None:
    runs.debtors(2)
    runs.start()
    runs.tick()
    runs.data(NOW + timedelta(minutes=5))
    assert runs.send() == [phone(1), phone(2)]


def test_who_is_skipped_holds_up_nobody_behind_him(runs: Runs) -> None:
    runs.debtors(3)
    runs.start()
    runs.tick()
    runs.change(2, status="PAID", open_cents=0)
    assert runs.send() == [phone(1), phone(3)]


def test_a_message_of_this_kind_that_no_campaign_knows_is_just_sent(runs: Runs) -> None:
    new = NewMessage("reminder", phone(5), "by hand", 1, 9, NOW + timedelta(hours=1))
    outbox.enqueue(runs.conn, [new], NOW)
    assert runs.send() == [phone(5)]


def test_a_cancelled_campaign_sends_nothing_though_its_message_were_queued_again(runs: Runs) -> None:
    runs.debtors(1)
    campaign_id = runs.start()
    runs.tick()
    campaigns.cancel(runs.conn, campaign_id, ELENA, runs.settings, runs.now)
    runs.conn.execute(part.update().values(state="queued"))
    runs.conn.execute(message.update().values(state="queued"))
    assert runs.send() == []
