"""A simulated phone to text the service with: there in the demo only."""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from flask import Blueprint, current_app, flash, redirect, render_template, request, url_for
from flask_babel import gettext, lazy_gettext
from werkzeug.wrappers import Response
from wtforms import StringField, TextAreaField
from wtforms.validators import DataRequired, Length

from modemd.errors import NotAPhone, SimulatorError
from modemd.service import phones as numbers
from web import refusals
from web.forms import Form
from web.panel import panel

EXTENSION = "simulated_phones"
LONGEST_TEXT = 1000  # characters
EXAMPLES = ("smetka", "СМЕТКА", "pomosht", "stop")

blueprint = Blueprint("phone", __name__, url_prefix="/phone")


class SimulatedPhones(Protocol):
    """The phones of a simulated network. Each method raises SimulatorError when the network does not answer."""

    def numbers(self) -> Sequence[str]:
        """Numbers worth trying, in E.164."""

    def text(self, number: str, text: str) -> None:
        """Text the service from this phone."""

    def conversation(self, number: str) -> Sequence[Mapping[str, Any]]:
        """What the phone has sent and received, oldest first.

        `{"direction": "sent" or "received", "text", "at": ISO 8601 with an offset, "peer": the other number}`
        """


class TextForm(Form):
    number = StringField(validators=[DataRequired()])
    text = TextAreaField(
        lazy_gettext("Text"),
        [DataRequired(lazy_gettext("Write something.")), Length(max=LONGEST_TEXT)],
    )


@blueprint.get("/")
def page() -> Response | str:
    """The phone that `?number=` names, else the first one."""
    wanted = request.args.get("number", "").strip()
    try:
        suggested = _phones().numbers()
        number = numbers.recipient(wanted) if wanted else next(iter(suggested), "")
        conversation = _phones().conversation(number) if number else ()
    except NotAPhone:
        flash(gettext("%(number)s is no phone number. Write it as 0888 000 101.", number=wanted), "warning")
        return redirect(url_for("phone.page"))
    except SimulatorError as error:
        return render_template("phone/silent.html", error=error)
    return render_template(
        "phone/page.html",
        number=number,
        suggested=suggested,
        conversation=conversation,
        form=TextForm(number=number),
        examples=EXAMPLES,
        service_number=panel().settings.service.service_number,
    )


@blueprint.get("/live")
def live() -> str | tuple[str, int]:
    """The conversation alone."""
    try:
        number = numbers.recipient(request.args.get("number", ""))
        return render_template("phone/live.html", conversation=_phones().conversation(number))
    except (NotAPhone, SimulatorError) as error:
        return str(error), 502


@blueprint.post("/")
def text() -> Response:
    form = TextForm()
    number = form.number.data or ""
    if not form.validate():
        for reason in (reason for reasons in form.errors.values() for reason in reasons):
            flash(reason, "warning")
        return redirect(url_for("phone.page", number=number))
    try:
        number = numbers.recipient(number)
        _phones().text(number, form.text.data)
    except NotAPhone as error:
        flash(refusals.said(error), "warning")
        return redirect(url_for("phone.page"))
    except SimulatorError as error:
        flash(str(error), "danger")
    return redirect(url_for("phone.page", number=number))


def _phones() -> SimulatedPhones:
    found: SimulatedPhones = current_app.extensions[EXTENSION]
    return found
