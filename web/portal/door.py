"""The doors of the portal: user name and password from a customer centre, one's own password, and the way out."""

from datetime import timedelta

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext, lazy_gettext
from werkzeug.wrappers import Response
from wtforms import PasswordField, StringField
from wtforms.validators import EqualTo, InputRequired, Length

from modemd.errors import PasswordRefused
from modemd.service import accounts
from modemd.store import database, limits
from modemd.store.passwords import LONGEST, SHORTEST
from web.forms import Form
from web.panel import panel
from web.portal import visitor

PER_NAME = [(8, timedelta(minutes=15))]
PER_ADDRESS = [(20, timedelta(minutes=15))]
IN_ALL = [(600, timedelta(minutes=15))]

blueprint = Blueprint("door", __name__)


class SignInForm(Form):
    name = StringField(
        lazy_gettext("User name"), [InputRequired(lazy_gettext("Enter your user name.")), Length(max=64)]
    )
    password = PasswordField(lazy_gettext("Password"), [InputRequired(lazy_gettext("Enter your password."))])


class PasswordForm(Form):
    new = PasswordField(
        lazy_gettext("New password"),
        [
            Length(
                SHORTEST,
                LONGEST,
                lazy_gettext("Choose a password of at least %(min)d characters and at most %(max)d."),
            )
        ],
    )
    again = PasswordField(
        lazy_gettext("New password, again"), [EqualTo("new", lazy_gettext("The two new passwords differ."))]
    )


@blueprint.route("/sign-in", methods=["GET", "POST"])
def sign_in() -> Response | str | tuple[str, int]:
    if visitor.session() is not None:
        return redirect(url_for("pages.home"))
    form = SignInForm()
    if not form.validate_on_submit():
        return render_template("portal/sign_in.html", form=form)
    if not _may_try(form.name.data):
        refused = gettext("Too many attempts. Wait a quarter of an hour, then try again.")
        return render_template("portal/sign_in.html", form=form, refused=refused), 429
    # Read only: the hash takes its time, and meanwhile nobody who writes has to wait.
    with database.reading(panel().engine) as conn:
        known = accounts.check(conn, form.name.data, form.password.data)
    if known is None:
        refused = gettext("The user name or the password is wrong. A lost password is replaced at a customer centre.")
        return render_template("portal/sign_in.html", form=form, refused=refused), 401
    with database.writing(panel().engine) as conn:
        token = accounts.begin(conn, known, panel().now())
    return visitor.let_in(redirect(url_for("pages.home")), token)


@blueprint.post("/sign-out")
@visitor.signed_in
def out() -> Response:
    with database.writing(panel().engine) as conn:
        accounts.end(conn, visitor.mine())
    return visitor.let_out(redirect(url_for("door.sign_in")))


@blueprint.route("/password", methods=["GET", "POST"])
@visitor.signed_in
def password() -> Response | str | tuple[str, int]:
    form = PasswordForm()
    if not form.validate_on_submit():
        return render_template("portal/password.html", form=form)
    try:
        with database.writing(panel().engine) as conn:
            token = accounts.change_password(conn, visitor.mine(), form.new.data, panel().now())
    except PasswordRefused:
        refused = gettext("This is the password that you have now. Choose another one.")
        return render_template("portal/password.html", form=form, refused=refused), 400
    flash(gettext("Your password is changed."))
    return visitor.let_in(redirect(url_for("pages.home")), token)


def _may_try(name: str) -> bool:
    """Count an attempt: for the address it comes from, the name, and in all; nobody uses up what is for all alone."""
    now = panel().now()
    tidy = "".join(name.lower().split())[:32]
    with database.writing(panel().engine) as conn:
        return (
            limits.take(conn, f"portal:{request.remote_addr}", PER_ADDRESS, now)
            and limits.take(conn, f"portal:{tidy}", PER_NAME, now)
            and limits.take(conn, "portal:all", IN_ALL, now)
        )
