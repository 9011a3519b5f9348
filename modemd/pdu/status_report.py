"""SMS-STATUS-REPORT: what became of a message that we sent (23.040, 9.2.2.3)."""

from dataclasses import dataclass
from datetime import datetime
from typing import Self

from modemd.pdu import timestamp, userdata
from modemd.pdu.address import Address
from modemd.pdu.reader import Reader

MESSAGE_TYPE = 0x02
_NO_MORE_MESSAGES = 0x04
_ABOUT_A_COMMAND = 0x20
_USER_DATA_HEADER = 0x40
_UNKNOWN_TIME = bytes(timestamp.LENGTH)

# TP-PI, 9.2.3.27
_HAS_PID = 0x01
_HAS_DCS = 0x02
_HAS_USER_DATA = 0x04
_EXTENDED = 0x80
_FILLING = 0xFF


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusReportPdu(userdata.Content):
    """A status report: `timestamp` is when the service centre took our message, `discharge` when `status` arose."""

    smsc: Address | None = None
    reference: int  # TP-MR of our message, 0 … 255
    recipient: Address
    timestamp: datetime | None
    discharge: datetime | None
    status: int  # TP-ST, 0 … 255 (9.2.3.15)
    pid: int | None = None
    more_messages: bool = False
    about_a_command: bool = False

    @classmethod
    def decode(cls, octets: bytes) -> Self:
        """Read a PDU with the service centre in front of it. Raises PduError."""
        reader = Reader(octets)
        smsc = Address.decode_smsc(reader)
        first = reader.octet("the first octet")
        reference = reader.octet("the message reference")
        recipient = Address.decode(reader, "the recipient's address")
        sent_at = timestamp.decode(reader.take(timestamp.LENGTH, "the time stamp"))
        discharge = timestamp.decode(reader.take(timestamp.LENGTH, "the discharge time"))
        status = reader.octet("the status")
        pid, coding, content = _decode_optional_part(reader, has_header=bool(first & _USER_DATA_HEADER))
        return cls(
            smsc=smsc,
            reference=reference,
            recipient=recipient,
            timestamp=sent_at,
            discharge=discharge,
            status=status,
            pid=pid,
            dcs=coding,
            more_messages=not first & _NO_MORE_MESSAGES,
            about_a_command=bool(first & _ABOUT_A_COMMAND),
            text=content.text,
            data=content.data,
            elements=content.elements,
        )

    def encode(self) -> bytes:
        """The octets, service centre in front. Raises PduError, TextError or NotAPhone if a field cannot be written."""
        first = (
            MESSAGE_TYPE
            | (0 if self.more_messages else _NO_MORE_MESSAGES)
            | (_ABOUT_A_COMMAND if self.about_a_command else 0)
            | (_USER_DATA_HEADER if self.elements else 0)
        )
        return b"".join(
            (
                self.smsc.encode_smsc() if self.smsc else b"\0",
                bytes((first, self.reference)),
                self.recipient.encode(),
                timestamp.encode(self.timestamp) if self.timestamp else _UNKNOWN_TIME,
                timestamp.encode(self.discharge) if self.discharge else _UNKNOWN_TIME,
                bytes((self.status,)),
                self._encode_optional_part(),
            )
        )

    def _encode_optional_part(self) -> bytes:
        has_user_data = self.text is not None or self.data is not None
        if self.pid is None and not has_user_data:
            return b""
        indicator = 0 if self.pid is None else _HAS_PID
        octets = b"" if self.pid is None else bytes((self.pid,))
        if has_user_data:
            indicator |= _HAS_DCS | _HAS_USER_DATA
            octets += bytes((self.dcs,)) + self.encode_user_data()
        return bytes((indicator,)) + octets


def _decode_optional_part(reader: Reader, *, has_header: bool) -> tuple[int | None, int, userdata.UserData]:
    """TP-PI and what it announces: protocol identifier, coding, user data. Many service centres end before it.

    FF stands for no set of fields; it is the filling of a SIM's record, which some modems hand out.
    """
    nothing = userdata.UserData(None, None, ())
    indicator = 0 if reader.at_end() else reader.octet("the parameter indicator")
    if indicator == _FILLING:
        return None, 0, nothing
    extension = indicator
    while extension & _EXTENDED:
        extension = reader.octet("the parameter indicator")
    pid = reader.octet("the protocol identifier") if indicator & _HAS_PID else None
    coding = reader.octet("the data coding scheme") if indicator & _HAS_DCS else 0
    if indicator & _HAS_USER_DATA:
        return pid, coding, userdata.decode(reader, coding, has_header=has_header)
    return pid, coding, nothing
