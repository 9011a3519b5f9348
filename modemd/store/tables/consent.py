"""Who agreed to what, and when it ended: kept for five years after that."""

from enum import StrEnum

from sqlalchemy import Boolean, Column, ForeignKey, Index, String, Table, Text

from modemd.store.tables.base import Id, UtcTime, metadata, one_of, partial_index


class Channel(StrEnum):
    """Where a consent was given, or ended."""

    CENTRE = "centre"
    PASSWORD = "password"  # noqa: S105 -- the portal, signed in with the password of a customer centre
    KEP = "kep"  # the portal, signed in with a qualified electronic signature
    COMMAND = "command"  # modemd register, modemd customer
    STOP = "stop"  # an SMS
    WRONG_NUMBER = "wrong_number"  # a person's mark
    ERASED = "erased"


consent_text = Table(
    "consent_text",
    metadata,
    Column("id", Id, primary_key=True),
    Column("version", String(32), nullable=False, unique=True),  # one text for each, for ever
    Column("text", Text, nullable=False),
)

consent = Table(
    "consent",
    metadata,
    Column("id", Id, primary_key=True),
    Column("phone", String(80), nullable=False),  # E.164, or a pseudonym once the customer is erased
    Column("customer_no", String(80)),  # also a pseudonym then; None: STOP or mark of a phone without registration
    Column("bill", Boolean, nullable=False),
    Column("reminder", Boolean, nullable=False),
    Column("outage", Boolean, nullable=False),
    Column("channel", String(16), nullable=False),
    Column("who", String(64), nullable=False),  # the person of staff, or "customer"
    Column("text_id", Id, ForeignKey("consent_text.id")),  # what was shown; None: nothing was
    Column("registered", Boolean, nullable=False),  # False: goes on from one that ended then, with other services
    Column("begun_at", UtcTime, nullable=False),
    Column("ended_at", UtcTime),
    Column("end_channel", String(16)),
    Column("ended_by", String(64)),
    Column("begin_file_id", Id, ForeignKey("export_file.id")),  # the REGISTRATIONS file that tells of its beginning
    Column("end_file_id", Id, ForeignKey("export_file.id")),
    one_of("channel", Channel),
    Index("ix_consent_phone", "phone", "id"),
    Index("ix_consent_customer_no", "customer_no", "id"),
    Index("ix_consent_begun_at", "begun_at"),
    partial_index("ix_consent_open", "bill", "reminder", "outage", "begun_at", "ended_at", where="ended_at IS NULL"),
    partial_index("uq_consent_open", "phone", "customer_no", where="ended_at IS NULL", unique=True),
    partial_index("ix_consent_ended_at", "ended_at", where="ended_at IS NOT NULL"),
    Index("ix_consent_begin_file_id", "begin_file_id"),
    Index("ix_consent_end_file_id", "end_file_id"),
    partial_index("ix_consent_begin_untold", "id", where="begin_file_id IS NULL"),
    partial_index("ix_consent_end_untold", "id", where="end_file_id IS NULL AND ended_at IS NOT NULL"),
)
