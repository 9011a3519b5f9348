"""Every text that a person has saved stays, with who and when."""

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
UTC_TIME = sa.DateTime(timezone=True).with_variant(sa.String(32), "sqlite")


def upgrade() -> None:
    op.create_table(
        "template_version",
        sa.Column("id", ID, nullable=False),
        sa.Column("name", sa.String(24), nullable=False),
        sa.Column("language", sa.String(8), nullable=False),
        sa.Column("text", sa.Text()),
        sa.Column("saved_by", sa.String(64), nullable=False),
        sa.Column("saved_at", UTC_TIME, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_template_version")),
    )
    op.create_index("ix_template_version_name", "template_version", ["name", "language"])
    op.execute(
        "INSERT INTO template_version (name, language, text, saved_by, saved_at)"
        " SELECT name, language, text, saved_by, saved_at FROM template ORDER BY saved_at"
    )
