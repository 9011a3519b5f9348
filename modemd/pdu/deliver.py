"""SMS-DELIVER: a message from the service centre to us (23.040, 9.2.2.1)."""

from dataclasses import dataclass
from datetime import datetime
from typing import Self

from modemd.pdu import timestamp, userdata
from modemd.pdu.address import Address
from modemd.pdu.reader import Reader

_NO_MORE_MESSAGES = 0x04
_STATUS_REPORT_INDICATION = 0x20
_USER_DATA_HEADER = 0x40
_REPLY_PATH = 0x80
_UNKNOWN_TIME = bytes(timestamp.LENGTH)


@dataclass(frozen=True, slots=True, kw_only=True)
class Deliver(userdata.Content):
    """A received message; `timestamp` is when the service centre took it, in its zone, or None when unreadable."""

    smsc: Address | None = None
    number: Address
    pid: int = 0
    timestamp: datetime | None
    more_messages: bool = False
    status_report_indication: bool = False
    reply_path: bool = False

    @classmethod
    def decode(cls, octets: bytes) -> Self:
        """Read a PDU with the service centre in front of it. Raises PduError."""
        reader = Reader(octets)
        smsc = Address.decode_smsc(reader)
        first = reader.octet("the first octet")
        number = Address.decode(reader, "the sender's address")
        pid = reader.octet("the protocol identifier")
        coding = reader.octet("the data coding scheme")
        sent_at = timestamp.decode(reader.take(timestamp.LENGTH, "the time stamp"))
        content = userdata.decode(reader, coding, has_header=bool(first & _USER_DATA_HEADER))
        return cls(
            smsc=smsc,
            number=number,
            pid=pid,
            dcs=coding,
            timestamp=sent_at,
            more_messages=not first & _NO_MORE_MESSAGES,
            status_report_indication=bool(first & _STATUS_REPORT_INDICATION),
            reply_path=bool(first & _REPLY_PATH),
            text=content.text,
            data=content.data,
            elements=content.elements,
        )

    def encode(self) -> bytes:
        """The octets, service centre in front. Raises PduError, TextError or NotAPhone if a field cannot be written."""
        first = (
            (0 if self.more_messages else _NO_MORE_MESSAGES)
            | (_STATUS_REPORT_INDICATION if self.status_report_indication else 0)
            | (_USER_DATA_HEADER if self.elements else 0)
            | (_REPLY_PATH if self.reply_path else 0)
        )
        return b"".join(
            (
                self.smsc.encode_smsc() if self.smsc else b"\0",
                bytes((first,)),
                self.number.encode(),
                bytes((self.pid, self.dcs)),
                timestamp.encode(self.timestamp) if self.timestamp else _UNKNOWN_TIME,
                self.encode_user_data(),
            )
        )
