"""What the ledgers have committed lately; see `rounds.py`."""

from sqlalchemy import Boolean, Column, String, Table

from modemd.store.tables.base import Id, UtcTime, metadata

ledger_round = Table(
    "ledger_round",
    metadata,
    Column("ledger", String(36), primary_key=True),  # one for each start of a daemon
    Column("number", Id, primary_key=True, autoincrement=False),
    Column("committed", Boolean, nullable=False),  # False: it was asked for and not there, and will not come any more
    Column("at", UtcTime, nullable=False),
)
