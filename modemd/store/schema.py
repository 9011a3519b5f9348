"""Every table, in SQLAlchemy Core. Times are aware UTC, money is integer cents, phones are E.164 or short codes."""

from datetime import UTC, datetime
from enum import StrEnum

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Date,
    DateTime,
    Dialect,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    TypeDecorator,
    UniqueConstraint,
    text,
)

from modemd.config import ANSWERS


class _SqliteUtc(TypeDecorator[datetime]):
    """SQLite has no time with a zone: fixed-width ISO text, so that text order is time order."""

    impl = String(32)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> str | None:
        return None if value is None else value.astimezone(UTC).isoformat(timespec="microseconds")

    def process_result_value(self, value: str | None, dialect: Dialect) -> datetime | None:
        return None if value is None else datetime.fromisoformat(value)


UtcTime = DateTime(timezone=True).with_variant(_SqliteUtc(), "sqlite")
Id = BigInteger().with_variant(Integer(), "sqlite")  # only INTEGER PRIMARY KEY numbers itself in SQLite


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


class InboxState(StrEnum):
    """`new` waits for its answer, `done` has it, `unread` was not understood, `unreadable` is a PDU beyond decoding."""

    NEW = "new"
    DONE = "done"
    UNREAD = "unread"
    UNREADABLE = "unreadable"


class WishState(StrEnum):
    PENDING = "pending"
    TAKEN = "taken"  # the daemon is at it
    DONE = "done"
    REFUSED = "refused"  # `answer` says why


class WishVerb(StrEnum):
    PAUSE = "pause"
    RESUME = "resume"
    RESTART = "restart"  # close the port, open it and start anew
    RESET = "reset"  # the modem itself starts anew
    USSD = "ussd"


def _one_of(column: str, words: type[StrEnum]) -> CheckConstraint:
    return CheckConstraint(f"{column} IN ({', '.join(repr(str(word)) for word in words)})", name=column)


def _index(name: str, *columns: str, where: str, unique: bool = False) -> Index:
    return Index(name, *columns, unique=unique, sqlite_where=text(where), postgresql_where=text(where))


metadata = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "uq": "uq_%(table_name)s_%(column_0_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "ix": "ix_%(table_name)s_%(column_0_name)s",
    }
)

# the bank

host = Table(
    "host",
    metadata,
    Column("name", String(64), primary_key=True),  # [daemon] name
    Column("instance", String(36), nullable=False),  # new at each start
    Column("pid", Integer, nullable=False),
    Column("started_at", UtcTime, nullable=False),
    Column("seen_at", UtcTime, nullable=False),
    Column("stopped_at", UtcTime),
)

line = Table(
    "line",
    metadata,
    Column("id", Id, primary_key=True),
    Column(
        "identity", String(340), nullable=False, unique=True
    ),  # "iccid:…", "imsi:…", or "port:host:…" for a mute SIM
    Column("name", String(64), nullable=False),
    Column("iccid", String(22)),
    Column("imsi", String(15)),
    Column("new", Boolean, nullable=False),  # adopted by itself, not yet seen by a person
    Column("adopted_at", UtcTime),  # None: waits for a technician
    Column("last_reference", Integer),  # the TP-MR of the last part it sent: what in doubt is expected to have is near
    Column("created_at", UtcTime, nullable=False),
)

line_rule = Table(  # what a technician has set for a line; NULL: as the settings say
    "line_rule",
    metadata,
    Column("line_id", Id, ForeignKey("line.id"), primary_key=True, autoincrement=False),
    Column("name", String(64)),
    Column("per_minute", Integer),
    Column("per_day", Integer),
    Column("per_month", Integer),
    Column("number", String(32)),  # its own
    Column("prefixes", Text),  # of numbers that it shall send to if it can, with blanks between
)

modem = Table(
    "modem",
    metadata,
    Column("id", Id, primary_key=True),
    Column("host", String(64), nullable=False),
    Column("port", String(255), nullable=False),
    Column("line_id", Id, ForeignKey("line.id")),
    Column("imei", String(20)),
    Column("manufacturer", String(64)),
    Column("model", String(64)),
    Column("firmware", String(64)),
    Column("state", String(16), nullable=False),
    Column("state_since", UtcTime, nullable=False),
    Column("reason", Text),  # why it is not ready, in words
    Column("operator", String(64)),
    Column("registration", String(16)),
    Column("signal_dbm", Integer),
    Column("place", String(64)),  # its USB path, "1-1.2"; None where there is none
    Column("paused", Boolean, nullable=False, server_default=text("false")),  # by a technician, until resumed
    Column("calls", Integer, nullable=False, server_default="0"),  # that were hung up
    Column("storage_used", Integer),  # of the fullest storage
    Column("storage_total", Integer),
    Column("clock_offset", Integer),  # s that the network's clock is ahead of ours
    Column("updated_at", UtcTime, nullable=False),
    Index("ix_modem_port", "host", "port"),
)

wish = Table(  # what a technician wants of a modem; the daemon obeys and answers
    "wish",
    metadata,
    Column("id", Id, primary_key=True),
    Column("modem_id", Id, ForeignKey("modem.id"), nullable=False),
    Column("verb", String(16), nullable=False),
    Column("argument", String(160)),
    Column("asked_by", String(64), nullable=False),
    Column("asked_at", UtcTime, nullable=False),
    Column("state", String(12), nullable=False),
    Column("answer", Text),
    Column("answered_at", UtcTime),
    _one_of("state", WishState),
    _one_of("verb", WishVerb),
    _index("ix_wish_pending", "modem_id", where="state = 'pending'"),
)

recovery = Table(  # how often each rung of the ladder has brought a model back
    "recovery",
    metadata,
    Column("model", String(64), primary_key=True),
    Column("rung", String(16), primary_key=True),
    Column("tries", Integer, nullable=False),
    Column("successes", Integer, nullable=False),
    Column("seconds", Float, nullable=False),  # all tries together
    Column("last_at", UtcTime, nullable=False),
)

balance = Table(  # what the operator said last is left on a SIM
    "balance",
    metadata,
    Column("line_id", Id, ForeignKey("line.id"), primary_key=True, autoincrement=False),
    Column("cents", BigInteger, nullable=False),
    Column("at", UtcTime, nullable=False),
)

pin_attempt = Table(
    "pin_attempt",
    metadata,
    Column("sim", String(80), primary_key=True),
    Column("pin_hash", String(64), primary_key=True),  # salted: see store/lines.py
    Column("at", UtcTime, nullable=False),
)

alert = Table(
    "alert",
    metadata,
    Column("id", Id, primary_key=True),
    Column("host", String(64), nullable=False),
    Column("subject", String(255), nullable=False),  # the port of a modem, or "bank"
    Column("kind", String(24), nullable=False),  # messages.AlertKind
    Column("name", String(255), nullable=False),  # what people call the subject
    Column("text", Text, nullable=False),
    Column("raised_at", UtcTime, nullable=False),
    Column("cleared_at", UtcTime),  # None: still so
    _index("uq_alert_open", "host", "subject", "kind", where="cleared_at IS NULL", unique=True),
    Index("ix_alert_raised_at", "raised_at"),
)

switch = Table(  # what holds for every daemon at once
    "switch",
    metadata,
    Column("name", String(16), primary_key=True),  # "sending"
    Column("position", String(16), nullable=False),
    Column("since", UtcTime, nullable=False),
)

# the outbox

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
    Column("error", Text),  # the last refusal, or why skipped, in words
    Column("external_id", String(128)),
    Column("in_reply_to", Id, ForeignKey("inbox.id")),
    Column("created_at", UtcTime, nullable=False),
    Column("sent_at", UtcTime),
    Column("state_at", UtcTime, nullable=False),
    _one_of("state", MessageState),
    _index("ix_message_any_line", "priority", "id", where=ANY_LINE),
    _index("ix_message_one_line", "line_id", "priority", "id", where=ONE_LINE),
    _index("ix_message_not_before", "not_before", where=NOT_DUE),
    _index("ix_message_expires_at", "expires_at", where="state = 'queued'"),
    _index("ix_message_claimed_by", "claimed_by", where="claimed_by IS NOT NULL"),
    _index("uq_message_external_id", "external_id", where="external_id IS NOT NULL", unique=True),
    _index("ix_message_trouble", "state", where=TROUBLE),
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
    _one_of("state", MessageState),
    _index("ix_part_line_id", "line_id", "submitted_at", where="submitted_at IS NOT NULL"),
    _index("ix_part_reference", "line_id", "reference", "submitted_at", where="reference IS NOT NULL"),
    _index("ix_part_unanswered", "line_id", "submitted_at", where=UNANSWERED.replace("part.", "")),
    _index("ix_part_repeated", "line_id", "submitted_at", where=REPEATED.replace("part.", "")),
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
    _index("ix_status_report_unmatched", "line_id", "reference", where="part_id IS NULL"),
)

# the inbox

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
    Column("error", Text),
    Column("smsc_time", UtcTime),
    Column("received_at", UtcTime, nullable=False),
    Column("done_at", UtcTime),
    _one_of("state", InboxState),
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
    _index("ix_inbox_part_long", "line_id", "number", "reference", where="reference IS NOT NULL"),
    _index("ix_inbox_part_waiting", "received_at", where="inbox_id IS NULL"),
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

# customers and billing

import_file = Table(
    "import_file",
    metadata,
    Column("id", Id, primary_key=True),
    Column("type", String(16), nullable=False),  # CUSTOMERS, OPENITEMS
    Column("source", String(64), nullable=False),
    Column("seq", BigInteger, nullable=False),
    Column("mode", String(8), nullable=False),  # FULL, DELTA
    Column("name", String(255), nullable=False),
    Column("sha256", String(64), nullable=False),
    Column("data_at", UtcTime, nullable=False),
    Column("rows", Integer, nullable=False),
    Column("rejected", Integer, nullable=False),
    Column("open_cents", BigInteger, nullable=False),
    Column("state", String(12), nullable=False),  # loading, imported, held, refused
    Column("reason", Text),
    Column("at", UtcTime, nullable=False),
    Index("ix_import_file_type", "type", "source", "seq"),
)

dataset = Table(  # the one row a question looks at: changing it is the switch from old data to new
    "dataset",
    metadata,
    Column("type", String(16), primary_key=True),
    Column("generation", Id, nullable=False),  # import_file.id of the last FULL file: the rows that count
    Column("data_at", UtcTime, nullable=False),  # of the last file, FULL or DELTA: "Danni kam …"
)

customer = Table(
    "customer",
    metadata,
    Column("generation", Id, primary_key=True, autoincrement=False),
    Column("customer_no", String(12), primary_key=True),
    Column("itn", String(16)),
    Column("class", String(1), nullable=False),  # H household, B business
    Column("identity", String(64)),  # HMAC of the ЕГН or ЛНЧ for H, the ЕИК for B
    Column("language", String(8)),
    Column("active", Boolean, nullable=False),
)

open_item = Table(
    "open_item",
    metadata,
    Column("generation", Id, primary_key=True, autoincrement=False),
    Column("customer_no", String(12), primary_key=True),
    Column("invoice_no", String(10), primary_key=True),
    Column("itn", String(16)),
    Column("invoice_date", Date, nullable=False),
    Column("due_date", Date, nullable=False),
    Column("cutoff_date", Date),
    Column("total_cents", BigInteger, nullable=False),
    Column("open_cents", BigInteger, nullable=False),
    Column("status", String(10), nullable=False),  # OPEN, PARTIAL, PAID, CANCELLED
    Column("level", Integer, nullable=False),
    Column("class", String(1), nullable=False),
    Column("flags", String(4), nullable=False),
)

phone = Table(
    "phone",
    metadata,
    Column("number", String(16), primary_key=True),
    Column("language", String(8), nullable=False),
    Column("bill", Boolean, nullable=False),
    Column("reminder", Boolean, nullable=False),
    Column("outage", Boolean, nullable=False),
    Column("stopped_at", UtcTime),  # STOP ended reminders and outage notices
    Column("created_at", UtcTime, nullable=False),
)

phone_customer = Table(
    "phone_customer",
    metadata,
    Column("phone", String(16), ForeignKey("phone.number"), primary_key=True),
    Column("customer_no", String(12), primary_key=True),
    Column("created_at", UtcTime, nullable=False),
    Index("ix_phone_customer_customer_no", "customer_no"),
)

# people of the panel

staff = Table(
    "staff",
    metadata,
    Column("id", Id, primary_key=True),
    Column("name", String(64), nullable=False, unique=True),
    Column("role", String(12), nullable=False),  # technician, operator, manager, admin
    Column("password_hash", String(255), nullable=False),
    Column("one_time", Boolean, nullable=False),  # to be changed at the next sign-in
    Column("session", String(36), nullable=False),  # new with each password: older sign-ins end
    Column("created_at", UtcTime, nullable=False),
)
