"""Indexes for the parts that a status report without a known TP-MR may mean: by line, however much it has sent."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

UNANSWERED = sa.text("state IN ('sending', 'in_doubt', 'held')")
REPEATED = sa.text("state = 'queued' AND submitted_at IS NOT NULL")


def upgrade() -> None:
    op.drop_index("ix_part_open", "part")
    for name, condition in (("ix_part_unanswered", UNANSWERED), ("ix_part_repeated", REPEATED)):
        columns = ["line_id", "submitted_at"]
        op.create_index(name, "part", columns, sqlite_where=condition, postgresql_where=condition)
