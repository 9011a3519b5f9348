"""Other programs: the tokens by which they come in."""

from flask import Blueprint, flash, redirect, render_template, url_for
from flask_babel import gettext, lazy_gettext
from flask_login import current_user
from werkzeug.wrappers import Response
from wtforms import IntegerField, StringField
from wtforms.validators import InputRequired, Length, NumberRange

from modemd.errors import TokenRefused
from modemd.service import tokens
from modemd.service.tokens import Scope
from modemd.store import database
from web.forms import BoxesField, Form, choices
from web.panel import panel
from web.words import SCOPES

blueprint = Blueprint("programs", __name__, url_prefix="/programs")


class TokenForm(Form):
    name = StringField(lazy_gettext("Name"), [InputRequired(lazy_gettext("Enter a name.")), Length(max=64)])
    scopes = BoxesField(
        lazy_gettext("What it may do"),
        [InputRequired(lazy_gettext("Choose at least one."))],
        choices=choices((each.value, SCOPES[each]) for each in Scope),
    )
    days = IntegerField(
        lazy_gettext("Good for so many days"), [InputRequired(), NumberRange(1, tokens.MOST_DAYS)], default=365
    )
    per_minute = IntegerField(lazy_gettext("Requests a minute"), [NumberRange(0, 1_000_000)], default=tokens.PER_MINUTE)
    per_day = IntegerField(lazy_gettext("Messages a day (0: no limit)"), [NumberRange(0, 1_000_000_000)], default=0)


@blueprint.get("/")
def page() -> str:
    return _page(TokenForm(formdata=None))


@blueprint.post("/")
def add() -> str | tuple[str, int]:
    """Make a token; it is shown once, on the answer, and kept nowhere."""
    form = TokenForm()
    if not form.validate():
        return _page(form), 400
    limits = {"per_minute": form.per_minute.data, "per_day": form.per_day.data}
    scopes = [Scope(each) for each in form.scopes.data]
    try:
        with database.writing(panel().engine) as conn:
            secret = tokens.issue(
                conn, form.name.data, scopes, form.days.data, current_user.name, panel().now(), **limits
            )
    except TokenRefused:
        form.name.errors = [
            gettext("Choose another name: 2 to 64 small Latin letters, digits and . _ -, not used before.")
        ]
        return _page(form), 400
    return _page(TokenForm(formdata=None), handed_out=(form.name.data, secret))


@blueprint.post("/<name>/revoke")
def revoke(name: str) -> Response:
    try:
        with database.writing(panel().engine) as conn:
            tokens.revoke(conn, name, current_user.name, panel().now())
    except TokenRefused:
        flash(gettext("There is no such token, or it was revoked before."), "warning")
    else:
        flash(gettext("Revoked: %(name)s. It opens nothing any more.", name=name))
    return redirect(url_for("programs.page"))


def _page(form: TokenForm, handed_out: tuple[str, str] | None = None) -> str:
    with database.reading(panel().engine) as conn:
        found = tokens.all_of_them(conn)
    return render_template("programs/page.html", tokens=found, form=form, handed_out=handed_out, now=panel().now())
