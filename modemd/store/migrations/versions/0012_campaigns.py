"""Campaigns of reminders and outages, and the texts that people have changed."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

UTC_TIME = sa.DateTime(timezone=True).with_variant(sa.String(32), "sqlite")
ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "campaign",
        sa.Column("id", ID, nullable=False),
        sa.Column("kind", sa.String(12), nullable=False),
        sa.Column("state", sa.String(12), nullable=False),
        sa.Column("reason", sa.Text()),
        sa.Column("fingerprint", sa.String(64), nullable=False),
        sa.Column("generation", ID),
        sa.Column("data_at", UTC_TIME),
        sa.Column("recipients", sa.Integer(), nullable=False),
        sa.Column("parts", sa.Integer(), nullable=False),
        sa.Column("figures", sa.Text(), nullable=False),
        sa.Column("wording", sa.Text(), nullable=False),
        sa.Column("text", sa.Text()),
        sa.Column("begins_at", UTC_TIME),
        sa.Column("ends_at", UTC_TIME),
        sa.Column("calls_off", ID),
        sa.Column("pause_after", sa.Integer(), nullable=False),
        sa.Column("created_by", sa.String(64), nullable=False),
        sa.Column("created_at", UTC_TIME, nullable=False),
        sa.Column("approved_by", sa.String(64)),
        sa.Column("approved_at", UTC_TIME),
        sa.Column("started_by", sa.String(64)),
        sa.Column("started_at", UTC_TIME),
        sa.Column("finished_at", UTC_TIME),
        sa.CheckConstraint("kind IN ('reminder', 'outage')", name=op.f("ck_campaign_kind")),
        sa.CheckConstraint(
            "state IN ('proposed', 'approved', 'running', 'paused', 'done', 'cancelled', 'void')",
            name=op.f("ck_campaign_state"),
        ),
        sa.ForeignKeyConstraint(["calls_off"], ["campaign.id"], name=op.f("fk_campaign_calls_off")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_campaign")),
    )
    op.create_index(
        "ix_campaign_active",
        "campaign",
        ["id"],
        sqlite_where=sa.text("state IN ('running', 'paused')"),
        postgresql_where=sa.text("state IN ('running', 'paused')"),
    )
    op.create_index(
        "uq_campaign_reminder",
        "campaign",
        ["kind"],
        unique=True,
        sqlite_where=sa.text("kind = 'reminder' AND state IN ('running', 'paused')"),
        postgresql_where=sa.text("kind = 'reminder' AND state IN ('running', 'paused')"),
    )
    op.create_table(
        "template",
        sa.Column("name", sa.String(24), nullable=False),
        sa.Column("language", sa.String(8), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("saved_by", sa.String(64), nullable=False),
        sa.Column("saved_at", UTC_TIME, nullable=False),
        sa.PrimaryKeyConstraint("name", "language", name=op.f("pk_template")),
    )
    op.create_table(
        "campaign_recipient",
        sa.Column("id", ID, nullable=False),
        sa.Column("campaign_id", ID, nullable=False),
        sa.Column("phone", sa.String(16), nullable=False),
        sa.Column("language", sa.String(8), nullable=False),
        sa.Column("customers", sa.String(80), nullable=False),
        sa.Column("parts", sa.Integer(), nullable=False),
        sa.Column("last_day", sa.Date()),
        sa.Column("state", sa.String(12), nullable=False),
        sa.Column("message_id", ID),
        sa.Column("queued_at", UTC_TIME),
        sa.CheckConstraint(
            "state IN ('waiting', 'queued', 'out', 'cancelled')", name=op.f("ck_campaign_recipient_state")
        ),
        sa.ForeignKeyConstraint(["campaign_id"], ["campaign.id"], name=op.f("fk_campaign_recipient_campaign_id")),
        sa.ForeignKeyConstraint(["message_id"], ["message.id"], name=op.f("fk_campaign_recipient_message_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_campaign_recipient")),
    )
    op.create_index("ix_campaign_recipient_message_id", "campaign_recipient", ["message_id"])
    op.create_index(
        "ix_campaign_recipient_queued",
        "campaign_recipient",
        ["campaign_id"],
        sqlite_where=sa.text("state = 'queued'"),
        postgresql_where=sa.text("state = 'queued'"),
    )
    op.create_index(
        "ix_campaign_recipient_waiting",
        "campaign_recipient",
        ["campaign_id", "id"],
        sqlite_where=sa.text("state = 'waiting'"),
        postgresql_where=sa.text("state = 'waiting'"),
    )
    op.create_index("uq_campaign_recipient_phone", "campaign_recipient", ["campaign_id", "phone"], unique=True)
    op.create_table(
        "campaign_item",
        sa.Column("id", ID, nullable=False),
        sa.Column("recipient_id", ID, nullable=False),
        sa.Column("phone", sa.String(16), nullable=False),
        sa.Column("customer_no", sa.String(12), nullable=False),
        sa.Column("invoice_no", sa.String(10), nullable=False),
        sa.Column("level", sa.Integer(), nullable=False),
        sa.Column("cents", sa.BigInteger(), nullable=False),
        sa.Column("cutoff_date", sa.Date(), nullable=False),
        sa.Column("counts", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.ForeignKeyConstraint(
            ["recipient_id"], ["campaign_recipient.id"], name=op.f("fk_campaign_item_recipient_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_campaign_item")),
    )
    op.create_index("ix_campaign_item_invoice", "campaign_item", ["customer_no", "invoice_no", "level"])
    op.create_index("ix_campaign_item_recipient_id", "campaign_item", ["recipient_id"])
    op.create_index(
        "uq_campaign_item_once",
        "campaign_item",
        ["customer_no", "invoice_no", "level", "phone"],
        unique=True,
        sqlite_where=sa.text("counts"),
        postgresql_where=sa.text("counts"),
    )
