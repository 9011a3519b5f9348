"""A copy of the database says that it is one."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
UTC_TIME = sa.DateTime(timezone=True).with_variant(sa.String(32), "sqlite")


def upgrade() -> None:
    op.create_table(
        "snapshot",
        sa.Column("id", ID, nullable=False),
        sa.Column("made_at", UTC_TIME, nullable=False),
        sa.Column("origin", sa.String(64)),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_snapshot")),
    )
