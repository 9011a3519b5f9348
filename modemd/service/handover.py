"""Campaigns on their way: portions into the outbox while the window is open, and back where it closes.

`tick` runs again and again on every host; it is one transaction that holds the campaign, so that hosts do not hand over
the same recipient.
"""

import json
import logging
from datetime import datetime, timedelta
from typing import Literal

from sqlalchemy import Connection

from modemd.config import Settings
from modemd.errors import Because, VerbFailed
from modemd.pdu import segments
from modemd.service import campaigns as acts
from modemd.service import last_look, notices
from modemd.service.reminders import audience
from modemd.store import campaigns, outbox, portions
from modemd.store.campaigns import Campaign
from modemd.store.freshness import freshness
from modemd.store.outbox import NewMessage
from modemd.store.portions import Recipient
from modemd.store.schema import CampaignKind, CampaignState

log = logging.getLogger(__name__)

NEW_DATA = Because("newer data have come before it was started")


def tick(conn: Connection, settings: Settings, now: datetime) -> bool:
    """Move every campaign on; returns whether any of them runs."""
    _void_outdated(conn)
    found = campaigns.running(conn)
    for campaign_id in found:
        moved = campaigns.get(conn, campaign_id, lock=True)
        if moved.state is CampaignState.RUNNING:  # it may have been paused before we got the lock
            _move_on(conn, moved, settings, now)
    return bool(found)


def _void_outdated(conn: Connection) -> None:
    """Previews that newer data have overtaken."""
    for each in campaigns.unstarted(conn, CampaignKind.REMINDER):
        data = audience.current_data(conn)
        if data is None or (data.generation, data.at) != (each.generation, each.data_at):
            campaigns.put_aside(conn, each.id, NEW_DATA)


def _move_on(conn: Connection, moved: Campaign, settings: Settings, now: datetime) -> None:
    in_outbox = portions.settle(conn, moved.id)
    if moved.kind is CampaignKind.REMINDER and not freshness(conn, now).may_remind:
        acts.halt(conn, moved.id, last_look.TOO_OLD, now)
        return
    if moved.ends_at is not None and moved.ends_at <= now:
        in_outbox -= portions.take_back(conn, moved.id, Because("the outage is over"), now, for_good=True)
    elif not last_look.may_leave(moved, settings, now):
        if in_outbox:
            portions.take_back(conn, moved.id, last_look.WINDOW_CLOSED, now)
        return
    else:
        in_outbox += _hand_over(conn, moved, in_outbox, settings, now)
    if not in_outbox and not portions.still_waiting(conn, moved.id):
        campaigns.change(conn, moved.id, state=CampaignState.DONE, finished_at=now)
        log.info("campaign %s: done", moved.id)


def _hand_over(conn: Connection, moved: Campaign, in_outbox: int, settings: Settings, now: datetime) -> int:
    """Fill the outbox up when it has less than half a portion; returns how many messages were handed over."""
    bulk = settings.reminders if moved.kind is CampaignKind.REMINDER else settings.outages
    room = bulk.portion - in_outbox if 2 * in_outbox <= bulk.portion else 0
    if moved.pause_after:
        before = moved.recipients - portions.still_waiting(conn, moved.id)
        room = min(room, moved.pause_after - before)
        if room <= 0 and not in_outbox and before < moved.recipients:
            first = Because("the first {count} are out: look at what became of them, then resume", count=before)
            acts.halt(conn, moved.id, first, now)
            log.info("campaign %s: paused after the first %s", moved.id, before)
            return 0
    next_ones = portions.next_waiting(conn, moved.id, room) if room > 0 else []
    if next_ones:
        ids = outbox.enqueue(conn, [_message(moved, each, settings, now) for each in next_ones], now)
        pairs = [(each.id, message_id) for each, message_id in zip(next_ones, ids, strict=True)]
        portions.handed_over(conn, pairs, now)
    return len(next_ones)


def _message(moved: Campaign, to: Recipient, settings: Settings, now: datetime) -> NewMessage:
    kind = settings.kinds.reminder if moved.kind is CampaignKind.REMINDER else settings.kinds.outage
    text = compose(moved, to, settings)
    valid_until = now + timedelta(hours=kind.validity_hours)
    return NewMessage(
        kind=moved.kind.value,
        recipient=to.phone,
        text=text,
        parts=segments.measure(text).parts,
        priority=kind.priority,
        expires_at=min(valid_until, moved.ends_at) if moved.ends_at is not None else valid_until,
    )


def compose(moved: Campaign, to: Recipient, settings: Settings) -> str:
    """What a recipient is told, in the wording that was previewed."""
    wording: notices.Wording = json.loads(moved.wording)
    if moved.kind is CampaignKind.REMINDER:
        cents, cutoff = sum(item.cents for item in to.items), min(item.cutoff_date for item in to.items)
        return notices.reminder(notices.Owed(to.customers, cents, cutoff), to.language, wording, settings.service)
    if moved.begins_at is None or moved.ends_at is None:
        raise VerbFailed(reason=f"campaign {moved.id} is an outage that does not say when")
    name: Literal["outage", "outage_off"] = "outage" if moved.calls_off is None else "outage_off"
    when = (moved.begins_at, moved.ends_at)
    return notices.outage(name, *when, to.customers, moved.text or "", to.language, wording, settings.service)
