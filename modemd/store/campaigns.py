"""Campaigns as rows: who is to get a message, in which order, and who has approved and started it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, Row, select, text

from modemd.config import Language
from modemd.errors import Because, CampaignRefused
from modemd.store import wakeup
from modemd.store.bulk import Bulk
from modemd.store.dialects import next_ids
from modemd.store.schema import (
    ACTIVE,
    CampaignKind,
    CampaignState,
    RecipientState,
    campaign,
    campaign_item,
    campaign_recipient,
)


@dataclass(frozen=True, slots=True)
class Item:
    """An invoice that a reminder speaks of."""

    customer_no: str
    invoice_no: str
    level: int
    cents: int
    cutoff_date: date


@dataclass(frozen=True, slots=True)
class NewRecipient:
    phone: str
    language: Language
    customers: tuple[str, ...]
    parts: int
    last_day: date | None = None
    items: tuple[Item, ...] = ()


@dataclass(frozen=True, slots=True)
class Campaign:
    """A row of `campaign`."""

    id: int
    kind: CampaignKind
    state: CampaignState
    reason: str | None
    fingerprint: str
    generation: int | None
    data_at: datetime | None
    recipients: int
    parts: int
    figures: str
    wording: str
    text: str | None
    begins_at: datetime | None
    ends_at: datetime | None
    calls_off: int | None
    pause_after: int
    created_by: str
    created_at: datetime
    approved_by: str | None
    approved_at: datetime | None
    started_by: str | None
    started_at: datetime | None
    finished_at: datetime | None


_CAMPAIGN = select(*(campaign.c[name] for name in Campaign.__slots__))
_INSERT_RECIPIENTS = Bulk(
    campaign_recipient.insert(),
    ["id", "campaign_id", "phone", "language", "customers", "parts", "last_day", "state"],
)
_INSERT_ITEMS = Bulk(
    campaign_item.insert(),
    ["recipient_id", "phone", "customer_no", "invoice_no", "level", "cents", "cutoff_date", "counts"],
)


def create(conn: Connection, columns: Mapping[str, Any], recipients: Sequence[NewRecipient]) -> int:
    """A campaign with its recipients, who leave in this order; returns its id."""
    campaign_id: int = conn.execute(campaign.insert().returning(campaign.c.id), dict(columns)).scalar_one()
    ids = next_ids(conn, campaign_recipient, len(recipients))
    rows = [
        {
            "id": row_id,
            "campaign_id": campaign_id,
            "phone": each.phone,
            "language": each.language,
            "customers": " ".join(each.customers),
            "parts": each.parts,
            "last_day": each.last_day,
            "state": RecipientState.WAITING.value,
        }
        for row_id, each in zip(ids, recipients, strict=True)
    ]
    _INSERT_RECIPIENTS.run(conn, rows)
    items = [
        {
            "recipient_id": row_id,
            "phone": each.phone,
            **{name: getattr(item, name) for name in Item.__slots__},
            "counts": False,
        }
        for row_id, each in zip(ids, recipients, strict=True)
        for item in each.items
    ]
    if items:
        _INSERT_ITEMS.run(conn, items)
    return campaign_id


def get(conn: Connection, campaign_id: int, *, lock: bool = False) -> Campaign:
    """Raises CampaignRefused if there is none. `lock`: nobody else changes it until this transaction ends."""
    query = _CAMPAIGN.where(campaign.c.id == campaign_id)
    row = conn.execute(query.with_for_update() if lock else query).one_or_none()
    if row is None:
        raise CampaignRefused(what="It", reason=Because("there is no campaign {campaign}", campaign=campaign_id))
    return _campaign(row)


def newest(conn: Connection, kind: CampaignKind | None = None, limit: int = 20) -> list[Campaign]:
    """The newest campaigns, newest first."""
    query = _CAMPAIGN.order_by(campaign.c.id.desc()).limit(limit)
    rows = conn.execute(query if kind is None else query.where(campaign.c.kind == kind))
    return [_campaign(row) for row in rows]


def unstarted(conn: Connection, kind: CampaignKind) -> list[Campaign]:
    """Those that wait for approval or for their start, locked."""
    waiting = (CampaignState.PROPOSED, CampaignState.APPROVED)
    query = _CAMPAIGN.where(campaign.c.kind == kind, campaign.c.state.in_(waiting)).with_for_update()
    return [_campaign(row) for row in conn.execute(query)]


def running(conn: Connection) -> list[int]:
    """Ids of the campaigns that hand messages over."""
    query = select(campaign.c.id).where(text(ACTIVE), campaign.c.state == CampaignState.RUNNING)
    return list(conn.scalars(query.order_by(campaign.c.id)))


def change(conn: Connection, campaign_id: int, **columns: Any) -> None:
    """Write columns of a campaign that the caller has locked."""
    conn.execute(campaign.update().where(campaign.c.id == campaign_id).values(**columns))
    wakeup.notify(conn)


def put_aside(conn: Connection, campaign_id: int, reason: Because) -> None:
    """A preview that is good for nothing any more: void, and whom it would have reached is forgotten."""
    change(conn, campaign_id, state=CampaignState.VOID, reason=reason)
    of_it = select(campaign_recipient.c.id).where(campaign_recipient.c.campaign_id == campaign_id)
    conn.execute(campaign_item.delete().where(campaign_item.c.recipient_id.in_(of_it)))
    conn.execute(campaign_recipient.delete().where(campaign_recipient.c.campaign_id == campaign_id))


def _campaign(row: Row[Any]) -> Campaign:
    facts = {**row._mapping, "kind": CampaignKind(row.kind), "state": CampaignState(row.state)}
    return Campaign(**facts)
