"""What is known of a modem besides its state, wishes of technicians, and how often each way of recovery has helped."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

UTC_TIME = sa.DateTime(timezone=True).with_variant(sa.String(32), "sqlite")
ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    with op.batch_alter_table("modem") as modem:
        modem.drop_constraint("uq_modem_host", type_="unique")
        modem.add_column(sa.Column("place", sa.String(64)))
        modem.add_column(sa.Column("paused", sa.Boolean(), nullable=False, server_default=sa.text("false")))
        modem.add_column(sa.Column("calls", sa.Integer(), nullable=False, server_default="0"))
        modem.add_column(sa.Column("storage_used", sa.Integer()))
        modem.add_column(sa.Column("storage_total", sa.Integer()))
        modem.add_column(sa.Column("clock_offset", sa.Integer()))
    op.create_index("ix_modem_port", "modem", ["host", "port"])
    op.create_table(
        "balance",
        sa.Column("line_id", ID, autoincrement=False, nullable=False),
        sa.Column("cents", sa.BigInteger(), nullable=False),
        sa.Column("at", UTC_TIME, nullable=False),
        sa.PrimaryKeyConstraint("line_id", name=op.f("pk_balance")),
        sa.ForeignKeyConstraint(["line_id"], ["line.id"], name=op.f("fk_balance_line_id")),
    )
    _create_wish()
    op.create_table(
        "recovery",
        sa.Column("model", sa.String(64), nullable=False),
        sa.Column("rung", sa.String(16), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("successes", sa.Integer(), nullable=False),
        sa.Column("seconds", sa.Float(), nullable=False),
        sa.Column("last_at", UTC_TIME, nullable=False),
        sa.PrimaryKeyConstraint("model", "rung", name=op.f("pk_recovery")),
    )


def _create_wish() -> None:
    op.create_table(
        "wish",
        sa.Column("id", ID, nullable=False),
        sa.Column("modem_id", ID, nullable=False),
        sa.Column("verb", sa.String(16), nullable=False),
        sa.Column("argument", sa.String(160)),
        sa.Column("asked_by", sa.String(64), nullable=False),
        sa.Column("asked_at", UTC_TIME, nullable=False),
        sa.Column("state", sa.String(12), nullable=False),
        sa.Column("answer", sa.Text()),
        sa.Column("answered_at", UTC_TIME),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_wish")),
        sa.ForeignKeyConstraint(["modem_id"], ["modem.id"], name=op.f("fk_wish_modem_id")),
        sa.CheckConstraint("state IN ('pending', 'taken', 'done', 'refused')", name=op.f("ck_wish_state")),
        sa.CheckConstraint("verb IN ('pause', 'resume', 'restart', 'reset', 'ussd')", name=op.f("ck_wish_verb")),
    )
    pending = sa.text("state = 'pending'")
    op.create_index("ix_wish_pending", "wish", ["modem_id"], sqlite_where=pending, postgresql_where=pending)
