"""Bulgarian in Latin letters by the Transliteration Act (2009)."""

import re

_LETTERS = {
    "а": "a", "б": "b", "в": "v", "г": "g", "д": "d", "е": "e", "ж": "zh", "з": "z", "и": "i", "й": "y",
    "к": "k", "л": "l", "м": "m", "н": "n", "о": "o", "п": "p", "р": "r", "с": "s", "т": "t", "у": "u",
    "ф": "f", "х": "h", "ц": "ts", "ч": "ch", "ш": "sh", "щ": "sht", "ъ": "a", "ь": "y", "ю": "yu", "я": "ya",
}  # fmt: skip
_WORD = re.compile(r"\w+")
_BULGARIA = "българия"  # art. 5: names known in another form keep it; this one stands in the Act


def to_latin(text: str) -> str:
    """Write Cyrillic as art. 3 of the Act does; what is not Bulgarian Cyrillic stays. Capitals follow the word."""
    return _WORD.sub(lambda match: _word(match[0]), text)


def _word(word: str) -> str:
    if word.lower() == _BULGARIA:
        return _cased("bulgaria", word)
    latin = [_letter(char, word) for char in word]
    if word.lower().endswith("ия"):  # only where it ends the word: Мария, but Марияна
        latin[-1] = "A" if word[-1].isupper() else "a"
    return "".join(latin)


def _letter(char: str, word: str) -> str:
    latin = _LETTERS.get(char.lower())
    if latin is None or char.islower():
        return latin or char
    return latin.upper() if len(word) > 1 and word.isupper() else latin.capitalize()


def _cased(latin: str, word: str) -> str:
    if word.isupper():
        return latin.upper()
    return latin.capitalize() if word[:1].isupper() else latin
