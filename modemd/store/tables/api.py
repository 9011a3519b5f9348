"""Other programs: what they may do here, and what they have asked for."""

from sqlalchemy import Boolean, Column, ForeignKey, Index, Integer, String, Table, Text, UniqueConstraint, text

from modemd.store.tables.base import Id, UtcTime, metadata, partial_index

api_token = Table(
    "api_token",
    metadata,
    Column("id", Id, primary_key=True),
    Column("name", String(64), nullable=False, unique=True),  # of the client; also its Kannel user name
    Column("token_hash", String(64), nullable=False, unique=True),
    Column("scopes", Text, nullable=False),  # with blanks between
    Column("per_minute", Integer, nullable=False),  # requests; 0 = no limit, here and below
    Column("per_day", Integer, nullable=False),  # messages, over a sliding day
    Column("created_at", UtcTime, nullable=False),
    Column("created_by", String(64), nullable=False),
    Column("expires_at", UtcTime, nullable=False),
    Column("revoked_at", UtcTime),
)

api_request = Table(  # messages that were asked for together; it stays, so that a key never sends twice
    "api_request",
    metadata,
    Column("id", Id, primary_key=True),
    Column("token_id", Id, ForeignKey("api_token.id"), nullable=False),
    Column("key", String(128)),  # Idempotency-Key; None: the client speaks a language that has none
    Column("body_hmac", String(64)),  # under the client's own secret, so it tells nobody what was written
    Column("messages", Integer, nullable=False),
    Column("created_at", UtcTime, nullable=False),
    UniqueConstraint("token_id", "key"),
    Index("ix_api_request_token_id", "token_id", "created_at"),
)

api_message = Table(
    "api_message",
    metadata,
    Column("message_id", Id, ForeignKey("message.id"), primary_key=True, autoincrement=False),
    Column("request_id", Id, ForeignKey("api_request.id"), nullable=False),
    Column("told", String(12), nullable=False, server_default="queued"),  # the last state that webhooks were told of
    Column("watched", Boolean, nullable=False, server_default=text("true")),  # another state may come
    Column("dlr_mask", Integer),  # what of it a Kannel client wants to hear
    Column("dlr_url", Text),  # … and where, with Kannel's escapes
    partial_index("ix_api_message_watched", "message_id", where="watched"),
    Index("ix_api_message_request_id", "request_id"),
)
