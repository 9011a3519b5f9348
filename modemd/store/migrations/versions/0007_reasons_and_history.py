"""Reasons as codes, the history of modems, and more that technicians want."""

from typing import Any, Literal

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

UTC_TIME = sa.DateTime(timezone=True).with_variant(sa.String(32), "sqlite")
ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
STATES = "state IN ('pending', 'taken', 'done', 'refused')"
VERBS = "verb IN ('pause', 'resume', 'restart', 'reset', 'ussd', 'pin', 'say', 'transcript')"
KEPT = "modem_id, verb, argument, asked_by, asked_at, state, answer, answered_at"


def upgrade() -> None:
    kept = sa.text(f"SELECT {KEPT} FROM wish ORDER BY id")  # noqa: S608 -- a constant # nosec B608
    rows = [row._asdict() for row in op.get_bind().execute(kept)]
    op.drop_table("wish")  # SQLite cannot change the check on `verb`: the few rows move into a new one
    recreate: Literal["always", "never"] = "always" if op.get_bind().dialect.name == "sqlite" else "never"
    paused: sa.Column[bool] = sa.Column(
        "paused", sa.Boolean(), nullable=False, server_default=sa.text("false")
    )  # read with brackets
    with op.batch_alter_table("modem", recreate=recreate, reflect_args=(paused,)) as modem:
        modem.add_column(sa.Column("reason_code", sa.String(32)))
        modem.add_column(sa.Column("reason_facts", sa.Text()))
    with op.batch_alter_table("line_rule", recreate=recreate) as line_rule:
        line_rule.add_column(sa.Column("replaces", ID))
        line_rule.add_column(sa.Column("notes", sa.Text()))
    _make_wish(rows)
    op.create_table(
        "modem_event",
        sa.Column("id", ID, nullable=False),
        sa.Column("modem_id", ID, nullable=False),
        sa.Column("at", UTC_TIME, nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("reason", sa.Text()),
        sa.Column("reason_code", sa.String(32)),
        sa.Column("reason_facts", sa.Text()),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_modem_event")),
        sa.ForeignKeyConstraint(["modem_id"], ["modem.id"], name=op.f("fk_modem_event_modem_id")),
    )
    op.create_index("ix_modem_event_modem_id", "modem_event", ["modem_id", "at"])
    op.create_table(
        "signal_sample",
        sa.Column("modem_id", ID, autoincrement=False, nullable=False),
        sa.Column("at", UTC_TIME, nullable=False),
        sa.Column("dbm", sa.Integer()),
        sa.PrimaryKeyConstraint("modem_id", "at", name=op.f("pk_signal_sample")),
        sa.ForeignKeyConstraint(["modem_id"], ["modem.id"], name=op.f("fk_signal_sample_modem_id")),
    )


def _make_wish(rows: list[dict[str, Any]]) -> None:
    made = op.create_table(
        "wish",
        sa.Column("id", ID, nullable=False),
        sa.Column("modem_id", ID, nullable=False),
        sa.Column("verb", sa.String(16), nullable=False),
        sa.Column("argument", sa.String(160)),
        sa.Column("asked_by", sa.String(64), nullable=False),
        sa.Column("asked_at", UTC_TIME, nullable=False),
        sa.Column("state", sa.String(12), nullable=False),
        sa.Column("answer", sa.Text()),
        sa.Column("answer_code", sa.String(32)),
        sa.Column("answer_facts", sa.Text()),
        sa.Column("answered_at", UTC_TIME),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_wish")),
        sa.ForeignKeyConstraint(["modem_id"], ["modem.id"], name=op.f("fk_wish_modem_id")),
        sa.CheckConstraint(STATES, name=op.f("ck_wish_state")),
        sa.CheckConstraint(VERBS, name=op.f("ck_wish_verb")),
    )
    pending = sa.text("state = 'pending'")
    op.create_index("ix_wish_pending", "wish", ["modem_id"], sqlite_where=pending, postgresql_where=pending)
    op.create_index("ix_wish_modem_id", "wish", ["modem_id", "id"])
    if rows:
        op.bulk_insert(made, rows)
