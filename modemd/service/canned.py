"""Answers that a person gives with one click, from [canned.<name>] in the settings."""

from string import Formatter

from modemd.config import Canned, Language, Settings
from modemd.errors import Because, CannedRefused, SettingsError
from modemd.pdu import segments
from modemd.service import keywords, templates, transliteration

FIELDS = frozenset({"supplier", "info", "emergency"})


def render(name: str, language: Language, settings: Settings) -> str:
    """The text of a canned answer. Raises CannedRefused for a name that the settings do not have."""
    canned = settings.canned.get(name)
    if canned is None:
        raise CannedRefused(name=name, reason=Because("there are {names}", names=", ".join(sorted(settings.canned))))
    return _filled(canned, language, settings)


def suggested(text: str | None, settings: Settings) -> str | None:
    """The name of the canned answer to what a text asks, in whatever alphabet; None if there is none."""
    said = f" {_latin(text or '')} "
    for name, canned in settings.canned.items():
        if any(f" {_latin(words)} " in said for words in canned.asks):
            return name
    return None


def check(settings: Settings) -> None:
    """Raise SettingsError for a canned answer with a field or link it may not have, or of more than two parts."""
    for name, canned in settings.canned.items():
        for language, text in canned.texts.items():
            fault = _fault(canned, language, text, settings)
            if fault is not None:
                raise SettingsError(path="[canned]", reason=f"the text {name!r} ({language}) {fault}.")


def _fault(canned: Canned, language: Language, text: str, settings: Settings) -> str | None:
    try:
        fields = {field for _, field, _, _ in Formatter().parse(text) if field is not None}
    except ValueError as error:
        return f"has a fault in its braces: {error}"
    if not fields <= FIELDS:
        return f"names {{{min(fields - FIELDS)}}}; it may have {', '.join(f'{{{each}}}' for each in sorted(FIELDS))}"
    if "info" not in fields:
        return "does not name the information line, {info}"
    filled = _filled(canned, language, settings)
    if templates.has_link(filled):
        return "holds a link"
    if segments.measure(filled).parts > templates.MOST_PARTS:
        return f"needs more than {templates.MOST_PARTS} parts"
    return None


def _filled(canned: Canned, language: Language, settings: Settings) -> str:
    facts = templates.common(language, settings.service)
    return canned.texts[language].format(**facts, emergency=settings.service.emergency_line)


def _latin(text: str) -> str:
    return transliteration.to_latin(keywords.plain(text))
