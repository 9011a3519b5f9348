"""Sign-in, sign-out and one's own password."""

from datetime import datetime, timedelta

from flask import Blueprint, flash, redirect, render_template, request, session, url_for
from flask_babel import gettext, lazy_gettext
from flask_login import current_user, login_user
from werkzeug.wrappers import Response
from wtforms import PasswordField, StringField
from wtforms.validators import EqualTo, InputRequired, Length, Regexp

from modemd.errors import FactorSealed
from modemd.service import factors
from modemd.store import database, limits, sessions, staff
from modemd.store.passwords import LONGEST, SHORTEST
from modemd.store.staff import Person
from web import refusals
from web.access import SignedIn
from web.forms import Form
from web.navigation import first_page
from web.panel import factor_seal, panel
from web.paths import local

# Attempts, good or bad, in a sliding window; rows, so they hold over processes and restarts.
PER_NAME = [(10, timedelta(minutes=15))]
PER_ADDRESS = [(30, timedelta(minutes=15))]

HALF_WAY = "half_way"
CODE_SECONDS = 300  # from the password to the code

blueprint = Blueprint("sign_in", __name__)


class SignInForm(Form):
    name = StringField(lazy_gettext("Name"), [InputRequired(lazy_gettext("Enter your name.")), Length(max=64)])
    password = PasswordField(lazy_gettext("Password"), [InputRequired(lazy_gettext("Enter your password."))])


class CodeForm(Form):
    code = StringField(
        lazy_gettext("Code of the authenticator"),
        [Regexp(r"[0-9 ]{6,8}\Z", message=lazy_gettext("The code has 6 digits."))],
    )


class PasswordForm(Form):
    current = PasswordField(
        lazy_gettext("Present password"), [InputRequired(lazy_gettext("Enter your present password."))]
    )
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
def page() -> Response | str | tuple[str, int]:
    if current_user.is_authenticated:
        return redirect(first_page(current_user.role))
    form = SignInForm()
    if not form.validate_on_submit():
        return render_template("sign_in/page.html", form=form)
    name = staff.tidy(form.name.data)
    if not _may_try(name):
        return render_template("sign_in/page.html", form=form, refused=_too_often()), 429
    person = _check(name, form.password.data)
    if person is None:
        refused = gettext("The name or the password is wrong.")
        return render_template("sign_in/page.html", form=form, refused=refused), 401
    if person.has_factor:
        session[HALF_WAY] = [person.id, person.session, panel().now().timestamp()]
        return redirect(url_for("sign_in.code"))
    return _go_in(person)


@blueprint.route("/sign-in/code", methods=["GET", "POST"])
def code() -> Response | str | tuple[str, int]:
    """The second step of who has a second factor: only after the right password, and only for a while."""
    person = _half_way()
    if person is None:
        return redirect(url_for("sign_in.page"))
    form = CodeForm()
    if not form.validate_on_submit():
        return render_template("sign_in/code.html", form=form)
    if not _may_try(person.name):
        return render_template("sign_in/code.html", form=form, refused=_too_often()), 429
    try:
        with database.writing(panel().engine) as conn:
            right = factors.take(conn, person.id, form.code.data, panel().now(), factor_seal())
    except FactorSealed as error:
        return render_template("sign_in/code.html", form=form, refused=refusals.said(error)), 401
    if not right:
        refused = gettext("This code is wrong or has been used. Wait for the next one.")
        return render_template("sign_in/code.html", form=form, refused=refused), 401
    return _go_in(person)


@blueprint.post("/sign-out")
def out() -> Response:
    """End the sign-in here too: a copy of the cookie is good for nothing afterwards."""
    with database.writing(panel().engine) as conn:
        sessions.end(conn, current_user.person.id, sessions.hash_of(current_user.token))
    session.clear()
    return redirect(url_for("sign_in.page"))


@blueprint.route("/password", methods=["GET", "POST"])
def password() -> Response | str | tuple[str, int]:
    """One's own new password; whoever has just come with a one-time password need not type that again."""
    person: Person = current_user.person
    form = PasswordForm()
    if person.one_time:
        del form.current
    if not form.validate_on_submit():
        return render_template("sign_in/password.html", form=form)
    if not person.one_time:
        if not _may_try(person.name):
            return render_template("sign_in/password.html", form=form, refused=_too_often()), 429
        if _check(person.name, form.current.data) is None:
            refused = gettext("Your present password is not this one.")
            return render_template("sign_in/password.html", form=form, refused=refused), 401
    if _check(person.name, form.new.data) is not None:
        refused = gettext("This is the password that you have now. Choose another one.")
        return render_template("sign_in/password.html", form=form, refused=refused), 400
    with database.writing(panel().engine) as conn:
        changed = staff.change_password(conn, person.id, form.new.data)
    _begin(changed)
    flash(gettext("Your password is changed. Sign-ins on other devices have ended."))
    return redirect(first_page(changed.role))


def _may_try(name: str) -> bool:
    """Count an attempt, for the name and for the address it comes from."""
    now: datetime = panel().now()
    with database.writing(panel().engine) as conn:
        by_address = limits.take(conn, f"sign-in:{request.remote_addr}", PER_ADDRESS, now)
        return by_address and limits.take(conn, f"sign-in:{name}", PER_NAME, now)


def _too_often() -> str:
    return str(gettext("Too many attempts. Wait a quarter of an hour, then try again."))


def _check(name: str, password: str) -> Person | None:
    # Read only: the hash takes its time, and meanwhile nobody who writes has to wait.
    with database.reading(panel().engine) as conn:
        return staff.check(conn, name, password)


def _half_way() -> Person | None:
    """Who has given the right password a moment ago and has still to give a code."""
    try:
        person_id, password_session, since = session[HALF_WAY]
    except (KeyError, TypeError, ValueError):
        return None
    if panel().now().timestamp() - since > CODE_SECONDS:
        return None
    with database.reading(panel().engine) as conn:
        person = staff.get(conn, person_id)
    return person if person is not None and person.session == password_session else None


def _go_in(person: Person) -> Response:
    way = local(session.get("next"), first_page(person.role))
    _begin(person)
    return redirect(url_for("sign_in.password") if person.one_time else way)


def _begin(person: Person) -> None:
    """A new session, so that nothing of who was here before is in it."""
    session.clear()
    with database.writing(panel().engine) as conn:
        agent = str(request.user_agent)
        token = sessions.begin(conn, person, request.remote_addr, agent, panel().now())
    login_user(SignedIn(person, token))
