"""Drives the outbox one message at a time."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from sqlalchemy import Connection, Row, select

from modemd.messages import StatusReport
from modemd.store import outbox, status_reports
from modemd.store.outbox import Claim, NewMessage, Refused, Sending, Sent, Want
from modemd.store.parts import Work
from modemd.store.schema import in_air, message, part

NOW = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)
HOST = "gsm-host-1"
LEASE = timedelta(seconds=30)
PHONE = "+359888000001"


def compose(**fields: object) -> NewMessage:
    """A message with something fitting in every field not named."""
    given = {
        "kind": "manual",
        "recipient": PHONE,
        "text": "Zdravey",
        "parts": 1,
        "priority": 5,
        "expires_at": NOW + timedelta(days=2),
    }
    return NewMessage(**{**given, **fields})  # type: ignore[arg-type]


def in_the_air(conn: Connection) -> set[int]:
    """The parts of which it is written that they may be on their way."""
    open_ = part.c.state.in_(("sending", "in_doubt", "held"))
    marked = select(part.c.id).where(part.c.state == "queued", part.c.id.in_(select(in_air.c.part_id)))
    return {*conn.scalars(select(part.c.id).where(open_)), *conn.scalars(marked)}


class Outbox:
    """The outbox's verbs for one message at a time, at a time that tests move."""

    def __init__(self, conn: Connection) -> None:
        self.conn = conn
        self.now = NOW
        self._reports = 0
        self._lines: dict[int, int] = {}  # by the parts that were begun

    def queue(self, **fields: object) -> int:
        return outbox.enqueue(self.conn, [compose(**fields)], self.now)[0]

    def claim(self, line_id: int, count: int = 1, *, max_priority: int = 9, host: str = HOST) -> list[Claim]:
        (claims,) = outbox.claim(self.conn, [Want(line_id, count, max_priority)], self.now, host, LEASE)
        return claims

    def claimed(self, line_id: int, **limits: int) -> list[int]:
        return [claim.message_id for claim in self.claim(line_id, **limits)]

    def sending(self, line_id: int, **fields: object) -> int:
        """Queue a message and begin it through the line; returns its first part's id."""
        message_id = self.queue(**fields)
        claims = {claim.message_id: claim for claim in self.claim(line_id, 100)}
        outbox.release(self.conn, [each for each in claims if each != message_id], self.now, HOST)
        return self.begin(claims[message_id])

    def begin(self, claim: Claim, *, host: str = HOST) -> int:
        """Mark its next part as sending; returns the part's id."""
        part_id = claim.open_parts[0].id
        outbox.mark_sending(self.conn, [Sending(part_id, claim.line_id)], self.now, host)
        self._lines[part_id] = claim.line_id
        return part_id

    def land(self, part_id: int) -> Row[tuple[object, ...]]:
        """Write into its own row that a part is in the air; the row."""
        Work(self.conn, parts=[part_id]).write(self.now)
        return self.part(part_id)

    def sent(self, part_id: int, reference: int = 1) -> str:
        outbox.sent(self.conn, [Sent(part_id, reference, line_id=self._lines.get(part_id))], self.now)
        outbox.follow_up(self.conn, [part_id], self.now)
        return str(self.of_part(part_id).state)

    def refused(
        self,
        part_id: int,
        *,
        permanent: bool = False,
        retry_after: timedelta | None = timedelta(minutes=1),
        max_attempts: int = 5,
    ) -> str:
        retry_at = None if retry_after is None else self.now + retry_after
        refusal = Refused(part_id, "CMS ERROR 38 (network out of order)", permanent, retry_at, max_attempts)
        return outbox.refused(self.conn, [refusal], self.now)[0]

    def doubt(self, part_id: int) -> str:
        return outbox.doubt(self.conn, [part_id], self.now)[0]

    def report(self, line_id: int, reference: int = 1, status: int = 0, **fields: object) -> StatusReport:
        """Receive a new status report through the line."""
        self._reports += 1
        given = {
            "pdu": f"0791{self._reports:06x}",
            "storage": "SR",
            "index": 1,
            "received_at": self.now,
            "recipient": PHONE,
            "reference": reference,
            "status": status,
            "smsc_time": self.now,
            "discharged_at": self.now,
        }
        report = StatusReport(**{**given, **fields})  # type: ignore[arg-type]
        status_reports.reported(self.conn, line_id, [report], self.now)
        return report

    def message(self, message_id: int) -> Row[tuple[object, ...]]:
        return self.conn.execute(select(message).where(message.c.id == message_id)).one()

    def of_part(self, part_id: int) -> Row[tuple[object, ...]]:
        """The message of a part."""
        return self.message(self.part(part_id).message_id)

    def part(self, part_id: int) -> Row[tuple[object, ...]]:
        return self.conn.execute(select(part).where(part.c.id == part_id)).one()

    def parts(self, message_id: int) -> Sequence[Row[tuple[object, ...]]]:
        return self.conn.execute(select(part).where(part.c.message_id == message_id).order_by(part.c.number)).all()
