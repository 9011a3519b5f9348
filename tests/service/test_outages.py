"""Planned outages: whom they concern, what is refused, and the second message when one is called off."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select
from stdnum.eu import eic

from modemd import audit
from modemd.errors import CampaignRefused, NothingToSend
from modemd.service import campaigns, outages, subscriptions
from modemd.service.outages import Outage
from modemd.store.schema import customer as customers
from modemd.store.schema import message, part
from tests.service.desk import NOW
from tests.service.runs import ELENA, Runs, customer, phone

BEGINS, ENDS = datetime(2026, 12, 2, 7, 0, tzinfo=UTC), datetime(2026, 12, 2, 12, 0, tzinfo=UTC)


def itn(number: int) -> str:
    stem = f"32Z{number:012}"
    return stem + eic.calc_check_digit(stem)


def neighbours(runs: Runs, count: int, **options: str) -> str:
    """So many people with a metering point each; returns the points as a pasted list."""
    runs.people(*range(1, count + 1), **options)
    for number in range(1, count + 1):
        of = customers.c.customer_no == customer(number)
        runs.conn.execute(customers.update().where(of).values(itn=itn(number)))
    return "\n".join(itn(number) for number in range(1, count + 1))


def read(points: str, text: str = "", begins: datetime = BEGINS, ends: datetime = ENDS) -> Outage:
    return outages.read(points, begins, ends, text, NOW)


def announce(runs: Runs, points: str, text: str = "") -> int:
    made = outages.prepare(runs.conn, read(points, text), runs.settings)
    return outages.announce(runs.conn, made, ELENA, runs.now)


def test_those_with_consent_at_the_metering_points_are_told(runs: Runs) -> None:
    points = neighbours(runs, 3)
    subscriptions.stop(runs.conn, phone(2), "bg-Latn", NOW)
    announce(runs, points, "Ремонт на трафопост")
    assert runs.send_all() == [phone(1), phone(3)]
    assert runs.texts[0][1] == (
        "Elektrohold: planirano spirane na toka 02.12.2026 09:00-14:00, klient ***0001. Remont na trafopost."
        " Info 070010010. Otkaz: STOP"
    )
    assert [entry.action for entry in audit.entries(runs.conn, 1)] == ["outage.announce"]


def test_only_the_named_points_are_told(runs: Runs) -> None:
    neighbours(runs, 3)
    announce(runs, itn(2))
    assert runs.send_all() == [phone(2)]


def test_a_phone_with_two_customers_there_is_told_once(runs: Runs) -> None:
    points = neighbours(runs, 2)
    runs.desk.register(phone(1), customer(2), services="outage")
    announce(runs, points)
    assert runs.send_all() == [phone(1), phone(2)]
    assert "***0001, ***0002" in runs.texts[0][1]


@pytest.mark.parametrize(
    ("points", "text", "begins", "ends", "reason"),
    [
        ("", "", BEGINS, ENDS, "no metering point was given"),
        (f"{itn(1)} 32Z0000000000001", "", BEGINS, ENDS, "'32Z0000000000001': no metering point"),
        (f"{itn(1)[:-1]}?", "", BEGINS, ENDS, "no metering point 32Z"),
        ("27XGOEPS000001Z0", "", BEGINS, ENDS, "no metering point 32Z"),
        (" ".join(f"x{at}" for at in range(12)), "", BEGINS, ENDS, "and 2 more"),
        (itn(1), "", ENDS, BEGINS, "ends before it begins"),
        (itn(1), "", NOW - timedelta(hours=2), NOW, "over already"),
        (itn(1), "", BEGINS, BEGINS + timedelta(days=8), "longer than 7 days"),
        (itn(1), "vizh www.example.com", BEGINS, ENDS, "link"),
    ],
)
def test_what_is_refused_at_once(points: str, text: str, begins: datetime, ends: datetime, reason: str) -> None:
    with pytest.raises(CampaignRefused, match=reason.replace("?", r"\?")):
        read(points, text, begins, ends)


def test_a_point_that_no_customer_has_refuses_the_whole_list(runs: Runs) -> None:
    points = neighbours(runs, 2)
    with pytest.raises(CampaignRefused, match=f"no active customer has {itn(7)}"):
        announce(runs, f"{points}, {itn(7)}")
    runs.conn.execute(customers.update().where(customers.c.customer_no == customer(2)).values(active=False))
    with pytest.raises(CampaignRefused, match=itn(2)):
        announce(runs, points)
    assert runs.send_all() == []


def test_a_text_that_needs_a_third_part_in_any_language_is_refused(runs: Runs) -> None:
    points = neighbours(runs, 1)
    with pytest.raises(CampaignRefused, match="in bg-Cyrl the message would need 3 parts; shorten the text"):
        announce(runs, points, "Podmyana na transformatora v kvartala")


def test_where_nobody_wants_to_be_told_nothing_is_kept(runs: Runs) -> None:
    points = neighbours(runs, 2, services="bill")
    with pytest.raises(NothingToSend, match="none of the 2 customers"):
        announce(runs, points)


def test_a_pasted_list_may_be_untidy(runs: Runs) -> None:
    neighbours(runs, 2)
    pasted = f"\ufeff{itn(1)};{itn(2).lower()},\r\n {itn(1)}\t"
    assert read(pasted).points == (itn(1), itn(2))


def test_a_second_message_goes_to_those_who_were_told_and_to_nobody_else(runs: Runs) -> None:
    points = neighbours(runs, 4)
    campaign_id = announce(runs, points)
    runs.tick()
    assert runs.send(2) == [phone(1), phone(2)]
    second = outages.call_off(runs.conn, campaign_id, ELENA, runs.settings, runs.now)
    assert second is not None
    assert runs.send_all() == [phone(1), phone(2)]
    assert runs.texts[-1][1] == (
        "Elektrohold: planiranoto spirane na toka 02.12.2026 09:00-14:00, klient ***0002, se otmenya. Info 070010010."
        " Otkaz: STOP"
    )
    assert runs.counts(campaign_id) == {"sent": 2, "cancelled": 2}
    assert runs.state(second)[0] == "done"
    assert [entry.action for entry in audit.entries(runs.conn, 1)] == ["outage.call_off"]


def test_a_message_in_the_air_when_it_is_called_off_counts_as_told(runs: Runs) -> None:
    campaign_id = announce(runs, neighbours(runs, 1))
    runs.tick()
    runs.conn.execute(message.update().values(state="sending"))
    runs.conn.execute(part.update().values(state="sending", line_id=runs.desk.line_id))
    second = outages.call_off(runs.conn, campaign_id, ELENA, runs.settings, runs.now)
    assert second is not None
    assert runs.counts(second) == {"waiting": 1}


def test_when_nobody_was_told_nobody_hears_that_it_is_off(runs: Runs) -> None:
    campaign_id = announce(runs, neighbours(runs, 2))
    assert outages.call_off(runs.conn, campaign_id, ELENA, runs.settings, runs.now) is None
    assert runs.send_all() == []


def test_who_stopped_meanwhile_does_not_hear_that_it_is_off(runs: Runs) -> None:
    campaign_id = announce(runs, neighbours(runs, 2))
    runs.send_all()
    subscriptions.stop(runs.conn, phone(1), "bg-Latn", NOW)
    outages.call_off(runs.conn, campaign_id, ELENA, runs.settings, runs.now)
    assert runs.send_all() == [phone(2)]


def test_an_outage_is_called_off_once_and_not_when_it_is_over(runs: Runs) -> None:
    campaign_id = announce(runs, neighbours(runs, 1))
    runs.send_all()
    late = announce(runs, itn(1))
    second = outages.call_off(runs.conn, campaign_id, ELENA, runs.settings, runs.now)
    for wrong, reason in ((campaign_id, "called off by elena"), (second or 0, "announces no outage")):
        with pytest.raises(CampaignRefused, match=reason):
            outages.call_off(runs.conn, wrong, ELENA, runs.settings, runs.now)
    with pytest.raises(CampaignRefused, match="over already"):
        outages.call_off(runs.conn, late, ELENA, runs.settings, ENDS)
    runs.debtors(1, first=9)
    with pytest.raises(CampaignRefused, match="announces no outage"):
        outages.call_off(runs.conn, runs.propose(), ELENA, runs.settings, runs.now)


def test_at_night_it_waits_for_the_morning_unless_the_outage_begins_before(runs: Runs) -> None:
    points = neighbours(runs, 2)
    runs.now = datetime(2026, 12, 1, 21, 0, tzinfo=UTC)  # 23:00, and it begins at 09:00
    announce(runs, points)
    assert runs.send_all() == []
    runs.now = datetime(2026, 12, 2, 6, 0, tzinfo=UTC)  # 08:00
    assert runs.send_all() == [phone(1), phone(2)]
    runs.now = datetime(2026, 12, 1, 21, 0, tzinfo=UTC)
    soon = outages.read(itn(1), runs.now + timedelta(hours=1), ENDS, "", runs.now)
    made = outages.prepare(runs.conn, soon, runs.settings)
    outages.announce(runs.conn, made, ELENA, runs.now)
    assert runs.send_all() == [phone(1)]


def test_once_it_is_over_nobody_is_told_any_more(runs: Runs) -> None:
    campaign_id = announce(runs, neighbours(runs, 2))
    runs.tick()
    runs.send(1)
    runs.now = ENDS
    runs.tick()
    assert runs.counts(campaign_id) == {"sent": 1, "cancelled": 1}
    assert runs.state(campaign_id)[0] == "done"


def test_an_announcement_can_be_paused_and_resumed(runs: Runs) -> None:
    campaign_id = announce(runs, neighbours(runs, 2))
    runs.tick()
    campaigns.pause(runs.conn, campaign_id, ELENA, runs.now)
    assert runs.send() == []
    campaigns.resume(runs.conn, campaign_id, ELENA, runs.settings, runs.now)
    assert runs.send_all() == [phone(1), phone(2)]


def test_the_message_is_not_delivered_after_the_outage(runs: Runs) -> None:
    runs.now = BEGINS
    announce(runs, neighbours(runs, 1))
    runs.tick()
    assert runs.conn.scalar(select(message.c.expires_at)) == ENDS
