"""Who checked a bill on past days, and how long each answer took; triggers that forget a day when these change.

One more forgets it when a message fails, or no longer, after its parts were handed over: what was refused of them.

A migration that makes `message`, `inbox`, `unread_outcome` or `consent` anew on SQLite has to make these triggers anew,
too: `make_triggers`.
"""

import sqlalchemy as sa
from alembic import op

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None

UTC_TIME = sa.DateTime(timezone=True).with_variant(sa.String(32), "sqlite")
REPLY = sa.text("in_reply_to IS NOT NULL")

# The kept days in which certain rows count. While nothing is kept, as when a database is filled, none is looked for.
ANY_KEPT = "EXISTS (SELECT 1 FROM day_figures)"
FORGET = (
    "DELETE FROM day_figures WHERE starts_at IN (SELECT kept.starts_at FROM {table} AS counted JOIN day_figures AS kept"
    " ON kept.starts_at = (SELECT max(starts_at) FROM day_figures WHERE starts_at <= counted.{at})"
    " AND kept.ends_at > counted.{at} WHERE counted.{at} IS NOT NULL AND {which} AND {any_kept});"
)
MESSAGES, PARTS = ("message", "sent_at"), ("part", "submitted_at")  # and the time by which they count
# Only the first registration makes a phone a customer's, and only the last one that goes ends that.
CHECKS = (
    "counted.recipient = {row}.phone AND counted.in_reply_to IS NOT NULL AND NOT EXISTS"
    " (SELECT 1 FROM consent WHERE phone = {row}.phone AND customer_no IS NOT NULL{other})"
)
REPLIES, OUTCOME = "counted.in_reply_to = {}", "{}.inbox_id IS NOT NULL"
BEGUN, ENDED = CHECKS.format(row="NEW", other=" AND id < NEW.id"), CHECKS.format(row="OLD", other="")
FAILED = "(OLD.state = 'failed') <> (NEW.state = 'failed')"  # then its refused parts count for nothing
ANSWERS, MOVED = "UPDATE OF recipient, in_reply_to", "UPDATE OF phone, customer_no"
TRIGGERS = {  # name: after what, on which table, for which rows, and what counts in another way then
    "message_failed": ("UPDATE OF state", "message", FAILED, PARTS, "counted.message_id = NEW.id"),
    "message_reply": (ANSWERS, "message", "NEW.sent_at IS NOT NULL", MESSAGES, "counted.id = NEW.id"),
    "inbox_read": ("UPDATE OF kind, received_at", "inbox", "NEW.id IS NOT NULL", MESSAGES, REPLIES.format("NEW.id")),
    "outcome_insert": ("INSERT", "unread_outcome", OUTCOME.format("NEW"), MESSAGES, REPLIES.format("NEW.inbox_id")),
    "outcome_delete": ("DELETE", "unread_outcome", OUTCOME.format("OLD"), MESSAGES, REPLIES.format("OLD.inbox_id")),
    "consent_insert": ("INSERT", "consent", "NEW.customer_no IS NOT NULL", MESSAGES, BEGUN),
    "consent_update": (MOVED, "consent", "OLD.customer_no IS NOT NULL", MESSAGES, ENDED),
    "consent_moved": (MOVED, "consent", "NEW.customer_no IS NOT NULL", MESSAGES, BEGUN),
    "consent_delete": ("DELETE", "consent", "OLD.customer_no IS NOT NULL", MESSAGES, ENDED),
}


def upgrade() -> None:
    op.create_index("ix_message_in_reply_to", "message", ["in_reply_to"], sqlite_where=REPLY, postgresql_where=REPLY)
    op.drop_table("day_figures")  # the next night counts them all anew
    op.create_table(
        "day_figures",
        sa.Column("starts_at", UTC_TIME, nullable=False),
        sa.Column("ends_at", UTC_TIME, nullable=False),
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("messages", "parts", "checks", "waited")),
        sa.PrimaryKeyConstraint("starts_at", name=op.f("pk_day_figures")),
    )
    make_triggers(op.get_bind().dialect.name)


def make_triggers(dialect: str) -> None:
    """Let nothing be kept of a day when something in it comes to count in another way."""
    for name, (event, table, when, (of, at), which) in TRIGGERS.items():
        forget = FORGET.format(table=of, at=at, which=which, any_kept=ANY_KEPT)
        _trigger(dialect, name, f"AFTER {event} ON {table} FOR EACH ROW", when, forget)


def _trigger(dialect: str, name: str, after: str, when: str, forget: str) -> None:
    if dialect == "sqlite":  # which asks for ANY_KEPT after having looked, where it stands in the query
        op.execute(f"CREATE TRIGGER day_figures_{name} {after} WHEN ({when} AND {ANY_KEPT}) BEGIN {forget} END")
        return
    op.execute(
        f"CREATE FUNCTION day_figures_{name}() RETURNS trigger LANGUAGE plpgsql AS"
        f" $$ BEGIN {forget} RETURN NULL; END $$"
    )
    op.execute(f"CREATE TRIGGER day_figures_{name} {after} WHEN ({when}) EXECUTE FUNCTION day_figures_{name}()")
