"""What people decide about messages that the network or the modem refused for good."""

from enum import StrEnum

from sqlalchemy import Column, ForeignKey, String, Table, Text

from modemd.store.tables.base import Id, UtcTime, metadata, one_of


class FailedOutcome(StrEnum):
    RESENT = "resent"  # as a new message
    CLOSED = "closed"  # seen by a person, with a note


failed_outcome = Table(
    "failed_outcome",
    metadata,
    Column("message_id", Id, ForeignKey("message.id"), primary_key=True, autoincrement=False),
    Column("outcome", String(8), nullable=False),
    Column("resent_as", Id, ForeignKey("message.id")),
    Column("note", Text, nullable=False),
    Column("by", String(64), nullable=False),
    Column("at", UtcTime, nullable=False),
    one_of("outcome", FailedOutcome),
)
