"""Rows that a report counts, written as the daemon would leave them."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import count

from sqlalchemy import Connection

from modemd.store import lines
from modemd.store.schema import Channel, consent, inbox, message, part, unread_outcome


@dataclass
class Office:
    conn: Connection
    ids: "count[int]" = field(default_factory=lambda: count(1))
    made: dict[str, int] = field(default_factory=dict)

    def line(self, name: str) -> int:
        if name not in self.made:
            sim = lines.Sim(f"893590100000{len(self.made):08}", None)
            at = datetime.fromisoformat("2021-01-01T00:00:00+00:00")
            port = f"/dev/modem{len(self.made):02}"
            self.made[name] = lines.identify(self.conn, sim, "host", port, at, adopt=True, name=name).id
        return self.made[name]

    def sent(
        self,
        kind: str,
        at: datetime,
        *,
        state: str = "delivered",
        to: str = "+359888000101",
        line: str = "A1",
        parts: int = 1,
        in_reply_to: int | None = None,
        left: bool = True,
    ) -> None:
        """A message that left at that time, or that was only handed over then."""
        message_id = next(self.ids)
        row = {
            "id": message_id, "kind": kind, "recipient": to, "text": "…", "parts": parts, "priority": 5,
            "state": state, "due": True, "expires_at": at + timedelta(days=2), "in_reply_to": in_reply_to,
            "line_id": self.line(line), "created_at": at - timedelta(days=40), "sent_at": at if left else None,
            "state_at": at,
        }  # fmt: skip
        self.conn.execute(message.insert(), row)
        rows = [
            {
                "message_id": message_id, "number": number, "state": state, "line_id": self.line(line),
                "submitted_at": at, "sent_at": at if left else None,
            }
            for number in range(1, parts + 1)
        ]  # fmt: skip
        self.conn.execute(part.insert(), rows)

    def answered(
        self,
        at: datetime,
        *,
        seconds: float = 4,
        read_as: str = "bill",
        by: str | None = None,
        to: str = "+359888000101",
    ) -> None:
        """A question that was answered at that time, after so many seconds; `by`: a person's outcome."""
        inbox_id = next(self.ids)
        row = {
            "id": inbox_id, "line_id": self.line("A1"), "number": to, "replyable": True, "text": "…", "parts": 1,
            "complete": True, "state": "done", "kind": read_as, "received_at": at - timedelta(seconds=seconds),
            "done_at": at,
        }  # fmt: skip
        self.conn.execute(inbox.insert(), row)
        if by is not None:
            self.conn.execute(unread_outcome.insert(), {"inbox_id": inbox_id, "outcome": by, "by": "ivo", "at": at})
        self.sent("reply", at, to=to, in_reply_to=inbox_id)

    def agreed(
        self,
        begun: datetime,
        *,
        ended: datetime | None = None,
        channel: Channel = Channel.CENTRE,
        phone: str = "+359888000101",
        services: tuple[str, ...] = ("bill", "reminder"),
        registered: bool = True,
    ) -> None:
        """One customer's consent on a phone."""
        row = {
            "phone": phone, "customer_no": f"{300000000000 + next(self.ids)}", "channel": channel, "who": "eva",
            "registered": registered, "begun_at": begun, "ended_at": ended,
            **{service: service in services for service in ("bill", "reminder", "outage")},
        }  # fmt: skip
        self.conn.execute(consent.insert(), row)
