"""What the service says unasked: reminders, planned outages, welcome and codes, each in three languages.

These texts can be changed (`save`); one that could need more than two parts at its worst is refused. A campaign keeps
the wording it was previewed with, so that what leaves is what was approved.
"""

import contextlib
import string
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal, get_args

from sqlalchemy import Connection

from modemd import audit, masks
from modemd.config import SOFIA, Language, Service
from modemd.errors import Because, TemplateRefused
from modemd.pdu import segments
from modemd.pdu.alphabet import Alphabet
from modemd.service import templates
from modemd.service.transliteration import to_latin
from modemd.store import texts as kept

Name = Literal["reminder", "reminder_several", "outage", "outage_off", "welcome", "code_portal", "code_centre"]
Wording = Mapping[Language, Mapping[Name, str]]

MOST_PARTS = templates.MOST_PARTS
LONGEST = 400  # characters of a template: more cannot fit two parts
_WORST_CENTS = 9_999_999  # of one customer

TEXTS: Wording = {
    "bg-Latn": {
        "reminder": "{supplier}: prosrocheni {amount} EUR, klient {customer}. Vazmozhno prekasvane na toka sled"
        " {cutoff}. Ako ste platili, prenebregnete. Info {info}. Otkaz: STOP",
        "reminder_several": "{supplier}: prosrocheni {amount} EUR za {count} klienta. Vazmozhno prekasvane na toka"
        " sled {cutoff}. Ako ste platili, prenebregnete. Info {info}. Otkaz: STOP",
        "outage": "{supplier}: planirano spirane na toka {when}, klient {customers}. {text}Info {info}. Otkaz: STOP",
        "outage_off": "{supplier}: planiranoto spirane na toka {when}, klient {customers}, se otmenya. Info {info}."
        " Otkaz: STOP",
        "welcome": "{supplier}: tozi nomer e registriran za SMS uslugi, klient {customers}. Ako ne ste Vie,"
        " otgovorete STOP. Info {info}",
        "code_portal": "{supplier}: kod {code}, validen {minutes} min. Ne go kazvayte na nikogo. Info {info}",
        "code_centre": "{supplier}: kod {code}, validen {minutes} min. Kazhete go samo na sluzhitelya pred Vas."
        " Info {info}",
    },
    "bg-Cyrl": {
        "reminder": "{supplier}: неплатени {amount} EUR, {customer}. След {cutoff_short} токът може да спре. Ако е"
        " платено, пренебрегнете. Инфо {info}. Отказ: СТОП",
        "reminder_several": "{supplier}: неплатени {amount} EUR, {count} клиента. След {cutoff_short} токът може да"
        " спре. Платено? Пренебрегнете. Инфо {info}. Отказ: СТОП",
        "outage": "{supplier}: планирано спиране на тока {when}, клиент {customers}. {text}Инфо {info}. Отказ: СТОП",
        "outage_off": "{supplier}: спирането на тока {when}, клиент {customers}, се отменя. Инфо {info}. Отказ: СТОП",
        "welcome": "{supplier}: номерът е регистриран за SMS, клиент {customers}. Ако не сте Вие, отговорете СТОП."
        " Инфо {info}",
        "code_portal": "{supplier}: код {code}, валиден {minutes} мин. Не го казвайте на никого. Инфо {info}",
        "code_centre": "{supplier}: код {code}, валиден {minutes} мин. Кажете го само на служителя пред Вас."
        " Инфо {info}",
    },
    "en": {
        "reminder": "{supplier}: overdue {amount} EUR, customer {customer}. Supply may be cut after {cutoff}."
        " If you have paid, please ignore. Info {info}. To end: STOP",
        "reminder_several": "{supplier}: overdue {amount} EUR for {count} customers. Supply may be cut after {cutoff}."
        " If you have paid, please ignore. Info {info}. To end: STOP",
        "outage": "{supplier}: planned power cut {when}, customer {customers}. {text}Info {info}. To end: STOP",
        "outage_off": "{supplier}: the planned power cut {when}, customer {customers}, is called off. Info {info}."
        " To end: STOP",
        "welcome": "{supplier}: this number is registered for SMS services, customer {customers}. If it was not you,"
        " answer STOP. Info {info}",
        "code_portal": "{supplier}: code {code}, valid for {minutes} min. Tell it to nobody. Info {info}",
        "code_centre": "{supplier}: code {code}, valid for {minutes} min. Tell it only to the clerk before you."
        " Info {info}",
    },
}

_REQUIRED: Mapping[Name, frozenset[str]] = {
    "reminder": frozenset({"supplier", "info", "amount", "customer"}),
    "reminder_several": frozenset({"supplier", "info", "amount", "count"}),
    "outage": frozenset({"supplier", "info", "when", "text"}),
    "outage_off": frozenset({"supplier", "info", "when"}),
    "welcome": frozenset({"supplier", "info", "customers"}),
    "code_portal": frozenset({"supplier", "info", "code", "minutes"}),
    "code_centre": frozenset({"supplier", "info", "code", "minutes"}),
}
_ALLOWED: Mapping[Name, frozenset[str]] = {
    **_REQUIRED,
    "reminder": _REQUIRED["reminder"] | {"cutoff", "cutoff_short"},
    "reminder_several": _REQUIRED["reminder_several"] | {"cutoff", "cutoff_short"},
    "outage": _REQUIRED["outage"] | {"customers"},
    "outage_off": _REQUIRED["outage_off"] | {"customers"},
}
_CUTOFF = frozenset({"cutoff", "cutoff_short"})


@dataclass(frozen=True, slots=True)
class Owed:
    """What one reminder speaks of: what the customers of a phone have not paid."""

    customer_numbers: tuple[str, ...]  # each once
    cents: int
    cutoff: date  # the earliest


@dataclass(frozen=True, slots=True)
class Saved:
    """A text as it stands now."""

    name: Name
    language: Language
    text: str
    changed: bool  # not as it comes with the program
    size: segments.TextSize  # at its worst

    @property
    def parts(self) -> int:
        return self.size.parts


# saying it


def reminder(owed: Owed, language: Language, wording: Wording, service: Service) -> str:
    """One customer by his masked number, several by their count: the total and the earliest cut-off."""
    several = len(owed.customer_numbers) > 1
    facts = {
        "amount": templates.money(owed.cents),
        "cutoff": templates.day(owed.cutoff),
        "cutoff_short": f"{owed.cutoff:%d.%m}",
    }
    if several:
        facts["count"] = str(len(owed.customer_numbers))
    else:
        facts["customer"] = masks.customer(owed.customer_numbers[0])
    return _fill(wording[language]["reminder_several" if several else "reminder"], language, service, facts)


def outage(
    name: Literal["outage", "outage_off"],
    begins: datetime,
    ends: datetime,
    customer_numbers: Sequence[str],
    text: str,
    language: Language,
    wording: Wording,
    service: Service,
) -> str:
    """An outage, or its end before it began; `text` is what the network company adds, or nothing.

    What it adds in Cyrillic is transliterated where the rest is Latin.
    """
    words = f"{text.rstrip('. ')}. " if text.strip() else ""
    if language != "bg-Cyrl":
        words = to_latin(words)
    facts = {"when": period(begins, ends), "text": words}
    return _naming(customer_numbers, wording[language][name], language, service, facts)


def welcome(customer_numbers: Sequence[str], language: Language, wording: Wording, service: Service) -> str:
    """What a phone hears once it is registered."""
    return _naming(customer_numbers, wording[language]["welcome"], language, service, {})


def code(
    name: Literal["code_portal", "code_centre"],
    digits: str,
    minutes: int,
    language: Language,
    wording: Wording,
    service: Service,
) -> str:
    """A code that ties a phone to its owner: typed in at the portal, or read out in a customer centre."""
    return _fill(wording[language][name], language, service, {"code": digits, "minutes": str(minutes)})


def period(begins: datetime, ends: datetime) -> str:
    """From when to when, in Sofia; the day once where it is the same."""
    first, last = begins.astimezone(SOFIA), ends.astimezone(SOFIA)
    if first.date() == last.date():
        return f"{first:%d.%m.%Y %H:%M}-{last:%H:%M}"
    return f"{first:%d.%m.%Y %H:%M} - {last:%d.%m.%Y %H:%M}"


def _naming(
    customer_numbers: Sequence[str], text: str, language: Language, service: Service, facts: Mapping[str, str]
) -> str:
    """All the customers, masked; where that takes more than two parts, the first and how many more."""
    masked = [masks.customer(number) for number in customer_numbers]
    whole = _fill(text, language, service, {**facts, "customers": ", ".join(masked)})
    if len(masked) == 1 or segments.measure(whole).parts <= MOST_PARTS:
        return whole
    return _fill(text, language, service, {**facts, "customers": f"{masked[0]} +{len(masked) - 1}"})


def _fill(text: str, language: Language, service: Service, facts: Mapping[str, str]) -> str:
    return text.format(**templates.common(language, service), **facts)


# keeping it


def wording(conn: Connection) -> dict[Language, dict[Name, str]]:
    """Every text as it stands now."""
    texts = {language: dict(own) for language, own in TEXTS.items()}
    for name, language, text in kept.changed(conn):
        with contextlib.suppress(TemplateRefused):  # a text of another version of the program
            known_name, known_language = known(name, language)
            texts[known_language][known_name] = text
    return texts


def overview(conn: Connection, service: Service) -> list[Saved]:
    """Every text as people look at it."""
    return [
        Saved(name, language, text, text != TEXTS[language][name], worst(name, language, text, service))
        for language, texts in wording(conn).items()
        for name, text in texts.items()
    ]


def save(
    conn: Connection, name: str, language: str, text: str | None, service: Service, who: str, now: datetime
) -> None:
    """Change a text, or with None take back the one that comes with the program; it is in the audit log.

    Raises TemplateRefused for a name, language or fact in braces that does not exist, for a fact that is missing, a
    link, a Latin text outside GSM 03.38, and one that could need more than two parts.
    """
    known_name, known_language = known(name, language)
    if text is not None:
        text = text.strip()
        check(known_name, known_language, text, service)
    kept.save(conn, known_name, known_language, text, who, now)
    audit.note(conn, who, "text.save", f"{known_name} {known_language}", text or "as it comes", now)


def look_at(name: str, language: str, text: str, service: Service) -> segments.TextSize:
    """What a text that somebody is writing needs at its worst. Raises TemplateRefused as `save` would."""
    known_name, known_language = known(name, language)
    check(known_name, known_language, text.strip(), service)
    return worst(known_name, known_language, text.strip(), service)


def check(name: Name, language: Language, text: str, service: Service) -> None:
    """Raises TemplateRefused; see `save`."""
    what = f"{name!r} ({language})"
    if len(text) > LONGEST:
        raise TemplateRefused(
            what=what,
            reason=Because("it has {count} characters; {most} are the most", count=len(text), most=LONGEST),
        )
    _check_facts(name, text, what)
    if templates.has_link(text):
        raise TemplateRefused(what=what, reason=Because("it holds a link, and the service promises to send none"))
    measured = worst(name, language, text, service)
    if language != "bg-Cyrl" and measured.alphabet is not Alphabet.GSM7:
        reason = Because(
            "it holds a character that GSM 03.38 does not have; a Latin text has to do without (write EUR for €)"
        )
        raise TemplateRefused(what=what, reason=reason)
    if measured.parts > MOST_PARTS:
        reason = Because(
            "at its worst it would need {parts} parts; {most} are the most, so shorten it",
            parts=measured.parts,
            most=MOST_PARTS,
        )
        raise TemplateRefused(what=what, reason=reason)


def worst(name: Name, language: Language, text: str, service: Service) -> segments.TextSize:
    """The text at its longest: 99999,99 EUR for each of five customers, two days of outage."""
    count = templates.MOST_SITES
    most = _WORST_CENTS * (count if name == "reminder_several" else 1)
    moment = "31.12.2026 23:59"
    facts = {
        "amount": templates.money(most),
        "customer": masks.customer("0" * 12),
        "customers": f"{masks.customer('0' * 12)} +{count - 1}",
        "count": str(count),
        "cutoff": moment[:10],
        "cutoff_short": moment[:5],
        "when": f"{moment} - {moment}",
        "text": "",
        "code": "0" * 6,
        "minutes": "60",
    }
    return segments.measure(_fill(text, language, service, facts))


def known(name: str, language: str) -> tuple[Name, Language]:
    """The name and language of a text that there is. Raises TemplateRefused."""
    for known_name in get_args(Name):
        for known_language in get_args(Language):
            if (name, language) == (known_name, known_language):
                return known_name, known_language
    names, languages = ", ".join(get_args(Name)), ", ".join(get_args(Language))
    raise TemplateRefused(
        what=f"{name!r} ({language})",
        reason=Because("there are {names}, each in {languages}", names=names, languages=languages),
    )


def _check_facts(name: Name, text: str, what: str) -> None:
    """Only plain {names} that this text has: what stands in braces is no program."""
    try:
        pieces = list(string.Formatter().parse(text))
    except ValueError as error:
        raise TemplateRefused(what=what, reason=Because("its braces do not fit together")) from error
    named = {field for _, field, _, _ in pieces if field is not None}
    odd = {f"{{{field}}}" for _, field, form, conversion in pieces if field is not None and (form or conversion)}
    odd |= {f"{{{field}}}" for field in named if field not in _ALLOWED[name]}
    if odd:
        known = ", ".join(f"{{{fact}}}" for fact in sorted(_ALLOWED[name]))
        raise TemplateRefused(
            what=what, reason=Because("{fact} is nothing it could say; there are {known}", fact=min(odd), known=known)
        )
    missing = _REQUIRED[name] - named
    if missing:
        raise TemplateRefused(what=what, reason=Because("{fact} is missing", fact=f"{{{min(missing)}}}"))
    if name in ("reminder", "reminder_several") and not named & _CUTOFF:
        raise TemplateRefused(what=what, reason=Because("{fact} is missing", fact="{cutoff}"))
