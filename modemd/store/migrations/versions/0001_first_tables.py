"""The first tables: the bank, outbox and inbox, billing and staff."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

UTC_TIME = sa.DateTime(timezone=True).with_variant(sa.String(32), "sqlite")
ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
MESSAGE_STATES = (
    "state IN ('queued', 'sending', 'sent', 'delivered', 'undelivered', 'expired', 'in_doubt', 'held', 'failed', "
    "'skipped', 'cancelled')"
)
PART_STATES = MESSAGE_STATES
INBOX_STATES = "state IN ('new', 'done', 'unread', 'unreadable')"


def upgrade() -> None:
    _create_bank()
    _create_inbox()
    _create_outbox()
    _create_limits()
    _create_billing()
    _create_staff()


def _create_bank() -> None:
    op.create_table(
        "host",
        sa.Column("name", sa.String(64), nullable=False),
        sa.Column("instance", sa.String(36), nullable=False),
        sa.Column("pid", sa.Integer(), nullable=False),
        sa.Column("started_at", UTC_TIME, nullable=False),
        sa.Column("seen_at", UTC_TIME, nullable=False),
        sa.Column("stopped_at", UTC_TIME),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_host")),
    )
    op.create_table(
        "line",
        sa.Column("id", ID, nullable=False),
        sa.Column("identity", sa.String(340), nullable=False),
        sa.Column("name", sa.String(64), nullable=False),
        sa.Column("iccid", sa.String(22)),
        sa.Column("imsi", sa.String(15)),
        sa.Column("new", sa.Boolean(), nullable=False),
        sa.Column("adopted_at", UTC_TIME),
        sa.Column("last_reference", sa.Integer()),
        sa.Column("created_at", UTC_TIME, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_line")),
        sa.UniqueConstraint("identity", name=op.f("uq_line_identity")),
    )
    op.create_table(
        "modem",
        sa.Column("id", ID, nullable=False),
        sa.Column("host", sa.String(64), nullable=False),
        sa.Column("port", sa.String(255), nullable=False),
        sa.Column("line_id", ID),
        sa.Column("imei", sa.String(20)),
        sa.Column("manufacturer", sa.String(64)),
        sa.Column("model", sa.String(64)),
        sa.Column("firmware", sa.String(64)),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("state_since", UTC_TIME, nullable=False),
        sa.Column("reason", sa.Text()),
        sa.Column("operator", sa.String(64)),
        sa.Column("registration", sa.String(16)),
        sa.Column("signal_dbm", sa.Integer()),
        sa.Column("updated_at", UTC_TIME, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_modem")),
        sa.ForeignKeyConstraint(["line_id"], ["line.id"], name=op.f("fk_modem_line_id")),
        sa.UniqueConstraint("host", "port", name=op.f("uq_modem_host")),
    )
    op.create_table(
        "pin_attempt",
        sa.Column("sim", sa.String(80), nullable=False),
        sa.Column("pin_hash", sa.String(64), nullable=False),
        sa.Column("at", UTC_TIME, nullable=False),
        sa.PrimaryKeyConstraint("sim", "pin_hash", name=op.f("pk_pin_attempt")),
    )


def _create_inbox() -> None:
    op.create_table(
        "inbox",
        sa.Column("id", ID, nullable=False),
        sa.Column("line_id", ID, nullable=False),
        sa.Column("number", sa.String(32)),
        sa.Column("replyable", sa.Boolean(), nullable=False),
        sa.Column("text", sa.Text()),
        sa.Column("parts", sa.Integer(), nullable=False),
        sa.Column("complete", sa.Boolean(), nullable=False),
        sa.Column("state", sa.String(12), nullable=False),
        sa.Column("kind", sa.String(16)),
        sa.Column("error", sa.Text()),
        sa.Column("smsc_time", UTC_TIME),
        sa.Column("received_at", UTC_TIME, nullable=False),
        sa.Column("done_at", UTC_TIME),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_inbox")),
        sa.ForeignKeyConstraint(["line_id"], ["line.id"], name=op.f("fk_inbox_line_id")),
        sa.CheckConstraint(INBOX_STATES, name=op.f("ck_inbox_state")),
    )
    op.create_index("ix_inbox_number", "inbox", ["number", "id"])
    op.create_index("ix_inbox_received_at", "inbox", ["received_at"])
    op.create_index("ix_inbox_state", "inbox", ["state", "id"])
    op.create_table(
        "inbox_part",
        sa.Column("id", ID, nullable=False),
        sa.Column("inbox_id", ID),
        sa.Column("line_id", ID, nullable=False),
        sa.Column("dedupe", sa.String(64)),
        sa.Column("pdu", sa.Text(), nullable=False),
        sa.Column("number", sa.String(32)),
        sa.Column("replyable", sa.Boolean(), nullable=False),
        sa.Column("text", sa.Text()),
        sa.Column("data", sa.LargeBinary()),
        sa.Column("reference", sa.Integer()),
        sa.Column("total", sa.Integer()),
        sa.Column("part", sa.Integer()),
        sa.Column("smsc_time", UTC_TIME),
        sa.Column("received_at", UTC_TIME, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_inbox_part")),
        sa.ForeignKeyConstraint(["inbox_id"], ["inbox.id"], name=op.f("fk_inbox_part_inbox_id")),
        sa.ForeignKeyConstraint(["line_id"], ["line.id"], name=op.f("fk_inbox_part_line_id")),
        sa.UniqueConstraint("dedupe", name=op.f("uq_inbox_part_dedupe")),
    )
    op.create_index("ix_inbox_part_inbox_id", "inbox_part", ["inbox_id"])
    _partial_index(
        "ix_inbox_part_long", "inbox_part", ["line_id", "number", "reference"], where="reference IS NOT NULL"
    )
    _partial_index("ix_inbox_part_waiting", "inbox_part", ["received_at"], where="inbox_id IS NULL")


def _create_outbox() -> None:
    op.create_table(
        "message",
        sa.Column("id", ID, nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("recipient", sa.String(32), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("parts", sa.Integer(), nullable=False),
        sa.Column("priority", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(12), nullable=False),
        sa.Column("due", sa.Boolean(), nullable=False),
        sa.Column("not_before", UTC_TIME),
        sa.Column("expires_at", UTC_TIME, nullable=False),
        sa.Column("line_id", ID),
        sa.Column("claimed_by", sa.String(64)),
        sa.Column("claimed_line_id", ID),
        sa.Column("lease_until", UTC_TIME),
        sa.Column("attempts", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("repeats", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("error", sa.Text()),
        sa.Column("external_id", sa.String(128)),
        sa.Column("in_reply_to", ID),
        sa.Column("created_at", UTC_TIME, nullable=False),
        sa.Column("sent_at", UTC_TIME),
        sa.Column("state_at", UTC_TIME, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_message")),
        sa.ForeignKeyConstraint(["in_reply_to"], ["inbox.id"], name=op.f("fk_message_in_reply_to")),
        sa.ForeignKeyConstraint(["line_id"], ["line.id"], name=op.f("fk_message_line_id")),
        sa.CheckConstraint(MESSAGE_STATES, name=op.f("ck_message_state")),
    )
    _partial_index(
        "ix_message_any_line",
        "message",
        ["priority", "id"],
        where="state = 'queued' AND due AND claimed_by IS NULL AND line_id IS NULL",
    )
    _partial_index("ix_message_claimed_by", "message", ["claimed_by"], where="claimed_by IS NOT NULL")
    op.create_index("ix_message_created_at", "message", ["created_at"])
    _partial_index("ix_message_expires_at", "message", ["expires_at"], where="state = 'queued'")
    _partial_index("ix_message_not_before", "message", ["not_before"], where="state = 'queued' AND NOT due")
    _partial_index(
        "ix_message_one_line",
        "message",
        ["line_id", "priority", "id"],
        where="state = 'queued' AND due AND claimed_by IS NULL AND line_id IS NOT NULL",
    )
    op.create_index("ix_message_recipient", "message", ["recipient", "id"])
    _partial_index("ix_message_trouble", "message", ["state"], where="state IN ('in_doubt', 'held', 'failed')")
    _partial_index("uq_message_external_id", "message", ["external_id"], unique=True, where="external_id IS NOT NULL")
    op.create_table(
        "part",
        sa.Column("id", ID, nullable=False),
        sa.Column("message_id", ID, nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(12), nullable=False),
        sa.Column("line_id", ID),
        sa.Column("reference", sa.Integer()),
        sa.Column("expected_reference", sa.Integer()),
        sa.Column("submitted_at", UTC_TIME),
        sa.Column("sent_at", UTC_TIME),
        sa.Column("status", sa.Integer()),
        sa.Column("discharged_at", UTC_TIME),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_part")),
        sa.ForeignKeyConstraint(["line_id"], ["line.id"], name=op.f("fk_part_line_id")),
        sa.ForeignKeyConstraint(["message_id"], ["message.id"], name=op.f("fk_part_message_id")),
        sa.UniqueConstraint("message_id", "number", name=op.f("uq_part_message_id")),
        sa.CheckConstraint(PART_STATES, name=op.f("ck_part_state")),
    )
    _partial_index("ix_part_line_id", "part", ["line_id", "submitted_at"], where="submitted_at IS NOT NULL")
    _partial_index("ix_part_open", "part", ["state", "submitted_at"], where="state IN ('sending', 'in_doubt', 'held')")
    _partial_index("ix_part_reference", "part", ["line_id", "reference", "submitted_at"], where="reference IS NOT NULL")
    op.create_table(
        "status_report",
        sa.Column("id", ID, nullable=False),
        sa.Column("line_id", ID, nullable=False),
        sa.Column("dedupe", sa.String(64), nullable=False),
        sa.Column("recipient", sa.String(32)),
        sa.Column("reference", sa.Integer(), nullable=False),
        sa.Column("status", sa.Integer(), nullable=False),
        sa.Column("smsc_time", UTC_TIME),
        sa.Column("discharged_at", UTC_TIME),
        sa.Column("received_at", UTC_TIME, nullable=False),
        sa.Column("pdu", sa.Text(), nullable=False),
        sa.Column("part_id", ID),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_status_report")),
        sa.ForeignKeyConstraint(["line_id"], ["line.id"], name=op.f("fk_status_report_line_id")),
        sa.ForeignKeyConstraint(["part_id"], ["part.id"], name=op.f("fk_status_report_part_id")),
        sa.UniqueConstraint("dedupe", name=op.f("uq_status_report_dedupe")),
    )
    _partial_index("ix_status_report_unmatched", "status_report", ["line_id", "reference"], where="part_id IS NULL")


def _create_limits() -> None:
    op.create_table(
        "limit_use",
        sa.Column("id", ID, nullable=False),
        sa.Column("key", sa.String(80), nullable=False),
        sa.Column("at", UTC_TIME, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_limit_use")),
    )
    op.create_index("ix_limit_use_key", "limit_use", ["key", "at"])


def _create_billing() -> None:
    op.create_table(
        "import_file",
        sa.Column("id", ID, nullable=False),
        sa.Column("type", sa.String(16), nullable=False),
        sa.Column("source", sa.String(64), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("mode", sa.String(8), nullable=False),
        sa.Column("name", sa.String(255), nullable=False),
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("data_at", UTC_TIME, nullable=False),
        sa.Column("rows", sa.Integer(), nullable=False),
        sa.Column("rejected", sa.Integer(), nullable=False),
        sa.Column("open_cents", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.String(12), nullable=False),
        sa.Column("reason", sa.Text()),
        sa.Column("at", UTC_TIME, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_import_file")),
    )
    op.create_index("ix_import_file_type", "import_file", ["type", "source", "seq"])
    op.create_table(
        "dataset",
        sa.Column("type", sa.String(16), nullable=False),
        sa.Column("generation", ID, nullable=False),
        sa.Column("data_at", UTC_TIME, nullable=False),
        sa.PrimaryKeyConstraint("type", name=op.f("pk_dataset")),
    )
    op.create_table(
        "customer",
        sa.Column("generation", ID, nullable=False, autoincrement=False),
        sa.Column("customer_no", sa.String(12), nullable=False),
        sa.Column("itn", sa.String(16)),
        sa.Column("class", sa.String(1), nullable=False),
        sa.Column("identity", sa.String(64)),
        sa.Column("language", sa.String(8)),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("generation", "customer_no", name=op.f("pk_customer")),
    )
    op.create_table(
        "open_item",
        sa.Column("generation", ID, nullable=False, autoincrement=False),
        sa.Column("customer_no", sa.String(12), nullable=False),
        sa.Column("invoice_no", sa.String(10), nullable=False),
        sa.Column("itn", sa.String(16)),
        sa.Column("invoice_date", sa.Date(), nullable=False),
        sa.Column("due_date", sa.Date(), nullable=False),
        sa.Column("cutoff_date", sa.Date()),
        sa.Column("total_cents", sa.BigInteger(), nullable=False),
        sa.Column("open_cents", sa.BigInteger(), nullable=False),
        sa.Column("status", sa.String(10), nullable=False),
        sa.Column("level", sa.Integer(), nullable=False),
        sa.Column("class", sa.String(1), nullable=False),
        sa.Column("flags", sa.String(4), nullable=False),
        sa.PrimaryKeyConstraint("generation", "customer_no", "invoice_no", name=op.f("pk_open_item")),
    )
    op.create_table(
        "phone",
        sa.Column("number", sa.String(16), nullable=False),
        sa.Column("language", sa.String(8), nullable=False),
        sa.Column("bill", sa.Boolean(), nullable=False),
        sa.Column("reminder", sa.Boolean(), nullable=False),
        sa.Column("outage", sa.Boolean(), nullable=False),
        sa.Column("stopped_at", UTC_TIME),
        sa.Column("created_at", UTC_TIME, nullable=False),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_phone")),
    )
    op.create_table(
        "phone_customer",
        sa.Column("phone", sa.String(16), nullable=False),
        sa.Column("customer_no", sa.String(12), nullable=False),
        sa.Column("created_at", UTC_TIME, nullable=False),
        sa.PrimaryKeyConstraint("phone", "customer_no", name=op.f("pk_phone_customer")),
        sa.ForeignKeyConstraint(["phone"], ["phone.number"], name=op.f("fk_phone_customer_phone")),
    )
    op.create_index("ix_phone_customer_customer_no", "phone_customer", ["customer_no"])


def _create_staff() -> None:
    op.create_table(
        "staff",
        sa.Column("id", ID, nullable=False),
        sa.Column("name", sa.String(64), nullable=False),
        sa.Column("role", sa.String(12), nullable=False),
        sa.Column("password_hash", sa.String(255), nullable=False),
        sa.Column("one_time", sa.Boolean(), nullable=False),
        sa.Column("session", sa.String(36), nullable=False),
        sa.Column("created_at", UTC_TIME, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_staff")),
        sa.UniqueConstraint("name", name=op.f("uq_staff_name")),
    )


def _partial_index(name: str, table: str, columns: list[str], *, where: str, unique: bool = False) -> None:
    condition = sa.text(where)
    op.create_index(name, table, columns, unique=unique, sqlite_where=condition, postgresql_where=condition)
