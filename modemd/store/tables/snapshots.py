"""How a copy of the database knows that it is one."""

from sqlalchemy import Column, String, Table

from modemd.store.tables.base import Id, UtcTime, metadata

snapshot = Table(
    "snapshot",
    metadata,
    Column("id", Id, primary_key=True),
    Column("made_at", UtcTime, nullable=False),
    Column("origin", String(64)),  # of the database that was copied; NULL: this row stands in a copy alone
)
