"""What each line was given last: one small row before Ctrl-Z instead of a part and a message with all their indexes."""

import sqlalchemy as sa
from alembic import op

revision = "0029"
down_revision = "0028"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
UTC_TIME = sa.DateTime(timezone=True).with_variant(sa.String(32), "sqlite")


def upgrade() -> None:
    op.create_table(
        "in_air",
        sa.Column("line_id", ID, autoincrement=False, nullable=False),
        sa.Column("part_id", ID),
        sa.Column("expected_reference", sa.Integer()),
        sa.Column("submitted_at", UTC_TIME),
        sa.ForeignKeyConstraint(["line_id"], ["line.id"], name=op.f("fk_in_air_line_id")),
        sa.ForeignKeyConstraint(["part_id"], ["part.id"], name=op.f("fk_in_air_part_id")),
        sa.PrimaryKeyConstraint("line_id", name=op.f("pk_in_air")),
    )
