"""What came in."""

from enum import StrEnum

from sqlalchemy import Boolean, Column, ForeignKey, Index, Integer, LargeBinary, String, Table, Text

from modemd.store.tables.base import Id, UtcTime, metadata, one_of, partial_index
from modemd.store.tables.kept import KeptReason


class InboxState(StrEnum):
    """`new` waits for its answer, `done` has it, `unread` was not understood, `unreadable` is a PDU beyond decoding."""

    NEW = "new"
    DONE = "done"
    UNREAD = "unread"
    UNREADABLE = "unreadable"


inbox = Table(
    "inbox",
    metadata,
    Column("id", Id, primary_key=True),
    Column("line_id", Id, ForeignKey("line.id"), nullable=False),
    Column("number", String(32)),
    Column("replyable", Boolean, nullable=False),
    Column("text", Text),
    Column("parts", Integer, nullable=False),
    Column("complete", Boolean, nullable=False),  # False: parts were still missing when we stopped waiting
    Column("state", String(12), nullable=False),
    Column("kind", String(16)),  # what it was read as: bill, stop, help, number, unknown
    Column("error", KeptReason),
    Column("smsc_time", UtcTime),
    Column("received_at", UtcTime, nullable=False),
    Column("done_at", UtcTime),
    one_of("state", InboxState),
    Index("ix_inbox_state", "state", "id"),
    Index("ix_inbox_number", "number", "id"),
    Index("ix_inbox_received_at", "received_at"),
)

inbox_part = Table(
    "inbox_part",
    metadata,
    Column("id", Id, primary_key=True),
    Column("inbox_id", Id, ForeignKey("inbox.id")),  # None: the other parts have not come yet
    Column("line_id", Id, ForeignKey("line.id"), nullable=False),
    Column("dedupe", String(64), unique=True),  # the same PDU on the same line is the same SMS
    Column("pdu", Text, nullable=False),
    Column("number", String(32)),
    Column("replyable", Boolean, nullable=False),
    Column("text", Text),
    Column("data", LargeBinary),
    Column("reference", Integer),
    Column("total", Integer),
    Column("part", Integer),
    Column("smsc_time", UtcTime),
    Column("received_at", UtcTime, nullable=False),
    partial_index("ix_inbox_part_long", "line_id", "number", "reference", where="reference IS NOT NULL"),
    partial_index("ix_inbox_part_waiting", "received_at", where="inbox_id IS NULL"),
    Index("ix_inbox_part_inbox_id", "inbox_id"),
)

limit_use = Table(
    "limit_use",
    metadata,
    Column("id", Id, primary_key=True),
    Column("key", String(80), nullable=False),  # "answer:+359881234567", "sign-in:127.0.0.1"
    Column("at", UtcTime, nullable=False),
    Index("ix_limit_use_key", "key", "at"),
)
