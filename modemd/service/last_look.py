"""Rule 10: right before a message of a campaign leaves, it is looked up again whether it still should.

The look stands in the transaction that marks the message as sending: what is committed by then is heeded.
"""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection, and_, exists, select

from modemd.config import SOFIA, Settings
from modemd.errors import Because, LeavesLater, NoLongerTrue
from modemd.service import subscriptions
from modemd.service.reminders import preview
from modemd.service.reminders.rules import Reason, Rules, facts
from modemd.store import campaigns, outbox
from modemd.store.campaigns import Campaign
from modemd.store.freshness import freshness
from modemd.store.outbox import Sending
from modemd.store.requests import hasty
from modemd.store.schema import (
    CampaignKind,
    CampaignState,
    campaign_item,
    campaign_recipient,
    dataset,
    open_item,
    part,
    phone,
    phone_customer,
)

TOO_OLD = Because("the data of billing are too old; import newer ones, then resume")
WINDOW_CLOSED = Because("the sending window has closed")
MAY_SEND = (CampaignState.RUNNING, CampaignState.DONE)  # done: what was in doubt may come back to be sent again

_begun = part.alias("begun")
_LOOKED_AT = (
    select(part.c.message_id, campaign_recipient.c.id, campaign_recipient.c.campaign_id)
    .join_from(part, campaign_recipient, campaign_recipient.c.message_id == part.c.message_id)
    .where(~exists().where(_begun.c.message_id == part.c.message_id, _begun.c.line_id.is_not(None)))
)
_CURRENT = and_(
    open_item.c.generation == dataset.c.generation,
    open_item.c.customer_no == campaign_item.c.customer_no,
    open_item.c.invoice_no == campaign_item.c.invoice_no,
)
_TIE = and_(
    phone_customer.c.phone == campaign_item.c.phone, phone_customer.c.customer_no == campaign_item.c.customer_no
)
_ITEMS = (
    select(
        campaign_item.c.recipient_id,
        campaign_item.c.cents,
        campaign_item.c.cutoff_date.label("cutoff"),
        campaign_item.c.level.label("at_level"),
        phone_customer.c.phone.label("tied"),
        *facts(campaign_item.c.customer_no),
    )
    .select_from(campaign_item)
    .outerjoin(dataset, dataset.c.type == "OPENITEMS")
    .outerjoin(open_item, _CURRENT)
    .outerjoin(phone_customer, _TIE)
    .outerjoin(phone, phone.c.number == campaign_item.c.phone)
)


class LastLook:
    """`mark_sending` for messages of campaigns; one object, so that the ledger knows its verb again."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    @hasty(1)
    def mark_sending(self, conn: Connection, sendings: Sequence[Sending], now: datetime, host: str) -> list[None]:
        """As `outbox.mark_sending`, after a last look at each message.

        Raises NoLongerTrue for one whose invoice is paid or changed, or whose recipient has opted out or moved, and
        LeavesLater for one whose campaign may not send now; nothing is marked then. A message that has begun to leave
        is not looked at again: half a message helps nobody.
        """
        looked_at = conn.execute(_LOOKED_AT.where(part.c.id.in_([each.part_id for each in sendings]))).all()
        for campaign_id in sorted({row.campaign_id for row in looked_at}):
            of_it = {row.id: row.message_id for row in looked_at if row.campaign_id == campaign_id}
            own = campaigns.get(conn, campaign_id)
            later = self._why_later(conn, own, now)
            if later is not None:
                raise LeavesLater(message_id=min(of_it.values()), reason=later)
            against = self._reminders if own.kind is CampaignKind.REMINDER else self._notices
            for recipient_id, reason in against(conn, list(of_it), now):
                raise NoLongerTrue(message_id=of_it[recipient_id], reason=reason)
        return outbox.mark_sending(conn, sendings, now, host)

    def _why_later(self, conn: Connection, own: Campaign, now: datetime) -> str | None:
        if own.state not in MAY_SEND:
            return Because("campaign {campaign} is {state}", campaign=own.id, state=own.state)
        if not may_leave(own, self._settings, now):
            return WINDOW_CLOSED
        return TOO_OLD if own.kind is CampaignKind.REMINDER and not freshness(conn, now).may_remind else None

    def _reminders(self, conn: Connection, recipient_ids: Sequence[int], now: datetime) -> list[tuple[int, Reason]]:
        """Those who are not to be reminded after all: one invoice of a merged message is enough."""
        rules = Rules(preview.calendar(self._settings), now.astimezone(SOFIA).date())
        found = []
        for row in conn.execute(_ITEMS.where(campaign_item.c.recipient_id.in_(recipient_ids))):
            if row.tied is None:
                reason: Reason | None = Reason.MOVED
            elif row.status is None:
                reason = Reason.PAID  # billing leaves out what is paid
            else:
                reason = Rules.of_phone(row) or rules.of_item(row)
            same = (row.open_cents, row.cutoff_date, row.level) == (row.cents, row.cutoff, row.at_level)
            if reason is None and not same:
                reason = Reason.CHANGED
            if reason is not None:
                found.append((row.recipient_id, reason))
        return found

    def _notices(self, conn: Connection, recipient_ids: Sequence[int], now: datetime) -> list[tuple[int, Reason]]:
        """Those who are not to hear of outages any more."""
        still = (
            select(campaign_recipient.c.id)
            .join(phone, phone.c.number == campaign_recipient.c.phone)
            .where(campaign_recipient.c.id.in_(recipient_ids), subscriptions.receives("outage"))
        )
        return [(each, Reason.STOPPED) for each in set(recipient_ids) - set(conn.scalars(still))]


def may_leave(own: Campaign, settings: Settings, now: datetime) -> bool:
    """Whether its window is open; an outage that begins before the window opens again is told of at any hour."""
    window = preview.window(settings, own.kind)
    if window.is_open(now):
        return True
    opens = window.opens(now)
    return own.begins_at is not None and (opens is None or opens >= own.begins_at)
