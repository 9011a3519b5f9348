"""What people decide about messages that failed."""

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None

UTC_TIME = sa.DateTime(timezone=True).with_variant(sa.String(32), "sqlite")
ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "failed_outcome",
        sa.Column("message_id", ID, autoincrement=False, nullable=False),
        sa.Column("outcome", sa.String(8), nullable=False),
        sa.Column("resent_as", ID),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("by", sa.String(64), nullable=False),
        sa.Column("at", UTC_TIME, nullable=False),
        sa.PrimaryKeyConstraint("message_id", name=op.f("pk_failed_outcome")),
        sa.ForeignKeyConstraint(["message_id"], ["message.id"], name=op.f("fk_failed_outcome_message_id")),
        sa.ForeignKeyConstraint(["resent_as"], ["message.id"], name=op.f("fk_failed_outcome_resent_as")),
        sa.CheckConstraint("outcome IN ('resent', 'closed')", name=op.f("ck_failed_outcome_outcome")),
    )
