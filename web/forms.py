"""What the panel's forms have in common."""

from collections.abc import Iterable
from typing import Any

from flask_wtf import FlaskForm
from wtforms import SelectChoice, SelectMultipleField
from wtforms.widgets import CheckboxInput, ListWidget


class Form(FlaskForm):  # type: ignore[misc]  # Flask-WTF brings no types
    """A form that has the token against foreign posts."""


class SearchForm(FlaskForm):  # type: ignore[misc]
    """A form that only asks: it comes by GET and changes nothing, so it has no token."""

    def __init__(self, *arguments: Any, **more: Any) -> None:
        super().__init__(*arguments, meta={"csrf": False}, **more)


class BoxesField(SelectMultipleField):  # type: ignore[misc]
    """Several of a few choices: a box for each, so that nobody has to know of the Ctrl key."""

    widget = ListWidget(prefix_label=False)
    option_widget = CheckboxInput()


def choices(pairs: Iterable[tuple[Any, Any]]) -> list[SelectChoice]:
    """(value, words) as a field takes them."""
    return [SelectChoice(value, words) for value, words in pairs]
