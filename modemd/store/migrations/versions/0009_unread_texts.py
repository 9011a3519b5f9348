"""What people decide about texts that were not understood, and the spellings they teach."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

UTC_TIME = sa.DateTime(timezone=True).with_variant(sa.String(32), "sqlite")
ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "unread_outcome",
        sa.Column("inbox_id", ID, autoincrement=False, nullable=False),
        sa.Column("outcome", sa.String(12), nullable=False),
        sa.Column("by", sa.String(64), nullable=False),
        sa.Column("at", UTC_TIME, nullable=False),
        sa.PrimaryKeyConstraint("inbox_id", name=op.f("pk_unread_outcome")),
        sa.ForeignKeyConstraint(["inbox_id"], ["inbox.id"], name=op.f("fk_unread_outcome_inbox_id")),
        sa.CheckConstraint("outcome IN ('answered', 'spelling', 'dropped')", name=op.f("ck_unread_outcome_outcome")),
    )
    op.create_table(
        "spelling",
        sa.Column("words", sa.String(64), nullable=False),
        sa.Column("kind", sa.String(8), nullable=False),
        sa.Column("by", sa.String(64), nullable=False),
        sa.Column("at", UTC_TIME, nullable=False),
        sa.PrimaryKeyConstraint("words", name=op.f("pk_spelling")),
        sa.CheckConstraint("kind IN ('bill', 'stop', 'help')", name=op.f("ck_spelling_kind")),
    )
