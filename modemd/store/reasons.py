"""Reasons in rows: the words, and the code and facts (JSON) of which the panel makes a sentence of its own."""

import json
from typing import Any

from modemd.messages import Reason


def columns(words: str | None, name: str) -> dict[str, Any]:
    """The columns beside the words: `<name>_code` and `<name>_facts`; None for words that are no Reason."""
    if not isinstance(words, Reason):
        return {f"{name}_code": None, f"{name}_facts": None}
    return {f"{name}_code": words.code, f"{name}_facts": json.dumps(dict(words.facts), ensure_ascii=False)}


def read(words: str | None, code: str | None, facts: str | None) -> Reason | None:
    """What such columns hold; words of an older program have no code."""
    return None if words is None else Reason(words, code or "", **json.loads(facts or "{}"))
