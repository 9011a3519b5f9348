"""Final result codes, and what the numbers of +CMS ERROR (27.005, 3.2.5) and +CME ERROR (27.007, 9.2) mean.

One table for messages, logs and panel: the name in the standard, whether the same message may pass later, whose fault
it is and what a technician should do.
"""

import re
from dataclasses import dataclass
from enum import StrEnum


class Fault(StrEnum):
    """Who has to change for it to work."""

    MESSAGE = "message"
    SIM = "sim"
    NETWORK = "network"
    MODEM = "modem"


@dataclass(frozen=True, slots=True)
class Cause:
    """One number of the standards, in words. `permanent`: this message will never pass, whoever sends it and when."""

    name: str
    fault: Fault
    advice: str
    permanent: bool = False


_WAIT = "it is tried again by itself"
_NUMBER = "check the recipient's number"
_REPORT = "the message was built wrong: report it with its PDU"
_CONTRACT = "ask the operator whether this SIM may send SMS, and check its credit"
_SIM = "check that the SIM is inserted well and works in a phone"
_RESTART = "restart the modem if it stays"
_PIN = "check the PIN in [bank] pin_file"
_PUK = "take the PUK from the contract and unlock the SIM in a phone; do not enter a PIN"
_LOCK = "the modem is locked to another SIM or operator: have it unlocked"
_FULL = "messages are read out and deleted by themselves; if it stays, empty the storage"
_CENTRE = "set the number of the service centre in the SIM (AT+CSCA)"
_ANTENNA = "check antenna, signal and whether the SIM is active"

_M, _S, _N, _D = Fault.MESSAGE, Fault.SIM, Fault.NETWORK, Fault.MODEM

CMS: dict[int, Cause] = {
    # 24.011 annex E-2: what the network says of a submit
    1: Cause("unassigned (unallocated) number", _M, _NUMBER, True),
    8: Cause("operator determined barring", _S, _CONTRACT),
    10: Cause("call barred", _M, _NUMBER + "; or " + _CONTRACT, True),
    17: Cause("network failure", _N, _WAIT),
    21: Cause("short message transfer rejected", _N, _CONTRACT),
    22: Cause("memory capacity exceeded", _D, _FULL),
    27: Cause("destination out of service", _N, _WAIT),
    28: Cause("unidentified subscriber", _M, _NUMBER, True),
    29: Cause("facility rejected", _N, _CONTRACT, True),
    30: Cause("unknown subscriber", _M, _NUMBER, True),
    38: Cause("network out of order", _N, _WAIT),
    41: Cause("temporary failure", _N, _WAIT),
    42: Cause("congestion", _N, _WAIT),
    47: Cause("resources unavailable, unspecified", _N, _WAIT),
    50: Cause("requested facility not subscribed", _S, _CONTRACT),
    69: Cause("requested facility not implemented", _N, _CONTRACT, True),
    81: Cause("invalid short message transfer reference value", _D, _WAIT),
    95: Cause("invalid message, unspecified", _M, _REPORT, True),
    96: Cause("invalid mandatory information", _M, _REPORT, True),
    97: Cause("message type non-existent or not implemented", _M, _REPORT, True),
    98: Cause("message not compatible with short message protocol state", _D, _WAIT),
    99: Cause("information element non-existent or not implemented", _M, _REPORT, True),
    111: Cause("protocol error, unspecified", _N, _WAIT),
    127: Cause("interworking, unspecified", _N, _WAIT),
    # 23.040, 9.2.3.22: TP-FCS, what the service centre says
    128: Cause("telematic interworking not supported", _M, _REPORT, True),
    129: Cause("short message Type 0 not supported", _M, _REPORT, True),
    130: Cause("cannot replace short message", _M, _REPORT, True),
    143: Cause("unspecified TP-PID error", _M, _REPORT, True),
    144: Cause("data coding scheme (alphabet) not supported", _M, _REPORT, True),
    145: Cause("message class not supported", _M, _REPORT, True),
    159: Cause("unspecified TP-DCS error", _M, _REPORT, True),
    160: Cause("command cannot be actioned", _M, _REPORT, True),
    161: Cause("command unsupported", _M, _REPORT, True),
    175: Cause("unspecified TP-Command error", _M, _REPORT, True),
    176: Cause("TPDU not supported", _M, _REPORT, True),
    192: Cause("SC busy", _N, _WAIT),
    193: Cause("no SC subscription", _S, _CONTRACT),
    194: Cause("SC system failure", _N, _WAIT),
    195: Cause("invalid SME address", _M, _NUMBER, True),
    196: Cause("destination SME barred", _M, _NUMBER, True),
    197: Cause("SM rejected - duplicate SM", _M, "the service centre has this message already", True),
    198: Cause("TP-VPF not supported", _M, _REPORT, True),
    199: Cause("TP-VP not supported", _M, _REPORT, True),
    208: Cause("(U)SIM SMS storage full", _D, _FULL),
    209: Cause("no SMS storage capability in (U)SIM", _S, _SIM),
    210: Cause("error in MS", _D, _RESTART),
    211: Cause("memory capacity exceeded", _D, _FULL),
    212: Cause("(U)SIM application toolkit busy", _S, _WAIT),
    213: Cause("(U)SIM data download error", _S, _WAIT),
    255: Cause("unspecified error cause", _N, _WAIT),
    # 27.005, 3.2.5: what the modem itself says
    300: Cause("ME failure", _D, _RESTART),
    301: Cause("SMS service of ME reserved", _D, _RESTART),
    302: Cause("operation not allowed", _D, _RESTART),
    303: Cause("operation not supported", _D, "use another modem model"),
    304: Cause("invalid PDU mode parameter", _M, _REPORT, True),
    305: Cause("invalid text mode parameter", _M, _REPORT, True),
    310: Cause("(U)SIM not inserted", _S, _SIM),
    311: Cause("(U)SIM PIN required", _S, _PIN),
    312: Cause("PH-(U)SIM PIN required", _D, _LOCK),
    313: Cause("(U)SIM failure", _S, _SIM),
    314: Cause("(U)SIM busy", _S, _WAIT),
    315: Cause("(U)SIM wrong", _S, _SIM),
    316: Cause("(U)SIM PUK required", _S, _PUK),
    317: Cause("(U)SIM PIN2 required", _S, _SIM),
    318: Cause("(U)SIM PUK2 required", _S, _SIM),
    320: Cause("memory failure", _D, _RESTART),
    321: Cause("invalid memory index", _D, _WAIT),
    322: Cause("memory full", _D, _FULL),
    330: Cause("SMSC address unknown", _S, _CENTRE),
    331: Cause("no network service", _N, _ANTENNA),
    332: Cause("network timeout", _N, _WAIT),
    340: Cause("no +CNMA acknowledgement expected", _D, _WAIT),
    500: Cause("unknown error", _D, _WAIT),
}

CME: dict[int, Cause] = {
    0: Cause("phone failure", _D, _RESTART),
    1: Cause("no connection to phone", _D, _RESTART),
    2: Cause("phone-adaptor link reserved", _D, _RESTART),
    3: Cause("operation not allowed", _D, _RESTART),
    4: Cause("operation not supported", _D, "use another modem model"),
    5: Cause("PH-SIM PIN required", _D, _LOCK),
    6: Cause("PH-FSIM PIN required", _D, _LOCK),
    7: Cause("PH-FSIM PUK required", _D, _LOCK),
    10: Cause("SIM not inserted", _S, _SIM),
    11: Cause("SIM PIN required", _S, _PIN),
    12: Cause("SIM PUK required", _S, _PUK),
    13: Cause("SIM failure", _S, _SIM),
    14: Cause("SIM busy", _S, _WAIT),
    15: Cause("SIM wrong", _S, _SIM),
    16: Cause("incorrect password", _S, _PIN),
    17: Cause("SIM PIN2 required", _S, _SIM),
    18: Cause("SIM PUK2 required", _S, _SIM),
    20: Cause("memory full", _D, _FULL),
    21: Cause("invalid index", _D, _WAIT),
    22: Cause("not found", _D, _WAIT),
    23: Cause("memory failure", _D, _RESTART),
    24: Cause("text string too long", _D, _REPORT),
    25: Cause("invalid characters in text string", _D, _REPORT),
    26: Cause("dial string too long", _D, _REPORT),
    27: Cause("invalid characters in dial string", _D, _REPORT),
    30: Cause("no network service", _N, _ANTENNA),
    31: Cause("network timeout", _N, _WAIT),
    32: Cause("network not allowed - emergency calls only", _S, _CONTRACT),
    40: Cause("network personalization PIN required", _D, _LOCK),
    41: Cause("network personalization PUK required", _D, _LOCK),
    42: Cause("network subset personalization PIN required", _D, _LOCK),
    43: Cause("network subset personalization PUK required", _D, _LOCK),
    44: Cause("service provider personalization PIN required", _D, _LOCK),
    45: Cause("service provider personalization PUK required", _D, _LOCK),
    46: Cause("corporate personalization PIN required", _D, _LOCK),
    47: Cause("corporate personalization PUK required", _D, _LOCK),
    50: Cause("incorrect parameters", _D, _REPORT),
    51: Cause("command implemented but currently disabled", _D, _RESTART),
    52: Cause("command aborted by user", _D, _WAIT),
    62: Cause("call barred", _S, _CONTRACT),
    100: Cause("unknown", _D, _WAIT),
    103: Cause("illegal MS", _S, _CONTRACT),
    106: Cause("illegal ME", _D, "the operator bars this modem (IMEI): use another one"),
    111: Cause("PLMN not allowed", _S, _CONTRACT),
    112: Cause("location area not allowed", _S, _CONTRACT),
    113: Cause("roaming not allowed in this location area", _S, _CONTRACT),
}

_UNKNOWN = Cause("not in the standard", Fault.MODEM, "look the number up in the modem's manual")
_PLAIN = Cause("", Fault.MODEM, "the modem gives no reason")

_FINAL = re.compile(rb"OK|ERROR|\+CM([SE]) ERROR: *(.*)|COMMAND NOT SUPPORT|TOO MANY PARAMETERS")
_NAMED = {
    "S": {cause.name.lower(): number for number, cause in CMS.items()},
    "E": {cause.name.lower(): number for number, cause in CME.items()},
}


@dataclass(frozen=True, slots=True)
class Final:
    """A final result code. `code` is the number of +CMS ERROR (`family` "S") or +CME ERROR ("E"), None without one."""

    text: str
    ok: bool = False
    family: str | None = None
    code: int | None = None

    @property
    def cause(self) -> Cause:
        """What the number means; numbers outside the standards (512 and up are the makers' own) are transient."""
        if self.code is None:
            return _PLAIN
        return (CMS if self.family == "S" else CME).get(self.code, _UNKNOWN)

    def __str__(self) -> str:
        return f"{self.text}, {self.cause.name}" if self.code is not None else self.text


OK = Final("OK", ok=True)


def final_result(line: bytes) -> Final | None:
    """The final result code that this whole line is, or None.

    NO CARRIER, BUSY and the like are none: modemd never dials, so here they only tell of a call that has ended.
    """
    if line == b"OK":
        return OK
    found = _FINAL.fullmatch(line)
    if found is None:
        return None
    text = line.decode("ascii", "replace")
    if found[1] is None:
        return Final(text)
    family = found[1].decode()
    value = found[2].decode("ascii", "replace").strip().strip('"')
    # AT+CMEE=2 gives the name instead of the number
    code = int(value) if value.isdecimal() and len(value) < 6 else _NAMED[family].get(value.lower())
    return Final(text, family=family, code=code)
