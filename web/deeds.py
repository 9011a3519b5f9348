"""What people of staff did, in the reader's language: entries of the audit log.

The log is kept in English, and its hashes cover the words: they are read here where they are shown, and never changed.
What a person wrote (a reason, a note, a text), names and numbers stay as they are.
"""

import json
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date

from flask_babel import gettext, lazy_gettext

from modemd.audit import Entry
from web import formats, words
from web.words import Words

Reader = Callable[[str], str | None]  # None: it is of another shape


@dataclass(frozen=True, slots=True)
class Deed:
    """An action, and the shapes that its subject and its detail are kept in."""

    said: Words
    subject: tuple[Reader, ...] = ()
    detail: tuple[Reader, ...] = ()


@dataclass(frozen=True, slots=True)
class Shape:
    """A sentence as it is kept, with the names of its facts in braces, and as it is said, with %(name)s."""

    kept: str
    said: Words

    def __call__(self, text: str) -> str | None:
        shape = re.sub(r"\\\{(\w+)\\\}", r"(?P<\1>.+)", re.escape(self.kept))
        found = re.fullmatch(shape, text, re.DOTALL)
        if found is None:
            return None
        return str(self.said) % {name: _fact(name, fact) for name, fact in found.groupdict().items()}


def what(entry: Entry) -> str:
    """The action."""
    deed = DEEDS.get(entry.action)
    return formats.visible(entry.action) if deed is None else str(deed.said)


def whom(entry: Entry) -> str:
    """Whom or what it was about."""
    return _read(entry.subject, DEEDS[entry.action].subject if entry.action in DEEDS else ())


def detail(entry: Entry) -> str:
    return _read(entry.detail, DEEDS[entry.action].detail if entry.action in DEEDS else ())


def _read(text: str, readers: Iterable[Reader]) -> str:
    """As the first says that knows it; else as it is kept."""
    found = (said for reader in readers if (said := reader(text)) is not None)
    return formats.visible(next(found, text))


def _fact(name: str, fact: str) -> str:
    return _FACTS[name](fact) if name in _FACTS else fact


def _among(of: Mapping[str, Words], separator: str = ", ") -> Callable[[str], str]:
    """Several words of a table."""
    return lambda kept: ", ".join(str(of.get(each, each)) for each in kept.split(separator))


def _word(of: Mapping[str, Words]) -> Reader:
    return lambda kept: str(of[kept]) if kept in of else None


def _settings(kept: str) -> str | None:
    """number=+35988•••567, per_day=500"""
    pairs = [each.partition("=") for each in kept.split(", ")]
    if not all(name in _SETTINGS for name, _, _ in pairs):
        return None
    return "; ".join(f"{_SETTINGS[name]}: {value}" for name, _, value in pairs)


def _figures(kept: str) -> str | None:
    """{"points": 2, "customers": 2, "recipients": 1}"""
    try:
        found = json.loads(kept)
    except ValueError:
        return None
    return "; ".join(f"{_FIGURES.get(name, name)}: {value}" for name, value in found.items())


def _text_of(kept: str) -> str | None:
    """reminder bg-Latn"""
    name, _, language = kept.partition(" ")
    if name not in words.TEXTS or language not in words.LANGUAGES:
        return None
    return f"{words.TEXTS[name]}, {words.LANGUAGES[language]}"


def _held(kept: str) -> str | None:
    """The name of a file, and why it was held: a sentence of those that are kept with files, too."""
    name, _, why = kept.partition(": ")
    for sentence in HELD:
        said = gettext(sentence)
        read = Shape(_plain(sentence), re.sub(r"\{(\w+)\}", r"%(\1)s", _plain(said).replace("%", "%%")))(why)
        if read is not None:
            return f"{name}: {read}"
    return None


def _plain(sentence: str) -> str:
    """Its facts without how they are to be written: they are."""
    return re.sub(r"\{(\w+):[^}]*\}", r"{\1}", sentence)


HELD = (
    "its rows move from {before} to {now}, more than {most:.0%} from the last FULL file",
    "its open sum moves from {before} to {now}, more than {most:.0%} from the last FULL file",
)
_SETTINGS: Mapping[str, Words] = {
    "number": lazy_gettext("Its own number"),
    "replaces": lazy_gettext("Stands in for"),
    "per_minute": lazy_gettext("Parts a minute"),
    "per_day": lazy_gettext("Parts a day"),
    "per_month": lazy_gettext("Parts a month"),
}
_FIGURES: Mapping[str, Words] = {
    "points": lazy_gettext("metering points"),
    "customers": lazy_gettext("customers"),
    "recipients": lazy_gettext("recipients"),
}
_FACTS: Mapping[str, Callable[[str], str]] = {
    "kind": _among(words.CAMPAIGN_KINDS),
    "services": _among(words.SERVICES),
    "scopes": _among({str(scope): said for scope, said in words.SCOPES.items()}, " "),
    "verdict": _among(words.VERDICTS),
    "day": lambda kept: formats.date(date.fromisoformat(kept)),
}
_CAMPAIGN = (Shape("campaign {id}", lazy_gettext("run %(id)s")),)
_MESSAGE = (Shape("message {ids}", lazy_gettext("message %(ids)s")),)
_TEXT = (Shape("text {id}", lazy_gettext("text %(id)s")),)
_RUN = (
    Shape(
        "{kind}, {recipients} recipients, preview {fingerprint}",
        lazy_gettext("%(kind)s; recipients: %(recipients)s; preview %(fingerprint)s"),
    ),
)
_FILE = (_held, Shape("{name} by modemd import", lazy_gettext("%(name)s, with the command modemd import")))
_HOOK = (_among(words.HOOK_EVENTS, " "),)

DEEDS: Mapping[str, Deed] = {
    "account.hand-out": Deed(lazy_gettext("Access to the portal handed out")),
    "campaign.approve": Deed(lazy_gettext("Run approved"), _CAMPAIGN, _RUN),
    "campaign.cancel": Deed(lazy_gettext("Run cancelled"), _CAMPAIGN, _RUN),
    "campaign.pause": Deed(lazy_gettext("Run paused"), _CAMPAIGN, _RUN),
    "campaign.resume": Deed(lazy_gettext("Run resumed"), _CAMPAIGN, _RUN),
    "campaign.start": Deed(lazy_gettext("Run started"), _CAMPAIGN, _RUN),
    "campaign.test": Deed(lazy_gettext("Texts of a run sent to an own phone"), _CAMPAIGN),
    "customer.erase": Deed(
        lazy_gettext("Customer erased"),
        detail=(Shape("{phones} phones, {texts} texts", lazy_gettext("phones: %(phones)s; texts: %(texts)s")),),
    ),
    "customer.export": Deed(
        lazy_gettext("Data of a customer exported"),
        detail=(Shape("{phones} phones", lazy_gettext("phones: %(phones)s")),),
    ),
    "customer.identity": Deed(
        lazy_gettext("Identity document compared"),
        detail=(
            _word(
                {
                    "fits": lazy_gettext("it fits"),
                    "does not fit": lazy_gettext("it does not fit"),
                    "too often": lazy_gettext("too often, so it was not compared"),
                }
            ),
        ),
    ),
    "customer.vouch": Deed(
        lazy_gettext("Answered for an identity document"),
        detail=(Shape("billing has told no number", lazy_gettext("billing has told no number")),),
    ),
    "doubt.drop": Deed(lazy_gettext("Held message left as it is"), _MESSAGE),
    "doubt.resend": Deed(lazy_gettext("Held message sent once more"), _MESSAGE),
    "factor.remove": Deed(lazy_gettext("Own second factor removed")),
    "factor.set": Deed(lazy_gettext("Own second factor set")),
    "failed.close": Deed(lazy_gettext("Failed message closed"), _MESSAGE),
    "failed.resend": Deed(
        lazy_gettext("Failed message sent anew"),
        _MESSAGE,
        (Shape("as message {id}", lazy_gettext("as message %(id)s")),),
    ),
    "file.approve": Deed(lazy_gettext("Held file approved"), detail=_FILE),
    "file.decline": Deed(lazy_gettext("Held file refused"), detail=_FILE),
    "line.change": Deed(lazy_gettext("SIM accepted, or its settings changed"), detail=(_settings,)),
    "message.ours": Deed(
        lazy_gettext("Asked whether a message is ours"),
        detail=(Shape("{day} {verdict}", "%(day)s: %(verdict)s"),),
    ),
    "message.write": Deed(
        lazy_gettext("Messages written"),
        (Shape("{count} recipients", lazy_gettext("recipients: %(count)s")),),
        (Shape("messages {first}-{last}", lazy_gettext("messages %(first)s–%(last)s")),),
    ),
    "modem.pause": Deed(lazy_gettext("Modem paused")),
    "modem.pin": Deed(lazy_gettext("New PIN given")),
    "modem.reset": Deed(lazy_gettext("Modem restarted")),
    "modem.restart": Deed(lazy_gettext("Modem begun anew")),
    "modem.resume": Deed(lazy_gettext("Modem resumed")),
    "modem.say": Deed(lazy_gettext("Command in the console")),
    "modem.test": Deed(lazy_gettext("Test message sent")),
    "modem.transcript": Deed(lazy_gettext("Transcript asked for")),
    "modem.ussd": Deed(lazy_gettext("USSD code sent")),
    "number.reveal": Deed(lazy_gettext("Number shown in full")),
    "outage.announce": Deed(lazy_gettext("Outage announced"), _CAMPAIGN, (_figures,)),
    "outage.call_off": Deed(
        lazy_gettext("Outage called off"),
        _CAMPAIGN,
        (Shape("{count} had been told", lazy_gettext("told before: %(count)s")),),
    ),
    "phone.end": Deed(
        lazy_gettext("Services of a phone ended"),
        detail=(_word({"everything": lazy_gettext("everything")}), _among(words.SERVICES)),
    ),
    "phone.register": Deed(
        lazy_gettext("Phone registered"),
        detail=(Shape("{services} for {customers}", lazy_gettext("%(services)s; customers %(customers)s")),),
    ),
    "phone.right": Deed(lazy_gettext("Mark as a wrong number lifted")),
    "phone.wrong": Deed(lazy_gettext("Marked as a wrong number")),
    "sending.switch": Deed(
        lazy_gettext("Switch of sending moved"), (_word({key: word.text for key, word in words.SWITCH.items()}),)
    ),
    "spelling.forget": Deed(lazy_gettext("Spelling taken back")),
    "spelling.teach": Deed(lazy_gettext("Spelling taught"), detail=(_word(words.KINDS),)),
    "text.save": Deed(
        lazy_gettext("Text changed"),
        (_text_of,),
        (Shape("as it comes", lazy_gettext("as it comes with the program")),),
    ),
    "token.add": Deed(
        lazy_gettext("Token issued"),
        detail=(Shape("{scopes}, {days} days", lazy_gettext("%(scopes)s; days: %(days)s")),),
    ),
    "token.revoke": Deed(lazy_gettext("Token taken back")),
    "unread.answer": Deed(lazy_gettext("Text answered"), _TEXT, (Shape("in own words", lazy_gettext("in own words")),)),
    "unread.drop": Deed(lazy_gettext("Text left without an answer"), _TEXT),
    "user.add": Deed(lazy_gettext("User added"), detail=(_word(words.ROLES),)),
    "user.factor": Deed(lazy_gettext("Second factor of a user taken away")),
    "user.password": Deed(lazy_gettext("New password for a user")),
    "user.remove": Deed(lazy_gettext("User removed")),
    "user.role": Deed(lazy_gettext("Role of a user changed"), detail=(_word(words.ROLES),)),
    "user.sign_ins": Deed(lazy_gettext("Sign-ins of a user ended")),
    "webhook.add": Deed(lazy_gettext("Webhook added"), detail=_HOOK),
    "webhook.end": Deed(lazy_gettext("Webhook ended")),
    "webhook.resend": Deed(
        lazy_gettext("Told to a webhook again"), (Shape("delivery {id}", lazy_gettext("delivery %(id)s")),)
    ),
}
