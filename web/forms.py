"""What the panel's forms have in common."""

from collections.abc import Iterable
from typing import Any

from flask_wtf import FlaskForm
from wtforms import SelectChoice


class Form(FlaskForm):  # type: ignore[misc]  # Flask-WTF brings no types
    """A form that has the token against foreign posts."""


class SearchForm(FlaskForm):  # type: ignore[misc]
    """A form that only asks: it comes by GET and changes nothing, so it has no token."""

    def __init__(self, *arguments: Any, **more: Any) -> None:
        super().__init__(*arguments, meta={"csrf": False}, **more)


def choices(pairs: Iterable[tuple[Any, Any]]) -> list[SelectChoice]:
    """(value, words) as a field takes them."""
    return [SelectChoice(value, words) for value, words in pairs]
