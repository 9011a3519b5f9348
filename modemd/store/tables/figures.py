"""What the reports counted of past days. Triggers forget a day as soon as anything in it changes (migration 0024)."""

from sqlalchemy import Column, Table, Text

from modemd.store.tables.base import UtcTime, metadata
from modemd.store.tables.outbox import message, part

day_figures = Table(
    "day_figures",
    metadata,
    Column("starts_at", UtcTime, primary_key=True),  # of a day in Sofia
    Column("ends_at", UtcTime, nullable=False),
    Column("messages", Text, nullable=False),  # JSON: [[kind, state now, how many left that day]]
    Column("parts", Text, nullable=False),  # JSON: [[line id, how many it handed over]]
)
for counted in (message, part):
    day_figures.add_is_dependent_on(counted)  # whoever fills tables in their order fills this one after what it counts
