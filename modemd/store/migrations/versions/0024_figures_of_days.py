"""What the reports counted of past days, and triggers that forget a day when anything in it changes.

A migration that makes `message` or `part` anew on SQLite has to make these triggers anew, too: `make_triggers`.
"""

import sqlalchemy as sa
from alembic import op

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None

UTC_TIME = sa.DateTime(timezone=True).with_variant(sa.String(32), "sqlite")

# Which day a time is in, if it is kept; then it is forgotten.
FORGET = (
    "DELETE FROM day_figures WHERE starts_at = (SELECT max(starts_at) FROM day_figures WHERE starts_at <= {at})"
    " AND ends_at > {at};"
)
WATCHED = {  # the time by which a row counts, and what of it is counted
    "message": ("sent_at", ("kind", "state", "sent_at")),
    "part": ("submitted_at", ("state", "line_id", "submitted_at")),
}


def upgrade() -> None:
    op.create_table(
        "day_figures",
        sa.Column("starts_at", UTC_TIME, nullable=False),
        sa.Column("ends_at", UTC_TIME, nullable=False),
        sa.Column("messages", sa.Text(), nullable=False),
        sa.Column("parts", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("starts_at", name=op.f("pk_day_figures")),
    )
    make_triggers(op.get_bind().dialect.name)


def make_triggers(dialect: str) -> None:
    """Let nothing be kept of a day in which a row comes, goes or changes."""
    for table, (at, columns) in WATCHED.items():
        for event, row in (("INSERT", "NEW"), (f"UPDATE OF {', '.join(columns)}", "OLD"), ("DELETE", "OLD")):
            _trigger(dialect, f"{table}_{event.split()[0].lower()}", table, event, f"{row}.{at}")
        _trigger(dialect, f"{table}_moved", table, f"UPDATE OF {at}", f"NEW.{at}")


def _trigger(dialect: str, name: str, table: str, event: str, at: str) -> None:
    forget, when = FORGET.format(at=at), f"FOR EACH ROW WHEN ({at} IS NOT NULL)"
    if dialect == "sqlite":
        op.execute(f"CREATE TRIGGER day_figures_{name} AFTER {event} ON {table} {when} BEGIN {forget} END")
        return
    op.execute(
        f"CREATE FUNCTION day_figures_{name}() RETURNS trigger LANGUAGE plpgsql AS"
        f" $$ BEGIN {forget} RETURN NULL; END $$"
    )
    op.execute(
        f"CREATE TRIGGER day_figures_{name} AFTER {event} ON {table} {when} EXECUTE FUNCTION day_figures_{name}()"
    )
