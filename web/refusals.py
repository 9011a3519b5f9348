"""What was refused and why, in the reader's language.

The services say a refusal in English, for logs and the command line; what it is made of (errors.Because) has its
Bulgarian in the catalogue. Errors without a reason of their own have their sentence here.
"""

from collections.abc import Mapping
from typing import Any

from flask import flash
from flask_babel import gettext, lazy_gettext

from modemd import errors
from modemd.errors import Because, ModemdError
from modemd.store.schema import CampaignState, FileState, InboxState, MessageState
from web import formats, words
from web.words import Words

SENTENCES: Mapping[type[ModemdError], Words] = {
    errors.NotAPhone: lazy_gettext("%(number)s is no phone number. Write it as 0888 000 101."),
    errors.DocumentNotSeen: lazy_gettext("Compare the identity document first."),
    errors.NotABulgarianMobile: lazy_gettext("%(number)s is no Bulgarian mobile number. Write it as 0888 000 101."),
    errors.WrongNumber: lazy_gettext(
        "%(number)s was marked as a wrong number on %(day)s. If its holder is the customer after all, lift the mark."
    ),
    errors.CustomerUnknown: lazy_gettext("Nothing is known of customer %(customer)s."),
    errors.NotHeld: lazy_gettext(
        "Message %(message_id)s does not wait for a person any more; it is %(state)s. Nothing was changed."
    ),
    errors.NotUnread: lazy_gettext("Nothing was changed: text %(inbox_id)s %(reason)s."),
    errors.NotFailed: lazy_gettext("Nothing was changed: message %(message_id)s %(reason)s."),
    errors.NotHeldFile: lazy_gettext("Nothing was changed: this file does not wait for a decision any more."),
    errors.FactorSealed: lazy_gettext(
        "The panel has another key than when this second factor was set. Ask an administrator to take it away, "
        "sign in with the password and set a new one."
    ),
    errors.TooOften: lazy_gettext("Too many were asked for. Wait an hour, then try again."),
}


def said(error: ModemdError) -> str:
    """Why it was not done, in a sentence."""
    sentence = SENTENCES.get(type(error))
    if sentence is not None:
        return str(sentence) % {name: _fact(name, fact) for name, fact in error.facts.items()}
    why = reason(error.reason) if isinstance(error, errors.Refusal) else formats.visible(str(error))
    return f"{why[:1].upper()}{why[1:].removesuffix('.')}."


def say(error: ModemdError) -> None:
    """Show on the next page that it was not done, and why."""
    flash(gettext("It was not done. %(reason)s", reason=said(error)), "danger")


def reason(words_: str | None) -> str:
    """A reason as it was raised or kept; one that has no translation (a person's own words) stays as it is."""
    if not isinstance(words_, Because):
        return formats.visible(str(words_ or ""))
    return str(gettext(words_.sentence)).format_map({name: _fact(name, fact) for name, fact in words_.facts.items()})


def _fact(name: str, fact: object) -> Any:
    if name == "kind":
        return words.kind(str(fact))
    match fact:
        case CampaignState():
            return words.CAMPAIGN_STATES[fact].text
        case MessageState() | InboxState():
            return words.MESSAGE_STATES[fact].text
        case FileState():
            return words.FILE_STATES[fact].text
        case str():
            return reason(fact)
    return fact
