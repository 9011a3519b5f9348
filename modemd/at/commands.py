"""The AT commands that modemd uses: one row each, with the lines that are its own answer, the parser, the time limit.

Parsers take what modems really send (quotes missing, spaces, a prefix or none) and give None for what they cannot read;
they never raise.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta, timezone
from typing import Generic, NamedTuple, TypeVar

T = TypeVar("T")

NETWORK_SECONDS = (
    30.0  # commands that may ask the network; SIM800 manual: +COPS 45 for the slowest form, which we avoid
)
SIM_SECONDS = 20.0  # commands that write to the SIM; SIM800 manual: +CPIN 5, +CMGD 5, +CPMS 5; old SIMs take longer
LIST_SECONDS = 20.0  # SIM800 manual for +CMGL; more is given while lines keep coming


class Reply(NamedTuple):
    """One line of an answer, with the PDU line that belongs to it (+CMGR, +CMGL)."""

    line: bytes
    pdu: bytes | None = None


Replies = Sequence[Reply]


@dataclass(frozen=True, slots=True)
class Command(Generic[T]):
    """`text` as it is written; `own` tells the answer's lines from URCs; `seconds` None: [bank] command_timeout."""

    text: str
    parse: Callable[[Replies], T]
    own: re.Pattern[bytes] | None = None
    seconds: float | None = None
    secret: str | None = None  # what a log shows instead of the text

    def __str__(self) -> str:
        return self.secret or self.text


class Registration(NamedTuple):
    """<stat> of +CREG, +CGREG, +CEREG (27.007, 7.2)."""

    stat: int

    @property
    def registered(self) -> bool:
        """1 home, 5 roaming, 6 and 7 for SMS only, 9 and 10 without circuit-switched fallback."""
        return self.stat in (1, 5, 6, 7, 9, 10)

    @property
    def word(self) -> str:
        return _REGISTRATION_WORDS.get(self.stat, "unknown")


_REGISTRATION_WORDS = {
    0: "off",
    1: "home",
    2: "searching",
    3: "denied",
    4: "unknown",
    5: "roaming",
    6: "home",
    7: "roaming",
    8: "emergency",
    9: "home",
    10: "roaming",
}


class Stored(NamedTuple):
    """One entry of a storage (27.005, 4.1 and 4.2). `status`: 0 and 1 received, 2 and 3 not; pdu None: empty."""

    slot: int
    status: int
    pdu: bytes | None


class Storages(NamedTuple):
    """What AT+CPMS=? offers for reading and for receiving, in the modem's order."""

    reading: tuple[str, ...]
    receiving: tuple[str, ...]


class Fill(NamedTuple):
    """How full a storage is."""

    used: int
    total: int


def _pattern(text: str) -> re.Pattern[bytes]:
    return re.compile(text.encode("ascii"), re.IGNORECASE | re.DOTALL)


def _match(replies: Replies, pattern: re.Pattern[bytes]) -> re.Match[bytes] | None:
    for reply in reversed(replies):  # the answer itself comes after a URC that looks like it
        if found := pattern.match(reply.line):
            return found
    return None


def _nothing(_replies: Replies) -> None:
    return None


def _done(_replies: Replies) -> bool:
    return True


def _words(replies: Replies) -> str | None:
    """The first line, without a prefix such as +CGMI: and without quotes."""
    for reply in replies:
        text = re.sub(rb"^[+^*$%#!]?[A-Z]{2,12}: *", b"", reply.line).strip(b' "')
        if text:
            return text.decode("utf-8", "replace")[:64]
    return None


_PLAIN = _pattern(r"(?![+^*$%#!_]).+|\+(?:CGMI|CGMM|CGMR|GMI|GMM|GMR): *.*")
_IMEI = _pattern(r'(?:\+?C?GSN: *)?"?(\d{14,17})"?(?:,.*)?$')
_IMSI = _pattern(r'(?:\+?CIMI: *)?"?(\d{6,15})"?$')
_ICCID = _pattern(r'(?:[+^#!*$%]?[A-Z]*(?:ICCID|CCID|SCID)?:? *)"?(?:SC, *)?"?(\d{18,20})[0-9A-F]?"?$')
_CREG = _pattern(r"\+C(?:|G|E)REG: *\d+ *, *(\d{1,2})(?![0-9A-F]*\")")
_COPS = _pattern(r'\+COPS: *\d+(?: *, *\d+ *, *"?([^",]*)"?)?')
_CSQ = _pattern(r"\+CSQ: *(\d+)")
_CPIN = _pattern(r'\+CPIN: *"?([A-Z0-9 -]+?)"? *$')
_CPMS = _pattern(r'\+CPMS: *(?:"[^"]*" *, *)?(\d{1,5}) *, *(\d{1,5})')
_CPMS_ENTRY = re.compile(rb'"([A-Za-z_/]{2,6})" *, *(\d{1,5}) *, *(\d{1,5})')
_CPMS_TEST = _pattern(r"\+CPMS:")
_CSCA = _pattern(r'\+CSCA: *"?([^",]*)"?')
_CCLK = _pattern(r'\+CCLK: *"?(\d\d)/(\d\d)/(\d\d),(\d\d):(\d\d):(\d\d)([+-]\d{1,2})?"?')
_CMGS = _pattern(r"\+CMGS: *(\d{1,3})")
_CMGR = _pattern(r"\+CMGR: *(\d)")
_CMGL = _pattern(r"\+CMGL: *(\d{1,5}) *, *(\d)")
_CMEE = _pattern(r"\+CMEE:")
_GROUP = re.compile(rb"\(([^)]*)\)")
_NAME = re.compile(rb"[A-Z_/]{2,6}")


def _imei(replies: Replies) -> str | None:
    found = _match(replies, _IMEI)
    return found[1].decode()[:15] if found else None


def _digits(pattern: re.Pattern[bytes]) -> Callable[[Replies], str | None]:
    def parse(replies: Replies) -> str | None:
        found = _match(replies, pattern)
        return found[1].decode() if found else None

    return parse


def _registration(replies: Replies) -> Registration | None:
    found = _match(replies, _CREG)
    return Registration(int(found[1])) if found else None


def _operator(replies: Replies) -> str | None:
    found = _match(replies, _COPS)
    return found[1].decode("utf-8", "replace").strip()[:64] or None if found and found[1] else None


def _signal(replies: Replies) -> int | None:
    """dBm (27.007, 8.5: 0 … 31 are -113 … -51 in steps of 2); None when the modem does not know."""
    found = _match(replies, _CSQ)
    return 2 * int(found[1]) - 113 if found and int(found[1]) <= 31 else None


def _pin(replies: Replies) -> str | None:
    found = _match(replies, _CPIN)
    return found[1].decode().strip().upper() if found else None


def _storages(replies: Replies) -> Storages | None:
    found = [reply.line for reply in replies if _CPMS_TEST.match(reply.line)]
    if not found:
        return None
    groups = [tuple(name.decode() for name in _NAME.findall(group)) for group in _GROUP.findall(found[-1])]
    return Storages(groups[0], groups[-1]) if groups and groups[0] else None


def _fill(replies: Replies) -> Fill | None:
    found = _match(replies, _CPMS)
    return Fill(int(found[1]), int(found[2])) if found else None


def _fills(replies: Replies) -> dict[str, Fill]:
    found = [reply.line for reply in replies if _CPMS_TEST.match(reply.line)]
    entries = _CPMS_ENTRY.findall(found[-1]) if found else []
    return {name.decode().upper(): Fill(int(used), int(total)) for name, used, total in entries}


def _service_centre(replies: Replies) -> str | None:
    """Its number (27.005, 3.3.1); "" where the SIM has none."""
    found = _match(replies, _CSCA)
    return found[1].decode("utf-8", "replace").strip() if found else None


def _clock(replies: Replies) -> datetime | None:
    """The modem's time (27.007, 8.15), its zone in quarters of an hour; None when it has none or makes no sense."""
    found = _match(replies, _CCLK)
    if found is None:
        return None
    year, month, day, hour, minute, second, quarters = (int(group or 0) for group in found.groups())
    try:
        zone = timezone(timedelta(minutes=15 * quarters))
        return datetime(2000 + year, month, day, hour, minute, second, tzinfo=zone)
    except ValueError:
        return None


def _reference(replies: Replies) -> int | None:
    found = _match(replies, _CMGS)
    return int(found[1]) % 256 if found else None


def _stored(index: int) -> Callable[[Replies], Stored | None]:
    def parse(replies: Replies) -> Stored | None:
        for reply in replies:
            if found := _CMGR.match(reply.line):
                return Stored(index, int(found[1]), reply.pdu)
        return None

    return parse


def _listing(replies: Replies) -> list[Stored]:
    entries = ((reply, _CMGL.match(reply.line)) for reply in replies)
    return [Stored(int(found[1]), int(found[2]), reply.pdu) for reply, found in entries if found]


def _fence(replies: Replies) -> bool:
    return _match(replies, _CMEE) is not None


def plain(text: str, seconds: float | None = None) -> Command[None]:
    """A command of which only the final result matters."""
    return Command(text, _nothing, seconds=seconds)


# attention and settings
ATTENTION = plain("AT")
FENCE = Command("AT+CMEE?", _fence, _CMEE)  # its answer cannot be mistaken for another's: True when it is there
ECHO_OFF = plain("ATE0")
NUMERIC_ERRORS = plain("AT+CMEE=1")
PDU_MODE = plain("AT+CMGF=0", SIM_SECONDS)
PHASE_2_PLUS = plain("AT+CSMS=1")
REGISTRATION_URC = plain("AT+CREG=1")
OPERATOR_FORMAT = plain("AT+COPS=3,0", NETWORK_SECONDS)

# identity
MANUFACTURER = Command("AT+CGMI", _words, _PLAIN)
MODEL = Command("AT+CGMM", _words, _PLAIN)
FIRMWARE = Command("AT+CGMR", _words, _PLAIN)
IMEI = Command("AT+CGSN", _imei, _IMEI)
IMSI = Command("AT+CIMI", _digits(_IMSI), _IMSI, SIM_SECONDS)


def iccid(text: str) -> Command[str | None]:
    """Every maker has its own command for it; 27.007 has none before AT+CCID of release 14."""
    return Command(text, _digits(_ICCID), _ICCID, SIM_SECONDS)


# SIM
PIN_STATE = Command("AT+CPIN?", _pin, _CPIN, SIM_SECONDS)


def enter_pin(pin: str) -> Command[None]:
    """AT+CPIN=<pin> (27.007, 8.3). Its text is never logged (rule 7)."""
    return replace(plain(f'AT+CPIN="{pin}"', SIM_SECONDS), secret="AT+CPIN=****")  # noqa: S106  # that is the mask


def pin_tries(text: str, answer: str) -> Command[int | None]:
    """A maker's command for the number of PIN tries that are left; `answer` has them as its first group."""
    pattern = _pattern(answer)

    def parse(replies: Replies) -> int | None:
        found = _match(replies, pattern)
        return int(found[1]) if found else None

    return Command(text, parse, pattern, SIM_SECONDS)


# network
REGISTRATION = Command("AT+CREG?", _registration, _CREG)
PACKET_REGISTRATION = Command("AT+CGREG?", _registration, _CREG)
EPS_REGISTRATION = Command("AT+CEREG?", _registration, _CREG)
OPERATOR = Command("AT+COPS?", _operator, _COPS, NETWORK_SECONDS)
SIGNAL = Command("AT+CSQ", _signal, _CSQ)
NETWORK_TIME = plain("AT+CTZU=1")  # the modem's clock follows the network's (27.007, 8.40)
CLOCK = Command("AT+CCLK?", _clock, _CCLK)
SERVICE_CENTRE = Command("AT+CSCA?", _service_centre, _CSCA, SIM_SECONDS)
HANG_UP = plain("AT+CHUP")  # 27.007, 6.5
HANG_UP_OLD = plain("ATH")  # V.250, 6.3.6
END_USSD = plain("AT+CUSD=2", NETWORK_SECONDS)

# messages
OFFERED_STORAGES = Command("AT+CPMS=?", _storages, _CPMS_TEST, SIM_SECONDS)
STORAGE_STATE = Command("AT+CPMS?", _fills, _CPMS_TEST, SIM_SECONDS)  # the storages in use now: name -> Fill
LIST_ALL = Command("AT+CMGL=4", _listing, _CMGL, LIST_SECONDS)
ACKNOWLEDGE = plain("AT+CNMA")
DELETE_READ = Command(
    "AT+CMGD=1,1", _done, seconds=SIM_SECONDS
)  # whatever the index: all that has been read, nothing that has not


def select_storage(storage: str) -> Command[Fill | None]:
    """Read and delete in this storage from now on (27.005, 3.2.2); the others stay as they are."""
    return Command(f'AT+CPMS="{storage}"', _fill, _CPMS, SIM_SECONDS)


def ussd(code: str) -> Command[None]:
    """Send a USSD code; +CUSD brings the answer later (27.007, 7.15)."""
    return plain(f'AT+CUSD=1,"{code}",15', NETWORK_SECONDS)


def notifications(form: str) -> Command[None]:
    """AT+CNMI=<mode>,<mt>,<bm>,<ds>,<bfr> (27.005, 3.4.1)."""
    return plain(f"AT+CNMI={form}")


def read(index: int) -> Command[Stored | None]:
    """One entry of the selected storage. None: the slot is empty."""
    return Command(f"AT+CMGR={index}", _stored(index), _CMGR, SIM_SECONDS)


def delete(index: int) -> Command[bool]:
    """Empty one slot of the selected storage. True: done."""
    return Command(f"AT+CMGD={index}", _done, seconds=SIM_SECONDS)


def submit(length: int, seconds: float) -> Command[int | None]:
    """AT+CMGS in PDU mode (27.005, 4.3); gives TP-MR. `seconds` is for the network, after Ctrl-Z."""
    return Command(f"AT+CMGS={length}", _reference, _CMGS, seconds)
