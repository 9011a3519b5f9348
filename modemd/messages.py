"""What crosses layers: one SMS received, one part to send, one status report. Frozen; no protocol, no database."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from modemd.errors import ModemdError


class AlertKind(StrEnum):
    """What somebody has to be told of, whether or not he is looking."""

    QUARANTINED = "quarantined"  # a modem that the daemon cannot help any more
    PUK = "puk"
    STORAGE_FULL = "storage_full"
    CLOCK_OFF = "clock_off"
    BALANCE_LOW = "balance_low"
    NO_LINE_READY = "no_line_ready"
    DATA_OLD = "data_old"  # what billing handed over last
    FILE_HELD = "file_held"
    FILE_REFUSED = "file_refused"
    HAND_OVER = "hand_over"  # files cannot be taken or written
    QUEUE_OLD = "queue_old"
    DISK_LOW = "disk_low"
    DOUBT_GROWS = "doubt_grows"
    SILENT = "silent"  # a line that nothing comes in by
    NOT_TOLD = "not_told"  # people cannot be told of alerts


class Reason(str):
    """Why something is as it is: a sentence for logs, and the code and facts of which the panel makes its own."""

    code: str  # the name of an error, or a word of ours
    facts: Mapping[str, str | int | float]

    def __new__(cls, words: str, code: str = "", **facts: object) -> "Reason":
        """Facts that JSON has no form for are kept as text."""
        made = super().__new__(cls, words)
        made.code = code
        made.facts = {name: fact if isinstance(fact, str | int | float) else str(fact) for name, fact in facts.items()}
        return made

    @classmethod
    def of(cls, error: ModemdError) -> "Reason":
        """What the error says, without the port, which everyone who reads it sees beside it."""
        facts = {name: fact for name, fact in error.facts.items() if name != "port" and fact is not None}
        words = str(error).removeprefix(f"{error.facts.get('port')}: ").removesuffix(".")
        return cls(words, type(error).__name__, **facts)


@dataclass(frozen=True, slots=True)
class Concatenation:
    """Which part of a long message this is (23.040, 9.2.3.24.1 and 9.2.3.24.8)."""

    reference: int
    total: int
    part: int  # 1 … total


@dataclass(frozen=True, slots=True)
class ReceivedSms:
    """One SMS as a modem gave it. When the PDU cannot be read, `error` says why and what it would hold is absent."""

    pdu: str  # lower-case hex as the modem gave it, SMSC prefix included
    storage: str | None  # "SM", "ME" …; None when it came straight to us (+CMT)
    index: int | None
    received_at: datetime
    number: str | None = None  # "+359881234567", "170077", "A1 BG"; None when the PDU has no sender
    replyable: bool = False  # a number that a reply could be sent to (not alphanumeric, not empty)
    text: str | None = None
    data: bytes | None = None
    smsc_time: datetime | None = None
    concatenation: Concatenation | None = None
    error: str | None = None


@dataclass(frozen=True, slots=True)
class StatusReport:
    """What the service centre says became of a part (23.040, 9.2.2.3)."""

    pdu: str
    storage: str | None
    index: int | None
    received_at: datetime
    recipient: str | None
    reference: int  # TP-MR, 0 … 255
    status: int  # TP-ST, 0 … 255
    smsc_time: datetime | None  # when the centre took the part
    discharged_at: datetime | None


@dataclass(frozen=True, slots=True)
class OutgoingSms:
    """One part, encoded and claimed, ready for the modem."""

    part_id: int
    message_id: int
    kind: str
    priority: int
    length: int  # octets of the TPDU, as AT+CMGS wants it
    pdu: str  # hex with SMSC prefix
