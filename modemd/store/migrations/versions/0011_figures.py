"""Indexes that the reports count on."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    left, reply = sa.text("sent_at IS NOT NULL"), sa.text("in_reply_to IS NOT NULL")
    columns = ["kind", "state", "sent_at"]
    op.create_index("ix_message_left", "message", columns, sqlite_where=left, postgresql_where=left)
    columns = ["sent_at", "in_reply_to", "recipient"]
    op.create_index("ix_message_reply", "message", columns, sqlite_where=reply, postgresql_where=reply)
