"""What billing hands over, and the phones of its customers."""

from sqlalchemy import BigInteger, Boolean, Column, Date, ForeignKey, Index, Integer, String, Table, Text

from modemd.store.tables.base import Id, UtcTime, metadata

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
