"""The service as a test sees it: texts in, replies out, over the real store."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from sqlalchemy import Connection, select

from modemd.config import Settings
from modemd.messages import ReceivedSms
from modemd.service import router, subscriptions
from modemd.store import inbox
from modemd.store.schema import customer, dataset, message, open_item

NOW = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)  # noon in Sofia
DATA_AT = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
GENERATION = 7


@dataclass
class Desk:
    """A number that customers text to, over the real store, and what billing has handed over."""

    conn: Connection
    line_id: int
    settings: Settings
    now: datetime = NOW
    texts: int = 0

    def ask(self, number: str | None, text: str | None, *, replyable: bool = True) -> list[str]:
        """Text the service; returns the texts of the replies that this queued."""
        question = self.receive(number, text, replyable=replyable)
        router.answer(self.conn, question, self.settings, self.now)
        return list(self.conn.scalars(select(message.c.text).where(message.c.in_reply_to == question.id)))

    def receive(self, number: str | None, text: str | None, *, replyable: bool = True) -> inbox.Question:
        """Record a text; returns the question it is."""
        self.texts += 1
        sms = ReceivedSms(
            pdu=f"00{self.texts:08x}", storage="SM", index=1, received_at=self.now, number=number, replyable=replyable,
            text=text, data=None if text is not None else b"\x00", smsc_time=self.now,
        )  # fmt: skip
        inbox.record(self.conn, self.line_id, [sms], self.now)
        return inbox.pending(self.conn, 100)[-1]

    def customers(self, *numbers: str, active: bool = True) -> None:
        """Billing knows these customers."""
        self._dataset("CUSTOMERS")
        rows = [{"generation": GENERATION, "customer_no": no, "class": "H", "active": active} for no in numbers]
        self.conn.execute(customer.insert(), rows)

    def no_items(self) -> None:
        """Billing has handed over open items, and there are none."""
        self._dataset("OPENITEMS")

    def owes(self, customer_no: str, cents: int, due: date, status: str = "OPEN", generation: int = GENERATION) -> None:
        """An invoice of this customer."""
        self._dataset("OPENITEMS")
        self.texts += 1
        row = {
            "generation": generation, "customer_no": customer_no, "invoice_no": f"{480000000 + self.texts:010}",
            "invoice_date": due - timedelta(days=14), "due_date": due, "total_cents": cents, "open_cents": cents,
            "status": status, "level": 0, "class": "H", "flags": "",
        }  # fmt: skip
        self.conn.execute(open_item.insert(), row)

    def register(self, phone: str, *customer_numbers: str, language: str = "bg-Latn", services: str = "bill") -> None:
        subscriptions.register(self.conn, phone, customer_numbers, services.split(","), language, self.now)

    def _dataset(self, type_: str) -> None:
        if self.conn.scalar(select(dataset.c.type).where(dataset.c.type == type_)) is None:
            self.conn.execute(dataset.insert(), {"type": type_, "generation": GENERATION, "data_at": DATA_AT})
