"""Where the recipients of campaigns stand, and what was reminded of already."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, exists, func, or_, select, text

from modemd.store.campaigns import NewRecipient
from modemd.store.parts import EXPIRED, SKIPPED
from modemd.store.portions import NOT_SENT
from modemd.store.schema import (
    ACTIVE,
    WAITING,
    RecipientState,
    campaign,
    campaign_item,
    campaign_recipient,
    message,
)


@dataclass(slots=True)
class Progress:
    """Recipients by what has become of them: `waiting`, `cancelled`, or the state of their message."""

    by_state: Mapping[str, int]
    skipped: Mapping[str, int] = field(default_factory=dict)  # by reason
    parts_waiting: int = 0

    @property
    def open(self) -> int:
        return sum(self.by_state.get(state, 0) for state in ("waiting", "queued", "sending"))

    @property
    def told(self) -> int:
        """Those to whom something has left, or may have."""
        left = ("sent", "delivered", "undelivered", "expired", "in_doubt", "held")
        return sum(self.by_state.get(state, 0) for state in left)


def progress(conn: Connection, campaign_id: int) -> Progress:
    """Where all its recipients stand."""
    state = func.coalesce(message.c.state, campaign_recipient.c.state)
    of_it = campaign_recipient.c.campaign_id == campaign_id
    joined = campaign_recipient.outerjoin(message)
    by_state = conn.execute(select(state, func.count()).select_from(joined).where(of_it).group_by(state))
    skipped = select(message.c.error, func.count()).select_from(joined).where(of_it, message.c.state == SKIPPED)
    waiting = select(func.sum(campaign_recipient.c.parts)).where(of_it, text(WAITING))
    return Progress(
        {str(name): count for name, count in by_state},
        {str(reason): count for reason, count in conn.execute(skipped.group_by(message.c.error))},
        int(conn.scalar(waiting) or 0),
    )


def last_days(conn: Connection, campaign_id: int) -> list[tuple[date, int]]:
    """Parts that wait, by the last day on which they may leave, the earliest first."""
    of_it = and_(campaign_recipient.c.campaign_id == campaign_id, text(WAITING))
    day = campaign_recipient.c.last_day
    query = select(day, func.sum(campaign_recipient.c.parts)).where(of_it, day.is_not(None)).group_by(day).order_by(day)
    return [(row[0], int(row[1])) for row in conn.execute(query)]


def was_reminded(customer_no: ColumnElement[str], invoice_no: ColumnElement[str], level: ColumnElement[int]) -> Any:
    """The condition that this invoice was reminded of at this level, or is just about to be."""
    about_it = (
        campaign_item.c.customer_no == customer_no,
        campaign_item.c.invoice_no == invoice_no,
        campaign_item.c.level == level,
    )
    about_to_be = (
        campaign_recipient.c.id == campaign_item.c.recipient_id,
        campaign_recipient.c.state == RecipientState.WAITING,
        campaign.c.id == campaign_recipient.c.campaign_id,
        text(f"campaign.{ACTIVE}"),
    )
    return or_(exists().where(*about_it, campaign_item.c.counts), exists().where(*about_it, *about_to_be))


def told(conn: Connection, campaign_id: int) -> list[NewRecipient]:
    """Those to whom the campaign's message has left, may have, or has begun to: call it after `portions.take_back`."""
    columns = (campaign_recipient.c[name] for name in ("phone", "language", "customers"))
    query = (
        select(*columns)
        .join_from(campaign_recipient, message)
        .where(campaign_recipient.c.campaign_id == campaign_id, message.c.state.not_in(NOT_SENT))
        .where(or_(message.c.state != EXPIRED, message.c.sent_at.is_not(None)))
    )
    rows = conn.execute(query.order_by(campaign_recipient.c.id))
    return [NewRecipient(row.phone, row.language, tuple(row.customers.split()), 1) for row in rows]
