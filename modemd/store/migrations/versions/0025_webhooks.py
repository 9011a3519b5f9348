"""What other programs want to be told."""

from typing import Literal

import sqlalchemy as sa
from alembic import op

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None

UTC_TIME = sa.DateTime(timezone=True).with_variant(sa.String(32), "sqlite")
ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
WATCHED = sa.text("watched")
WAITING = sa.text("outcome = 'waiting'")
ENDED = sa.text("ended_at IS NOT NULL")


def upgrade() -> None:
    recreate: Literal["always", "never"] = "always" if op.get_bind().dialect.name == "sqlite" else "never"
    with op.batch_alter_table("api_message", recreate=recreate) as of_api:
        of_api.add_column(sa.Column("told", sa.String(12), nullable=False, server_default="queued"))
        of_api.add_column(sa.Column("watched", sa.Boolean(), nullable=False, server_default=sa.text("true")))
        of_api.add_column(sa.Column("dlr_mask", sa.Integer()))
        of_api.add_column(sa.Column("dlr_url", sa.Text()))
    op.create_index(
        "ix_api_message_watched", "api_message", ["message_id"], sqlite_where=WATCHED, postgresql_where=WATCHED
    )
    op.create_table(
        "webhook",
        sa.Column("id", ID, nullable=False),
        sa.Column("name", sa.String(64), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("events", sa.String(32), nullable=False),
        sa.Column("secret", sa.String(64), nullable=False),
        sa.Column("told_inbox", ID, nullable=False),
        sa.Column("created_at", UTC_TIME, nullable=False),
        sa.Column("created_by", sa.String(64), nullable=False),
        sa.Column("ended_at", UTC_TIME),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_webhook")),
        sa.UniqueConstraint("name", name=op.f("uq_webhook_name")),
    )
    op.create_table(
        "webhook_delivery",
        sa.Column("id", ID, nullable=False),
        sa.Column("webhook_id", ID),
        sa.Column("stream", sa.String(300), nullable=False),
        sa.Column("event", sa.String(12), nullable=False),
        sa.Column("inbox_id", ID),
        sa.Column("message_id", ID),
        sa.Column("state", sa.String(12)),
        sa.Column("state_at", UTC_TIME),
        sa.Column("outcome", sa.String(12), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("begun_at", UTC_TIME, nullable=False),
        sa.Column("next_at", UTC_TIME, nullable=False),
        sa.Column("claimed_until", UTC_TIME),
        sa.Column("status", sa.Integer()),
        sa.Column("error", sa.String(200)),
        sa.Column("ended_at", UTC_TIME),
        sa.CheckConstraint("event IN ('incoming', 'state', 'dlr')", name=op.f("ck_webhook_delivery_event")),
        sa.CheckConstraint("outcome IN ('waiting', 'done', 'given_up')", name=op.f("ck_webhook_delivery_outcome")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_webhook_delivery")),
        sa.ForeignKeyConstraint(["webhook_id"], ["webhook.id"], name=op.f("fk_webhook_delivery_webhook_id")),
        sa.ForeignKeyConstraint(["inbox_id"], ["inbox.id"], name=op.f("fk_webhook_delivery_inbox_id")),
        sa.ForeignKeyConstraint(["message_id"], ["message.id"], name=op.f("fk_webhook_delivery_message_id")),
    )
    op.create_index(
        "ix_webhook_delivery_waiting",
        "webhook_delivery",
        ["stream", "id"],
        sqlite_where=WAITING,
        postgresql_where=WAITING,
    )
    op.create_index(
        "ix_webhook_delivery_ended", "webhook_delivery", ["ended_at"], sqlite_where=ENDED, postgresql_where=ENDED
    )
    op.create_index("ix_webhook_delivery_webhook_id", "webhook_delivery", ["webhook_id", "id"])
