"""Bulk that people send: reminders and planned outages, to whom and about what; and the texts that were changed."""

from enum import StrEnum

from sqlalchemy import BigInteger, Boolean, Column, Date, ForeignKey, Index, Integer, String, Table, Text, text

from modemd.store.tables.base import Id, UtcTime, metadata, one_of, partial_index
from modemd.store.tables.kept import KeptReason


class CampaignKind(StrEnum):
    REMINDER = "reminder"
    OUTAGE = "outage"


class CampaignState(StrEnum):
    """proposed -> approved -> running <-> paused -> done; any of them -> cancelled; before it runs -> void."""

    PROPOSED = "proposed"  # a preview
    APPROVED = "approved"
    RUNNING = "running"
    PAUSED = "paused"
    DONE = "done"
    CANCELLED = "cancelled"
    VOID = "void"  # newer data came, or a newer preview, before it ran


class RecipientState(StrEnum):
    """waiting -> queued -> out; queued -> waiting (taken back); waiting or queued -> cancelled with the campaign."""

    WAITING = "waiting"
    QUEUED = "queued"  # its message waits in the outbox, or is being sent
    OUT = "out"  # the message says what became of it
    CANCELLED = "cancelled"


ACTIVE = "state IN ('running', 'paused')"
WAITING = "state = 'waiting'"
IN_OUTBOX = "state = 'queued'"

campaign = Table(
    "campaign",
    metadata,
    Column("id", Id, primary_key=True),
    Column("kind", String(12), nullable=False),
    Column("state", String(12), nullable=False),
    Column("reason", KeptReason),  # why it is paused, cancelled or void
    Column("fingerprint", String(64), nullable=False),  # of its recipients and the data they come from
    Column("generation", Id),  # of the open items; None for an outage
    Column("data_at", UtcTime),
    Column("recipients", Integer, nullable=False),
    Column("parts", Integer, nullable=False),
    Column("figures", Text, nullable=False),  # JSON: what the preview counted
    Column("wording", Text, nullable=False),  # JSON: the texts by language, as previewed
    Column("text", Text),  # of an outage
    Column("begins_at", UtcTime),  # of an outage
    Column("ends_at", UtcTime),
    Column("calls_off", Id, ForeignKey("campaign.id")),  # the announcement that this one takes back
    Column("pause_after", Integer, nullable=False),  # so many leave, then a person looks; 0: no such pause
    Column("created_by", String(64), nullable=False),
    Column("created_at", UtcTime, nullable=False),
    Column("approved_by", String(64)),
    Column("approved_at", UtcTime),
    Column("started_by", String(64)),
    Column("started_at", UtcTime),
    Column("finished_at", UtcTime),
    one_of("kind", CampaignKind),
    one_of("state", CampaignState),
    partial_index("ix_campaign_active", "id", where=ACTIVE),
    partial_index(
        "uq_campaign_reminder", "kind", where=f"kind = 'reminder' AND {ACTIVE}", unique=True
    ),  # one at a time
)

campaign_recipient = Table(
    "campaign_recipient",
    metadata,
    Column("id", Id, primary_key=True),  # in the order in which they leave
    Column("campaign_id", Id, ForeignKey("campaign.id"), nullable=False),
    Column("phone", String(16), nullable=False),
    Column("language", String(8), nullable=False),
    Column("customers", String(80), nullable=False),  # their numbers, with blanks between
    Column("parts", Integer, nullable=False),  # as previewed
    Column("last_day", Date),  # on which it may leave; None: any
    Column("state", String(12), nullable=False),
    Column("message_id", Id, ForeignKey("message.id")),
    Column("queued_at", UtcTime),
    one_of("state", RecipientState),
    Index("uq_campaign_recipient_phone", "campaign_id", "phone", unique=True),
    Index("ix_campaign_recipient_message_id", "message_id"),
    partial_index("ix_campaign_recipient_waiting", "campaign_id", "id", where=WAITING),
    partial_index("ix_campaign_recipient_queued", "campaign_id", where=IN_OUTBOX),
)

campaign_item = Table(  # an invoice that a reminder speaks of
    "campaign_item",
    metadata,
    Column("id", Id, primary_key=True),
    Column("recipient_id", Id, ForeignKey("campaign_recipient.id"), nullable=False),
    Column("phone", String(16), nullable=False),
    Column("customer_no", String(12), nullable=False),
    Column("invoice_no", String(10), nullable=False),
    Column("level", Integer, nullable=False),
    Column("cents", BigInteger, nullable=False),
    Column("cutoff_date", Date, nullable=False),
    Column("counts", Boolean, nullable=False, server_default=text("false")),  # it is in the outbox, or has left
    Column("result_file_id", Id, ForeignKey("export_file.id")),  # the SMSRESULTS file that tells what became of it
    Index("ix_campaign_item_recipient_id", "recipient_id"),
    Index("ix_campaign_item_result_file_id", "result_file_id"),
    Index("ix_campaign_item_invoice", "customer_no", "invoice_no", "level"),
    partial_index(
        "uq_campaign_item_once", "customer_no", "invoice_no", "level", "phone", where="counts", unique=True
    ),  # once for ever
)

template = Table(  # texts that people have changed; see service/notices.py
    "template",
    metadata,
    Column("name", String(24), primary_key=True),
    Column("language", String(8), primary_key=True),
    Column("text", Text, nullable=False),
    Column("saved_by", String(64), nullable=False),
    Column("saved_at", UtcTime, nullable=False),
)

template_version = Table(
    "template_version",
    metadata,
    Column("id", Id, primary_key=True),
    Column("name", String(24), nullable=False),
    Column("language", String(8), nullable=False),
    Column("text", Text),  # NULL: as it comes with the program
    Column("saved_by", String(64), nullable=False),
    Column("saved_at", UtcTime, nullable=False),
    Index("ix_template_version_name", "name", "language"),
)
