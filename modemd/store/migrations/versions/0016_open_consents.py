"""An index that the reports count active registrations on."""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    still = sa.text("ended_at IS NULL")
    columns = ["bill", "reminder", "outage", "begun_at", "ended_at"]
    op.create_index("ix_consent_open", "consent", columns, sqlite_where=still, postgresql_where=still)
