"""A visit to a customer centre: the identity document first, then a phone and the portal (DOMAIN, section 7).

For a customer whose document this person of staff has not found right just now, nothing is registered or handed out.
Where billing has told no ЕГН or ЕИК there is nothing to compare with: then the person answers for having seen the
document, and the audit log keeps which of the two it was.
"""

from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy import Connection, delete, select

from modemd import audit
from modemd.config import Settings
from modemd.errors import DocumentNotSeen
from modemd.service import accounts, confirmation, customers, identities
from modemd.service.accounts import Credentials
from modemd.service.confirmation import Wanted
from modemd.store.schema import document_check

A_VISIT = timedelta(minutes=15)


class Answer(StrEnum):
    """What is said of a number in an identity document. Nothing else of it is told, and nothing of it is kept."""

    FITS = "fits"
    DIFFERS = "does not fit"
    MISTYPED = "mistyped"  # nobody's: its check digit is wrong
    TOO_OFTEN = "too often"


def compare(conn: Connection, customer_no: str, typed: str, who: str, secret: bytes, now: datetime) -> Answer:
    """Compare the ЕГН, ЛНЧ or ЕИК in a document with what billing has told. Commit whatever the answer is."""
    number = "".join(typed.split())
    if not identities.is_person(number) and not identities.is_company(number):
        return Answer.MISTYPED
    if not identities.may_compare(conn, customer_no, who, now):
        answer = Answer.TOO_OFTEN
    else:
        answer = Answer.FITS if identities.fits(conn, customer_no, number, secret) else Answer.DIFFERS
    if answer is Answer.FITS:
        _keep(conn, customer_no, who, now)
    audit.note(conn, who, "customer.identity", customer_no, answer, now)
    return answer


def vouch(conn: Connection, customer_no: str, who: str, now: datetime) -> None:
    """A person says that the document in his hand is the customer's, of whom billing has told no number.

    Raises DocumentNotSeen where there is a number to compare with, and CustomerUnknown.
    """
    if customers.show(conn, customer_no).identified:
        raise DocumentNotSeen(customer=customer_no)
    _keep(conn, customer_no, who, now)
    audit.note(conn, who, "customer.vouch", customer_no, "billing has told no number", now)


def has_seen(conn: Connection, customer_no: str, who: str, now: datetime) -> bool:
    """Whether this person has found the customer's document right during this visit."""
    seen = select(document_check.c.id).where(
        document_check.c.customer_no == customer_no, document_check.c.who == who, document_check.c.expires_at > now
    )
    return conn.scalar(seen.limit(1)) is not None


def send_code(conn: Connection, wanted: Wanted, address: str, settings: Settings, key: bytes, now: datetime) -> int:
    """`confirmation.send_code` for a customer at the desk. Raises DocumentNotSeen, and what that raises."""
    for customer_no in wanted.customer_numbers:
        _check(conn, customer_no, wanted.who, now)
    return confirmation.send_code(conn, wanted, address, settings, key, now)


def hand_out(conn: Connection, customer_no: str, who: str, now: datetime) -> Credentials:
    """`accounts.hand_out` for a customer at the desk. Raises DocumentNotSeen."""
    _check(conn, customer_no, who, now)
    return accounts.hand_out(conn, customer_no, who, now)


def _check(conn: Connection, customer_no: str, who: str, now: datetime) -> None:
    if not has_seen(conn, customer_no, who, now):
        raise DocumentNotSeen(customer=customer_no)


def _keep(conn: Connection, customer_no: str, who: str, now: datetime) -> None:
    conn.execute(delete(document_check).where(document_check.c.expires_at <= now))
    conn.execute(document_check.insert(), {"customer_no": customer_no, "who": who, "expires_at": now + A_VISIT})
