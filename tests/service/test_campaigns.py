"""Reminder runs: who may start what, portions, pauses, windows, and once for ever."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError

from modemd import audit
from modemd.errors import CampaignRefused, NothingToSend
from modemd.service import campaigns, subscriptions
from modemd.service.campaigns import Actor
from modemd.service.last_look import LastLook
from modemd.service.reminders import preview
from modemd.store import campaigns as store
from modemd.store import outbox, portions, upkeep
from modemd.store.outbox import Sending, Sent, Want
from modemd.store.parts import CANCELLED, Work
from modemd.store.schema import CampaignKind, campaign_item, campaign_recipient, message
from modemd.store.staff import Role
from tests.service.desk import GENERATION, NOW
from tests.service.runs import BORIS, ELENA, HOST, TECHNICIAN, Runs, phone

EVENING = datetime(2026, 11, 23, 17, 0, tzinfo=UTC)  # 19:00 in Sofia
MORNING = datetime(2026, 11, 24, 7, 0, tzinfo=UTC)  # 09:00 the next day
NEW_DATA = NOW + timedelta(hours=1)
PAUSING = pytest.mark.parametrize("runs", [{"reminders": {"pause_after": 2, "portion": 5}}], indirect=True)
SMALL_PORTIONS = pytest.mark.parametrize("runs", [{"reminders": {"pause_after": 0, "portion": 4}}], indirect=True)
ALONE = pytest.mark.parametrize("runs", [{"reminders": {"two_people": False, "pause_after": 0}}], indirect=True)


# approval and start


def test_a_run_leaves_once_it_is_approved_and_started(runs: Runs) -> None:
    runs.debtors(3)
    campaign_id = runs.start()
    assert runs.send_all() == [phone(1), phone(2), phone(3)]
    assert not runs.tick()
    assert runs.state(campaign_id) == ("done", None)
    assert runs.texts[0][1].startswith("Elektrohold: prosrocheni 112,40 EUR, klient ***0001. Vazmozhno prekasvane")


def test_a_preview_queues_nothing(runs: Runs) -> None:
    runs.debtors(3)
    campaign_id = runs.propose()
    runs.tick()
    assert runs.queued() == []
    assert runs.state(campaign_id) == ("proposed", None)


def test_the_same_preview_is_the_same_campaign_and_another_takes_its_place(runs: Runs) -> None:
    runs.debtors(2)
    first = runs.propose()
    assert runs.propose() == first
    runs.change(2, flags="D")
    second = runs.propose()
    assert runs.state(first) == ("void", "a newer preview has taken its place")
    assert runs.state(second) == ("proposed", None)
    assert runs.conn.scalar(select(func.count()).select_from(campaign_recipient)) == 1  # the first one's are gone


def test_a_preview_that_reaches_nobody_is_not_kept(runs: Runs) -> None:
    runs.desk.no_items()
    with pytest.raises(NothingToSend, match="no invoice"):
        runs.propose()


def approved(runs: Runs) -> int:
    runs.debtors(2)
    campaign_id = runs.propose()
    campaigns.approve(runs.conn, campaign_id, BORIS, runs.settings, runs.now)
    return campaign_id


def start(runs: Runs, campaign_id: int, count: int = 2, who: Actor = ELENA) -> None:
    campaigns.start(runs.conn, campaign_id, count, who, runs.settings, runs.now)


def proposed(runs: Runs) -> int:
    runs.debtors(2)
    return runs.propose()


def approve_own(runs: Runs) -> None:
    runs.debtors(2)
    own = preview.propose(runs.conn, runs.preview(), runs.settings, BORIS.name, runs.now)
    campaigns.approve(runs.conn, own, BORIS, runs.settings, runs.now)


def approve_after_new_data(runs: Runs) -> None:
    campaign_id = proposed(runs)
    runs.data(NEW_DATA)
    campaigns.approve(runs.conn, campaign_id, BORIS, runs.settings, runs.now)


def start_after_new_data(runs: Runs) -> None:
    campaign_id = approved(runs)
    runs.data(NEW_DATA)
    start(runs, campaign_id)


def start_with_old_data(runs: Runs) -> None:
    campaign_id = approved(runs)
    runs.now += timedelta(hours=47)
    start(runs, campaign_id)


def start_beside_another(runs: Runs) -> None:
    start(runs, approved(runs))
    runs.people(3)
    runs.owes(3)
    other = runs.propose()
    campaigns.approve(runs.conn, other, BORIS, runs.settings, runs.now)
    start(runs, other, 1)


def start_twice(runs: Runs) -> None:
    campaign_id = approved(runs)
    start(runs, campaign_id)
    start(runs, campaign_id)


def approve_as(who: Actor) -> Callable[[Runs], object]:
    return lambda runs: campaigns.approve(runs.conn, proposed(runs), who, runs.settings, runs.now)


def start_as(who: Actor) -> Callable[[Runs], object]:
    return lambda runs: start(runs, approved(runs), who=who)


REFUSED: dict[str, tuple[Callable[[Runs], object], str]] = {
    "approved by an operator": (approve_as(Actor("mila", Role.OPERATOR)), "only a manager approves"),
    "approved by a technician": (approve_as(TECHNICIAN), "only a manager approves"),
    "approved by nobody of staff": (approve_as(Actor("root", None)), "only a manager approves"),
    "approved by whoever made it": (approve_own, "somebody else has to approve"),
    "approved after newer data": (approve_after_new_data, "newer data have come"),
    "started without approval": (lambda runs: start(runs, proposed(runs)), "is proposed, and it would have to be"),
    "started by who approved": (start_as(BORIS), "somebody else has to start it"),
    "started by a technician": (start_as(TECHNICIAN), "no operator or manager"),
    "started by nobody of staff": (start_as(Actor("root", None)), "no operator or manager"),
    "started with the wrong number": (lambda runs: start(runs, approved(runs), 3), "2 recipients and not 3"),
    "started after newer data": (start_after_new_data, "newer data have come"),
    "started with data too old": (start_with_old_data, "older than 48 hours"),
    "started beside another": (start_beside_another, "has to be done or cancelled first"),
    "started twice": (start_twice, "is running"),
    "no such campaign": (lambda runs: start(runs, 99), "there is no campaign 99"),
    "resumed without a pause": (
        lambda runs: campaigns.resume(runs.conn, runs_started(runs), ELENA, runs.settings, runs.now),
        "is running",
    ),
    "paused before it runs": (lambda runs: campaigns.pause(runs.conn, approved(runs), ELENA, runs.now), "is approved"),
    "cancelled by a technician": (
        lambda runs: campaigns.cancel(runs.conn, runs_started(runs), TECHNICIAN, runs.settings, runs.now),
        "no operator or manager",
    ),
    "resumed by a technician": (
        lambda runs: campaigns.resume(runs.conn, runs_paused(runs), TECHNICIAN, runs.settings, runs.now),
        "no operator or manager",
    ),
}


def runs_started(runs: Runs) -> int:
    runs.debtors(2)
    return runs.start()


def runs_paused(runs: Runs) -> int:
    campaign_id = runs_started(runs)
    campaigns.pause(runs.conn, campaign_id, ELENA, runs.now)
    return campaign_id


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_refused(runs: Runs, name: str) -> None:
    act, reason = REFUSED[name]
    with pytest.raises(CampaignRefused, match=reason):
        act(runs)
    assert [text for _, text in runs.texts] == []


@ALONE
def test_the_setting_lets_one_person_do_it_alone(runs: Runs) -> None:
    runs.debtors(1)
    start(runs, runs.propose(), 1, Actor("root", None))
    assert runs.send_all() == [phone(1)]


def test_newer_data_void_a_preview_by_themselves(runs: Runs) -> None:
    campaign_id = approved(runs)
    runs.data(NEW_DATA)
    runs.tick()
    assert runs.state(campaign_id) == ("void", "newer data have come before it was started")


def test_a_preview_made_of_older_data_is_not_kept(runs: Runs) -> None:
    runs.debtors(1)
    made = runs.preview()
    runs.data(NEW_DATA)
    with pytest.raises(CampaignRefused, match="newer data have just come"):
        preview.propose(runs.conn, made, runs.settings, ELENA.name, runs.now)


def test_every_act_is_in_the_audit_log(runs: Runs) -> None:
    campaign_id = approved(runs)
    start(runs, campaign_id)
    campaigns.pause(runs.conn, campaign_id, TECHNICIAN, runs.now)
    campaigns.resume(runs.conn, campaign_id, ELENA, runs.settings, runs.now)
    campaigns.cancel(runs.conn, campaign_id, ELENA, runs.settings, runs.now)
    noted = [(entry.who, entry.action) for entry in audit.entries(runs.conn, 5)]
    assert noted == [
        ("elena", "campaign.cancel"),
        ("elena", "campaign.resume"),
        ("ivan", "campaign.pause"),
        ("elena", "campaign.start"),
        ("boris", "campaign.approve"),
    ]


# portions, pauses, windows


@SMALL_PORTIONS
def test_the_outbox_never_holds_more_than_a_portion(runs: Runs) -> None:
    runs.debtors(11)
    campaign_id = runs.start()
    seen: list[str] = []
    while runs.tick():
        assert len(runs.queued()) <= 4
        seen += runs.send(2)
    assert seen == [phone(number) for number in range(1, 12)]
    assert runs.state(campaign_id)[0] == "done"


@SMALL_PORTIONS
def test_two_hosts_that_tick_hand_nobody_over_twice(runs: Runs) -> None:
    runs.debtors(4)
    runs.start()
    runs.tick()
    runs.tick()
    assert runs.queued() == [phone(number) for number in range(1, 5)]


@PAUSING
def test_after_the_first_few_it_pauses_by_itself_until_a_person_resumes_it(runs: Runs) -> None:
    runs.debtors(4)
    campaign_id = runs.start()
    assert runs.send_all() == [phone(1), phone(2)]
    assert runs.state(campaign_id) == ("paused", "the first 2 are out: look at what became of them, then resume")
    assert not runs.tick()
    campaigns.resume(runs.conn, campaign_id, ELENA, runs.settings, runs.now)
    assert runs.send_all() == [phone(3), phone(4)]
    assert runs.state(campaign_id)[0] == "done"


@PAUSING
def test_a_run_that_is_over_with_the_first_few_does_not_pause(runs: Runs) -> None:
    runs.debtors(2)
    campaign_id = runs.start()
    assert runs.send_all() == [phone(1), phone(2)]
    assert runs.state(campaign_id)[0] == "done"


def test_a_pause_is_immediate_and_a_resumed_run_forgets_nobody_and_repeats_nobody(runs: Runs) -> None:
    runs.debtors(6)
    campaign_id = runs.start()
    runs.tick()
    first = runs.send(2)
    assert campaigns.pause(runs.conn, campaign_id, TECHNICIAN, runs.now) == 4
    assert runs.queued() == []
    assert runs.send() == []
    assert not runs.tick()
    campaigns.resume(runs.conn, campaign_id, ELENA, runs.settings, runs.now)
    assert first + runs.send_all() == [phone(number) for number in range(1, 7)]


def test_a_pause_also_stops_what_a_line_has_claimed_already(runs: Runs) -> None:
    runs.debtors(2)
    campaign_id = runs.start()
    runs.tick()
    ((first, second),) = outbox.claim(runs.conn, [Want(runs.desk.line_id, 2)], runs.now, HOST, timedelta(seconds=30))
    outbox.mark_sending(runs.conn, [Sending(first.open_parts[0].id, runs.desk.line_id)], runs.now, HOST)
    campaigns.pause(runs.conn, campaign_id, ELENA, runs.now)
    assert runs.counts(campaign_id) == {"sending": 1, "waiting": 1}
    assert not runs._send(second)
    outbox.sent(runs.conn, [Sent(first.open_parts[0].id, 1)], runs.now)
    campaigns.resume(runs.conn, campaign_id, ELENA, runs.settings, runs.now)
    assert runs.send_all() == [second.recipient]


def test_a_long_message_that_has_begun_is_finished(runs: Runs) -> None:
    runs.people(1, language="bg-Cyrl")
    runs.owes(1)
    campaign_id = runs.start()
    runs.tick()
    ((claim,),) = outbox.claim(runs.conn, [Want(runs.desk.line_id, 1)], runs.now, HOST, timedelta(seconds=30))
    first, second = claim.open_parts
    outbox.mark_sending(runs.conn, [Sending(first.id, runs.desk.line_id)], runs.now, HOST)
    outbox.sent(runs.conn, [Sent(first.id, 1, line_id=runs.desk.line_id)], runs.now)
    campaigns.pause(runs.conn, campaign_id, ELENA, runs.now)
    runs.change(1, status="PAID", open_cents=0)
    LastLook(runs.settings).mark_sending(runs.conn, [Sending(second.id, runs.desk.line_id)], runs.now, HOST)
    Work(runs.conn, parts=[second.id]).write(runs.now)
    assert runs.parts(id=second.id) == ["sending"]


def test_a_cancelled_run_sends_nothing_more_and_says_how_many_that_concerns(runs: Runs) -> None:
    runs.debtors(5)
    campaign_id = runs.start()
    runs.tick()
    runs.send(2)
    assert campaigns.cancel(runs.conn, campaign_id, ELENA, runs.settings, runs.now) == 3
    assert runs.send_all() == []
    assert runs.counts(campaign_id) == {"sent": 2, "cancelled": 3}


def test_who_got_nothing_before_the_cancellation_is_in_the_next_run(runs: Runs) -> None:
    runs.debtors(3)
    campaign_id = runs.start()
    runs.tick()
    runs.send(1)
    campaigns.cancel(runs.conn, campaign_id, ELENA, runs.settings, runs.now)
    runs.start()
    assert runs.send_all() == [phone(2), phone(3)]


def test_outside_the_window_nothing_leaves_and_the_next_day_goes_on(runs: Runs) -> None:
    runs.debtors(4)
    campaign_id = runs.start()
    runs.tick()
    assert runs.send(2) == [phone(1), phone(2)]
    runs.now = EVENING
    assert runs.send() == []  # before the daemon has looked: the last look says no
    runs.tick()
    assert runs.queued() == []
    assert runs.counts(campaign_id) == {"sent": 2, "waiting": 2}
    runs.now = MORNING - timedelta(seconds=1)
    runs.tick()
    assert runs.queued() == []
    runs.now = MORNING
    assert runs.send_all() == [phone(3), phone(4)]


def test_a_run_started_at_night_waits_for_the_morning(runs: Runs) -> None:
    runs.now = EVENING + timedelta(hours=4)
    runs.debtors(1)
    runs.start()
    assert runs.send_all() == []
    runs.now = MORNING
    assert runs.send_all() == [phone(1)]


def test_data_that_become_too_old_pause_a_run_and_newer_ones_let_it_be_resumed(runs: Runs) -> None:
    runs.debtors(2)
    campaign_id = runs.start()
    runs.tick()
    runs.now += timedelta(hours=47)  # the data are 49 hours old, and the window is open
    assert runs.send(1) == []
    runs.tick()
    assert runs.state(campaign_id)[1] == "the data of billing are too old; import newer ones, then resume"
    with pytest.raises(CampaignRefused, match="older than 48 hours"):
        campaigns.resume(runs.conn, campaign_id, ELENA, runs.settings, runs.now)
    runs.data(runs.now)
    campaigns.resume(runs.conn, campaign_id, ELENA, runs.settings, runs.now)
    assert runs.send_all() == [phone(1), phone(2)]


def test_a_message_that_expires_unsent_is_handed_over_anew(runs: Runs) -> None:
    runs.debtors(1)
    runs.start()
    runs.tick()
    runs.now += timedelta(hours=25)
    runs.data(runs.now)
    runs.conn.execute(message.update().values(expires_at=runs.now))
    upkeep.expire(runs.conn, runs.now)
    assert runs.send_all() == [phone(1)]


# once for ever


def test_an_invoice_is_reminded_of_once_at_each_level_for_ever(runs: Runs) -> None:
    runs.debtors(1)
    runs.start()
    assert runs.send_all() == [phone(1)]
    runs.now += timedelta(days=7)
    runs.data(runs.now)
    with pytest.raises(NothingToSend):
        runs.propose()
    assert runs.preview().figures()["left_out"] == {"reminded": 1}
    runs.change(1, level=2, cutoff_date=NOW.date() + timedelta(days=30))
    runs.start()
    assert runs.send_all() == [phone(1)]


def test_a_second_phone_of_the_customer_does_not_bring_the_reminder_again(runs: Runs) -> None:
    runs.debtors(1)
    runs.start()
    runs.send_all()
    runs.desk.register(phone(9), "300000000001", services="reminder")
    assert runs.preview().recipients == 0


def test_while_a_run_is_on_its_people_are_in_no_other(runs: Runs) -> None:
    runs.debtors(2)
    runs.start()
    assert runs.preview().figures()["left_out"] == {"reminded": 2}


def test_what_was_skipped_or_failed_may_be_reminded_of_again(runs: Runs) -> None:
    runs.debtors(1)
    runs.start()
    runs.tick()
    runs.change(1, flags="D")
    assert runs.send() == []
    runs.tick()
    runs.change(1, flags="")
    assert runs.preview().recipients == 1


def test_the_database_itself_keeps_an_invoice_from_being_counted_twice(runs: Runs) -> None:
    runs.debtors(1)
    runs.start()
    runs.send_all()
    made = {"recipient_id": 1, "phone": phone(1), "customer_no": "300000000001", "invoice_no": "0480000001", "level": 1}
    again = {**made, "cents": 1, "cutoff_date": NOW.date(), "counts": True}
    with pytest.raises(IntegrityError), runs.conn.begin_nested():
        runs.conn.execute(campaign_item.insert(), again)


# looking at it


def test_the_standing_tells_progress_and_what_was_skipped(runs: Runs) -> None:
    runs.debtors(4)
    campaign_id = runs.start()
    runs.tick()
    subscriptions.stop(runs.conn, phone(2), "bg-Latn", NOW)
    runs.send(3)
    found = campaigns.standing(runs.conn, campaign_id, runs.settings, runs.now)
    assert found.progress.by_state == {"sent": 2, "skipped": 1, "queued": 1}
    assert found.progress.skipped == {"stopped by the customer": 1}
    assert (found.progress.told, found.progress.open) == (2, 1)
    assert found.figures["recipients"] == 4
    assert found.campaign.approved_by == "boris"


def test_the_current_run_is_the_one_that_runs(runs: Runs) -> None:
    assert campaigns.current(runs.conn, CampaignKind.REMINDER) is None
    runs.debtors(2)
    campaign_id = runs.start()
    runs.people(3)
    runs.owes(3)
    runs.propose()
    current = campaigns.current(runs.conn, CampaignKind.REMINDER)
    assert current is not None
    assert current.id == campaign_id


def test_a_message_that_a_kill_left_in_doubt_counts_as_told(runs: Runs) -> None:
    runs.debtors(1)
    campaign_id = runs.start()
    runs.tick()
    ((claim,),) = outbox.claim(runs.conn, [Want(runs.desk.line_id, 1)], runs.now, HOST, timedelta(seconds=30))
    outbox.mark_sending(runs.conn, [Sending(claim.open_parts[0].id, runs.desk.line_id)], runs.now, HOST)
    outbox.doubt(runs.conn, [claim.open_parts[0].id], runs.now)
    runs.tick()
    assert runs.state(campaign_id)[0] == "done"
    assert runs.preview().recipients == 0
    assert portions.take_back(runs.conn, campaign_id, "too late", runs.now) == 0
    assert CANCELLED not in runs.counts(campaign_id)
    assert store.get(runs.conn, campaign_id).generation == GENERATION
