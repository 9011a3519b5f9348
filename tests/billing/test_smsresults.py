"""What became of each invoice that was reminded of, told once it is settled."""

from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from modemd.billing import results
from modemd.store import database as opening
from modemd.store.schema import campaign, campaign_item, campaign_recipient, message
from tests.billing.office import NOW, Office
from tests.billing.test_results import read

QUEUED_AT, SENT_AT, SETTLED_AT = NOW - timedelta(hours=3), NOW - timedelta(hours=2), NOW - timedelta(hours=1)


class Reminded:
    """A campaign with one recipient for each state of a message."""

    def __init__(self, office: Office, *, kind: str = "reminder", started: bool = True) -> None:
        self.office = office
        with opening.writing(office.engine) as conn:
            row = {
                "kind": kind, "state": "running", "fingerprint": "x", "recipients": 1, "parts": 1, "figures": "{}",
                "wording": "{}", "pause_after": 0, "created_by": "elena", "created_at": NOW,
                "started_at": NOW if started else None,
            }  # fmt: skip
            self.campaign_id = conn.execute(campaign.insert().returning(campaign.c.id), row).scalar_one()
        self.count = 0

    def add(self, state: str | None, *, recipient: str = "out", invoices: int = 1, **columns: Any) -> int | None:
        """A recipient whose message is in this state (None: it never had one); returns the message's id."""
        self.count += 1
        number = self.count
        with opening.writing(self.office.engine) as conn:
            message_id = None
            if state is not None:
                sms = {
                    "kind": "reminder", "recipient": f"+3598880001{number:02}", "text": "x", "parts": 1, "priority": 9,
                    "state": state, "due": True, "expires_at": NOW + timedelta(days=2), "created_at": QUEUED_AT,
                    "sent_at": SENT_AT, "state_at": SETTLED_AT,
                }  # fmt: skip
                new = message.insert().returning(message.c.id)
                message_id = conn.execute(new, {**sms, **columns}).scalar_one()
            to = {
                "campaign_id": self.campaign_id, "phone": f"+3598880001{number:02}", "language": "en", "parts": 1,
                "customers": "", "state": recipient, "message_id": message_id, "queued_at": QUEUED_AT,
            }  # fmt: skip
            new = campaign_recipient.insert().returning(campaign_recipient.c.id)
            recipient_id = conn.execute(new, to).scalar_one()
            for invoice in range(invoices):
                item = {
                    "recipient_id": recipient_id, "phone": to["phone"], "customer_no": f"{300000000000 + number}",
                    "invoice_no": f"{480000000 + invoice:010}", "level": 1, "cents": 1,
                    "cutoff_date": date(2026, 12, 7),
                }  # fmt: skip
                conn.execute(campaign_item.insert(), item)
        return message_id

    def told(self) -> list[tuple[str, str]]:
        """Customer and status of what a new file tells."""
        written = results.write(self.office.engine, self.out, "gsm-host-1", NOW)
        return [(row["customer_no"][-1], row["status"]) for file in written for row in read(file.path)]

    @property
    def out(self) -> Path:
        return self.office.folder / "out"


def test_a_result_says_who_when_and_what_became_of_it(office: Office) -> None:
    run = Reminded(office)
    run.add("undelivered", error="+359888000101 is switched off", invoices=2)
    [written] = results.write(office.engine, run.out, "gsm-host-1", NOW)
    first, second = read(written.path)
    assert written.path.name == "smsresults-modemd-000001.csv"
    assert first == {
        "customer_no": "300000000001", "invoice_no": "0480000000", "level": "1", "phone_last3": "101",
        "queued_at": "2026-11-23T05:00:00+02:00", "sent_at": "2026-11-23T06:00:00+02:00", "status": "undelivered",
        "status_at": "2026-11-23T07:00:00+02:00", "error": "+35988•••101 is switched off",
    }  # fmt: skip
    assert second["invoice_no"] == "0480000001"


def test_only_what_is_settled_is_told_and_only_once(office: Office) -> None:
    run = Reminded(office)
    states = ["delivered", "undelivered", "expired", "failed", "skipped", "sent", "in_doubt", "held", "queued"]
    ids = [run.add(state, recipient="queued" if state == "queued" else "out") for state in states]
    assert run.told() == [(str(number), state) for number, state in enumerate(states[:5], start=1)]
    assert run.told() == []
    with opening.writing(office.engine) as conn:
        conn.execute(message.update().where(message.c.id == ids[5]).values(state="delivered"))
    assert run.told() == [("6", "delivered")]


@pytest.mark.parametrize(("hours", "told"), [(23, []), (25, [("1", "sent")])])
def test_what_the_network_never_reports_on_is_told_as_sent_in_the_end(
    office: Office, hours: int, told: list[tuple[str, str]]
) -> None:
    run = Reminded(office)
    run.add("sent", expires_at=NOW - timedelta(hours=hours))
    assert run.told() == told


def test_who_was_never_texted_because_the_run_was_cancelled_is_told(office: Office) -> None:
    run = Reminded(office)
    run.add(None, recipient="cancelled")
    assert run.told() == [("1", "cancelled")]


@pytest.mark.parametrize("kwargs", [{"kind": "outage"}, {"started": False}])
def test_outages_and_previews_are_not_told(office: Office, kwargs: dict[str, Any]) -> None:
    run = Reminded(office, **kwargs)
    run.add("delivered")
    assert run.told() == []
