"""E-mail of the supplier's own staff: letters that become SMS, and SMS that become letters, by the rules of [mail]."""

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from email import policy
from email.message import EmailMessage
from email.parser import BytesParser

from sqlalchemy import Connection, func, select

from modemd.config import Forward, Mail, Settings
from modemd.errors import LetterRefused, NotAPhone, TextError
from modemd.service import compose, phones
from modemd.store import inbox as incoming
from modemd.store import limits, listing, outbox
from modemd.store.dialects import upsert
from modemd.store.listing import Listed
from modemd.store.schema import inbox, mail_forward, message

LONGEST_BODY = 100_000  # octets of a letter
_SIGNATURE = re.compile(r"^-- $", re.MULTILINE)
_ADDRESS = re.compile(r"[^@\s<>\"]{1,64}@[^@\s<>\"]{1,255}")


def may_write(mail: Mail, sender: str) -> bool:
    """Whether this envelope sender may have letters sent as SMS: named in full, or by its @domain."""
    address = sender.lower()
    named = {each.lower() for each in mail.senders}
    return bool(_ADDRESS.fullmatch(address)) and (address in named or f"@{address.partition('@')[2]}" in named)


def number_of(mail: Mail, address: str) -> str:
    """The phone that a recipient's address stands for: +359888123456@anything. Raises LetterRefused."""
    try:
        number = phones.recipient(address.partition("@")[0])
    except NotAPhone:
        raise LetterRefused(what="the address before the @ is no number") from None
    if not number.startswith(mail.prefixes):
        raise LetterRefused(what="[mail] prefixes do not allow this number")
    return number


def text_of(letter: bytes) -> tuple[str, str]:
    """(what the SMS says, the letter's Message-ID): the plain part without its signature, else the subject.

    Raises LetterRefused.
    """
    parsed = BytesParser(EmailMessage, policy=policy.default).parsebytes(letter)
    plain = parsed.get_body(("plain",))
    try:
        written = plain.get_content() if plain is not None else ""
    except (LookupError, ValueError):
        raise LetterRefused(what="its charset is not known") from None
    text = _SIGNATURE.split(str(written).replace("\r\n", "\n"))[0].strip() or str(parsed["Subject"] or "").strip()
    if not text or "\x00" in text:
        raise LetterRefused(what="it holds no plain text")
    return text, str(parsed["Message-ID"] or "")


def queue(
    conn: Connection, sender: str, numbers: Sequence[str], letter: bytes, settings: Settings, now: datetime
) -> list[int]:
    """Queue a letter as SMS, each recipient once however often the mail server brings it. Raises LetterRefused."""
    text, message_id = text_of(letter)
    made = []
    for number in dict.fromkeys(numbers):
        external_id = _external_id(message_id, number) if message_id else None
        if external_id and conn.scalar(select(message.c.id).where(message.c.external_id == external_id)) is not None:
            continue
        if not limits.take(conn, f"mail:{sender.lower()}"[:80], [(settings.mail.per_hour, timedelta(hours=1))], now):
            raise LetterRefused(what=f"this sender may have {settings.mail.per_hour} SMS sent in an hour", later=True)
        try:
            made.append(compose.message("manual", number, text, settings, now, None, external_id))
        except TextError as error:
            raise LetterRefused(what=str(error)) from error
    return outbox.enqueue(conn, made, now)


def _external_id(message_id: str, number: str) -> str:
    return "mail:" + hashlib.sha256(f"{message_id} {number}".encode("utf-8", "surrogatepass")).hexdigest()


# SMS to e-mail


@dataclass(frozen=True, slots=True)
class Letter:
    """What came in, as a letter."""

    inbox_id: int
    subject: str
    text: str


@dataclass(frozen=True, slots=True)
class Page:
    """Letters that a rule wants, up to which id of the inbox that was looked for, and whether there is more behind."""

    letters: list[Letter]
    up_to: int
    more: bool


def next_letters(conn: Connection, rule: Forward, limit: int) -> Page:
    """What the rule wants, from where it was last told; at first from now on.

    It needs `database.writing`, as the inbox's cursor does.
    """
    up_to = incoming.settled_up_to(conn)
    told = conn.scalar(select(mail_forward.c.told_inbox).where(mail_forward.c.name == rule.name))
    if told is None:
        return Page([], up_to, more=False)
    rows = listing.received_after(conn, told, up_to, limit)
    wanted = [_letter(row) for row in rows if _fits(rule, row)]
    return Page(wanted, rows[-1].id if rows else told, more=len(rows) == limit)


def newest(conn: Connection) -> int:
    """The newest id of the inbox; quick."""
    return conn.scalar(select(func.max(inbox.c.id))) or 0


def forwarded(conn: Connection, rule: Forward, inbox_id: int) -> None:
    """What came in up to this id is with who wants it."""
    upsert(conn, mail_forward, [{"name": rule.name, "told_inbox": inbox_id}], ["name"])


def _fits(rule: Forward, row: Listed) -> bool:
    if row.text is None or (rule.numbers and not (row.number or "").startswith(rule.numbers)):
        return False
    if rule.lines and row.line not in rule.lines:
        return False
    return not rule.words or any(word.casefold() in row.text.casefold() for word in rule.words)


def _letter(row: Listed) -> Letter:
    number = "".join(each for each in row.number or "?" if each.isprintable())
    signature = f"{number}, {row.line}, {row.created_at:%Y-%m-%d %H:%M} UTC"
    return Letter(row.id, f"SMS {number}", f"{row.text}\n\n-- \n{signature}\n")
