"""What the numbers mean with which networks, SIMs and modems say no: one table for messages, logs and panel.

+CMS ERROR (27.005, 3.2.5; 24.011, annex E-2; 23.040, 9.2.3.22), +CME ERROR (27.007, 9.2) and the TP-ST of status
reports (23.040, 9.2.3.15).
"""

from dataclasses import dataclass
from enum import StrEnum


class Fault(StrEnum):
    """Who has to change for it to work."""

    MESSAGE = "message"
    SIM = "sim"
    NETWORK = "network"
    MODEM = "modem"
    PHONE = "phone"  # the recipient's


class Next(StrEnum):
    """What happens next, without anybody's help."""

    RETRY = "it is tried again by itself, as often as its kind allows"
    GIVE_UP = "it is not tried again"
    ARRIVED = "nothing, it has arrived"
    CENTRE_TRIES = "the service centre goes on trying"
    CENTRE_ENDED = "the service centre has given up, and it is not sent again"


@dataclass(frozen=True, slots=True)
class Cause:
    """One number of the standards: its name there, whose fault it is, a technician's step, and what happens next."""

    name: str
    fault: Fault
    advice: str = ""  # empty: nothing to do but wait
    next: Next = Next.RETRY

    @property
    def permanent(self) -> bool:
        """This message will never pass, whoever sends it and when."""
        return self.next in (Next.GIVE_UP, Next.CENTRE_ENDED)

    def __str__(self) -> str:
        lasting = "permanent" if self.permanent else "transient"
        return f"{self.fault}, {lasting}: {self.next}{self.advice and '; '}{self.advice}"


def _advice(text: str) -> str:
    """Marks what the panel says in Bulgarian too."""
    return text


_NUMBER = _advice("check the recipient's number")
_REPORT = _advice("the message was built wrong: report it with its PDU")
_CONTRACT = _advice("ask the operator whether this SIM may send SMS, and check its credit")
_BARRED = _advice("check the recipient's number, and ask the operator whether this SIM may send SMS")
_SIM = _advice("check that the SIM is inserted well and works in a phone")
_RESTART = _advice("restart the modem if it stays")
_PIN = _advice("check the PIN in [bank] pin_file")
_PUK = _advice("take the PUK from the contract and unlock the SIM in a phone; do not enter a PIN")
_LOCK = _advice("the modem is locked to another SIM or operator: have it unlocked")
_FIXED = _advice("the SIM lets only fixed numbers through: switch that off in a phone")
_FULL = _advice("messages are read out and deleted by themselves; if it stays, empty the storage")
_CENTRE = _advice("set the number of the service centre in the SIM (AT+CSCA)")
_ANTENNA = _advice("check antenna, signal and whether the SIM is active")
_OTHER_MODEM = _advice("use another modem model")
_OTHER_IMEI = _advice("the operator bars this modem (IMEI): use another one")
_HAS_IT = _advice("the service centre has this message already")
_MANUAL = _advice("look the number up in the modem's manual")
_OUT_OF_REACH = _advice("the phone was off or out of reach for as long as the message was valid: try another day")
_PHONE = _advice("the recipient's phone or operator refuses SMS: reach them in another way")
_LATER = _advice("send it again later if it still matters")

_M, _S, _N, _D, _P = Fault.MESSAGE, Fault.SIM, Fault.NETWORK, Fault.MODEM, Fault.PHONE
_GIVE_UP, _ENDED = Next.GIVE_UP, Next.CENTRE_ENDED

CMS: dict[int, Cause] = {
    # 24.011 annex E-2: what the network says of a submit
    1: Cause("unassigned (unallocated) number", _M, _NUMBER, _GIVE_UP),
    8: Cause("operator determined barring", _S, _CONTRACT),
    10: Cause("call barred", _M, _BARRED, _GIVE_UP),
    17: Cause("network failure", _N),
    21: Cause("short message transfer rejected", _N, _CONTRACT),
    22: Cause("memory capacity exceeded", _D, _FULL),
    27: Cause("destination out of service", _N),
    28: Cause("unidentified subscriber", _M, _NUMBER, _GIVE_UP),
    29: Cause("facility rejected", _N, _CONTRACT, _GIVE_UP),
    30: Cause("unknown subscriber", _M, _NUMBER, _GIVE_UP),
    38: Cause("network out of order", _N),
    41: Cause("temporary failure", _N),
    42: Cause("congestion", _N),
    47: Cause("resources unavailable, unspecified", _N),
    50: Cause("requested facility not subscribed", _S, _CONTRACT),
    69: Cause("requested facility not implemented", _N, _CONTRACT, _GIVE_UP),
    81: Cause("invalid short message transfer reference value", _D),
    95: Cause("invalid message, unspecified", _M, _REPORT, _GIVE_UP),
    96: Cause("invalid mandatory information", _M, _REPORT, _GIVE_UP),
    97: Cause("message type non-existent or not implemented", _M, _REPORT, _GIVE_UP),
    98: Cause("message not compatible with short message protocol state", _D),
    99: Cause("information element non-existent or not implemented", _M, _REPORT, _GIVE_UP),
    111: Cause("protocol error, unspecified", _N),
    127: Cause("interworking, unspecified", _N),
    # 23.040, 9.2.3.22: TP-FCS, what the service centre says
    128: Cause("telematic interworking not supported", _M, _REPORT, _GIVE_UP),
    129: Cause("short message Type 0 not supported", _M, _REPORT, _GIVE_UP),
    130: Cause("cannot replace short message", _M, _REPORT, _GIVE_UP),
    143: Cause("unspecified TP-PID error", _M, _REPORT, _GIVE_UP),
    144: Cause("data coding scheme (alphabet) not supported", _M, _REPORT, _GIVE_UP),
    145: Cause("message class not supported", _M, _REPORT, _GIVE_UP),
    159: Cause("unspecified TP-DCS error", _M, _REPORT, _GIVE_UP),
    160: Cause("command cannot be actioned", _M, _REPORT, _GIVE_UP),
    161: Cause("command unsupported", _M, _REPORT, _GIVE_UP),
    175: Cause("unspecified TP-Command error", _M, _REPORT, _GIVE_UP),
    176: Cause("TPDU not supported", _M, _REPORT, _GIVE_UP),
    192: Cause("SC busy", _N),
    193: Cause("no SC subscription", _S, _CONTRACT),
    194: Cause("SC system failure", _N),
    195: Cause("invalid SME address", _M, _NUMBER, _GIVE_UP),
    196: Cause("destination SME barred", _M, _NUMBER, _GIVE_UP),
    197: Cause("SM rejected - duplicate SM", _M, _HAS_IT, _GIVE_UP),
    198: Cause("TP-VPF not supported", _M, _REPORT, _GIVE_UP),
    199: Cause("TP-VP not supported", _M, _REPORT, _GIVE_UP),
    208: Cause("(U)SIM SMS storage full", _D, _FULL),
    209: Cause("no SMS storage capability in (U)SIM", _S, _SIM),
    210: Cause("error in MS", _D, _RESTART),
    211: Cause("memory capacity exceeded", _D, _FULL),
    212: Cause("(U)SIM application toolkit busy", _S),
    213: Cause("(U)SIM data download error", _S),
    255: Cause("unspecified error cause", _N),
    # 27.005, 3.2.5: what the modem itself says
    300: Cause("ME failure", _D, _RESTART),
    301: Cause("SMS service of ME reserved", _D, _RESTART),
    302: Cause("operation not allowed", _D, _RESTART),
    303: Cause("operation not supported", _D, _OTHER_MODEM),
    304: Cause("invalid PDU mode parameter", _M, _REPORT, _GIVE_UP),
    305: Cause("invalid text mode parameter", _M, _REPORT, _GIVE_UP),
    310: Cause("(U)SIM not inserted", _S, _SIM),
    311: Cause("(U)SIM PIN required", _S, _PIN),
    312: Cause("PH-(U)SIM PIN required", _D, _LOCK),
    313: Cause("(U)SIM failure", _S, _SIM),
    314: Cause("(U)SIM busy", _S),
    315: Cause("(U)SIM wrong", _S, _SIM),
    316: Cause("(U)SIM PUK required", _S, _PUK),
    317: Cause("(U)SIM PIN2 required", _S, _SIM),
    318: Cause("(U)SIM PUK2 required", _S, _SIM),
    320: Cause("memory failure", _D, _RESTART),
    321: Cause("invalid memory index", _D),
    322: Cause("memory full", _D, _FULL),
    330: Cause("SMSC address unknown", _S, _CENTRE),
    331: Cause("no network service", _N, _ANTENNA),
    332: Cause("network timeout", _N),
    340: Cause("no +CNMA acknowledgement expected", _D),
    500: Cause("unknown error", _D),
}

CME: dict[int, Cause] = {
    # 27.007, 9.2.1
    0: Cause("phone failure", _D, _RESTART),
    1: Cause("no connection to phone", _D, _RESTART),
    2: Cause("phone-adaptor link reserved", _D, _RESTART),
    3: Cause("operation not allowed", _D, _RESTART),
    4: Cause("operation not supported", _D, _OTHER_MODEM),
    5: Cause("PH-SIM PIN required", _D, _LOCK),
    6: Cause("PH-FSIM PIN required", _D, _LOCK),
    7: Cause("PH-FSIM PUK required", _D, _LOCK),
    10: Cause("SIM not inserted", _S, _SIM),
    11: Cause("SIM PIN required", _S, _PIN),
    12: Cause("SIM PUK required", _S, _PUK),
    13: Cause("SIM failure", _S, _SIM),
    14: Cause("SIM busy", _S),
    15: Cause("SIM wrong", _S, _SIM),
    16: Cause("incorrect password", _S, _PIN),
    17: Cause("SIM PIN2 required", _S, _SIM),
    18: Cause("SIM PUK2 required", _S, _SIM),
    20: Cause("memory full", _D, _FULL),
    21: Cause("invalid index", _D),
    22: Cause("not found", _D),
    23: Cause("memory failure", _D, _RESTART),
    24: Cause("text string too long", _D, _REPORT),
    25: Cause("invalid characters in text string", _D, _REPORT),
    26: Cause("dial string too long", _D, _REPORT),
    27: Cause("invalid characters in dial string", _D, _REPORT),
    30: Cause("no network service", _N, _ANTENNA),
    31: Cause("network timeout", _N),
    32: Cause("network not allowed - emergency calls only", _S, _CONTRACT),
    40: Cause("network personalization PIN required", _D, _LOCK),
    41: Cause("network personalization PUK required", _D, _LOCK),
    42: Cause("network subset personalization PIN required", _D, _LOCK),
    43: Cause("network subset personalization PUK required", _D, _LOCK),
    44: Cause("service provider personalization PIN required", _D, _LOCK),
    45: Cause("service provider personalization PUK required", _D, _LOCK),
    46: Cause("corporate personalization PIN required", _D, _LOCK),
    47: Cause("corporate personalization PUK required", _D, _LOCK),
    48: Cause("hidden key required", _D, _LOCK),
    49: Cause("EAP method not supported", _D, _OTHER_MODEM),
    50: Cause("incorrect parameters", _D, _REPORT),
    51: Cause("command implemented but currently disabled", _D, _RESTART),
    52: Cause("command aborted by user", _D),
    53: Cause("not attached to network due to MT functionality restrictions", _D, _RESTART),
    54: Cause("modem not allowed - MT restricted to emergency calls only", _S, _CONTRACT),
    55: Cause("operation not allowed because of MT functionality restrictions", _D, _RESTART),
    56: Cause("fixed dial number only allowed - called number is not a fixed dial number", _S, _FIXED),
    57: Cause("temporarily out of service due to other MT usage", _D, _RESTART),
    58: Cause("language/alphabet not supported", _D, _OTHER_MODEM),
    59: Cause("unexpected data value", _D, _REPORT),
    60: Cause("system failure", _D, _RESTART),
    61: Cause("data missing", _D, _REPORT),
    62: Cause("call barred", _S, _CONTRACT),
    63: Cause("message waiting indication subscription failure", _S, _CONTRACT),
    100: Cause("unknown", _D),
    # 9.2.2.1: why the network does not let the modem in
    103: Cause("illegal MS", _S, _CONTRACT),
    106: Cause("illegal ME", _D, _OTHER_IMEI),
    107: Cause("GPRS services not allowed", _S, _CONTRACT),
    108: Cause("GPRS services and non-GPRS services not allowed", _S, _CONTRACT),
    111: Cause("PLMN not allowed", _S, _CONTRACT),
    112: Cause("location area not allowed", _S, _CONTRACT),
    113: Cause("roaming not allowed in this location area", _S, _CONTRACT),
    114: Cause("GPRS services not allowed in this PLMN", _S, _CONTRACT),
    115: Cause("no suitable cells in location area", _N, _ANTENNA),
    122: Cause("congestion", _N),
    125: Cause("not authorized for this CSG", _S, _CONTRACT),
    172: Cause("semantically incorrect message", _D, _RESTART),
    173: Cause("mandatory information element error", _D, _RESTART),
    174: Cause("information element non-existent or not implemented", _D, _RESTART),
    175: Cause("conditional IE error", _D, _RESTART),
    176: Cause("protocol error, unspecified", _N),
}

TP_ST: dict[int, Cause] = {
    # it is settled
    0x00: Cause("received by the recipient", _N, next=Next.ARRIVED),
    0x01: Cause("forwarded to the recipient, delivery unconfirmed", _N, next=Next.ARRIVED),
    0x02: Cause("replaced by the service centre", _N, next=Next.ARRIVED),
    # the centre still tries
    0x20: Cause("congestion", _N, next=Next.CENTRE_TRIES),
    0x21: Cause("recipient busy", _P, next=Next.CENTRE_TRIES),
    0x22: Cause("no response from the recipient", _P, next=Next.CENTRE_TRIES),
    0x23: Cause("service rejected", _N, next=Next.CENTRE_TRIES),
    0x24: Cause("quality of service not available", _N, next=Next.CENTRE_TRIES),
    0x25: Cause("error in the recipient's phone", _P, next=Next.CENTRE_TRIES),
    # a permanent error
    0x40: Cause("remote procedure error", _N, _LATER, _ENDED),
    0x41: Cause("incompatible destination", _M, _NUMBER, _ENDED),
    0x42: Cause("connection rejected by the recipient", _P, _PHONE, _ENDED),
    0x43: Cause("not obtainable", _M, _NUMBER, _ENDED),
    0x44: Cause("quality of service not available", _N, _LATER, _ENDED),
    0x45: Cause("no interworking available", _P, _PHONE, _ENDED),
    0x46: Cause("validity period expired", _P, _OUT_OF_REACH, _ENDED),
    0x47: Cause("deleted by the sender", _M, "", _ENDED),
    0x48: Cause("deleted by the service centre's administration", _N, _CONTRACT, _ENDED),
    0x49: Cause("the message does not exist", _N, _LATER, _ENDED),
    # a temporary error, and the centre has given up
    0x60: Cause("congestion", _N, _LATER, _ENDED),
    0x61: Cause("recipient busy", _P, _LATER, _ENDED),
    0x62: Cause("no response from the recipient", _P, _OUT_OF_REACH, _ENDED),
    0x63: Cause("service rejected", _P, _PHONE, _ENDED),
    0x64: Cause("quality of service not available", _N, _LATER, _ENDED),
    0x65: Cause("error in the recipient's phone", _P, _PHONE, _ENDED),
}

_UNKNOWN = Cause("not in the standard", _D, _MANUAL)
_MAKERS = Cause("the maker's own", _D, _MANUAL)
_PACKET_DATA = Cause("an error of packet data", _N)
_TP_ST_GROUPS = (  # the first number behind each group, and what its reserved and its centre-specific numbers mean
    (0x20, Cause("settled, in the service centre's own words", _N, next=Next.ARRIVED)),
    (0x40, Cause("the service centre's own reason", _N, next=Next.CENTRE_TRIES)),
    (0x60, Cause("the service centre's own permanent error", _N, _LATER, _ENDED)),
    (0x80, Cause("the service centre's own temporary error", _N, _LATER, _ENDED)),
    (0x100, Cause("reserved, read as service rejected", _P, _PHONE, _ENDED)),
)


def cms(code: int) -> Cause:
    """What +CMS ERROR says; numbers that a standard keeps for later are read as it wants them read."""
    if code in CMS:
        return CMS[code]
    if code < 128:
        return CMS[41]  # 24.011, 8.2.5.4 and annex E-2: any other value is a temporary failure
    if code < 256:
        return CMS[255]
    return _UNKNOWN if code < 512 else _MAKERS


def cme(code: int) -> Cause:
    """What +CME ERROR says."""
    return CME.get(code) or (_PACKET_DATA if 126 <= code <= 256 else _UNKNOWN if code < 512 else _MAKERS)


def tp_st(status: int) -> Cause:
    """What the service centre says in a status report, 0 … 255; a number without a name means what its group means."""
    return TP_ST.get(status) or next(cause for end, cause in _TP_ST_GROUPS if status < end)
