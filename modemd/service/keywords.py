"""Which keyword a text is read as, however it is spelled: DOMAIN's rules for `smetka`, `STOP` and `help`.

A text is folded (NFKC, case, marks and invisible characters away), cut into words, and each word is held against one
pattern for each kind. A pattern is made from keywords in Bulgarian, letter by letter, from `_SPELLINGS`: what people
write for that letter by sound (sh, 6) and by looks (Latin C for Cyrillic С). So mixed alphabets need no rule of their
own, and every word costs the same few matches however hostile the text is.
"""

import re
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType
from typing import Literal

Kind = Literal["bill", "stop", "help", "number", "unknown"]
Keyword = Literal["bill", "stop", "help"]
Taught = Mapping[str, Keyword]  # what people have added: words as `plain` writes them

NOTHING_TAUGHT: Taught = MappingProxyType({})

# How a letter of a keyword is written: by sound, and by the look of its small or capital form.
_SPELLINGS = {
    "а": "[аaαɑ]",
    "в": "[вvwbβ]",
    "д": "[дdδ]",
    "е": "[еeεэє]",
    "ж": "(?:zh|зх|zх|dj|[жjјzgv])",
    "з": "[зz3ζ]",
    "и": "[иiіıιηyj]",
    "к": "[кkκcq]",
    "л": "[лlλ]",
    "м": "[мmμ]",
    "н": "[нnhνη]",
    "о": "[оoο0]",
    "п": "[пpπрρ]",
    "р": "[рrρp]",
    "с": "[сscσѕ]",
    "т": "[тtτ]",
    "ф": "[фfφ]",
    "х": "[хhxχнһη]",
    "щ": "(?:щ|(?:[ш6w]|[sсc][hх])[тtτ]?)",
    "ъ": "[ъaаyуu]",
}
_STOP = ("стоп", "отказ", "отписване", "спри")
_BILL = ("сметка", "сметката", "сметки", "сметките", "задължение")
_HELP = ("хелп", "помощ", "инфо")
_FUZZY = "сметка"  # one edit away is still this word; nothing else is fuzzy, STOP never

_INVISIBLE = {"Mn", "Me", "Cf"}  # combining marks; zero-width characters, soft hyphens, direction marks
_PIECE = re.compile(r"[^\W_]+")
_ANY = r"(?:[yi][aа]|\w)"  # a letter, also я in two Latin ones: "smyatka" is one edit away
# 12 digits alone, or in groups as people write them; after + it is a phone (+359 and nine digits are twelve, too).
_CUSTOMER_NUMBER = re.compile(
    r"""(?<![\w+]) (?:
        [0-9]{12}
        | (?<![0-9][ -]) (?: [0-9]{3}(?:[ -][0-9]{3}){3} | [0-9]{4}(?:[ -][0-9]{4}){2} ) (?![ -][0-9])
    ) (?!\w)""",
    re.VERBOSE,
)


@dataclass(frozen=True, slots=True)
class Reading:
    kind: Kind
    customer_numbers: tuple[str, ...]  # 12 digits each, in the order of the text


def explain(text: str | None, taught: Taught = NOTHING_TAUGHT) -> Reading:
    """Read a text: stop before bill before help, wherever the word stands; `number` is a bare customer number.

    Whatever the text holds, this returns, in time linear in its length. `taught` counts like the keywords themselves.
    """
    folded = _GLUED.sub(r"\1 ", _fold(text or ""))
    numbers = tuple(re.sub("[ -]", "", found) for found in _CUSTOMER_NUMBER.findall(folded))
    rest = _CUSTOMER_NUMBER.sub(" ", folded)
    words = set(_words(rest)) - {""}
    in_a_row = f" {_joined(rest)} "
    found = {kind for spelling, kind in taught.items() if spelling in words or f" {spelling} " in in_a_row}
    return Reading(_kind(words, found, bool(numbers)), numbers)


def plain(text: str) -> str:
    """The words of a text as they are compared: folded, without punctuation, one blank between."""
    return _joined(_fold(text))


def nearly_stop(spelling: str) -> bool:
    """Whether one of the words is a stop word but for one letter: whoever writes so may well mean STOP."""
    return any(_nearly_stop().fullmatch(word) for word in spelling.split())


def _kind(words: set[str], taught: set[Keyword], numbers: bool) -> Kind:
    if "stop" in taught or any(_STOP_WORD.fullmatch(word) for word in words):
        return "stop"
    if "bill" in taught or any(_BILL_WORD.fullmatch(word) for word in words):
        return "bill"
    if "help" in taught or any(_HELP_WORD.fullmatch(word) for word in words):
        return "help"
    return "number" if numbers and not words else "unknown"


def _joined(folded: str) -> str:
    return " ".join(_PIECE.findall(folded))


def _fold(text: str) -> str:
    """Compatibility forms, case, marks and invisible characters folded; every decimal digit in ASCII."""
    text = text.replace("№", " ")  # NFKC would make letters of it and glue them to the number
    text = unicodedata.normalize("NFKC", _visible(text)).casefold()  # long runs of marks cost NFKC a square
    text = _visible(unicodedata.normalize("NFD", text))
    return "".join(str(unicodedata.decimal(char)) if char.isdecimal() else char for char in text).replace("_", " ")


def _visible(text: str) -> str:
    return "".join(char for char in text if unicodedata.category(char) not in _INVISIBLE)


def _words(text: str) -> Iterator[str]:
    """The words between spaces, whole with their punctuation dropped, and cut at it; letters set apart are one word."""
    letters: list[str] = []
    for chunk in text.split():
        pieces = _PIECE.findall(chunk)
        whole = "".join(pieces)
        yield whole
        if not _NO_STOP.fullmatch(whole):
            yield from pieces
        if len(whole) == 1:
            letters.append(whole)
            continue
        yield "".join(letters)
        letters.clear()
    yield "".join(letters)


def _spelled(word: str) -> str:
    return "".join(_SPELLINGS.get(letter, letter) for letter in word)


def _one_edit(word: str) -> Iterator[str]:
    """Patterns of all that is one edit away: a letter missing, another, one too many, or two neighbours swapped."""
    for at in range(len(word) + 1):
        before, letter, after = word[:at], word[at : at + 1], word[at + 1 :]
        yield _spelled(before) + _ANY + _spelled(letter + after)
        if letter:
            yield _spelled(before + after)
            yield _spelled(before) + _ANY + _spelled(after)
        if after:
            yield _spelled(before + after[0] + letter + after[1:])


def _any_of(*patterns: str) -> re.Pattern[str]:
    return re.compile("|".join(patterns))


_STOP_WORD = _any_of(*map(_spelled, _STOP))
_BILL_WORD = _any_of(*map(_spelled, _BILL), *_one_edit(_FUZZY))
_HELP_WORD = _any_of(*map(_spelled, _HELP))
_GLUED = re.compile(rf"(?<!\w)({'|'.join(map(_spelled, _STOP + _BILL))})(?=[0-9]{{12}}(?!\w))")  # "smetka300000000001"
_NO_STOP = _any_of(_spelled("нонстоп"))  # "нон-стоп" has a stop word in it and is none


@cache
def _nearly_stop() -> re.Pattern[str]:
    return _any_of(*(pattern for word in _STOP for pattern in _one_edit(word)))
