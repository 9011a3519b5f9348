"""One index of what left by each line instead of two: all new parts of a line are at its end.

The other had an entry somewhere else for each part. A report's part is at most two minutes of parts from that end of
its window (`status_reports.CLOCK_SLACK`).
"""

import sqlalchemy as sa
from alembic import op

revision = "0031"
down_revision = "0030"
branch_labels = None
depends_on = None

SUBMITTED = sa.text("submitted_at IS NOT NULL")
UNANSWERED = sa.text("state IN ('sending', 'in_doubt', 'held')")
REPEATED = sa.text("state = 'queued' AND submitted_at IS NOT NULL")


def upgrade() -> None:
    op.drop_index("ix_part_reference", "part")
    for name, columns, condition in (
        ("ix_part_line_id", ["line_id", "submitted_at", "reference"], SUBMITTED),
        # Small ones, made anew after it: of two that seem to fit as well, SQLite takes the youngest.
        ("ix_part_unanswered", ["line_id", "submitted_at"], UNANSWERED),
        ("ix_part_repeated", ["line_id", "submitted_at"], REPEATED),
    ):
        op.drop_index(name, "part")
        op.create_index(name, "part", columns, sqlite_where=condition, postgresql_where=condition)
