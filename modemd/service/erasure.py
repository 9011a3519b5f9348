"""Erasing a customer: phones and texts go; that he agreed to what, and when it ended, stays under a pseudonym.

The pseudonym is an HMAC under the key of [service] identity_key_file: who has the customer number and the key can still
prove the consent, nobody else can tell whose it was. What billing hands over stays as billing has it.
"""

import hashlib
import hmac
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, and_, or_, select

from modemd import audit, masks
from modemd.errors import Because, CustomerUnknown, EraseRefused
from modemd.service import consent, phones, subscriptions
from modemd.service.consent import Given
from modemd.store import campaigns, redaction
from modemd.store.parts import CANCELLED, QUEUED, Work
from modemd.store.schema import (
    CampaignState,
    Channel,
    RecipientState,
    account,
    campaign,
    campaign_item,
    campaign_recipient,
    document_check,
    inbox,
    inbox_part,
    limit_use,
    message,
    pending_phone,
    phone,
    portal_session,
    status_report,
)
from modemd.store.schema import consent as consent_table

_ALL = 1_000_000
_UNSTARTED = (CampaignState.PROPOSED, CampaignState.APPROVED)
_LENGTH = 30  # characters of a pseudonym, as message.recipient can hold
_SHORT_PHONE, _SHORT_CUSTOMER = 16, 12  # as campaigns hold them


@dataclass(frozen=True, slots=True)
class Erased:
    phones: int  # forgotten; those that other customers keep do not count
    texts: int


def pseudonym(value: str, secret: bytes, length: int = _LENGTH) -> str:
    """The same for the same number and key; begins with `p:`, as no number does."""
    digest = hmac.new(secret, b"pseudonym:" + value.encode(), hashlib.sha256).hexdigest()
    return f"p:{digest}"[:length]


def erase(conn: Connection, customer_no: str, secret: bytes, who: str, now: datetime) -> Erased:
    """Erase one customer, in the caller's transaction; audited.

    A phone that has other customers stays theirs, and of its texts those go that name this customer. A phone that a
    person has marked as a wrong number keeps its mark. Raises CustomerUnknown; and EraseRefused while a message to a
    phone of his is on its way, or a run that is under way speaks of him: then nothing has changed.
    """
    history = consent.history(conn, customer_no=customer_no, limit=_ALL)
    numbers = sorted({*subscriptions.phones_of(conn, customer_no), *(each.phone for each in history)})
    has_account = conn.scalar(select(account.c.id).where(account.c.customer_no == customer_no)) is not None
    if not numbers and not has_account:
        raise CustomerUnknown(customer=customer_no)
    forgotten = texts = 0
    for number in numbers:
        others = subscriptions.untie(conn, number, customer_no, Given(Channel.ERASED, who, now))
        _leave_campaigns(conn, number, customer_no)
        texts += _erase_texts(conn, number, secret, masks.customer(customer_no) if others else None, now)
        if not others:
            _forget(conn, number, secret)
            forgotten += 1
    _erase_campaigns(conn, customer_no, secret)
    _erase_portal(conn, customer_no)
    for each in consent.history(conn, customer_no=customer_no, limit=_ALL):
        name = each.phone if each.phone.startswith("p:") else pseudonym(each.phone, secret)
        proof = {"phone": name, "customer_no": pseudonym(customer_no, secret)}
        conn.execute(consent_table.update().where(consent_table.c.id == each.id).values(proof))
    audit.note(conn, who, "customer.erase", customer_no, f"{forgotten} phones, {texts} texts", now)
    return Erased(forgotten, texts)


def _erase_texts(conn: Connection, number: str, secret: bytes, naming: str | None, now: datetime) -> int:
    """Redact what was sent to a phone and came from it; with `naming` only texts that hold these words."""
    to: ColumnElement[bool] = message.c.recipient == number
    by: ColumnElement[bool] = inbox.c.number.in_(phones.spellings(number))
    if naming is not None:
        to, by = to & message.c.text.contains(naming, autoescape=True), by & inbox.c.text.contains(naming)
    _cancel(conn, list(conn.scalars(select(message.c.id).where(to, message.c.state == QUEUED))), now)
    on_its_way = select(message.c.id).where(to, message.c.state.in_(redaction.OPEN))
    if (found := conn.scalar(on_its_way.limit(1))) is not None:
        reason = Because(
            "message {message} to {number} is on its way or waits for a decision; when it is settled, try again",
            message=found,
            number=masks.phone(number),
        )
        raise EraseRefused(reason=reason)
    came = list(conn.scalars(select(inbox.c.id).where(by)))
    raw = inbox_part.update().where(inbox_part.c.inbox_id.in_(came))
    conn.execute(raw.values(pdu="", text=None, data=None))
    return redaction.sent(conn, to, _ALL, secret).count + redaction.received(conn, by, _ALL, secret).count


def _cancel(conn: Connection, message_ids: Sequence[int], now: datetime) -> None:
    """Take from the outbox what has not begun to leave."""
    work = Work(conn, messages=message_ids)
    for each in work.messages.values():
        if all(one.state is QUEUED and one.line_id is None for one in each.parts):
            for one in each.parts:
                work.move(one, CANCELLED)
            work.change(each, error=Because("the customer was erased"))
    if work.messages:
        work.write(now)


def _leave_campaigns(conn: Connection, number: str, customer_no: str) -> None:
    about = or_(campaign_recipient.c.phone == number, campaign_recipient.c.customers.contains(customer_no))
    query = select(campaign.c.id, campaign.c.state).join_from(campaign_recipient, campaign)
    waiting = campaign_recipient.c.state.in_((RecipientState.WAITING, RecipientState.QUEUED))
    for row in conn.execute(query.where(about, waiting).distinct()).all():
        if row.state not in _UNSTARTED:
            reason = Because(
                "run {run} speaks of this customer and is under way; when it is over or cancelled, try again",
                run=row.id,
            )
            raise EraseRefused(reason=reason)
        campaigns.put_aside(conn, row.id, Because("a customer of it was erased"))


def _erase_campaigns(conn: Connection, customer_no: str, secret: bytes) -> None:
    short = pseudonym(customer_no, secret, _SHORT_CUSTOMER)
    for row in conn.execute(select(campaign_item).where(campaign_item.c.customer_no == customer_no)).all():
        values = {"customer_no": short, "phone": pseudonym(row.phone, secret, _SHORT_PHONE)}
        conn.execute(campaign_item.update().where(campaign_item.c.id == row.id).values(values))
        recipient = campaign_recipient.c.id == row.recipient_id
        told = conn.execute(select(campaign_recipient).where(recipient)).one()
        names = " ".join(short if each == customer_no else each for each in told.customers.split())
        conn.execute(campaign_recipient.update().where(recipient).values(customers=names))


def _erase_portal(conn: Connection, customer_no: str) -> None:
    of_account = select(account.c.id).where(account.c.customer_no == customer_no)
    signed_in = or_(
        portal_session.c.account_id.in_(of_account), portal_session.c.customer_numbers.contains(customer_no)
    )
    conn.execute(portal_session.delete().where(signed_in))
    conn.execute(account.delete().where(account.c.customer_no == customer_no))
    conn.execute(pending_phone.delete().where(pending_phone.c.customer_numbers.contains(customer_no)))
    conn.execute(document_check.delete().where(document_check.c.customer_no == customer_no))
    conn.execute(limit_use.delete().where(limit_use.c.key.in_((f"code:{customer_no}", f"identity:{customer_no}"))))


def _forget(conn: Connection, number: str, secret: bytes) -> None:
    """A phone without customers is nobody's: only its pseudonym stays, and a person's mark."""
    name, short = pseudonym(number, secret), pseudonym(number, secret, _SHORT_PHONE)
    written = phones.spellings(number)
    for table, column, value in (
        (message, message.c.recipient, name),
        (inbox, inbox.c.number, name),
        (inbox_part, inbox_part.c.number, name),
        (status_report, status_report.c.recipient, name),
        (consent_table, consent_table.c.phone, name),
        (campaign_recipient, campaign_recipient.c.phone, short),
        (campaign_item, campaign_item.c.phone, short),
    ):
        gone = {"pdu": ""} if "pdu" in table.c else {}  # it holds the number too
        conn.execute(table.update().where(column.in_(written)).values({column.name: value, **gone}))
    conn.execute(limit_use.delete().where(limit_use.c.key.in_((f"answer:{number}", f"code:{number}"))))
    conn.execute(pending_phone.delete().where(pending_phone.c.phone == number))
    conn.execute(phone.delete().where(and_(phone.c.number == number, phone.c.wrong_number_at.is_(None))))
