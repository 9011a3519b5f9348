"""What we send, and what became of it."""

from enum import StrEnum

from sqlalchemy import Boolean, Column, ForeignKey, Index, Integer, String, Table, Text, UniqueConstraint

from modemd.config import ANSWERS
from modemd.store.tables.base import Id, UtcTime, metadata, one_of, partial_index
from modemd.store.tables.kept import KeptReason


class MessageState(StrEnum):
    """What has become of an SMS of ours, and of each of its parts; `parts.py` holds the moves."""

    QUEUED = "queued"
    SENDING = "sending"  # committed before its Ctrl-Z is written
    SENT = "sent"
    DELIVERED = "delivered"
    UNDELIVERED = "undelivered"
    EXPIRED = "expired"
    IN_DOUBT = "in_doubt"  # the answer to Ctrl-Z was never seen
    HELD = "held"  # in doubt for too long and not repeatable: a person decides
    FAILED = "failed"
    SKIPPED = "skipped"
    CANCELLED = "cancelled"


# The words of a partial index must stand in the query as they stand here, literally, or the index is not used.
QUEUED = "state = 'queued' AND due AND claimed_by IS NULL"
ANY_LINE = f"{QUEUED} AND line_id IS NULL"
ONE_LINE = f"{QUEUED} AND line_id IS NOT NULL"
ANSWER = f"kind IN ({', '.join(map(repr, ANSWERS))})"
NOT_DUE = "state = 'queued' AND NOT due"
UNANSWERED = "part.state IN ('sending', 'in_doubt', 'held')"  # handed over, and nothing heard of it
REPEATED = "part.state = 'queued' AND part.submitted_at IS NOT NULL"  # was in doubt, waits to be sent again
TROUBLE = "state IN ('in_doubt', 'held', 'failed')"

message = Table(
    "message",
    metadata,
    Column("id", Id, primary_key=True),
    Column("kind", String(16), nullable=False),
    Column("recipient", String(32), nullable=False),
    Column("text", Text, nullable=False),
    Column("parts", Integer, nullable=False),
    Column("priority", Integer, nullable=False),  # 0 leaves first
    Column("state", String(12), nullable=False),
    Column("due", Boolean, nullable=False),  # False until not_before has passed
    Column("not_before", UtcTime),
    Column("expires_at", UtcTime, nullable=False),  # not sent any more after this; also TP-VP
    Column("line_id", Id, ForeignKey("line.id")),  # leaves through this line, or has begun to; None: any
    Column("claimed_by", String(64)),  # host.name
    Column("claimed_line_id", Id),  # the line that the host took it for
    Column("lease_until", UtcTime),
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column("repeats", Integer, nullable=False, server_default="0"),  # sent again after doubt
    Column("error", KeptReason),  # the last refusal, or why skipped, in words
    Column("external_id", String(128)),
    Column("in_reply_to", Id, ForeignKey("inbox.id")),
    Column("created_at", UtcTime, nullable=False),
    Column("sent_at", UtcTime),
    Column("state_at", UtcTime, nullable=False),
    one_of("state", MessageState),
    partial_index("ix_message_any_line", "priority", "id", where=ANY_LINE),
    partial_index("ix_message_one_line", "line_id", "priority", "id", where=ONE_LINE),
    partial_index("ix_message_not_before", "not_before", where=NOT_DUE),
    partial_index("ix_message_expires_at", "expires_at", where="state = 'queued'"),
    partial_index("ix_message_claimed_by", "claimed_by", where="claimed_by IS NOT NULL"),
    partial_index("uq_message_external_id", "external_id", where="external_id IS NOT NULL", unique=True),
    partial_index("ix_message_trouble", "state", where=TROUBLE),
    partial_index("ix_message_left", "kind", "state", "sent_at", where="sent_at IS NOT NULL"),
    partial_index("ix_message_reply", "sent_at", "in_reply_to", "recipient", where="in_reply_to IS NOT NULL"),
    partial_index("ix_message_in_reply_to", "in_reply_to", where="in_reply_to IS NOT NULL"),
    Index("ix_message_recipient", "recipient", "id"),
    Index("ix_message_created_at", "created_at"),
)

part = Table(
    "part",
    metadata,
    Column("id", Id, primary_key=True),
    Column("message_id", Id, ForeignKey("message.id"), nullable=False),
    Column("number", Integer, nullable=False),  # 1 … message.parts
    Column("state", String(12), nullable=False),
    Column("line_id", Id, ForeignKey("line.id")),  # the line it was handed to
    Column("reference", Integer),  # TP-MR
    Column("expected_reference", Integer),  # what the line would give, noted before Ctrl-Z
    Column("submitted_at", UtcTime),
    Column("sent_at", UtcTime),
    Column("status", Integer),  # TP-ST of its last report
    Column("discharged_at", UtcTime),
    UniqueConstraint("message_id", "number"),
    one_of("state", MessageState),
    partial_index("ix_part_line_id", "line_id", "submitted_at", "reference", where="submitted_at IS NOT NULL"),
    partial_index("ix_part_unanswered", "line_id", "submitted_at", where=UNANSWERED.replace("part.", "")),
    partial_index("ix_part_repeated", "line_id", "submitted_at", where=REPEATED.replace("part.", "")),
)

# The part that a line was given last. It is in the air while its own row still says `queued`: rows of parts have many
# indexes, and this small one is all that is written before Ctrl-Z. `sent` takes over from here, else `Work` does.
in_air = Table(
    "in_air",
    metadata,
    Column("line_id", Id, ForeignKey("line.id"), primary_key=True, autoincrement=False),
    Column("part_id", Id, ForeignKey("part.id")),
    Column("expected_reference", Integer),
    Column("submitted_at", UtcTime),
)

status_report = Table(
    "status_report",
    metadata,
    Column("id", Id, primary_key=True),
    Column("line_id", Id, ForeignKey("line.id"), nullable=False),
    Column("dedupe", String(64), nullable=False, unique=True),  # the same PDU on the same line is the same report
    Column("recipient", String(32)),
    Column("reference", Integer, nullable=False),
    Column("status", Integer, nullable=False),
    Column("smsc_time", UtcTime),
    Column("discharged_at", UtcTime),
    Column("received_at", UtcTime, nullable=False),
    Column("pdu", Text, nullable=False),
    Column("part_id", Id, ForeignKey("part.id")),  # None: nothing of ours (yet)
    partial_index("ix_status_report_unmatched", "line_id", "reference", where="part_id IS NULL"),
)
