"""SMS-SUBMIT: a message from us to the service centre (23.040, 9.2.2.2)."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple, Self

from modemd.messages import Concatenation
from modemd.pdu import dcs, segments, timestamp, udh, userdata
from modemd.pdu import validity as validity_period
from modemd.pdu.address import Address
from modemd.pdu.alphabet import Alphabet
from modemd.pdu.reader import Reader
from modemd.pdu.validity import ValidityFormat

MESSAGE_TYPE = 0x01
_REJECT_DUPLICATES = 0x04
_STATUS_REPORT_REQUEST = 0x20
_USER_DATA_HEADER = 0x40
_REPLY_PATH = 0x80
_NO_SMSC = b"\0"  # the modem's own
_FLASH = 0  # message class


@dataclass(frozen=True, slots=True, kw_only=True)
class Submit(userdata.Content):
    """A message to send. `validity` is a duration, a moment, or None when absent or unreadable."""

    smsc: Address | None = None
    reference: int = 0  # TP-MR; a modem puts its own in
    number: Address
    pid: int = 0
    validity: timedelta | datetime | None = None
    status_report_request: bool = False
    reject_duplicates: bool = False
    reply_path: bool = False

    @classmethod
    def decode(cls, octets: bytes) -> Self:
        """Read a PDU with the service centre in front of it. Raises PduError."""
        reader = Reader(octets)
        smsc = Address.decode_smsc(reader)
        first = reader.octet("the first octet")
        reference = reader.octet("the message reference")
        number = Address.decode(reader, "the recipient's address")
        pid = reader.octet("the protocol identifier")
        coding = reader.octet("the data coding scheme")
        validity = validity_period.decode(reader, ValidityFormat(first >> 3 & 3))
        content = userdata.decode(reader, coding, has_header=bool(first & _USER_DATA_HEADER))
        return cls(
            smsc=smsc,
            reference=reference,
            number=number,
            pid=pid,
            dcs=coding,
            validity=validity,
            status_report_request=bool(first & _STATUS_REPORT_REQUEST),
            reject_duplicates=bool(first & _REJECT_DUPLICATES),
            reply_path=bool(first & _REPLY_PATH),
            text=content.text,
            data=content.data,
            elements=content.elements,
        )

    def encode(self) -> bytes:
        """The octets, service centre in front. Raises PduError, TextError or NotAPhone if a field cannot be written."""
        form, validity = _encode_validity(self.validity)
        first = (
            MESSAGE_TYPE
            | form << 3
            | (_REJECT_DUPLICATES if self.reject_duplicates else 0)
            | (_STATUS_REPORT_REQUEST if self.status_report_request else 0)
            | (_USER_DATA_HEADER if self.elements else 0)
            | (_REPLY_PATH if self.reply_path else 0)
        )
        return b"".join(
            (
                self.smsc.encode_smsc() if self.smsc else _NO_SMSC,
                bytes((first, self.reference)),
                self.number.encode(),
                bytes((self.pid, self.dcs)),
                validity,
                self.encode_user_data(),
            )
        )


class EncodedPdu(NamedTuple):
    """One part as AT+CMGS wants it (27.005, 4.3)."""

    length: int  # octets, without the service centre in front
    pdu: str  # lower-case hex, with it


def encode_message(
    number: str,
    text: str,
    *,
    concat_reference: int = 0,
    status_report: bool = True,
    flash: bool = False,
    validity: timedelta | None = None,
) -> list[EncodedPdu]:
    """The parts of a text to a number, "+359881234567" or as it is dialled; the modem's own service centre sends them.

    The text is never altered: GSM 7-bit with its extension if that has every character, else UCS-2. `concat_reference`
    (0 … 255) ties the parts of a long message together. Raises NotAPhone, and TextError as `segments.cut` does.
    """
    how, pieces = segments.cut(text)
    join = userdata.join_septets if how is Alphabet.GSM7 else userdata.join_octets
    form, valid_for = _encode_validity(validity)
    first = MESSAGE_TYPE | form << 3 | (_STATUS_REPORT_REQUEST if status_report else 0)
    coding = dcs.encode(how, _FLASH if flash else None)
    between = Address.parse(number).encode() + bytes((0, coding)) + valid_for
    if len(pieces) == 1:
        return [_encoded(bytes((first, 0)) + between + join(b"", pieces[0]))]
    parts = (Concatenation(concat_reference, len(pieces), part) for part in range(1, len(pieces) + 1))
    headers = (udh.encode([udh.concatenate(part)]) for part in parts)
    start = bytes((first | _USER_DATA_HEADER, 0)) + between
    return [_encoded(start + join(header, piece)) for header, piece in zip(headers, pieces, strict=True)]


def _encoded(tpdu: bytes) -> EncodedPdu:
    return EncodedPdu(len(tpdu), (_NO_SMSC + tpdu).hex())


def _encode_validity(validity: timedelta | datetime | None) -> tuple[ValidityFormat, bytes]:
    if validity is None:
        return ValidityFormat.ABSENT, b""
    if isinstance(validity, datetime):
        return ValidityFormat.ABSOLUTE, timestamp.encode(validity)
    return ValidityFormat.RELATIVE, bytes((validity_period.encode_relative(validity),))
