"""How far SMS are forwarded as letters."""

import sqlalchemy as sa
from alembic import op

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "mail_forward",
        sa.Column("name", sa.String(64), nullable=False),
        sa.Column("told_inbox", ID, nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_mail_forward")),
    )
