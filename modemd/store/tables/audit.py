"""What people of staff did. Append-only: the database itself refuses to change or delete a row (see the migration)."""

from sqlalchemy import Column, Index, String, Table, Text

from modemd.store.tables.base import Id, UtcTime, metadata

audit = Table(
    "audit",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=False),  # 1, 2, 3 …: none is missing
    Column("at", UtcTime, nullable=False),
    Column("who", String(64), nullable=False),
    Column("action", String(32), nullable=False),  # "number.reveal", "file.approve"
    Column("subject", String(80), nullable=False),  # masked
    Column("detail", Text, nullable=False),  # masked
    Column("previous", String(64), nullable=False),  # the hash of the row before
    Column("hash", String(64), nullable=False, unique=True),
    Index("ix_audit_at", "at"),
)
