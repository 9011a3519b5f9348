"""Who works in the panel."""

from sqlalchemy import Boolean, Column, String, Table

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
)
