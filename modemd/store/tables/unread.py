"""What people decide about texts that were not understood."""

from enum import StrEnum

from sqlalchemy import Column, ForeignKey, String, Table

from modemd.store.tables.base import Id, UtcTime, metadata, one_of


class Outcome(StrEnum):
    ANSWERED = "answered"  # by a person
    SPELLING = "spelling"  # a keyword was read in it after all, and it was answered as that
    DROPPED = "dropped"


class TaughtKind(StrEnum):
    BILL = "bill"
    STOP = "stop"
    HELP = "help"


unread_outcome = Table(
    "unread_outcome",
    metadata,
    Column("inbox_id", Id, ForeignKey("inbox.id"), primary_key=True, autoincrement=False),
    Column("outcome", String(12), nullable=False),
    Column("by", String(64), nullable=False),
    Column("at", UtcTime, nullable=False),
    one_of("outcome", Outcome),
)

spelling = Table(  # ways to write a keyword that people taught us
    "spelling",
    metadata,
    Column("words", String(64), primary_key=True),  # folded, with one blank between
    Column("kind", String(8), nullable=False),
    Column("by", String(64), nullable=False),
    Column("at", UtcTime, nullable=False),
    one_of("kind", TaughtKind),
)
