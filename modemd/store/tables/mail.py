"""SMS that are forwarded as letters."""

from sqlalchemy import Column, String, Table

from modemd.store.tables.base import Id, metadata

mail_forward = Table(
    "mail_forward",
    metadata,
    Column("name", String(64), primary_key=True),  # of the [[forward]]
    Column("told_inbox", Id, nullable=False),  # what came in up to this id is with who wants it
)
