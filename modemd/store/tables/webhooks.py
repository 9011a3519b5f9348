"""What other programs want to be told, and what they were told."""

from enum import StrEnum

from sqlalchemy import Column, ForeignKey, Index, Integer, String, Table, Text

from modemd.store.tables.base import Id, UtcTime, metadata, one_of, partial_index


class HookEvent(StrEnum):
    INCOMING = "incoming"
    STATE = "state"  # of a message that a program has queued
    DLR = "dlr"  # the same, as Kannel tells it


class Telling(StrEnum):
    WAITING = "waiting"
    DONE = "done"
    GIVEN_UP = "given_up"


WAITING_TO_BE_TOLD = "outcome = 'waiting'"

webhook = Table(
    "webhook",
    metadata,
    Column("id", Id, primary_key=True),
    Column("name", String(64), nullable=False, unique=True),
    Column("url", Text, nullable=False),
    Column("events", String(32), nullable=False),  # with blanks between
    Column("secret", String(64), nullable=False),  # base64: what is told is signed with it
    Column("told_inbox", Id, nullable=False),  # what came in up to this id has its delivery
    Column("created_at", UtcTime, nullable=False),
    Column("created_by", String(64), nullable=False),
    Column("ended_at", UtcTime),
)

webhook_delivery = Table(  # what is told is made of the message itself when it is sent: here stands no text
    "webhook_delivery",
    metadata,
    Column("id", Id, primary_key=True),
    Column("webhook_id", Id, ForeignKey("webhook.id")),  # None: a Kannel client's dlr-url
    Column("stream", String(300), nullable=False),  # within one, nothing overtakes another
    Column("event", String(12), nullable=False),
    Column("inbox_id", Id, ForeignKey("inbox.id")),
    Column("message_id", Id, ForeignKey("message.id")),
    Column("state", String(12)),  # that the message came into
    Column("state_at", UtcTime),
    Column("outcome", String(12), nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("begun_at", UtcTime, nullable=False),  # two days from here it is given up
    Column("next_at", UtcTime, nullable=False),
    Column("claimed_until", UtcTime),  # some daemon is at it
    Column("status", Integer),  # HTTP, of the last attempt
    Column("error", String(200)),
    Column("ended_at", UtcTime),
    one_of("event", HookEvent),
    one_of("outcome", Telling),
    partial_index("ix_webhook_delivery_waiting", "stream", "id", where=WAITING_TO_BE_TOLD),
    partial_index("ix_webhook_delivery_ended", "ended_at", where="ended_at IS NOT NULL"),
    Index("ix_webhook_delivery_webhook_id", "webhook_id", "id"),
)
