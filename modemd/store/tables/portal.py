"""Customers at the desk and at the portal: who was seen, how they come in, and the codes that tie a phone to them."""

from sqlalchemy import Boolean, Column, ForeignKey, Index, Integer, String, Table, Text

from modemd.store.tables.base import Id, UtcTime, metadata

account = Table(  # user name and password, handed out in a customer centre
    "account",
    metadata,
    Column("id", Id, primary_key=True),
    Column("customer_no", String(12), nullable=False, unique=True),
    Column("name", String(32), nullable=False, unique=True),
    Column("password_hash", String(255), nullable=False),
    Column("one_time", Boolean, nullable=False),  # to be changed at the first sign-in
    Column("created_at", UtcTime, nullable=False),
    Column("created_by", String(64), nullable=False),  # the person of staff
)

portal_session = Table(
    "portal_session",
    metadata,
    Column("id", Id, primary_key=True),
    Column("token_hash", String(64), nullable=False, unique=True),  # what the cookie holds, hashed
    Column("account_id", Id, ForeignKey("account.id")),  # None: signed in with a КЕП
    Column("customer_numbers", Text, nullable=False),  # those it may see and change, with blanks between
    Column("begun_at", UtcTime, nullable=False),
    Column("expires_at", UtcTime, nullable=False),
    Index("ix_portal_session_account_id", "account_id"),
    Index("ix_portal_session_expires_at", "expires_at"),
)

kep_nonce = Table(  # one sign-in with a КЕП on its way from the portal's host to the certificates' and back
    "kep_nonce",
    metadata,
    Column("nonce_hash", String(64), primary_key=True),  # once a certificate was shown, of the ticket in its place
    Column("browser_hash", String(64), nullable=False),  # a cookie of the browser that began it
    Column("expires_at", UtcTime, nullable=False),
    Column("customer_numbers", Text),  # of the certificate's holder; None: no certificate was shown yet
    Column("used_at", UtcTime),
)

pending_phone = Table(  # a registration that waits for the code sent to its phone
    "pending_phone",
    metadata,
    Column("id", Id, primary_key=True),
    Column("phone", String(16), nullable=False),
    Column("customer_numbers", Text, nullable=False),
    Column("services", Text, nullable=False),
    Column("language", String(8), nullable=False),
    Column("channel", String(16), nullable=False),
    Column("who", String(64), nullable=False),
    Column("text_version", String(32), nullable=False),  # of the consent that was shown
    Column("text", Text, nullable=False),
    Column("code_hash", String(64), nullable=False),  # keyed: six digits alone would be guessed from their hash
    Column("tries", Integer, nullable=False),
    Column("expires_at", UtcTime, nullable=False),
    Column("used_at", UtcTime),
    Index("ix_pending_phone_expires_at", "expires_at"),
)

document_check = Table(  # an identity document that a person of staff has looked at; its number is kept nowhere
    "document_check",
    metadata,
    Column("id", Id, primary_key=True),
    Column("customer_no", String(12), nullable=False),
    Column("who", String(64), nullable=False),
    Column("expires_at", UtcTime, nullable=False),
    Index("ix_document_check_customer_no", "customer_no"),
)
