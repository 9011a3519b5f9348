"""The rows of an SMSRESULTS file: what became of each invoice that a customer was reminded of."""

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta

from sqlalchemy import Connection, and_, or_, select

from modemd import masks
from modemd.config import SOFIA
from modemd.store.schema import (
    CampaignKind,
    MessageState,
    RecipientState,
    campaign,
    campaign_item,
    campaign_recipient,
    export_file,
    message,
)

SETTLED = (
    MessageState.DELIVERED,
    MessageState.UNDELIVERED,
    MessageState.EXPIRED,
    MessageState.FAILED,
    MessageState.SKIPPED,
    MessageState.CANCELLED,
)
REPORT_PATIENCE = timedelta(days=1)  # after its validity: what the network has not reported on by then it never will

_JOINED = (
    campaign_item.join(campaign_recipient, campaign_recipient.c.id == campaign_item.c.recipient_id)
    .join(campaign, campaign.c.id == campaign_recipient.c.campaign_id)
    .outerjoin(message, message.c.id == campaign_recipient.c.message_id)
)


def claim(conn: Connection, file_id: int, most: int, now: datetime) -> int:
    """Let a file tell of the reminders that are settled and untold; returns how many rows it will have."""
    unreported = and_(message.c.state == MessageState.SENT, message.c.expires_at < now - REPORT_PATIENCE)
    over = or_(message.c.state.in_(SETTLED), unreported)
    settled = or_(
        and_(campaign_recipient.c.state == RecipientState.OUT, over),
        campaign_recipient.c.state == RecipientState.CANCELLED,
    )
    started = and_(campaign.c.kind == CampaignKind.REMINDER, campaign.c.started_at.is_not(None))
    untold = select(campaign_item.c.id).select_from(_JOINED)
    some = untold.where(campaign_item.c.result_file_id.is_(None), started, settled).order_by(campaign_item.c.id)
    told = campaign_item.update().where(campaign_item.c.id.in_(some.limit(most)))
    return conn.execute(told.values(result_file_id=file_id)).rowcount


def rows(conn: Connection, file_id: int) -> Iterator[Mapping[str, str]]:
    """What the file tells, in the order in which the reminders left."""
    query = (
        select(
            *(campaign_item.c[name] for name in ("customer_no", "invoice_no", "level", "phone")),
            *(message.c[name] for name in ("sent_at", "state", "state_at", "error")),
            campaign_recipient.c.queued_at,
            campaign.c.finished_at,
            campaign.c.reason,
            export_file.c.at,
        )
        .select_from(_JOINED.join(export_file, export_file.c.id == campaign_item.c.result_file_id))
        .where(campaign_item.c.result_file_id == file_id)
        .order_by(campaign_item.c.id)
    )
    for row in conn.execute(query):
        error = row.error if row.state else row.reason
        yield {
            "customer_no": row.customer_no,
            "invoice_no": row.invoice_no,
            "level": str(row.level),
            "phone_last3": row.phone[-3:],
            "queued_at": _shown(row.queued_at),
            "sent_at": _shown(row.sent_at),
            "status": row.state or MessageState.CANCELLED.value,
            "status_at": _shown(row.state_at or row.finished_at or row.at),
            "error": masks.text(error or ""),
        }


def _shown(moment: datetime | None) -> str:
    return "" if moment is None else moment.astimezone(SOFIA).isoformat(timespec="seconds")
