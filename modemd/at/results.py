"""Final result codes (V.250, 5.7.1; 27.005, 3.2.5; 27.007, 9.2). What their numbers mean stands in `modemd.causes`."""

import re
from dataclasses import dataclass

from modemd import causes
from modemd.causes import CME, CMS, Cause, Fault

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
        """What the number means."""
        if self.code is None:
            return _PLAIN
        return causes.cms(self.code) if self.family == "S" else causes.cme(self.code)

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
