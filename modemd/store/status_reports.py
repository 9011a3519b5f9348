"""What the service centre says became of our parts: matched, also when it comes before its +CMGS (23.040, 9.2.3.15)."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, bindparam, select, text

from modemd import causes
from modemd.causes import Next
from modemd.messages import StatusReport
from modemd.store.bulk import Bulk
from modemd.store.dialects import among
from modemd.store.fingerprint import fingerprint
from modemd.store.matching import Candidate, Told, decide
from modemd.store.parts import DELIVERED, EXPIRED, LEFT, SENT, UNDELIVERED, Work
from modemd.store.schema import REPEATED, UNANSWERED, MessageState, UtcTime, in_air, message, part, status_report

VALIDITY_EXPIRED = 0x46
CLOCK_SLACK = timedelta(minutes=2)  # the centre's clock may be behind ours, and its stamp has whole seconds
CENTRE_AHEAD = timedelta(days=1)  # … or ahead of it, up to a zone set wrong
WITHOUT_STAMP = timedelta(days=7)  # how far back a report with no readable stamp is matched
SIGNIFICANT_DIGITS = 9  # of a number: networks write +359…, 00359… and 0… for the same phone


@dataclass(frozen=True, slots=True)
class Reported:
    """A status report and the line that received it."""

    line_id: int
    report: StatusReport


def reported(conn: Connection, line_id: int, reports: Sequence[StatusReport], now: datetime) -> None:
    """Keep the status reports that a line received and settle their parts; see `settle`."""
    settle(conn, [Reported(line_id, report) for report in reports], now)


def settle(conn: Connection, items: Sequence[Reported], now: datetime) -> list[None]:
    """Keep status reports and settle their parts. Idempotent: a PDU counts once per line, however often it is read.

    A report fits the newest part of its line, TP-MR and recipient that was not submitted after the centre's stamp;
    else one of that line and recipient whose +CMGS was never seen and whose expected TP-MR is near, if it is certain
    which (`matching.decide`). One that fits nothing, or several, is kept: a +CMGS or another report may still tell.
    """
    rows = {row["dedupe"]: row for row in map(_row, items)}
    for known in conn.scalars(_KNOWN, {"keys": list(rows)}):
        del rows[known]
    reports = list(rows.values())
    if not reports:
        return [None] * len(items)
    for report, part_id in zip(reports, _newest_answered(conn, reports), strict=True):
        report["part_id"] = part_id or _older_answered(conn, report)
    _apply(conn, [(report["part_id"], report) for report in reports if report["part_id"] is not None], now)
    _INSERT.run(conn, reports)
    for line_id in sorted({report["line_id"] for report in reports if report["part_id"] is None}):
        _settle_unanswered(conn, line_id, now)
    return [None] * len(items)


def settle_waiting(conn: Connection, part_ids: Iterable[int], now: datetime) -> bool:
    """Settle parts whose TP-MR has just become known by the reports that came before it; True if there were any."""
    found: list[tuple[int, Mapping[str, Any]]] = []
    for row in conn.execute(WAITING, {"ids": list(part_ids)}):
        stamp = row.smsc_time or row.received_at
        if stamp >= row.submitted_at - CLOCK_SLACK and same_phone(row.report_recipient, row.recipient):
            found.append((row.part_id, dict(row._mapping)))
    if found:
        _apply(conn, found, now)
        _ATTACH.run(conn, [{"report_id": report["report_id"], "part_id": part_id} for part_id, report in found])
    return bool(found)


def outcome(status: int) -> MessageState | None:
    """What a TP-ST says (23.040, 9.2.3.15); None: the centre still tries. Reserved values read as service rejected."""
    follows = causes.tp_st(status).next
    if follows is Next.ARRIVED:
        return DELIVERED
    if follows is Next.CENTRE_TRIES:
        return None
    return EXPIRED if status == VALIDITY_EXPIRED else UNDELIVERED


def same_phone(one: str | None, other: str | None) -> bool:
    """Whether two spellings of a number are one phone: by their last digits, since networks drop + and country."""
    digits = ["".join(filter(str.isdigit, number or "")) for number in (one, other)]
    if not all(digits):
        return False
    if min(map(len, digits)) < SIGNIFICANT_DIGITS:
        return digits[0] == digits[1]
    return digits[0][-SIGNIFICANT_DIGITS:] == digits[1][-SIGNIFICANT_DIGITS:]


_SELECT = select(part.c.id, part.c.submitted_at, part.c.expected_reference, message.c.recipient).join_from(
    part, message
)
_WITHIN = part.c.submitted_at.between(bindparam("first", type_=UtcTime), bindparam("last", type_=UtcTime))
_ANSWERED = (
    _SELECT.where(part.c.line_id == bindparam("line_id"), part.c.reference == bindparam("reference"), _WITHIN)
    .order_by(part.c.submitted_at.desc())
    .limit(16)
)
_IN_AIR = select(in_air.c.part_id).where(in_air.c.line_id == bindparam("line_id"))
_UNANSWERED = _SELECT.where(text(UNANSWERED), part.c.line_id == bindparam("line_id"))
_REPEATED = _SELECT.where(  # in doubt once, queued again and not begun: the first attempt did arrive
    text(REPEATED), part.c.line_id == bindparam("line_id"), message.c.claimed_by.is_(None)
)
_RESTORED = _SELECT.where(text(UNANSWERED), part.c.line_id.is_(None))  # see snapshots.py: perhaps it left, by some line
WAITING = (  # for the parts `ids`
    select(
        status_report.c.id.label("report_id"),
        status_report.c.recipient.label("report_recipient"),
        status_report.c.reference,
        status_report.c.status,
        status_report.c.smsc_time,
        status_report.c.discharged_at,
        status_report.c.received_at,
        part.c.id.label("part_id"),
        part.c.submitted_at,
        message.c.recipient,
    )
    .select_from(part)
    .join(message)
    .join(
        status_report,
        (status_report.c.line_id == part.c.line_id) & (status_report.c.reference == part.c.reference),
    )
    .where(among(part.c.id, "ids"), text("status_report.part_id IS NULL"))
    .order_by(status_report.c.id)
)
_LEFT = (
    select(status_report)
    .where(
        text("status_report.part_id IS NULL"),
        status_report.c.line_id == bindparam("line_id"),
        status_report.c.received_at >= bindparam("since", type_=UtcTime),
    )
    .order_by(status_report.c.id)
)
_ATTACH = Bulk(status_report.update().where(status_report.c.id == bindparam("report_id")), ["part_id"])
_KNOWN = select(status_report.c.dedupe).where(among(status_report.c.dedupe, "keys"))
_INSERT = Bulk(status_report.insert(), [column.name for column in status_report.c if column.name != "id"])

# The newest part for each (line, TP-MR, first, last): a limit for each row, which the databases spell differently.
_NEWEST = {
    "sqlite": text(
        "SELECT wanted.key AS position, part.id, message.recipient FROM json_each(:wanted) AS wanted"
        " JOIN part ON part.id = (SELECT id FROM part AS newest WHERE line_id = json_extract(wanted.value, '$[0]')"
        " AND reference = json_extract(wanted.value, '$[1]')"
        " AND submitted_at BETWEEN json_extract(wanted.value, '$[2]') AND json_extract(wanted.value, '$[3]')"
        " ORDER BY submitted_at DESC LIMIT 1) JOIN message ON message.id = part.message_id"
    ),
    "postgresql": text(
        "SELECT wanted.key - 1 AS position, part.id, message.recipient"
        " FROM jsonb_array_elements(CAST(:wanted AS jsonb)) WITH ORDINALITY AS wanted(value, key)"
        " CROSS JOIN LATERAL (SELECT id, message_id FROM part WHERE line_id = CAST(wanted.value ->> 0 AS bigint)"
        " AND reference = CAST(wanted.value ->> 1 AS integer) AND submitted_at BETWEEN"
        " CAST(wanted.value ->> 2 AS timestamptz) AND CAST(wanted.value ->> 3 AS timestamptz)"
        " ORDER BY submitted_at DESC LIMIT 1) AS part JOIN message ON message.id = part.message_id"
    ),
}


def _row(item: Reported) -> dict[str, Any]:
    report = item.report
    return {
        "dedupe": fingerprint(item.line_id, report.pdu),
        "line_id": item.line_id,
        "recipient": report.recipient,
        "reference": report.reference,
        "status": report.status,
        "smsc_time": report.smsc_time,
        "discharged_at": report.discharged_at,
        "received_at": report.received_at,
        "pdu": report.pdu,
    }


def _window(report: Mapping[str, Any]) -> tuple[datetime, datetime]:
    """When its part can have been submitted."""
    stamp: datetime | None = report["smsc_time"]
    if stamp is None:
        return report["received_at"] - WITHOUT_STAMP, report["received_at"]
    return stamp - CENTRE_AHEAD, stamp + CLOCK_SLACK


def _newest_answered(conn: Connection, reports: Sequence[Mapping[str, Any]]) -> list[int | None]:
    """For each report the newest part of its line and TP-MR, if it went to that recipient: nearly always the one."""
    parts: list[int | None] = [None] * len(reports)
    wanted = [
        (
            report["line_id"],
            report["reference"],
            *(time.astimezone(UTC).isoformat(timespec="microseconds") for time in _window(report)),
        )
        for report in reports
    ]
    for position, part_id, recipient in conn.execute(_NEWEST[conn.dialect.name], {"wanted": json.dumps(wanted)}):
        if same_phone(reports[position]["recipient"], recipient):
            parts[position] = part_id
    return parts


def _older_answered(conn: Connection, report: Mapping[str, Any]) -> int | None:
    """The newest part of its TP-MR and recipient, behind one of that TP-MR that went to somebody else."""
    first, last = _window(report)
    values = {"line_id": report["line_id"], "reference": report["reference"], "first": first, "last": last}
    for row in conn.execute(_ANSWERED, values):
        if same_phone(report["recipient"], row.recipient):
            return int(row.id)
    return None


def _settle_unanswered(conn: Connection, line_id: int, now: datetime) -> None:
    """Settle parts of the line whose +CMGS was never seen by the reports that fit no other part."""
    if in_the_air := conn.scalar(_IN_AIR, {"line_id": line_id}):
        Work(conn, parts=[in_the_air]).write(now)
    unanswered = [*conn.execute(_UNANSWERED, {"line_id": line_id}), *conn.execute(_REPEATED, {"line_id": line_id})]
    parts = [*unanswered, *conn.execute(_RESTORED)]
    if not parts:
        return
    since = min(row.submitted_at for row in parts) - CLOCK_SLACK
    left = conn.execute(_LEFT, {"line_id": line_id, "since": since}).all()
    candidates: dict[int, list[Candidate]] = {}
    for report in left:
        first, last = _window(dict(report._mapping))
        candidates[report.id] = [
            Candidate(row.id, row.submitted_at, row.expected_reference)
            for row in parts
            if first <= row.submitted_at <= last and same_phone(report.recipient, row.recipient)
        ]
    told = [
        Told(report.id, report.reference, report.smsc_time or report.received_at, candidates[report.id])
        for report in left
    ]
    decided = decide(told)
    rows = [(decided[report.id], dict(report._mapping)) for report in left if report.id in decided]
    if rows:
        _apply(conn, rows, now)
        _ATTACH.run(conn, [{"report_id": report["id"], "part_id": part_id} for part_id, report in rows])


def _apply(conn: Connection, found: Sequence[tuple[int, Mapping[str, Any]]], now: datetime) -> None:
    """Move parts as their reports say."""
    work = Work(conn, parts={part_id for part_id, _ in found})
    for part_id, report in found:
        settled = work.part(part_id)
        unanswered = settled.state not in LEFT
        columns = {"status": report["status"], "discharged_at": report["discharged_at"]}
        if unanswered:
            columns |= {"reference": report["reference"], "sent_at": now, "line_id": report["line_id"]}
            work.change(settled.message, sent_at=now, line_id=report["line_id"])
        final = outcome(report["status"])
        if final in (UNDELIVERED, EXPIRED) and (unanswered or settled.state is SENT):
            work.change(settled.message, error=_in_words(report["status"]))
        if final is not None and (unanswered or settled.state is SENT):
            work.move(settled, final, **columns)
        elif unanswered:
            work.move(settled, SENT, **columns)
        elif settled.state is SENT:
            work.note(settled, **columns)
    work.write(now)


def _in_words(status: int) -> str:
    cause = causes.tp_st(status)
    return f"status report {status}, {cause.name} ({cause})"
