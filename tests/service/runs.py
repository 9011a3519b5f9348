"""Reminder runs as a test plays them: billing's data, people who preview and start, and a line that a test sends by."""

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, select

from modemd.config import Settings
from modemd.errors import ModemdError
from modemd.service import campaigns, handover
from modemd.service.campaigns import Actor
from modemd.service.last_look import LastLook
from modemd.service.reminders import preview
from modemd.service.reminders.preview import Preview
from modemd.store import outbox, progress
from modemd.store.outbox import Sending, Sent, Want
from modemd.store.schema import dataset, message, open_item, part
from modemd.store.staff import Role
from tests.service.desk import DATA_AT, GENERATION, NOW, Desk

HOST = "gsm-host-1"
DUE, CUTOFF = date(2026, 11, 10), date(2026, 12, 7)
ELENA, BORIS, TECHNICIAN = (
    Actor("elena", Role.OPERATOR),
    Actor("boris", Role.MANAGER),
    Actor("ivan", Role.TECHNICIAN),
)


def phone(number: int) -> str:
    return f"+35988{number:07}"


def customer(number: int) -> str:
    return f"3{number:011}"


@dataclass
class Runs:
    desk: Desk
    settings: Settings
    now: datetime = NOW
    reference: int = 0
    texts: list[tuple[str, str]] = field(default_factory=list)  # what has left: phone and text

    @property
    def conn(self) -> Connection:
        return self.desk.conn

    # billing and registrations

    def owes(self, number: int, cents: int = 11240, invoice: int | None = None, **columns: Any) -> None:
        """An overdue invoice of customer `number`; `columns` take the place of what it has."""
        self.data()
        row = {
            "generation": GENERATION,
            "customer_no": customer(number),
            "invoice_no": f"{480000000 + (invoice or number):010}",
            "invoice_date": DUE - timedelta(days=14),
            "due_date": DUE,
            "cutoff_date": CUTOFF,
            "total_cents": cents,
            "open_cents": cents,
            "status": "OPEN",
            "level": 1,
            "class": "H",
            "flags": "",
        }
        self.conn.execute(open_item.insert(), {**row, **columns})

    def data(self, at: datetime = DATA_AT) -> None:
        """Billing's open items are of this time."""
        self.desk.no_items()
        self.conn.execute(dataset.update().where(dataset.c.type == "OPENITEMS").values(data_at=at))

    def change(self, number: int, **columns: Any) -> None:
        """Billing says something else of a customer's invoices."""
        self.conn.execute(open_item.update().where(open_item.c.customer_no == customer(number)).values(**columns))

    def people(self, *numbers: int, services: str = "bill,reminder,outage", language: str = "bg-Latn") -> None:
        """Customers with a phone each."""
        self.desk.customers(*map(customer, numbers))
        for number in numbers:
            self.desk.register(phone(number), customer(number), services=services, language=language)

    def debtors(self, count: int, first: int = 1) -> None:
        """So many people with an overdue invoice each."""
        self.people(*range(first, first + count))
        for number in range(first, first + count):
            self.owes(number)

    # people who send

    def preview(self) -> Preview:
        return preview.preview(self.conn, self.settings, self.now)

    def propose(self) -> int:
        return preview.propose(self.conn, self.preview(), self.settings, ELENA.name, self.now)

    def start(self) -> int:
        """Preview, approve and start; returns the campaign."""
        campaign_id = self.propose()
        campaigns.approve(self.conn, campaign_id, BORIS, self.settings, self.now)
        count = campaigns.standing(self.conn, campaign_id, self.settings, self.now).campaign.recipients
        campaigns.start(self.conn, campaign_id, count, ELENA, self.settings, self.now)
        return campaign_id

    def state(self, campaign_id: int) -> tuple[str, str | None]:
        found = campaigns.standing(self.conn, campaign_id, self.settings, self.now).campaign
        return found.state.value, found.reason

    def counts(self, campaign_id: int) -> dict[str, int]:
        return dict(progress.progress(self.conn, campaign_id).by_state)

    # the daemon

    def tick(self) -> bool:
        return handover.tick(self.conn, self.settings, self.now)

    def queued(self) -> list[str]:
        """Phones whose message waits in the outbox, in order."""
        query = select(message.c.recipient).where(message.c.state == "queued").order_by(message.c.id)
        return list(self.conn.scalars(query))

    def send(self, count: int = 100) -> list[str]:
        """Let the line send up to so many; returns the phones that got one. As `Sender` does it."""
        want = Want(self.desk.line_id, count)
        (claims,) = outbox.claim(self.conn, [want], self.now, HOST, timedelta(seconds=30))
        return [claim.recipient for claim in claims if self._send(claim)]

    def _send(self, claim: outbox.Claim) -> bool:
        look = LastLook(self.settings)
        for each in claim.open_parts:
            try:
                with self.conn.begin_nested():
                    look.mark_sending(self.conn, [Sending(each.id, self.desk.line_id)], self.now, HOST)
            except ModemdError as error:
                end = outbox.skip if type(error).__name__ == "NoLongerTrue" else outbox.cancel
                end(self.conn, [outbox.Skip(claim.message_id, str(error.facts["reason"]))], self.now)
                return False
            self.reference = (self.reference + 1) % 256
            outbox.sent(self.conn, [Sent(each.id, self.reference)], self.now)
            outbox.follow_up(self.conn, [each.id], self.now)
        self.texts.append((claim.recipient, claim.text))
        return True

    def send_all(self) -> list[str]:
        """Tick and send until nothing moves; returns the phones that got one."""
        reached: list[str] = []
        while self.tick() and self.queued():
            before = len(self.queued()), len(reached)
            reached += self.send()
            if (len(self.queued()), len(reached)) == before:
                break
        return reached

    def parts(self, **where: Any) -> list[str]:
        return list(self.conn.scalars(select(part.c.state).filter_by(**where)))
