"""The AT console: what an administrator may say to a modem, and why the rest is refused.

What only reads is let through: AT, ATI, AT+X? and AT+X=?, and AT+X of the commands that tell something. What could
send, lock, delete, cost money, show texts, or change what the daemon relies on is not. One command at a time.
"""

import re

from modemd.at.commands import Command, Replies
from modemd.errors import ConsoleRefused
from modemd.modem.masking import mask

SECONDS = 30.0  # for an answer: some ask the network
MOST_OCTETS = 8_192  # of an answer that is kept

_FORM = re.compile(r"AT(?:(?P<basic>[A-Z])\d?|(?P<name>[+^$*#%!][A-Z0-9_]{1,24})(?P<does>\?|=\?|=[A-Z0-9,\".+*#-]+)?)?")

# Refused whatever is done with them; the panel has a sentence for each word.
_REFUSED = {
    "locks": "+CPIN +CPIN2 +CPUK +CLCK +CPWD +CPINR +CRSM +CSIM +CGLA ^CARDLOCK ^SIMLOCK +SIMLOCK ^CPIN +EPIN",
    "sends": "+CMGS +CMGC +CMSS +CMGW +CMMS +CNMA +CUSD",
    "deletes": "+CMGD +CMGDA +CPBW",
    "texts": "+CMGR +CMGL +CPBR +CPBF +CNUM",
    "restarts": "+CFUN ^RESET +CRESET ^RFSWITCH +CPOF +CPWROFF +QPOWD ^U2DIAG +NRB !RESET #REBOOT +CMUX +IPR ^SETPORT",
    "calls": "D A H +CHUP +CHLD +VTS +CTFR",
}
_WHY = {name: why for why, names in _REFUSED.items() for name in names.split()}
_TELLING = """
    +CSQ +CESQ +CGMI +CGMM +CGMR +CGSN +GSN +GMI +GMM +GMR +CIMI +CCID +ICCID ^ICCID +QCCID +CPAS +CEER
    +GCAP ^SYSINFO ^SYSINFOEX ^HCSQ +QNWINFO +QCSQ +CPSI
"""
_TELLS = frozenset(_TELLING.split())
_MAY_BE_SET = frozenset({"+CSCA", "+CCLK", "+CTZU"})  # nothing else reads or needs them


def command(text: str) -> Command[str]:
    """The command that the text is. Raises ConsoleRefused, whose `why` is one word."""
    wanted = text.strip().upper()
    found = _FORM.fullmatch(wanted) if wanted.isascii() and len(wanted) <= 80 else None
    if found is None:
        raise ConsoleRefused(command=wanted[:40], why="form")
    name, does = found["name"] or found["basic"] or "", found["does"]
    if why := _WHY.get(name) or _why_not(name, does, basic=found["basic"]):
        raise ConsoleRefused(command=wanted, why=why)
    own = re.compile(rb"(?![+^*$%#!_]).+|" + re.escape(name.encode()) + rb":.*", re.IGNORECASE | re.DOTALL)
    return Command(wanted, _in_words, own, SECONDS)


def _why_not(name: str, does: str | None, *, basic: str | None) -> str | None:
    if basic is not None:
        return None if basic == "I" else "sets"
    if not name or does == "?":
        return None
    if does == "=?":
        return "slow" if name == "+COPS" else None
    if does is not None:
        return None if name in _MAY_BE_SET else "sets"
    return None if name in _TELLS else "unknown"


def _in_words(replies: Replies) -> str:
    """What it said, numbers and texts masked; OK when it said nothing else."""
    said = b"\n".join(line for reply in replies for line in (reply.line, reply.pdu) if line)[:MOST_OCTETS]
    return mask(said).decode("utf-8", "backslashreplace") or "OK"
