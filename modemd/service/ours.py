"""Whether an SMS that somebody shows us is one of ours: a recipient, a sender, a day."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import StrEnum

from sqlalchemy import Connection

from modemd.config import SOFIA
from modemd.errors import NotAPhone
from modemd.service import phones
from modemd.store import lives
from modemd.store.lives import Life


class Verdict(StrEnum):
    OURS = "ours"
    NOT_OURS = "not_ours"
    MAYBE = "maybe"  # something left for this phone, through lines whose own number nobody has told us


@dataclass(frozen=True, slots=True)
class Finding:
    """What is known of SMS to one phone on one day."""

    recipient: str
    sender: str | None  # as it was asked for
    day: date
    verdict: Verdict
    lives: Sequence[Life]  # what was sent to the phone that day, from this sender or from one unknown
    other_senders: int  # messages to the phone that day which left from another number than the one asked for
    unnamed: Sequence[str]  # lines of which nobody has told the own number


def ask(conn: Connection, recipient: str, sender: str | None, day: date, service_number: str) -> Finding:
    """Look for what we sent to the phone on that day of Sofia. Raises NotAPhone."""
    number = phones.recipient(recipient)
    wanted = _sender(sender)
    start = datetime.combine(day, time(), SOFIA)
    found = lives.sent_to(conn, number, start, datetime.combine(day + timedelta(days=1), time(), SOFIA))
    matching = [life for life in found if _may_be_from(life, wanted, service_number)]
    certain = [life for life in matching if wanted is None or _is_from(life, wanted, service_number)]
    unnamed = lives.unnamed_lines(conn, [part.line for life in matching for part in life.parts]) if wanted else []
    verdict = Verdict.OURS if certain else Verdict.MAYBE if matching else Verdict.NOT_OURS
    return Finding(number, wanted, day, verdict, certain or matching, len(found) - len(matching), unnamed)


def _sender(written: str | None) -> str | None:
    """A number in one form; a name stays as it is written."""
    if not written or not written.strip():
        return None
    try:
        return phones.recipient(written)
    except NotAPhone:
        return written.strip()


def _is_from(life: Life, sender: str, service_number: str) -> bool:
    """The operator may show the short code in place of the SIM's own number."""
    return sender == service_number or any(
        part.sender is not None and _sender(part.sender) == sender for part in life.parts
    )


def _may_be_from(life: Life, sender: str | None, service_number: str) -> bool:
    if sender is None or _is_from(life, sender, service_number):
        return True
    return any(not part.sender for part in life.parts)
