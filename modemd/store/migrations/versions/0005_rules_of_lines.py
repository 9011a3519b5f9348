"""What technicians set for lines."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "line_rule",
        sa.Column("line_id", ID, autoincrement=False, nullable=False),
        sa.Column("name", sa.String(64)),
        sa.Column("per_minute", sa.Integer()),
        sa.Column("per_day", sa.Integer()),
        sa.Column("per_month", sa.Integer()),
        sa.Column("number", sa.String(32)),
        sa.Column("prefixes", sa.Text()),
        sa.PrimaryKeyConstraint("line_id", name=op.f("pk_line_rule")),
        sa.ForeignKeyConstraint(["line_id"], ["line.id"], name=op.f("fk_line_rule_line_id")),
    )
