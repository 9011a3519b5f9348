"""What is done every night, and how far it has come."""

from sqlalchemy import Column, String, Table

from modemd.store.tables.base import UtcTime, metadata

chore = Table(
    "chore",
    metadata,
    Column("name", String(32), primary_key=True),
    Column("done_at", UtcTime),  # when it was last done to the end
    Column("done_to", UtcTime),  # what is older than this needs no second look
)
