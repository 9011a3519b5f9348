"""A phone becomes active when whoever holds it tells the code that was sent to it: a mistyped digit would tell a
stranger about a debt (DOMAIN, section 7).

Who asks for a code never learns whether a customer or a phone is known: what is wrong with a choice is said, and how
often codes may be asked for is counted for the phone, the customers, the address and in all.
"""

import hashlib
import hmac
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from sqlalchemy import Connection, delete, select

from modemd.config import Language, Service, Settings
from modemd.errors import PhoneIsFull, TooOften, WrongNumber
from modemd.service import compose, notices, phones, subscriptions
from modemd.service.consent import Shown
from modemd.store import limits, outbox
from modemd.store.schema import Channel, pending_phone

DIGITS = 6
VALID = timedelta(minutes=10)
MOST_TRIES = 5
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
PER_PHONE = [(3, HOUR), (6, DAY)]
PER_CUSTOMER = [(5, HOUR), (10, DAY)]
PER_ADDRESS = [(10, HOUR), (30, DAY)]

# DOMAIN, section 7; the number is the service's own.
_CONSENT = {
    "bg": "Титуляр съм или съм упълномощен и ползвам този телефон. Който го държи, ще вижда сумите. SMS до {number} е"
    " по тарифата ми; известията са безплатни. Отказ: STOP, портал, център.",
    "en": "I am the customer or act for him, and I use this phone. Whoever holds it will see the amounts. An SMS to"
    " {number} costs what my tariff says; notices are free. To end it: STOP, portal, customer centre.",
}


@dataclass(frozen=True, slots=True)
class Wanted:
    """A phone to be registered, as it was typed in and agreed to."""

    phone: str
    customer_numbers: Sequence[str]
    services: Sequence[str]
    language: Language  # of the SMS
    channel: Channel  # CENTRE, PASSWORD or KEP
    who: str  # the person of staff, or consent.CUSTOMER
    shown: Shown


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a code."""

    number: str | None  # that is registered now; None: the code was wrong or is no longer good
    tries_left: int = 0


@dataclass(frozen=True, slots=True)
class Waiting:
    """A registration that waits for its code."""

    phone: str
    text: str  # of the consent


def consent_text(language: str, service: Service) -> Shown:
    """What is agreed to, in the language of the page (`bg`, `en`)."""
    number = service.service_number
    return Shown(f"1-{language}-{number}", _CONSENT[language].format(number=number))


def send_code(conn: Connection, wanted: Wanted, address: str, settings: Settings, key: bytes, now: datetime) -> int:
    """Check a registration and send a code to its phone; returns what `confirm` wants with the code.

    `key` keeps whoever reads the database from guessing codes. Raises what `subscriptions.check` raises, and
    TooOften; but to a customer it does not tell that a phone is marked as wrong or has its five customers already.
    """
    number, sends = phones.normalise(wanted.phone), True
    try:
        subscriptions.check(conn, number, wanted.customer_numbers, wanted.services, wanted.language)
    except (WrongNumber, PhoneIsFull):
        if wanted.channel is Channel.CENTRE:
            raise
        sends = False  # what others have said of this phone, or registered it for, is not the customer's to learn
    _count(conn, number, wanted.customer_numbers, address, settings, now)
    digits = f"{secrets.randbelow(10**DIGITS):0{DIGITS}}"
    conn.execute(delete(pending_phone).where(pending_phone.c.expires_at <= now - DAY))
    row = {
        "phone": number,
        "customer_numbers": " ".join(wanted.customer_numbers),
        "services": " ".join(wanted.services),
        "language": wanted.language,
        "channel": wanted.channel,
        "who": wanted.who,
        "text_version": wanted.shown.version,
        "text": wanted.shown.text,
        "code_hash": "",
        "tries": 0,
        "expires_at": now + VALID,
    }
    pending_id: int = conn.execute(pending_phone.insert().values(**row).returning(pending_phone.c.id)).scalar_one()
    mine = pending_phone.update().where(pending_phone.c.id == pending_id)
    conn.execute(mine.values(code_hash=_hash(pending_id, digits, key)))
    if sends:
        minutes, wording = VALID // timedelta(minutes=1), notices.wording(conn)
        text = notices.code(_text_for(wanted.channel), digits, minutes, wanted.language, wording, settings.service)
        outbox.enqueue(conn, [compose.message("otp", number, text, settings, now)], now)
    return pending_id


def confirm(
    conn: Connection,
    pending_id: int,
    who: str,
    mine: Sequence[str],
    digits: str,
    settings: Settings,
    key: bytes,
    now: datetime,
) -> Outcome:
    """Register the phone if this is its code, and greet it; else count a try. Commit either way.

    `who` and `mine` (customer numbers) are those of whoever asks: nobody confirms what somebody else began. Raises what
    `subscriptions.subscribe` raises when something has changed since.
    """
    tried = (
        pending_phone.update()
        .where(
            pending_phone.c.id == pending_id,
            pending_phone.c.who == who,
            pending_phone.c.used_at.is_(None),
            pending_phone.c.expires_at > now,
            pending_phone.c.tries < MOST_TRIES,
        )
        .values(tries=pending_phone.c.tries + 1)
        .returning(pending_phone)
    )
    row = conn.execute(tried).one_or_none()
    if row is None or not set(row.customer_numbers.split()) <= set(mine):
        return Outcome(None)
    typed = "".join(digits.split())
    if not hmac.compare_digest(row.code_hash, _hash(pending_id, typed, key)):
        return Outcome(None, MOST_TRIES - row.tries)
    conn.execute(pending_phone.update().where(pending_phone.c.id == pending_id).values(used_at=now))
    customer_numbers = row.customer_numbers.split()
    shown = Shown(row.text_version, row.text)
    number = subscriptions.subscribe(
        conn, row.phone, customer_numbers, row.services.split(), row.language, Channel(row.channel), who, shown, now
    )
    text = notices.welcome(customer_numbers, row.language, notices.wording(conn), settings.service)
    outbox.enqueue(conn, [compose.message("manual", number, text, settings, now)], now)
    return Outcome(number)


def waiting(conn: Connection, pending_id: int, who: str, now: datetime) -> Waiting | None:
    """A registration whose code is still good, for whoever asked for it."""
    asked = select(pending_phone.c.phone, pending_phone.c.text).where(
        pending_phone.c.id == pending_id,
        pending_phone.c.who == who,
        pending_phone.c.used_at.is_(None),
        pending_phone.c.expires_at > now,
    )
    row = conn.execute(asked).first()
    return Waiting(*row) if row else None


def _count(
    conn: Connection, number: str, customer_numbers: Sequence[str], address: str, settings: Settings, now: datetime
) -> None:
    """Raises TooOften; what was counted until then is undone with the caller's transaction."""
    in_all = [(settings.portal.codes_per_hour, HOUR)]
    allowed = limits.take(conn, "code:all", in_all, now) and limits.take(conn, f"code:{address}", PER_ADDRESS, now)
    allowed = allowed and limits.take(conn, f"code:{number}", PER_PHONE, now)
    for customer_no in customer_numbers:
        allowed = allowed and limits.take(conn, f"code:{customer_no}", PER_CUSTOMER, now)
    if not allowed:
        raise TooOften(what="codes")


def _text_for(channel: Channel) -> Literal["code_portal", "code_centre"]:
    return "code_centre" if channel is Channel.CENTRE else "code_portal"


def _hash(pending_id: int, digits: str, key: bytes) -> str:
    return hmac.new(key, f"{pending_id}:{digits}".encode(), hashlib.sha256).hexdigest()
