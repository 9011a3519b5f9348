"""What the service centre says became of our parts: matched, also when it comes before its +CMGS (23.040, 9.2.3.15)."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, Select, bindparam, select, text

from modemd.messages import StatusReport
from modemd.store.dialects import insert_missing
from modemd.store.fingerprint import fingerprint
from modemd.store.parts import DELIVERED, EXPIRED, SENT, UNDELIVERED, Work
from modemd.store.schema import MessageState, UtcTime, message, part, status_report

VALIDITY_EXPIRED = 0x46
CLOCK_SLACK = timedelta(minutes=2)  # the centre's clock may be behind ours, and its stamp has whole seconds
CENTRE_AHEAD = timedelta(days=1)  # … or ahead of it, up to a zone set wrong
WITHOUT_STAMP = timedelta(days=7)  # how far back a report with no readable stamp is matched
LOST_REFERENCES = 4  # a modem may use up a TP-MR for an attempt that the network refused
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
    else one of that line and recipient whose +CMGS was never seen and whose expected TP-MR is near. One that fits
    nothing is kept for a +CMGS that is still to come.
    """
    rows = {row["dedupe"]: row for row in map(_row, items)}
    ids = insert_missing(conn, status_report, list(rows.values()), "dedupe")
    found: dict[int, Mapping[str, Any]] = {}
    for key, report_id in ids.items():
        part_id = _part_of(conn, rows[key], found)
        if part_id is not None:
            found[part_id] = {"report_id": report_id, **rows[key]}
    if found:
        _apply(conn, Work(conn, parts=found), found, now)
    return [None] * len(items)


def settle_waiting(conn: Connection, work: Work, part_ids: Iterable[int], now: datetime) -> None:
    """Settle parts of `work` whose TP-MR has just become known by the reports that came before it."""
    found: dict[int, Mapping[str, Any]] = {}
    for row in conn.execute(_WAITING, {"ids": list(part_ids)}):
        stamp = row.smsc_time or row.received_at
        if stamp >= row.submitted_at - CLOCK_SLACK and same_phone(row.report_recipient, row.recipient):
            found[row.part_id] = dict(row._mapping)
    if found:
        _apply(conn, work, found, now)


def outcome(status: int) -> MessageState | None:
    """What a TP-ST says (23.040, 9.2.3.15); None: the centre still tries. Reserved values read as service rejected."""
    if status < 0x20:
        return DELIVERED
    if status < 0x40:
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
_UNANSWERED = _SELECT.where(
    text("part.state IN ('sending', 'in_doubt', 'held')"), part.c.line_id == bindparam("line_id"), _WITHIN
)
_REPEATED = _SELECT.where(  # in doubt once, queued again and not begun: the first attempt did arrive
    text("part.state = 'queued'"),
    part.c.line_id == bindparam("line_id"),
    part.c.reference.is_(None),
    message.c.claimed_by.is_(None),
    _WITHIN,
)
_WAITING = (
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
    .where(part.c.id.in_(bindparam("ids", expanding=True)), text("status_report.part_id IS NULL"))
    .order_by(status_report.c.id)
)
_ATTACH = status_report.update().where(status_report.c.id == bindparam("report_id"))


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


def _part_of(conn: Connection, report: Mapping[str, Any], taken: Mapping[int, object]) -> int | None:
    stamp = report["smsc_time"]
    window = {
        "line_id": report["line_id"],
        "first": stamp - CENTRE_AHEAD if stamp else report["received_at"] - WITHOUT_STAMP,
        "last": stamp + CLOCK_SLACK if stamp else report["received_at"],
    }

    def fitting(query: Select[Any], **values: object) -> list[Row[Any]]:
        rows = conn.execute(query, {**window, **values}).all()
        return [row for row in rows if row.id not in taken and same_phone(report["recipient"], row.recipient)]

    answered = fitting(_ANSWERED, reference=report["reference"])
    if answered:
        return int(answered[0].id)
    near = [
        row
        for row in (*fitting(_UNANSWERED), *fitting(_REPEATED))
        if row.expected_reference is None or (report["reference"] - row.expected_reference) % 256 <= LOST_REFERENCES
    ]
    when = stamp or report["received_at"]
    return int(min(near, key=lambda row: abs(row.submitted_at - when)).id) if near else None


def _apply(conn: Connection, work: Work, found: Mapping[int, Mapping[str, Any]], now: datetime) -> None:
    """Write what the reports say, {part id: report}, and attach them to their parts."""
    for part_id, report in found.items():
        settled = work.part(part_id)
        unanswered = settled.state not in (SENT, DELIVERED, UNDELIVERED, EXPIRED)
        columns = {"status": report["status"], "discharged_at": report["discharged_at"]}
        if unanswered:
            columns |= {"reference": report["reference"], "sent_at": now}
            work.change(settled.message, sent_at=now, line_id=settled.line_id)
        final = outcome(report["status"])
        if final is not None and (unanswered or settled.state is SENT):
            work.move(settled, final, **columns)
        elif unanswered:
            work.move(settled, SENT, **columns)
        elif settled.state is SENT:
            work.note(settled, **columns)
    work.write(now)
    conn.execute(_ATTACH, [{"report_id": each["report_id"], "part_id": key} for key, each in found.items()])
