"""What a text that somebody is writing needs, and what it would need in Latin letters."""

from dataclasses import dataclass

from modemd.errors import Because, TextError
from modemd.pdu import alphabet, segments
from modemd.pdu.alphabet import Alphabet
from modemd.service.transliteration import to_latin

# Typographic signs that word processors put in and that GSM 03.38 lacks, as one types them on a phone.
_PLAIN = str.maketrans(
    {
        **dict.fromkeys("„“”«»", '"'),
        **dict.fromkeys("‚‘’", "'"),
        **dict.fromkeys("‐‑‒–—−", "-"),
        **dict.fromkeys("\u00a0\u2007\u2009\u202f", " "),
        "…": "...",
        "№": "No",
        "•": "-",
    }
)


@dataclass(frozen=True, slots=True)
class Measured:
    """A text and what it needs. Where it cannot be sent, `problem` says why and the figures are 0."""

    text: str
    alphabet: Alphabet
    units: int  # septets of GSM 7-bit, else characters of UCS-2
    parts: int
    left: int  # units that the last part still holds
    forcing: tuple[str, ...]  # the characters, each once, for which it cannot be GSM 7-bit
    problem: Because | None


@dataclass(frozen=True, slots=True)
class Draft:
    written: Measured
    latin: Measured | None  # in Latin letters and plain punctuation; None where that changes nothing


def look_at(text: str) -> Draft:
    """Measure a text as it stands, and transliterated. Never raises, whatever the text."""
    plain = to_latin(text).translate(_PLAIN)
    return Draft(_measured(text), None if plain == text else _measured(plain))


def _measured(text: str) -> Measured:
    forcing = tuple(char for char in dict.fromkeys(text) if alphabet.try_gsm7(char) is None)
    how = Alphabet.UCS2 if forcing else Alphabet.GSM7
    try:
        size = segments.measure(text)
    except TextError as error:
        return Measured(text, how, 0, 0, 0, forcing, error.reason)
    return Measured(text, how, size.units, size.parts, size.left, forcing, None)
