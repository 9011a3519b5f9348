"""A PDU as the modem gave it -> ReceivedSms or StatusReport. Nothing that comes in is refused (rule 6)."""

from datetime import UTC, datetime

from modemd.errors import PduError
from modemd.messages import ReceivedSms, StatusReport
from modemd.pdu import tpdu
from modemd.pdu.deliver import Deliver
from modemd.pdu.status_report import StatusReportPdu

Incoming = ReceivedSms | StatusReport


def read_pdu(pdu: bytes, storage: str | None, index: int | None, now: datetime) -> Incoming:
    """What the hex line says; an unreadable one becomes a ReceivedSms with `error`, its PDU kept as it came."""
    raw = pdu.decode("ascii", "backslashreplace").lower()
    try:
        decoded = tpdu.decode(bytes.fromhex(raw))
    except PduError as error:
        return ReceivedSms(raw, storage, index, now, error=str(error))
    except ValueError:
        return ReceivedSms(raw, storage, index, now, error="The PDU cannot be read: it is not hexadecimal.")
    if isinstance(decoded, StatusReportPdu):
        return _status_report(decoded, raw, storage, index, now)
    if isinstance(decoded, Deliver):
        return _received(decoded, raw, storage, index, now)
    return ReceivedSms(raw, storage, index, now, error="The PDU cannot be read: it is one to send, not one received.")


def _received(deliver: Deliver, raw: str, storage: str | None, index: int | None, now: datetime) -> ReceivedSms:
    return ReceivedSms(
        pdu=raw,
        storage=storage,
        index=index,
        received_at=now,
        number=deliver.number.number or None,
        replyable=deliver.number.replyable,
        text=deliver.text,
        data=deliver.data,
        smsc_time=_utc(deliver.timestamp),
        concatenation=deliver.concatenation,
    )


def _status_report(
    report: StatusReportPdu, raw: str, storage: str | None, index: int | None, now: datetime
) -> StatusReport:
    return StatusReport(
        pdu=raw,
        storage=storage,
        index=index,
        received_at=now,
        recipient=report.recipient.number or None,
        reference=report.reference,
        status=report.status,
        smsc_time=_utc(report.timestamp),
        discharged_at=_utc(report.discharge),
    )


def _utc(moment: datetime | None) -> datetime | None:
    try:
        return moment.astimezone(UTC) if moment is not None else None
    except OverflowError:  # 1 January of year 1 in an eastern zone; a PDU's two digits do not reach it
        return None
