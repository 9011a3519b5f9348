"""What the reports counted of past months; triggers that forget a month with any of its days, or when consents change.

Days count how long answers took by hundredths of a second: the next night counts them all anew.

A migration that makes `consent` anew on SQLite has to make these triggers anew, too: `make_triggers`.
"""

import sqlalchemy as sa
from alembic import op

revision = "0030"
down_revision = "0029"
branch_labels = None
depends_on = None

UTC_TIME = sa.DateTime(timezone=True).with_variant(sa.String(32), "sqlite")

SERVICES = ("begun_at", "bill", "reminder", "outage")  # what a consent is from its beginning on
ANEW = " OR ".join(f"OLD.{name} <> NEW.{name}" for name in SERVICES)
ENDED = "(OLD.ended_at IS NULL) <> (NEW.ended_at IS NULL) OR OLD.ended_at <> NEW.ended_at"
TRIGGERS = {  # name: after what, on which table, for which rows, and which months count in another way then
    "day": ("DELETE", "day_figures", "TRUE", "starts_at <= OLD.starts_at AND ends_at > OLD.starts_at"),
    "consent_insert": ("INSERT", "consent", "TRUE", "ends_at > NEW.begun_at"),
    "consent_update": (
        f"UPDATE OF {', '.join(SERVICES)}", "consent", ANEW, "ends_at > OLD.begun_at OR ends_at > NEW.begun_at"
    ),
    "consent_ended": ("UPDATE OF ended_at", "consent", ENDED, "ends_at > OLD.ended_at OR ends_at > NEW.ended_at"),
    "consent_delete": (
        "DELETE", "consent", "TRUE",
        "ends_at > OLD.begun_at AND (OLD.ended_at IS NULL OR ends_at <= OLD.ended_at)",
    ),
}  # fmt: skip


def upgrade() -> None:
    op.execute("DELETE FROM day_figures")
    op.create_table(
        "month_figures",
        sa.Column("starts_at", UTC_TIME, nullable=False),
        sa.Column("ends_at", UTC_TIME, nullable=False),
        sa.Column("messages", sa.Text(), nullable=False),
        sa.Column("parts", sa.Text(), nullable=False),
        sa.Column("checks", sa.Integer(), nullable=False),
        sa.Column("customers", sa.Integer(), nullable=False),
        sa.Column("waited", sa.Text(), nullable=False),
        sa.Column("registered", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("starts_at", name=op.f("pk_month_figures")),
    )
    make_triggers(op.get_bind().dialect.name)


def make_triggers(dialect: str) -> None:
    """Let nothing be kept of a month when anything in it, or who was registered at its end, changes."""
    for name, (event, table, when, which) in TRIGGERS.items():
        after = f"CREATE TRIGGER month_figures_{name} AFTER {event} ON {table} FOR EACH ROW WHEN ({when})"
        forget = f"DELETE FROM month_figures WHERE {which};"  # noqa: S608 -- constants of this file # nosec B608
        if dialect == "sqlite":
            op.execute(f"{after} BEGIN {forget} END")
            continue
        op.execute(
            f"CREATE FUNCTION month_figures_{name}() RETURNS trigger LANGUAGE plpgsql AS"
            f" $$ BEGIN {forget} RETURN NULL; END $$"
        )
        op.execute(f"{after} EXECUTE FUNCTION month_figures_{name}()")
