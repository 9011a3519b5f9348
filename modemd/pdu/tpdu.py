"""Any PDU as a modem gives it: which type it is, and how it reads as JSON (23.040, 9.2.3.1)."""

from datetime import datetime, timedelta

from modemd.errors import PduError
from modemd.pdu import status_report, submit, udh
from modemd.pdu.deliver import Deliver
from modemd.pdu.status_report import StatusReportPdu
from modemd.pdu.submit import Submit

Pdu = Deliver | Submit | StatusReportPdu


def decode(octets: bytes) -> Pdu:
    """Read a PDU with the service centre in front of it, as +CMGR, +CMT and +CDS bring it. Raises nothing but PduError.

    The reserved message type 3 reads as a DELIVER. Reports and commands, which never come out of a modem, share their
    numbers with these types and are not known here.
    """
    if len(octets) < 2 or len(octets) < octets[0] + 2:
        raise PduError(reason="it ends before the first octet of the message")
    message_type = octets[1 + octets[0]] & 3
    if message_type == submit.MESSAGE_TYPE:
        return Submit.decode(octets)
    if message_type == status_report.MESSAGE_TYPE:
        return StatusReportPdu.decode(octets)
    return Deliver.decode(octets)


def length(octets: bytes) -> int:
    """The octets of a PDU without the service centre in front, as +CMGR, +CMT and AT+CMGS count them."""
    return len(octets) - 1 - octets[0]


def describe(pdu: Pdu) -> dict[str, object]:
    """The JSON object of `modemd pdu decode`: times in ISO 8601 with offset, octets in hex, absent values None."""
    to_or_from = pdu.recipient if isinstance(pdu, StatusReportPdu) else pdu.number
    carries = pdu.text is not None or pdu.data is not None
    return {
        "type": _TYPE_NAMES[type(pdu)],
        "smsc": pdu.smsc.number or None if pdu.smsc else None,
        "number": to_or_from.number or None,
        "text": pdu.text,
        "data": None if pdu.data is None else pdu.data.hex(),
        "alphabet": pdu.alphabet.value if carries else None,
        "class": pdu.message_class if carries else None,
        "timestamp": None if isinstance(pdu, Submit) else _iso(pdu.timestamp),
        "concat": _concat(pdu),
        "ports": _ports(pdu),
        "udh": udh.encode(pdu.elements).hex() or None,
        "reference": None if isinstance(pdu, Deliver) else pdu.reference,
        "status": pdu.status if isinstance(pdu, StatusReportPdu) else None,
        "discharge": _iso(pdu.discharge) if isinstance(pdu, StatusReportPdu) else None,
        "pid": pdu.pid,
        "dcs": pdu.dcs if carries else None,
        **_validity(pdu),
    }


_TYPE_NAMES = {Deliver: "deliver", Submit: "submit", StatusReportPdu: "status_report"}


def _iso(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat()


def _concat(pdu: Pdu) -> dict[str, int] | None:
    found = pdu.concatenation
    return {"reference": found.reference, "total": found.total, "part": found.part} if found else None


def _ports(pdu: Pdu) -> dict[str, int] | None:
    found = pdu.ports
    return {"destination": found.destination, "source": found.source} if found else None


def _validity(pdu: Pdu) -> dict[str, object]:
    validity = pdu.validity if isinstance(pdu, Submit) else None
    return {
        "valid_seconds": int(validity.total_seconds()) if isinstance(validity, timedelta) else None,
        "valid_until": _iso(validity) if isinstance(validity, datetime) else None,
    }
