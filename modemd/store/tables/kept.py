"""Reasons in one column: read back as they were written, so that the panel can say them in the reader's language."""

import json
from collections.abc import Mapping
from typing import Any

from sqlalchemy import Dialect, Text, TypeDecorator

from modemd.errors import Because

_BEGIN = '{"sentence":'  # no reason in plain words begins so


class KeptReason(TypeDecorator[str]):
    """Text; a Because is kept with its sentence and facts. Facts that JSON has no form for become text."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        return json.dumps(_taken_apart(value), ensure_ascii=False) if isinstance(value, Because) else value

    def process_result_value(self, value: str | None, dialect: Dialect) -> str | None:
        return _put_together(json.loads(value)) if value is not None and value.startswith(_BEGIN) else value


def _taken_apart(reason: Because) -> dict[str, Any]:
    return {"sentence": reason.sentence, "facts": {name: _kept(fact) for name, fact in reason.facts.items()}}


def _kept(fact: object) -> object:
    if isinstance(fact, Because):
        return _taken_apart(fact)
    return fact if isinstance(fact, str | int | float) else str(fact)


def _put_together(kept: Mapping[str, Any]) -> Because:
    facts = {name: _put_together(fact) if isinstance(fact, dict) else fact for name, fact in kept["facts"].items()}
    sentence: str = kept["sentence"]
    return Because(sentence, **facts)
