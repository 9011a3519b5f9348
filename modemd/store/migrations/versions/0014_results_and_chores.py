"""Which file tells of which result, and what is done every night."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

UTC_TIME = sa.DateTime(timezone=True).with_variant(sa.String(32), "sqlite")
ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    with op.batch_alter_table(
        "campaign_item", recreate="always" if op.get_bind().dialect.name == "sqlite" else "never"
    ) as item:
        item.add_column(sa.Column("result_file_id", ID))
        item.alter_column("counts", server_default=sa.text("false"))  # which a copy would write otherwise
        item.create_foreign_key(op.f("fk_campaign_item_result_file_id"), "export_file", ["result_file_id"], ["id"])
    op.create_index("ix_campaign_item_result_file_id", "campaign_item", ["result_file_id"])
    op.create_index("ix_consent_begin_file_id", "consent", ["begin_file_id"])
    op.create_index("ix_consent_end_file_id", "consent", ["end_file_id"])
    op.create_table(
        "chore",
        sa.Column("name", sa.String(32), nullable=False),
        sa.Column("done_at", UTC_TIME),
        sa.Column("done_to", UTC_TIME),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_chore")),
    )
