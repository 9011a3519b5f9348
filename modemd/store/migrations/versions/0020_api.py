"""Other programs: their tokens, and what they have asked for."""

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None

UTC_TIME = sa.DateTime(timezone=True).with_variant(sa.String(32), "sqlite")
ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "api_token",
        sa.Column("id", ID, nullable=False),
        sa.Column("name", sa.String(64), nullable=False),
        sa.Column("token_hash", sa.String(64), nullable=False),
        sa.Column("scopes", sa.Text(), nullable=False),
        sa.Column("per_minute", sa.Integer(), nullable=False),
        sa.Column("per_day", sa.Integer(), nullable=False),
        sa.Column("created_at", UTC_TIME, nullable=False),
        sa.Column("created_by", sa.String(64), nullable=False),
        sa.Column("expires_at", UTC_TIME, nullable=False),
        sa.Column("revoked_at", UTC_TIME),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_api_token")),
        sa.UniqueConstraint("name", name=op.f("uq_api_token_name")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_api_token_token_hash")),
    )
    op.create_table(
        "api_request",
        sa.Column("id", ID, nullable=False),
        sa.Column("token_id", ID, nullable=False),
        sa.Column("key", sa.String(128)),
        sa.Column("body_hmac", sa.String(64)),
        sa.Column("messages", sa.Integer(), nullable=False),
        sa.Column("created_at", UTC_TIME, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_api_request")),
        sa.UniqueConstraint("token_id", "key", name=op.f("uq_api_request_token_id")),
        sa.ForeignKeyConstraint(["token_id"], ["api_token.id"], name=op.f("fk_api_request_token_id")),
    )
    op.create_index("ix_api_request_token_id", "api_request", ["token_id", "created_at"])
    op.create_table(
        "api_message",
        sa.Column("message_id", ID, autoincrement=False, nullable=False),
        sa.Column("request_id", ID, nullable=False),
        sa.PrimaryKeyConstraint("message_id", name=op.f("pk_api_message")),
        sa.ForeignKeyConstraint(["message_id"], ["message.id"], name=op.f("fk_api_message_message_id")),
        sa.ForeignKeyConstraint(["request_id"], ["api_request.id"], name=op.f("fk_api_message_request_id")),
    )
    op.create_index("ix_api_message_request_id", "api_message", ["request_id"])
