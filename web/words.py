"""The panel's words for states and kinds, one each, the same on every page."""

from dataclasses import dataclass
from typing import Any

from flask_babel import lazy_gettext, lazy_pgettext

Words = Any  # flask_babel's LazyString, which has no type of its own that mypy could compare with str


@dataclass(frozen=True, slots=True)
class Word:
    text: Words
    tone: str  # good, busy, warn, bad, quiet: its colour in panel.css
    explained: Words = ""


# The worst first: in this order they stand on the first page.
MODEM_STATES = {
    "quarantined": Word(
        lazy_pgettext("modem", "quarantined"),
        "bad",
        lazy_gettext("It needs a person: what is wrong does not pass by itself. It is tried again now and then."),
    ),
    "silent": Word(
        lazy_pgettext("modem", "silent"),
        "bad",
        lazy_gettext("It gives no answer. It is being brought back; the other lines send meanwhile."),
    ),
    "recovering": Word(
        lazy_pgettext("modem", "recovering"),
        "warn",
        lazy_gettext("It was silent and is being brought back; the other lines send meanwhile."),
    ),
    "absent": Word(
        lazy_pgettext("modem", "absent"),
        "bad",
        lazy_gettext("The port is not there. Check the cable, the hub and its power."),
    ),
    "unregistered": Word(
        lazy_pgettext("modem", "no network"),
        "warn",
        lazy_gettext("The modem works but finds no network. Check the antenna and the SIM."),
    ),
    "paused": Word(
        lazy_pgettext("modem", "paused"),
        "quiet",
        lazy_gettext("Stopped by a technician. It sends and receives nothing."),
    ),
    "starting": Word(
        lazy_pgettext("modem", "starting"),
        "busy",
        lazy_gettext("It is being set up. This takes a few seconds."),
    ),
    "ready": Word(lazy_pgettext("modem", "ready"), "good"),
}

MESSAGE_STATES = {
    "queued": Word(lazy_pgettext("message", "waiting"), "busy"),
    "sending": Word(lazy_pgettext("message", "being sent"), "busy"),
    "sent": Word(lazy_pgettext("message", "sent"), "busy", lazy_gettext("The network has it.")),
    "delivered": Word(lazy_pgettext("message", "delivered"), "good", lazy_gettext("It is on the phone.")),
    "undelivered": Word(lazy_pgettext("message", "undelivered"), "bad"),
    "expired": Word(lazy_pgettext("message", "expired"), "bad"),
    "in_doubt": Word(
        lazy_pgettext("message", "in doubt"),
        "warn",
        lazy_gettext("The modem's last answer was never seen. The status report will tell."),
    ),
    "held": Word(
        lazy_pgettext("message", "held"),
        "warn",
        lazy_gettext("It may have been sent and must not be sent twice: a person decides."),
    ),
    "failed": Word(lazy_pgettext("message", "failed"), "bad"),
    "skipped": Word(lazy_pgettext("message", "skipped"), "quiet"),
    "cancelled": Word(lazy_pgettext("message", "cancelled"), "quiet"),
    "new": Word(lazy_pgettext("message", "new"), "busy", lazy_gettext("Its answer is being written.")),
    "done": Word(lazy_pgettext("message", "answered"), "good"),
    "unread": Word(lazy_pgettext("message", "not understood"), "warn"),
    "unreadable": Word(lazy_pgettext("message", "unreadable"), "bad"),
}

KINDS = {
    "reply": lazy_pgettext("kind", "answer"),
    "reminder": lazy_pgettext("kind", "reminder"),
    "outage": lazy_pgettext("kind", "outage"),
    "otp": lazy_pgettext("kind", "code"),
    "api": lazy_pgettext("kind", "from a program"),
    "manual": lazy_pgettext("kind", "by hand"),
    "bill": lazy_pgettext("kind", "bill check"),
    "stop": lazy_pgettext("kind", "stop"),
    "help": lazy_pgettext("kind", "help"),
    "number": lazy_pgettext("kind", "customer number"),
    "unknown": lazy_pgettext("kind", "other text"),
}


def modem_state(state: str) -> Word:
    return MODEM_STATES.get(state) or Word(state, "warn")


def message_state(state: str) -> Word:
    return MESSAGE_STATES.get(state) or Word(state, "quiet")


def kind(name: str | None) -> Words:
    return KINDS.get(name or "", name or "")
