"""Planned outages: those with consent at the named metering points are told, and told again when it is called off."""

import hashlib
import json
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

from sqlalchemy import Connection, select

from modemd import audit
from modemd.config import Language, Settings
from modemd.errors import Because, CampaignRefused, NothingToSend
from modemd.pdu import segments
from modemd.service import metering_points, notices, subscriptions, templates
from modemd.service.campaigns import Actor
from modemd.service.notices import Name, Wording
from modemd.service.subscriptions import MOST_CUSTOMERS
from modemd.store import campaigns, portions, progress
from modemd.store.campaigns import Campaign, NewRecipient
from modemd.store.schema import CampaignKind, CampaignState, phone, phone_customer

TEXTS: tuple[Name, ...] = ("outage", "outage_off")
LONGEST = timedelta(days=7)  # an outage that lasts longer is a slip of the pen
_CHUNK = 500
_MOST_NAMED = 10  # faulty metering points in one refusal


@dataclass(frozen=True, slots=True)
class Outage:
    """What the network company wants told."""

    points: tuple[str, ...]
    begins: datetime
    ends: datetime
    text: str = ""


@dataclass(frozen=True, slots=True)
class Announcement:
    """Who would be told what; nothing is queued yet."""

    outage: Outage
    customers: int  # at these metering points
    recipients: tuple[NewRecipient, ...]
    wording: Wording
    samples: tuple[str, ...]  # one of each language that somebody reads

    @property
    def parts(self) -> int:
        return sum(each.parts for each in self.recipients)


def read(points: str, begins: datetime, ends: datetime, text: str, now: datetime) -> Outage:
    """An outage as people write it; `points` is a pasted list. All or nothing.

    Raises CampaignRefused that names every number which is no metering point (up to ten), for no number at all, a time
    that ends before it begins, lies in the past or is longer than a week, and a link in the text.
    """
    found = metering_points.pasted(points)
    wrong = [point for point in found if not metering_points.is_valid(point)]
    if wrong:
        points = _named([repr(point[:20]) for point in wrong])
        raise _refused(Because("{points}: no metering point 32Z… with a right check character", points=points))
    if not found:
        raise _refused(Because("no metering point was given"))
    if ends <= begins:
        raise _refused(Because("it ends before it begins"))
    if ends <= now:
        raise _refused(Because("it is over already"))
    if ends - begins > LONGEST:
        raise _refused(Because("it would last longer than {days} days", days=LONGEST.days))
    if templates.has_link(text):
        raise _refused(Because("the text holds a link, and the service promises to send none"))
    return Outage(tuple(found), begins, ends, " ".join(text.split()))


def prepare(conn: Connection, outage: Outage, settings: Settings) -> Announcement:
    """Whom an outage concerns and what they would be told; nothing is written.

    Raises CampaignRefused for metering points that no active customer has, naming them, and for a text that makes a
    message longer than two parts; NothingToSend where nobody there has chosen to be told.
    """
    by_point = _customers(conn, outage.points)
    unknown = [point for point in outage.points if point not in by_point]
    if unknown:
        raise _refused(Because("no active customer has {points}", points=_named(unknown)))
    wording = _wording(conn, outage, settings)
    customers = {number for numbers in by_point.values() for number in numbers}
    told: list[NewRecipient] = []
    samples: dict[Language, str] = {}
    for number, (language, own) in sorted(_phones(conn, sorted(customers)).items()):
        text = _said("outage", outage, own, language, wording, settings)
        samples.setdefault(language, text)
        told.append(NewRecipient(number, language, tuple(own), segments.measure(text).parts))
    if not told:
        raise NothingToSend(
            reason=Because(
                "none of the {customers} customers there has chosen to hear of outages", customers=len(customers)
            )
        )
    return Announcement(outage, len(customers), tuple(told), wording, tuple(samples.values()))


def announce(conn: Connection, made: Announcement, who: Actor, now: datetime) -> int:
    """Tell them: they leave as soon as the window for outages is open. Returns the campaign's id."""
    outage = made.outage
    figures = {"points": len(outage.points), "customers": made.customers, "recipients": len(made.recipients)}
    columns = {
        **_columns(outage, made.wording, who, now),
        "recipients": len(made.recipients),
        "parts": made.parts,
        "figures": json.dumps({**figures, "parts": made.parts, "samples": made.samples}, ensure_ascii=False),
        "fingerprint": _fingerprint(outage, made.recipients),
    }
    campaign_id = campaigns.create(conn, columns, made.recipients)
    audit.note(conn, who.name, "outage.announce", f"campaign {campaign_id}", json.dumps(figures), now)
    return campaign_id


def call_off(conn: Connection, campaign_id: int, who: Actor, settings: Settings, now: datetime) -> int | None:
    """It does not take place: nobody else is told of it, and whoever was told hears that it is off.

    Returns the campaign that tells them; None when nobody had been told. Raises CampaignRefused for what is no
    announcement, is over, or was called off before.
    """
    what = "The outage was not called off; it"
    found = campaigns.get(conn, campaign_id, lock=True)
    if found.kind is not CampaignKind.OUTAGE or found.calls_off is not None:
        raise CampaignRefused(
            what=what, reason=Because("campaign {campaign} announces no outage", campaign=campaign_id)
        )
    if found.state is CampaignState.CANCELLED:
        raise CampaignRefused(what=what, reason=Because("it was ended before: {reason}", reason=found.reason))
    outage = _outage_of(found)
    if outage.ends <= now:
        raise CampaignRefused(what=what, reason=Because("it is over already"))
    reason = Because("called off by {name}", name=who.name)
    campaigns.change(conn, campaign_id, state=CampaignState.CANCELLED, reason=reason, finished_at=now)
    portions.take_back(conn, campaign_id, reason, now, for_good=True)
    wording: Wording = json.loads(found.wording)
    told = [_hearing_of_the_end(each, outage, wording, settings) for each in progress.told(conn, campaign_id)]
    second = _tell_the_end(conn, found, outage, told, who, now) if told else None
    audit.note(conn, who.name, "outage.call_off", f"campaign {campaign_id}", f"{len(told)} had been told", now)
    return second


def _tell_the_end(
    conn: Connection, found: Campaign, outage: Outage, told: Sequence[NewRecipient], who: Actor, now: datetime
) -> int:
    figures = {"recipients": len(told), "parts": sum(each.parts for each in told)}
    columns = {
        **_columns(outage, json.loads(found.wording), who, now),
        **figures,
        "figures": json.dumps(figures),
        "fingerprint": _fingerprint(outage, told),
        "calls_off": found.id,
    }
    return campaigns.create(conn, columns, told)


def _hearing_of_the_end(each: NewRecipient, outage: Outage, wording: Wording, settings: Settings) -> NewRecipient:
    text = _said("outage_off", outage, each.customers, each.language, wording, settings)
    return NewRecipient(each.phone, each.language, each.customers, segments.measure(text).parts)


def _columns(outage: Outage, wording: Wording, who: Actor, now: datetime) -> dict[str, Any]:
    return {
        "kind": CampaignKind.OUTAGE,
        "state": CampaignState.RUNNING,
        "wording": json.dumps(wording, ensure_ascii=False),
        "text": outage.text,
        "begins_at": outage.begins,
        "ends_at": outage.ends,
        "pause_after": 0,
        "created_by": who.name,
        "created_at": now,
        "started_by": who.name,
        "started_at": now,
    }


def _outage_of(found: Campaign) -> Outage:
    if found.begins_at is None or found.ends_at is None:
        raise CampaignRefused(what="It", reason=Because("campaign {campaign} is no outage", campaign=found.id))
    return Outage((), found.begins_at, found.ends_at, found.text or "")


def _said(
    name: Literal["outage", "outage_off"],
    outage: Outage,
    own: Sequence[str],
    language: Language,
    wording: Wording,
    settings: Settings,
) -> str:
    return notices.outage(name, outage.begins, outage.ends, own, outage.text, language, wording, settings.service)


def _wording(conn: Connection, outage: Outage, settings: Settings) -> Wording:
    """The texts, checked with what the network company adds: in every language, whoever reads it now."""
    found = {language: {name: texts[name] for name in TEXTS} for language, texts in notices.wording(conn).items()}
    for language, texts in found.items():
        for name, text in texts.items():
            notices.check(name, language, text, settings.service)
        size = segments.measure(_said("outage", outage, ["0" * 12] * MOST_CUSTOMERS, language, found, settings))
        if size.parts > notices.MOST_PARTS:
            raise _refused(
                Because(
                    "in {language} the message would need {parts} parts; shorten the text",
                    language=language,
                    parts=size.parts,
                )
            )
    return found


def _customers(conn: Connection, points: Sequence[str]) -> dict[str, list[str]]:
    """The active customers of metering points, by point."""
    active = subscriptions.active_customers().subquery()
    found: defaultdict[str, list[str]] = defaultdict(list)
    for start in range(0, len(points), _CHUNK):
        chunk = points[start : start + _CHUNK]
        rows = conn.execute(select(active.c.itn, active.c.customer_no).where(active.c.itn.in_(chunk)))
        for itn, customer_no in rows:
            found[itn].append(customer_no)
    return found


def _phones(conn: Connection, customers: Sequence[str]) -> dict[str, tuple[Language, list[str]]]:
    """The phones of these customers that are to be told, with their language and those of the customers."""
    found: dict[str, tuple[Language, list[str]]] = {}
    query = (
        select(phone.c.number, phone.c.language, phone_customer.c.customer_no)
        .join(phone_customer, phone_customer.c.phone == phone.c.number)
        .where(subscriptions.receives("outage"))
        .order_by(phone_customer.c.customer_no)
    )
    for start in range(0, len(customers), _CHUNK):
        chunk = phone_customer.c.customer_no.in_(customers[start : start + _CHUNK])
        for number, language, customer_no in conn.execute(query.where(chunk)):
            found.setdefault(number, (language, []))[1].append(customer_no)
    return found


def _fingerprint(outage: Outage, recipients: Sequence[NewRecipient]) -> str:
    facts = [outage.begins.isoformat(), outage.ends.isoformat(), outage.text, [each.phone for each in recipients]]
    return hashlib.sha256(json.dumps(facts).encode()).hexdigest()


def _named(points: Sequence[str]) -> str:
    named, more = ", ".join(points[:_MOST_NAMED]), len(points) - _MOST_NAMED
    return Because("{points} and {count} more", points=named, count=more) if more > 0 else named


def _refused(reason: Because) -> CampaignRefused:
    return CampaignRefused(what="The announcement", reason=reason)
