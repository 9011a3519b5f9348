"""ИТН, the numbers of metering points: 16 characters from 32Z on, an EIC code with its check character."""

import re

from stdnum.eu import eic

_SEPARATORS = re.compile(r"[\s,;]+")


def is_valid(itn: str) -> bool:
    """Whether this is the number of a metering point, written as billing writes it."""
    return len(itn) == 16 and itn.startswith("32Z") and bool(eic.is_valid(itn))


def pasted(text: str) -> list[str]:
    """The words of a pasted list, in capitals and each once, with blanks, commas, semicolons or lines between them."""
    return list(dict.fromkeys(word.upper() for word in _SEPARATORS.split(text.strip("\ufeff \n")) if word))
