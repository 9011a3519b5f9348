"""What a reminder run would do, before anybody lets it: counted, worded, forecast, and kept for approval."""

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import Any

from sqlalchemy import Connection

from modemd import quota
from modemd.config import SOFIA, Limits, Settings
from modemd.errors import Because, CampaignRefused, NothingToSend
from modemd.pdu import segments
from modemd.service import notices
from modemd.service.calendar import Calendar, Window
from modemd.service.notices import Wording
from modemd.service.reminders import audience
from modemd.service.reminders.audience import Addressee, Audience, Data
from modemd.service.reminders.forecast import UNMEASURED, Forecast, Line, forecast
from modemd.store import campaigns, rules, speeds, switch
from modemd.store.campaigns import NewRecipient
from modemd.store.freshness import STOP_AFTER, freshness
from modemd.store.schema import CampaignKind, CampaignState, modem
from modemd.store.switch import Allowed

SAMPLES = 5
TEXTS: tuple[notices.Name, ...] = ("reminder", "reminder_several")


@dataclass(frozen=True, slots=True)
class Sample:
    """A text as one of the recipients would get it; phones are left out, customers masked."""

    language: str
    text: str
    parts: int


@dataclass(frozen=True, slots=True)
class Preview:
    """What a run started at this moment would do."""

    data: Data
    audience: Audience
    wording: Wording
    parts: tuple[int, ...]  # of each addressee's message
    samples: tuple[Sample, ...]
    forecast: Forecast
    fingerprint: str

    @property
    def recipients(self) -> int:
        return len(self.audience.addressees)

    def figures(self) -> dict[str, Any]:
        """What it counted, for JSON: `file` is `items` and all that are `left_out` together."""
        return {
            "file": self.audience.rows,
            "items": self.audience.items,
            "left_out": {reason.key: count for reason, count in sorted(self.audience.left_out.items())},
            "recipients": self.recipients,
            "parts": sum(self.parts),
            "languages": dict(sorted(Counter(each.language for each in self.audience.addressees).items())),
            "samples": [{"language": each.language, "text": each.text, "parts": each.parts} for each in self.samples],
        }


def calendar(settings: Settings) -> Calendar:
    return Calendar.with_days(settings.reminders.extra_holidays)


def window(settings: Settings, kind: CampaignKind = CampaignKind.REMINDER) -> Window:
    """When messages of this kind may leave."""
    bulk = settings.reminders if kind is CampaignKind.REMINDER else settings.outages
    return Window(calendar(settings), bulk.hours)


def preview(conn: Connection, settings: Settings, now: datetime) -> Preview:
    """Count, word and forecast; nothing is written. In a reading transaction it sees the data of one moment.

    Raises NothingToSend without data of billing, CampaignRefused where they are too old, and TemplateRefused for a
    text that could need more than two parts with this supplier.
    """
    data = usable_data(conn, now, "The preview")
    wording = _wording(conn, settings)
    found = audience.find(conn, calendar(settings), now)
    texts = [notices.reminder(each.owed, each.language, wording, settings.service) for each in found.addressees]
    parts = tuple(segments.measure(text).parts for text in texts)
    return Preview(
        data,
        found,
        wording,
        parts,
        tuple(_samples(found.addressees, texts)),
        _forecast(conn, settings, zip(found.addressees, parts, strict=True), now),
        _fingerprint(data, found.addressees, wording),
    )


def usable_data(conn: Connection, now: datetime, what: str) -> Data:
    """The open items that count, if they are new enough to remind anybody. Raises NothingToSend or CampaignRefused."""
    data = audience.current_data(conn)
    if data is None:
        raise NothingToSend(reason=Because("billing has handed over no open items yet"))
    if not freshness(conn, now).may_remind:
        reason = Because(
            "the data are of {at:%d.%m.%Y %H:%M}, older than {hours:.0f} hours; import newer ones",
            at=data.at.astimezone(SOFIA),
            hours=STOP_AFTER.total_seconds() / 3600,
        )
        raise CampaignRefused(what=what, reason=reason)
    return data


def propose(conn: Connection, made: Preview, settings: Settings, who: str, now: datetime) -> int:
    """Keep a preview so that it can be approved and started; returns the campaign's id.

    The same preview again is the same campaign. A different one takes the place of what was not started yet. Raises
    NothingToSend, and CampaignRefused where newer data have come since it was made.
    """
    if not made.recipients:
        raise NothingToSend(reason=Because("no invoice is to be reminded of"))
    if audience.current_data(conn) != made.data:
        raise CampaignRefused(what="The preview", reason=Because("newer data have just come; make it again"))
    for earlier in campaigns.unstarted(conn, CampaignKind.REMINDER):
        if earlier.fingerprint == made.fingerprint:
            return earlier.id
        campaigns.put_aside(conn, earlier.id, Because("a newer preview has taken its place"))
    columns = {
        "kind": CampaignKind.REMINDER,
        "state": CampaignState.PROPOSED,
        "fingerprint": made.fingerprint,
        "generation": made.data.generation,
        "data_at": made.data.at,
        "recipients": made.recipients,
        "parts": sum(made.parts),
        "figures": json.dumps(made.figures(), ensure_ascii=False),
        "wording": json.dumps(made.wording, ensure_ascii=False),
        "pause_after": settings.reminders.pause_after,
        "created_by": who,
        "created_at": now,
    }
    return campaigns.create(
        conn, columns, [_recipient(*each) for each in zip(made.audience.addressees, made.parts, strict=True)]
    )


def lines_now(conn: Connection, settings: Settings, now: datetime) -> list[Line]:
    """What the lines whose modem can send at this moment can do for bulk."""
    if switch.sending(conn).allowed is not Allowed.ALL:
        return []
    able = set(conn.scalars(modem.select().with_only_columns(modem.c.line_id).where(modem.c.state == "ready")))
    known = rules.overview(conn, quota.day_start(now), quota.month_start(now))
    ready = [each for each in known if each.rule.adopted and each.rule.line_id in able]
    measured = speeds.seconds_a_part(conn, [each.rule.line_id for each in ready])
    open_share = 1 - settings.bank.answer_reserve / 100
    found = []
    for each in ready:
        rule = each.rule
        limits = settings.limits_of(each.port or "", each.imei, rule.iccid)
        limits = limits.but(rule.per_minute, rule.per_day, rule.per_month)
        for_bulk = Limits(limits.per_minute, int(limits.per_day * open_share), int(limits.per_month * open_share))
        seconds = measured.get(rule.line_id, UNMEASURED)
        found.append(Line(rule.name, max(seconds, 0.001), for_bulk, each.sent_today, each.sent_this_month))
    return found


def _wording(conn: Connection, settings: Settings) -> Wording:
    """The two texts of a reminder in each language, checked with this supplier and these numbers."""
    found = {language: {name: texts[name] for name in TEXTS} for language, texts in notices.wording(conn).items()}
    for language, texts in found.items():
        for name, text in texts.items():
            notices.check(name, language, text, settings.service)
    return found


def _forecast(
    conn: Connection, settings: Settings, messages: Iterable[tuple[Addressee, int]], now: datetime
) -> Forecast:
    days = [
        (day, sum(parts for _, parts in several))
        for day, several in groupby(messages, key=lambda each: each[0].last_day)
    ]
    lines = lines_now(conn, settings, now)
    return forecast(sum(parts for _, parts in days), lines, window(settings), days, now)


def _samples(addressees: Sequence[Addressee], texts: Sequence[str]) -> Iterable[Sample]:
    """Texts that differ in kind first: each language, merged ones and single ones, then whoever comes next."""
    kinds: dict[Any, int] = {}
    for at, each in enumerate(addressees):
        kinds.setdefault((each.language, len(each.owed.customer_numbers) > 1), at)
    chosen = [*kinds.values(), *(at for at in range(min(SAMPLES, len(texts))) if at not in kinds.values())]
    for at in chosen[:SAMPLES]:
        yield Sample(addressees[at].language, texts[at], segments.measure(texts[at]).parts)


def _fingerprint(data: Data, addressees: Sequence[Addressee], wording: Wording) -> str:
    """Of everything that the approval stands for."""
    said = {language: {name: texts[name] for name in sorted(texts)} for language, texts in sorted(wording.items())}
    digest = hashlib.sha256(json.dumps([data.generation, data.at.timestamp(), said]).encode())
    for each in addressees:
        items = [
            (one.customer_no, one.invoice_no, one.level, one.cents, one.cutoff_date.isoformat()) for one in each.items
        ]
        digest.update(json.dumps([each.phone, each.language, items]).encode())
    return digest.hexdigest()


def _recipient(addressee: Addressee, parts: int) -> NewRecipient:
    return NewRecipient(
        addressee.phone,
        addressee.language,
        addressee.owed.customer_numbers,
        parts,
        addressee.last_day,
        addressee.items,
    )
