"""What billing hands over and gets back, and the phones of its customers."""

from enum import StrEnum

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Date,
    ForeignKey,
    Index,
    Integer,
    String,
    Table,
    UniqueConstraint,
)

from modemd.store.tables.base import Id, UtcTime, metadata, one_of, partial_index
from modemd.store.tables.kept import KeptReason


class FileState(StrEnum):
    """`held` waits for a person, who makes it `approved` (to be taken next) or `refused`; so does a fault."""

    LOADING = "loading"
    IMPORTED = "imported"
    HELD = "held"
    APPROVED = "approved"
    REFUSED = "refused"


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
    Column("previous_rows", Integer),  # of the last FULL file, where this one is held against it
    Column("previous_cents", BigInteger),
    Column("state", String(12), nullable=False),
    Column("reason", KeptReason),
    Column("at", UtcTime, nullable=False),
    Column("host", String(64)),  # whose drop folder it came through; None: a person imported it
    Column("decided_by", String(64)),  # who approved or declined what was held
    Column("decided_at", UtcTime),
    one_of("state", FileState),
    Index("ix_import_file_type", "type", "source", "seq"),
    Index("ix_import_file_sha256", "sha256"),
)

export_file = Table(
    "export_file",
    metadata,
    Column("id", Id, primary_key=True),
    Column("type", String(16), nullable=False),  # SMSRESULTS, REGISTRATIONS
    Column("seq", BigInteger, nullable=False),
    Column("rows", Integer, nullable=False),
    Column("host", String(64), nullable=False),  # whose out/ it belongs in
    Column("at", UtcTime, nullable=False),
    Column("written_at", UtcTime),  # None: to be written, again after a crash
    UniqueConstraint("type", "seq"),
    partial_index("ix_export_file_unwritten", "host", where="written_at IS NULL"),
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
    Index("ix_customer_itn", "generation", "itn"),
    Index("ix_customer_identity", "generation", "identity"),
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
    Column("open_cents", BigInteger, nullable=False),  # what is left after the payments told since
    Column("paid_cents", BigInteger, nullable=False, server_default="0"),  # by them
    Column("status", String(10), nullable=False),  # OPEN, PARTIAL, PAID, CANCELLED; also after them
    Column("level", Integer, nullable=False),
    Column("class", String(1), nullable=False),
    Column("flags", String(4), nullable=False),
    Column("data_at", UtcTime),  # of the file that brought it
)

payment = Table(
    "payment",
    metadata,
    Column("generation", Id, primary_key=True, autoincrement=False),
    Column("customer_no", String(12), primary_key=True),
    Column("invoice_no", String(10), primary_key=True),
    Column("paid_at", UtcTime, primary_key=True),
    Column("cents", BigInteger, primary_key=True, autoincrement=False),
    Column("known_at", UtcTime, nullable=False),  # data_at of the first file that told of it
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
    Column("wrong_number_at", UtcTime),  # a person's mark: nothing goes there any more, bill answers neither
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
