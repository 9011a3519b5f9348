"""Payments, and what they leave of an invoice."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

UTC_TIME = sa.DateTime(timezone=True).with_variant(sa.String(32), "sqlite")
ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    with op.batch_alter_table(
        "open_item", recreate="always" if op.get_bind().dialect.name == "sqlite" else "never"
    ) as item:
        item.add_column(sa.Column("paid_cents", sa.BigInteger(), nullable=False, server_default="0"))
        item.add_column(sa.Column("data_at", UTC_TIME))
    op.execute("UPDATE open_item SET data_at = (SELECT data_at FROM dataset WHERE type = 'OPENITEMS')")
    op.create_table(
        "payment",
        sa.Column("generation", ID, autoincrement=False, nullable=False),
        sa.Column("customer_no", sa.String(12), nullable=False),
        sa.Column("invoice_no", sa.String(10), nullable=False),
        sa.Column("paid_at", UTC_TIME, nullable=False),
        sa.Column("cents", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("known_at", UTC_TIME, nullable=False),
        sa.PrimaryKeyConstraint("generation", "customer_no", "invoice_no", "paid_at", "cents", name=op.f("pk_payment")),
    )
