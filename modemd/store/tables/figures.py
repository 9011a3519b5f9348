"""What the reports counted of past days; triggers forget a day when anything in it changes (migrations 0024, 0027)."""

from sqlalchemy import Column, Table, Text

from modemd.store.tables.base import UtcTime, metadata
from modemd.store.tables.consent import consent
from modemd.store.tables.inbox import inbox
from modemd.store.tables.outbox import message, part
from modemd.store.tables.unread import unread_outcome

day_figures = Table(
    "day_figures",
    metadata,
    Column("starts_at", UtcTime, primary_key=True),  # of a day in Sofia
    Column("ends_at", UtcTime, nullable=False),
    Column("messages", Text, nullable=False),  # JSON: [[kind, state now, how many left that day]]
    Column("parts", Text, nullable=False),  # JSON: [[line id, how many it handed over]]
    Column("checks", Text, nullable=False),  # JSON: [the phone of each bill check; "" where no customer is or was]
    Column("waited", Text, nullable=False),  # JSON: [ms from each question to its answer]
)
for counted in (message, part, inbox, unread_outcome, consent):
    day_figures.add_is_dependent_on(counted)  # whoever fills tables in their order fills this one after what it counts
