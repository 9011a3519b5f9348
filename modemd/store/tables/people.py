"""Who works in the panel."""

from sqlalchemy import BigInteger, Boolean, Column, ForeignKey, Index, String, Table

from modemd.store.tables.base import Id, UtcTime, metadata

staff = Table(
    "staff",
    metadata,
    Column("id", Id, primary_key=True),
    Column("name", String(64), nullable=False, unique=True),
    Column("role", String(12), nullable=False),  # technician, operator, manager, admin
    Column("password_hash", String(255), nullable=False),
    Column("one_time", Boolean, nullable=False),  # to be changed at the next sign-in
    Column("session", String(36), nullable=False),  # new with each password: older sign-ins end
    Column("created_at", UtcTime, nullable=False),
    Column("totp_secret", String(64)),  # sealed (service/factors.py); None: no second factor
    Column("totp_step", BigInteger),  # of the last code that was taken: none is taken twice
)

staff_session = Table(  # a sign-in; what the browser holds is the token, here is its hash
    "staff_session",
    metadata,
    Column("token_hash", String(64), primary_key=True),
    Column("staff_id", Id, ForeignKey("staff.id"), nullable=False),
    Column("password_session", String(36), nullable=False),  # staff.session then: another password ends it
    Column("created_at", UtcTime, nullable=False),
    Column("seen_at", UtcTime, nullable=False),
    Column("address", String(64)),
    Column("agent", String(160)),
    Index("ix_staff_session_staff_id", "staff_id"),
)
