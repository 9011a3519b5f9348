"""What people do with campaigns: approve, start, pause, resume, cancel; and how far they are.

Two people stand behind a reminder run (`[reminders] two_people`): one with the role of a manager approves what another
has previewed, and the one who starts it is not the one who approved. What is approved is one preview: newer data of
billing void it. Every act is in the audit log.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import reduce
from typing import Any

from sqlalchemy import Connection

from modemd import audit
from modemd.config import SOFIA, Settings
from modemd.errors import Because, CampaignRefused
from modemd.service.reminders import preview
from modemd.service.reminders.forecast import Forecast, forecast
from modemd.store import campaigns, portions, progress
from modemd.store.campaigns import Campaign
from modemd.store.progress import Progress
from modemd.store.schema import CampaignKind, CampaignState
from modemd.store.staff import Role

MAY_START = frozenset({Role.OPERATOR, Role.MANAGER, Role.ADMIN})
MAY_APPROVE = frozenset({Role.MANAGER, Role.ADMIN})
ACTIVE = frozenset({CampaignState.RUNNING, CampaignState.PAUSED})


@dataclass(frozen=True, slots=True)
class Actor:
    """Who does something; `role` is None for somebody at the command line who is not of staff."""

    name: str
    role: Role | None


@dataclass(frozen=True, slots=True)
class Standing:
    """A campaign and how far it is."""

    campaign: Campaign
    progress: Progress
    forecast: Forecast | None  # of what still waits; None when nothing does

    @property
    def figures(self) -> Mapping[str, Any]:
        """What the preview counted."""
        counted: Mapping[str, Any] = json.loads(self.campaign.figures)
        return counted


def approve(conn: Connection, campaign_id: int, who: Actor, settings: Settings, now: datetime) -> None:
    """Let a previewed run be started. Raises CampaignRefused: by its own maker, without the role, or of old data."""
    what = "The approval"
    found = campaigns.get(conn, campaign_id, lock=True)
    _expect(found, what, CampaignState.PROPOSED)
    if who.role not in MAY_APPROVE:
        raise CampaignRefused(
            what=what, reason=Because("{name} is no manager, and only a manager approves", name=who.name)
        )
    if settings.reminders.two_people and who.name == found.created_by:
        raise CampaignRefused(
            what=what, reason=Because("{name} has made the preview; somebody else has to approve it", name=who.name)
        )
    _check_data(conn, found, what, now)
    campaigns.change(conn, campaign_id, state=CampaignState.APPROVED, approved_by=who.name, approved_at=now)
    _note(conn, who, "campaign.approve", found, now)


def start(conn: Connection, campaign_id: int, recipients: int, who: Actor, settings: Settings, now: datetime) -> None:
    """Begin a reminder run; `recipients` is how many people the starter says it has, typed by himself.

    Raises CampaignRefused where that is wrong, the approval is missing, somebody may not, newer data have come since
    the preview or the data are too old, or another run is not done.
    """
    what = "The start"
    found = campaigns.get(conn, campaign_id, lock=True)
    needs_approval = settings.reminders.two_people
    _expect(
        found,
        what,
        *((CampaignState.APPROVED,) if needs_approval else (CampaignState.PROPOSED, CampaignState.APPROVED)),
    )
    if needs_approval:
        _check_starter(found, who, what)
    if recipients != found.recipients:
        reason = Because(
            "it has {recipients} recipients and not {said}; look at the preview again",
            recipients=found.recipients,
            said=recipients,
        )
        raise CampaignRefused(what=what, reason=reason)
    _check_data(conn, found, what, now)
    for other in campaigns.newest(conn, CampaignKind.REMINDER):
        if other.state in ACTIVE:
            reason = Because(
                "run {run} is {state}; it has to be done or cancelled first", run=other.id, state=other.state
            )
            raise CampaignRefused(what=what, reason=reason)
    campaigns.change(conn, campaign_id, state=CampaignState.RUNNING, started_by=who.name, started_at=now)
    _note(conn, who, "campaign.start", found, now)


def pause(conn: Connection, campaign_id: int, who: Actor, now: datetime, reason: str = "") -> int:
    """Stop at once: nothing leaves any more but what a modem has in hand. Anybody may; returns how many went back."""
    found = campaigns.get(conn, campaign_id, lock=True)
    _expect(found, "The pause", CampaignState.RUNNING)
    back = halt(conn, found.id, reason or Because("paused by {name}", name=who.name), now)
    _note(conn, who, "campaign.pause", found, now)
    return back


def halt(conn: Connection, campaign_id: int, reason: str, now: datetime) -> int:
    """Pause a campaign that the caller has locked."""
    campaigns.change(conn, campaign_id, state=CampaignState.PAUSED, reason=reason)
    return portions.take_back(conn, campaign_id, reason, now)


def resume(conn: Connection, campaign_id: int, who: Actor, settings: Settings, now: datetime) -> None:
    """Go on where it stopped. Raises CampaignRefused for reminders while the data are too old."""
    what = "The resumption"
    found = campaigns.get(conn, campaign_id, lock=True)
    _expect(found, what, CampaignState.PAUSED)
    if found.kind is CampaignKind.REMINDER:
        _check_role(who, settings, what)
        preview.usable_data(conn, now, what)
    campaigns.change(conn, campaign_id, state=CampaignState.RUNNING, reason=None, pause_after=0)
    _note(conn, who, "campaign.resume", found, now)


def cancel(conn: Connection, campaign_id: int, who: Actor, settings: Settings, now: datetime) -> int:
    """End a campaign at once, whatever its state; returns how many recipients get nothing any more."""
    what = "The cancellation"
    found = campaigns.get(conn, campaign_id, lock=True)
    _expect(found, what, CampaignState.PROPOSED, CampaignState.APPROVED, *ACTIVE)
    if found.kind is CampaignKind.REMINDER:
        _check_role(who, settings, what)
    reason = Because("cancelled by {name}", name=who.name)
    campaigns.change(conn, campaign_id, state=CampaignState.CANCELLED, reason=reason, finished_at=now)
    waiting = portions.still_waiting(conn, campaign_id)
    taken = portions.take_back(conn, campaign_id, reason, now, for_good=True)
    _note(conn, who, "campaign.cancel", found, now)
    return waiting + taken


def standing(conn: Connection, campaign_id: int, settings: Settings, now: datetime) -> Standing:
    """How far a campaign is, and when it will be through. Raises CampaignRefused if there is none."""
    found = campaigns.get(conn, campaign_id)
    done = progress.progress(conn, campaign_id)
    if not done.parts_waiting:
        return Standing(found, done, None)
    lines = preview.lines_now(conn, settings, now)
    days = progress.last_days(conn, campaign_id)
    expected = forecast(done.parts_waiting, lines, preview.window(settings, found.kind), days, now)
    return Standing(found, done, expected)


def current(conn: Connection, kind: CampaignKind) -> Campaign | None:
    """The campaign that people mean when they name none: one that runs, else the newest that is not void."""
    found = [each for each in campaigns.newest(conn, kind) if each.state is not CampaignState.VOID]
    return next((each for each in found if each.state in ACTIVE), found[0] if found else None)


def _expect(found: Campaign, what: str, *states: CampaignState) -> None:
    if found.state not in states:
        facts = {"campaign": found.id, "state": found.state, "needed": reduce(_or, states[1:], str(states[0]))}
        if found.reason:
            known = {**facts, "why": found.reason}
            reason = Because("campaign {campaign} is {state} ({why}), and it would have to be {needed}", **known)
        else:
            reason = Because("campaign {campaign} is {state}, and it would have to be {needed}", **facts)
        raise CampaignRefused(what=what, reason=reason)


def _or(one: str, other: str) -> str:
    return Because("{one} or {other}", one=one, other=other)


def _check_starter(found: Campaign, who: Actor, what: str) -> None:
    if who.role not in MAY_START:
        raise CampaignRefused(
            what=what, reason=Because("{name} is no operator or manager of this panel", name=who.name)
        )
    if who.name == found.approved_by:
        raise CampaignRefused(
            what=what, reason=Because("{name} has approved it; somebody else has to start it", name=who.name)
        )


def _check_role(who: Actor, settings: Settings, what: str) -> None:
    if settings.reminders.two_people and who.role not in MAY_START:
        raise CampaignRefused(
            what=what, reason=Because("{name} is no operator or manager of this panel", name=who.name)
        )


def _check_data(conn: Connection, found: Campaign, what: str, now: datetime) -> None:
    data = preview.usable_data(conn, now, what)
    if (data.generation, data.at) != (found.generation, found.data_at):
        reason = Because(
            "newer data have come (of {at:%d.%m.%Y %H:%M}), which make the preview void; make it again",
            at=data.at.astimezone(SOFIA),
        )
        raise CampaignRefused(what=what, reason=reason)


def _note(conn: Connection, who: Actor, action: str, found: Campaign, now: datetime) -> None:
    detail = f"{found.kind}, {found.recipients} recipients, preview {found.fingerprint[:12]}"
    audit.note(conn, who.name, action, f"campaign {found.id}", detail, now)
