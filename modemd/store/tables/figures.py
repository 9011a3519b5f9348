"""What the reports counted of past days and months; triggers forget what changes (migrations 0024, 0027, 0030)."""

from sqlalchemy import Column, Integer, Table, Text

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
    Column("waited", Text, nullable=False),  # JSON: [[1/100 s from a question to its answer, how many]]
)
for counted in (message, part, inbox, unread_outcome, consent):
    day_figures.add_is_dependent_on(counted)  # whoever fills tables in their order fills this one after what it counts

month_figures = Table(
    "month_figures",
    metadata,
    Column("starts_at", UtcTime, primary_key=True),  # of a month in Sofia
    Column("ends_at", UtcTime, nullable=False),
    Column("messages", Text, nullable=False),  # this, parts and waited: as of a day
    Column("parts", Text, nullable=False),
    Column("checks", Integer, nullable=False),  # of bills, answered
    Column("customers", Integer, nullable=False),  # who checked, each phone once
    Column("waited", Text, nullable=False),
    Column("registered", Text, nullable=False),  # JSON: [[bill, reminder, outage, how many have these at its end]]
)
month_figures.add_is_dependent_on(day_figures)
