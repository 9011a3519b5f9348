"""What people do about messages that failed: send the text again as a new message, or close them with a note."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection

from modemd import audit
from modemd.config import KindName, Settings
from modemd.errors import Because, NotFailed
from modemd.service import compose, subscriptions
from modemd.store import failures, outbox, redaction
from modemd.store.failures import Decision, Failed
from modemd.store.schema import FailedOutcome

# An answer and a code are of their moment; a reminder and an outage notice are for their run to send or not (rule 10).
RESENDABLE: frozenset[KindName] = frozenset({"manual", "api"})
LONGEST_NOTE = 500  # characters


def resend(conn: Connection, message_ids: Sequence[int], who: str, settings: Settings, now: datetime) -> dict[int, int]:
    """Queue the text of each anew, all or none; returns the new messages by the old ones.

    Raises NotFailed for one that is settled, whose kind is not sent again, whose text is redacted, or whose phone was
    marked as a wrong number; the caller's transaction is then to be undone.
    """
    sent: dict[int, int] = {}
    for each in failures.find(conn, sorted(set(message_ids))):
        _check(conn, each)
        made = compose.message(each.kind, each.recipient, each.text, settings, now)
        (sent[each.id],) = outbox.enqueue(conn, [made], now)
        failures.settle(conn, each.id, Decision(FailedOutcome.RESENT, sent[each.id], "", who, now))
        audit.note(conn, who, "failed.resend", f"message {each.id}", f"as message {sent[each.id]}", now)
    return sent


def close(conn: Connection, message_ids: Sequence[int], note: str, who: str, now: datetime) -> None:
    """Nothing more is done about them, and the note says why; all or none.

    Raises NotFailed for one that is settled, and without a note; the caller's transaction is then to be undone.
    """
    words = " ".join(note.split())[:LONGEST_NOTE]
    for each in failures.find(conn, sorted(set(message_ids))):
        if not words:
            raise NotFailed(message_id=each.id, reason=Because("needs a note that says why nothing more is done"))
        failures.settle(conn, each.id, Decision(FailedOutcome.CLOSED, None, words, who, now))
        audit.note(conn, who, "failed.close", f"message {each.id}", words, now)


def _check(conn: Connection, each: Failed) -> None:
    if each.kind not in RESENDABLE:
        reason = Because("is of the kind {kind}, which is not sent again by hand", kind=each.kind)
        raise NotFailed(message_id=each.id, reason=reason)
    if redaction.is_redacted(each.text):
        raise NotFailed(message_id=each.id, reason=Because("has no text any more: it was redacted"))
    if subscriptions.is_wrong_number(conn, each.recipient):
        raise NotFailed(message_id=each.id, reason=Because("goes to a phone that was marked as a wrong number"))
