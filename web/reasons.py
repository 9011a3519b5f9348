"""Why something is as it is and what to do, in the reader's language: sentences made of codes and facts.

A code is the name of an error or a word of the daemon's (messages.Reason); it stands in one table, here. What has no
sentence is shown in the daemon's own words.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask_babel import gettext, lazy_gettext

from modemd import causes
from modemd.causes import Cause, Fault
from modemd.messages import Reason
from web import formats, refusals
from web.words import MODEM_STATES, Words


@dataclass(frozen=True, slots=True)
class Sentence:
    """What it is, and what somebody has to do; %(name)s are the facts."""

    what: Words
    do: Words = ""


_PIN = lazy_gettext("Do not try further PINs in a phone: three wrong ones lock the SIM.")
_PLUG = lazy_gettext("Unplug the modem and plug it in again; if that does not help, put another one in its place.")

SENTENCES: Mapping[str, Sentence] = {
    # what the modem's port says
    "PortMissing": Sentence(
        lazy_gettext("The port is not there."), lazy_gettext("Check the cable, the hub and its power.")
    ),
    "PortGone": Sentence(
        lazy_gettext("The modem was unplugged or has lost its power."),
        lazy_gettext("Check the cable, the hub and its power."),
    ),
    "PortBusy": Sentence(
        lazy_gettext("Another program uses the port (%(holder)s)."),
        lazy_gettext("Stop it; often it is ModemManager."),
    ),
    "PortForbidden": Sentence(
        lazy_gettext("The service may not open the port."),
        lazy_gettext("Add its user to the group that owns the port, often dialout."),
    ),
    "PortClosed": Sentence(lazy_gettext("The port cannot be opened: %(error)s."), _PLUG),
    "PortTaken": Sentence(lazy_gettext("Another modem is at its port now.")),
    "NotAModem": Sentence(lazy_gettext("What is at this port does not answer as a modem does."), _PLUG),
    "NotPlugged": Sentence(lazy_gettext("The modem is not plugged in.")),
    # silence, and the ladder
    "CommandTimeout": Sentence(lazy_gettext("No answer to %(command)s in %(seconds)s s.")),
    "OnRung": Sentence(lazy_gettext("%(rung)s, try %(step)s of %(of)s."), lazy_gettext("Wait until %(until)s.")),
    "NothingHelped": Sentence(
        lazy_gettext("It does not answer, and nothing that we tried has helped. The next try is at %(again_at)s."),
        _PLUG,
    ),
    "NotComeBack": Sentence(lazy_gettext("It was restarted and has not come back."), _PLUG),
    "OurError": Sentence(
        lazy_gettext("Something went wrong in the service itself. It is tried again by itself."),
        lazy_gettext("The administrator finds the reason in the log."),
    ),
    "StartupRefused": Sentence(
        lazy_gettext("The modem refuses %(command)s, without which it cannot be used."),
        lazy_gettext("Use another modem model."),
    ),
    "CommandRefused": Sentence(lazy_gettext("The modem refused %(command)s: %(result)s.")),
    # the SIM
    "SimMissing": Sentence(
        lazy_gettext("There is no SIM, or it does not answer."),
        lazy_gettext("Insert the SIM well and restart the modem."),
    ),
    "SimChanged": Sentence(lazy_gettext("Another SIM was put in while it was working.")),
    "SimLocked": Sentence(
        lazy_gettext("The modem is locked to another SIM or operator (%(lock)s)."),
        lazy_gettext("Have it unlocked or use another one."),
    ),
    "PinRequired": Sentence(
        lazy_gettext("The SIM wants a PIN and none is set."), lazy_gettext("Give its PIN on the modem's page.")
    ),
    "PinWrong": Sentence(
        lazy_gettext("The SIM refused its PIN; it will not be tried again."),
        lazy_gettext("Look the PIN up in the contract and give it on the modem's page."),
    ),
    "PinNotTried": Sentence(lazy_gettext("The PIN was not tried: %(reason)s."), _PIN),
    "PinLastTry": Sentence(
        lazy_gettext("The SIM has too few tries left (%(left)s), so its PIN was not entered."),
        lazy_gettext("Enter the right PIN in a phone once, then restart the modem."),
    ),
    "PinTriedBefore": Sentence(
        lazy_gettext("This PIN was tried on this SIM before and refused; it is not tried twice."),
        lazy_gettext("Look the PIN up in the contract and give it on the modem's page."),
    ),
    "PinUnreadable": Sentence(
        lazy_gettext("The file with the PIN (%(path)s) cannot be read: %(error)s."),
        lazy_gettext("Give the PIN on the modem's page."),
    ),
    "PinUnwritable": Sentence(lazy_gettext("The PIN cannot be kept in %(path)s: %(error)s.")),
    "NoPinInFile": Sentence(
        lazy_gettext("The file %(path)s does not hold a PIN of 4 to 8 digits."),
        lazy_gettext("Give the PIN on the modem's page."),
    ),
    "NoPin": Sentence(lazy_gettext("A PIN has 4 to 8 digits.")),
    "PukRequired": Sentence(
        lazy_gettext("The SIM wants its PUK. It does not send."),
        lazy_gettext("Do not enter a PIN; take the PUK from the contract and unlock the SIM in a phone."),
    ),
    "NotAdopted": Sentence(
        lazy_gettext("A SIM seen for the first time: it sends nothing until you accept it."),
        lazy_gettext("Accept it on the modem's page."),
    ),
    # the network
    "NoNetwork": Sentence(
        lazy_gettext("It finds no network (%(registration)s)."),
        lazy_gettext("Check the antenna, and whether the SIM is active."),
    ),
    # people and the daemon
    "ByTechnician": Sentence(lazy_gettext("Done by a technician.")),
    "ModemPaused": Sentence(lazy_gettext("A technician has paused the modem.")),
    "DaemonStopped": Sentence(lazy_gettext("The service is not running.")),
    "Stale": Sentence(lazy_gettext("The service was not running when it was asked for. Ask again.")),
    "Forsaken": Sentence(lazy_gettext("The service was stopped meanwhile. Ask again.")),
    "NotInTime": Sentence(lazy_gettext("It was not done in %(seconds)s s.")),
    "NotNow": Sentence(lazy_gettext("That cannot be done now; the state of the modem: %(state)s.")),
    "Unsettled": Sentence(lazy_gettext("It was done, and the modem is not well. Its state: %(state)s.")),
    "ModemError": Sentence(lazy_gettext("It cannot be done: %(reason)s.")),
    # USSD and console
    "UssdRefused": Sentence(lazy_gettext("A USSD code has digits, * and # only, for example *100#.")),
    "UssdUnanswered": Sentence(lazy_gettext("The operator gave no answer to the code.")),
    "UssdLate": Sentence(lazy_gettext("The operator did not answer the code in %(seconds)s s.")),
    "ConsoleRefused": Sentence(lazy_gettext("%(command)s is not let through: %(why)s")),
}

RUNGS = {
    "resync": lazy_gettext("We are bringing it back into step"),
    "reopen": lazy_gettext("We are opening its port anew"),
    "soft reset": lazy_gettext("We are restarting it"),
    "vendor reset": lazy_gettext("We are restarting it in its maker's own way"),
    "usb": lazy_gettext("We are taking it off the USB bus and giving it back"),
    "hub power": lazy_gettext("We are switching the power of its port off and on"),
}
RUNG_NAMES = {
    "resync": lazy_gettext("back into step"),
    "reopen": lazy_gettext("open the port anew"),
    "soft reset": lazy_gettext("restart"),
    "vendor reset": lazy_gettext("the maker's restart"),
    "usb": lazy_gettext("off the USB bus and back"),
    "hub power": lazy_gettext("power off and on"),
}
REGISTRATIONS = {
    "off": lazy_gettext("it does not look for one"),
    "searching": lazy_gettext("it is looking for one"),
    "denied": lazy_gettext("the network turns the SIM away"),
    "unknown": lazy_gettext("it does not say why"),
    "emergency": lazy_gettext("emergency calls only"),
}
NOT_LET_THROUGH = {
    "locks": lazy_gettext("it could lock the SIM or the modem."),
    "sends": lazy_gettext("it sends or costs money; use a test message or USSD."),
    "deletes": lazy_gettext("it deletes messages."),
    "texts": lazy_gettext("it shows messages or numbers of customers."),
    "restarts": lazy_gettext("it stops or restarts the modem; there are buttons for that."),
    "calls": lazy_gettext("it is about calls."),
    "sets": lazy_gettext("it changes settings that the service relies on."),
    "unknown": lazy_gettext("it is not known to be harmless."),
    "slow": lazy_gettext("it keeps the modem busy for minutes."),
    "form": lazy_gettext("write one command, for example AT+CSQ or AT+COPS?"),
}
FAULTS = {
    Fault.MESSAGE: lazy_gettext("the message or its number"),
    Fault.SIM: lazy_gettext("the SIM"),
    Fault.NETWORK: lazy_gettext("the network"),
    Fault.MODEM: lazy_gettext("the modem"),
    Fault.PHONE: lazy_gettext("the recipient's phone"),
}
NEXT = {
    causes.Next.RETRY: lazy_gettext("It is tried again by itself."),
    causes.Next.GIVE_UP: lazy_gettext("It is not tried again."),
    causes.Next.ARRIVED: "",
    causes.Next.CENTRE_TRIES: lazy_gettext("The operator goes on trying."),
    causes.Next.CENTRE_ENDED: lazy_gettext("The operator has given up; it is not sent again."),
}
_TIMES = frozenset({"until", "again_at"})
_OF_MODEM = re.compile(r"\+CM([SE]) ERROR: *(\d{1,3})")
_OF_REPORT = re.compile(r"status report (\d{1,3})")


_WANTS_PIN = {"PinRequired", "PinWrong", "PinTriedBefore", "PinUnreadable", "NoPinInFile"}


def wants_pin(reason: Reason | None) -> bool:
    """Whether a PIN given on the modem's page is what helps."""
    return reason is not None and reason.code in _WANTS_PIN


def what(reason: Reason) -> str:
    """What it is, in a sentence."""
    sentence = SENTENCES.get(reason.code)
    return formats.visible(str(reason)) if sentence is None else _fill(sentence.what, reason)


def do(reason: Reason) -> str:
    """What somebody has to do; empty: nothing, or it is not known."""
    if reason.code == "CommandRefused" and (found := cause_in(str(reason.facts.get("result", "")))):
        return advice(found[1])
    sentence = SENTENCES.get(reason.code)
    return _fill(sentence.do, reason) if sentence is not None else ""


def _fill(text: Words, reason: Reason) -> str:
    return str(text) % _Facts({name: _fact(name, fact) for name, fact in reason.facts.items()})


class _Facts(dict[str, str]):
    def __missing__(self, name: str) -> str:
        return "?"


def _fact(name: str, fact: Any) -> str:
    if name in _TIMES:
        return formats.moment(datetime.fromisoformat(str(fact)))
    words = {
        "rung": RUNGS,
        "registration": REGISTRATIONS,
        "why": NOT_LET_THROUGH,
        "state": {key: word.text for key, word in MODEM_STATES.items()},
    }
    return formats.visible(str(words.get(name, {}).get(str(fact), fact)))


def cause_in(words: str) -> tuple[str, Cause] | None:
    """The number and the cause that a modem or a status report has named, if these words tell of one."""
    if found := _OF_MODEM.search(words):
        of = causes.cms if found[1] == "S" else causes.cme
        return f"CM{found[1]} {found[2]}", of(int(found[2]))
    if found := _OF_REPORT.search(words):
        return f"TP-ST {found[1]}", causes.tp_st(int(found[1]))
    return None


def cause(number: str, found: Cause) -> str:
    """A number of the standards in plain words: what, whose fault, what next, what to do.

    Beside a fault stands its name in the standard, by which people look it up.
    """
    what, arrived = gettext(found.name), found.next is causes.Next.ARRIVED
    beside = number if arrived or what == found.name else f"{number}: {found.name}"
    said = [f"{what[:1].upper()}{what[1:]} ({beside})."]
    if not arrived:
        said.append(gettext("The fault lies with %(fault)s.", fault=FAULTS[found.fault]))
        said.append(str(NEXT[found.next]))
        said.append(advice(found) or gettext("There is nothing to do but wait."))
    return " ".join(said)


def advice(cause: Cause) -> str:
    """What a technician can do about it, as a sentence."""
    translated = gettext(cause.advice) if cause.advice else ""
    return f"{translated[:1].upper()}{translated[1:]}." if translated else ""


def of_status(status: int | None) -> str:
    """What a status report says, in plain words; empty: none has come."""
    if status is None:
        return ""
    return cause(f"TP-ST {status}", causes.tp_st(status))


def of_message(words: str | None) -> str:
    """Why a message did not pass, in plain words, from what is kept with it."""
    if not words:
        return ""
    found = cause_in(words)
    return refusals.reason(words) if found is None else cause(*found)
