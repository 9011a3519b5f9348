"""What the ledgers have committed lately, by which they know whether a COMMIT whose answer was lost got there."""

import sqlalchemy as sa
from alembic import op

revision = "0028"
down_revision = "0027"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
UTC_TIME = sa.DateTime(timezone=True).with_variant(sa.String(32), "sqlite")


def upgrade() -> None:
    op.create_table(
        "ledger_round",
        sa.Column("ledger", sa.String(36), nullable=False),
        sa.Column("number", ID, nullable=False),
        sa.Column("committed", sa.Boolean(), nullable=False),
        sa.Column("at", UTC_TIME, nullable=False),
        sa.PrimaryKeyConstraint("ledger", "number", name=op.f("pk_ledger_round")),
    )
