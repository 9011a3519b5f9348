"""Numbers as people and modems write them, so that one phone is one phone."""

import re
from functools import lru_cache

_SHORT_CODE_DIGITS = 6
_WRITTEN = re.compile(r"[\s()./-]+")


@lru_cache(maxsize=65536)
def normalise(number: str) -> str:
    """`0881234567`, `+359 88 123 4567` and `00359881234567` become `+359881234567`.

    Short codes and names (`170077`, `A1 BG`) stay as they are, and so does what nobody could dial.
    """
    digits = _WRITTEN.sub("", number.strip())
    if not re.fullmatch(r"\+?[0-9*#]+", digits):
        return number.strip()
    if digits.startswith("+"):
        return "+" + re.sub(r"^3590", "359", digits[1:])
    if digits.startswith("00"):
        return normalise("+" + digits[2:])
    if len(digits) <= _SHORT_CODE_DIGITS:
        return digits
    if digits.startswith("359") and len(digits) > 10:
        return normalise("+" + digits)
    if digits.startswith("0"):
        return "+359" + digits[1:]
    return "+359" + digits if digits[0] in "89" else digits
