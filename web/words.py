"""The panel's words for states and kinds, one each, the same on every page."""

from dataclasses import dataclass
from typing import Any

from flask_babel import lazy_gettext, lazy_pgettext

from modemd.service.consent import CUSTOMER
from modemd.service.reminders.rules import Reason
from modemd.service.tokens import Scope
from modemd.store.schema import HookEvent, Telling

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

# What somebody can do about a state of which no reason is known.
_WAIT = lazy_gettext("Wait: it is being brought back by itself.")
TO_DO = {
    "silent": _WAIT,
    "recovering": _WAIT,
    "absent": lazy_gettext("Check the cable, the hub and its power."),
    "unregistered": lazy_gettext("Check the antenna, and whether the SIM is active."),
}

SWITCH = {
    "all": Word(lazy_gettext("Send everything"), "good", lazy_gettext("Everything is being sent again.")),
    "answers": Word(
        lazy_gettext("Answers and codes only"),
        "warn",
        lazy_gettext("Only answers and codes are being sent: the switch stands so."),
    ),
    "none": Word(lazy_gettext("Send nothing"), "bad", lazy_gettext("Nothing is being sent: the switch stands so.")),
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


# What a technician can want of a modem, and how such a wish stands.
VERBS = {
    "pause": Word(
        lazy_pgettext("verb", "Pause"),
        "",
        lazy_gettext("Let go of the modem, also over restarts, until it is resumed."),
    ),
    "resume": Word(lazy_pgettext("verb", "Resume"), "", lazy_gettext("Use the paused modem again.")),
    "restart": Word(
        lazy_pgettext("verb", "Begin anew"),
        "",
        lazy_gettext("Close its port and start with it anew: a new SIM, a new PIN."),
    ),
    "reset": Word(
        lazy_pgettext("verb", "Restart the modem"), "", lazy_gettext("The modem itself starts anew; a minute.")
    ),
    "ussd": Word(lazy_pgettext("verb", "USSD"), ""),
    "pin": Word(lazy_pgettext("verb", "New PIN"), ""),
    "say": Word(lazy_pgettext("verb", "Console"), ""),
    "transcript": Word(
        lazy_pgettext("verb", "Transcript"),
        "",
        lazy_gettext("The last of the dialogue with it, numbers and texts masked."),
    ),
}
WISH_STATES = {
    "pending": Word(lazy_pgettext("wish", "waits"), "busy"),
    "taken": Word(lazy_pgettext("wish", "under way"), "busy"),
    "done": Word(lazy_pgettext("wish", "done"), "good"),
    "refused": Word(lazy_pgettext("wish", "not done"), "bad"),
}
DECISIONS = {
    "resend": lazy_gettext("Send once more"),
    "drop": lazy_gettext("Leave as it is"),
}
VERDICTS = {
    "ours": lazy_gettext("Yes, this is a message of ours."),
    "not_ours": lazy_gettext("No. We have sent no such message."),
    "maybe": lazy_gettext("Perhaps: something left for this phone that day, from a sender that we cannot compare."),
}


ROLES = {
    "technician": lazy_pgettext("role", "technician"),
    "operator": lazy_pgettext("role", "operator"),
    "manager": lazy_pgettext("role", "manager"),
    "admin": lazy_pgettext("role", "administrator"),
}

SCOPES = {
    Scope.SEND: lazy_gettext("send"),
    Scope.READ: lazy_gettext("see what became of it"),
    Scope.INBOX: lazy_gettext("read what comes in"),
    Scope.LINES: lazy_gettext("see the lines"),
    Scope.REPORTS: lazy_gettext("see the figures"),
}

HOOK_EVENTS = {
    HookEvent.INCOMING.value: lazy_gettext("what comes in"),
    HookEvent.STATE.value: lazy_gettext("states of programs' messages"),
}
TELLINGS = {
    Telling.WAITING.value: Word(lazy_gettext("waits"), "busy"),
    Telling.DONE.value: Word(lazy_gettext("told"), "good"),
    Telling.GIVEN_UP.value: Word(lazy_gettext("given up"), "bad"),
}


CAMPAIGN_KINDS = {
    "reminder": lazy_gettext("Reminders"),
    "outage": lazy_gettext("Outage"),
}
CAMPAIGN_STATES = {
    "proposed": Word(lazy_pgettext("run", "previewed"), "busy", lazy_gettext("It waits for approval.")),
    "approved": Word(lazy_pgettext("run", "approved"), "busy", lazy_gettext("It waits for its start.")),
    "running": Word(lazy_pgettext("run", "running"), "good", lazy_gettext("Messages leave while the window is open.")),
    "paused": Word(lazy_pgettext("run", "paused"), "warn", lazy_gettext("Nothing leaves until a person says so.")),
    "done": Word(lazy_pgettext("run", "done"), "good"),
    "cancelled": Word(lazy_pgettext("run", "cancelled"), "quiet"),
    "void": Word(lazy_pgettext("run", "void"), "quiet", lazy_gettext("Newer data have come. Make the preview again.")),
}
RECIPIENT_WAITING = Word(lazy_pgettext("recipient", "to be handed over"), "busy")
LEFT_OUT = {
    "paid": lazy_gettext("paid"),
    "cancelled": lazy_gettext("cancelled by billing"),
    "vulnerable": lazy_gettext("vulnerable customer"),
    "disputed": lazy_gettext("disputed"),
    "instalments": lazy_gettext("in instalments"),
    "no_reminders": lazy_gettext("no reminders wanted"),
    "no_cutoff": lazy_gettext("no cut-off date"),
    "not_overdue": lazy_gettext("not overdue for 2 working days"),
    "cutoff_near": lazy_gettext("cut-off nearer than 3 working days"),
    "reminded": lazy_gettext("reminded before"),
    "inactive": lazy_gettext("customer not active"),
    "no_phone": lazy_gettext("no phone registered"),
    "wrong_number": lazy_gettext("wrong number"),
    "stopped": lazy_gettext("stopped by the customer"),
    "no_consent": lazy_gettext("reminders not chosen"),
    "changed": lazy_gettext("changed since the preview"),
    "moved": lazy_gettext("the phone is not the customer's any more"),
}
FILE_STATES = {
    "loading": Word(lazy_pgettext("file", "being taken in"), "busy"),
    "imported": Word(lazy_pgettext("file", "taken in"), "good"),
    "held": Word(lazy_pgettext("file", "held"), "warn"),
    "approved": Word(lazy_pgettext("file", "approved"), "busy", lazy_gettext("It is taken in next.")),
    "refused": Word(lazy_pgettext("file", "refused"), "bad"),
}
SERVICES = {
    "bill": lazy_gettext("bill check"),
    "reminder": lazy_gettext("reminders"),
    "outage": lazy_gettext("outage notices"),
}
CHANNELS = {
    "kep": lazy_gettext("portal, qualified signature"),
    "password": lazy_gettext("portal, password"),
    "centre": lazy_gettext("customer centre"),
    "command": lazy_gettext("by the administrator"),
    "stop": lazy_gettext("STOP from the phone"),
    "wrong_number": lazy_gettext("marked as a wrong number"),
}
ACTORS = {  # who did something, where it was nobody of staff
    "command": lazy_pgettext("who", "command line"),
    CUSTOMER: lazy_pgettext("who", "customer"),
}
TEXTS = {
    "reminder": lazy_gettext("Reminder"),
    "reminder_several": lazy_gettext("Reminder, several customers"),
    "outage": lazy_gettext("Planned outage"),
    "outage_off": lazy_gettext("Outage called off"),
    "welcome": lazy_gettext("Welcome"),
    "code_portal": lazy_gettext("Code for the portal"),
    "code_centre": lazy_gettext("Code at the customer centre"),
}
LANGUAGES = {
    "bg-Latn": lazy_gettext("Bulgarian in Latin letters"),
    "bg-Cyrl": lazy_gettext("Bulgarian in Cyrillic"),
    "en": lazy_gettext("English"),
}


def recipient_state(state: str) -> Word:
    return RECIPIENT_WAITING if state == "waiting" else message_state(state)


def left_out(reason: str) -> Words:
    """Why somebody gets no reminder, by the key of the reason or its words."""
    if reason in LEFT_OUT:
        return LEFT_OUT[reason]
    key = next((each.key for each in Reason if each.value == reason), "")
    return LEFT_OUT.get(key, reason)


def wish_state(state: str) -> Word:
    return WISH_STATES.get(state) or Word(state, "quiet")


def modem_state(state: str) -> Word:
    return MODEM_STATES.get(state) or Word(state, "warn")


def message_state(state: str) -> Word:
    return MESSAGE_STATES.get(state) or Word(state, "quiet")


def actor(who: str | None) -> Words:
    return ACTORS.get(who or "", who or "")


def kind(name: str | None) -> Words:
    return KINDS.get(name or "", name or "")
