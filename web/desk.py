"""The customer centre, one page after the keyboard: document, phone and services, code and consent, the portal."""

from typing import Any

from flask import Blueprint, current_app, flash, redirect, render_template, request, url_for
from flask_babel import gettext, lazy_gettext
from flask_login import current_user
from werkzeug.wrappers import Response
from wtforms import SelectField, StringField
from wtforms.validators import InputRequired, Length

from modemd.errors import DocumentNotSeen, ModemdError, SettingsError
from modemd.service import confirmation, desk, identities
from modemd.service.consent import SERVICES
from modemd.service.desk import Answer
from modemd.store import database
from modemd.store.schema import Channel
from web import customers, language, refusals, words
from web.forms import BoxesField, Form, choices
from web.panel import panel

blueprint = Blueprint("desk", __name__, url_prefix="/customers/<customer_no>/desk")

ANSWERS = {
    Answer.FITS: ("message", lazy_gettext("The document fits this customer.")),
    Answer.DIFFERS: (
        "danger",
        lazy_gettext(
            "The document does not fit this customer. Check what you typed; if it is right, register nothing."
        ),
    ),
    Answer.MISTYPED: ("warning", lazy_gettext("This is no ЕГН, ЛНЧ or ЕИК: a digit is mistyped.")),
    Answer.TOO_OFTEN: ("danger", lazy_gettext("Compared too often. Wait an hour.")),
}


class IdentityForm(Form):
    number = StringField(
        lazy_gettext("Number in the identity document"),
        [InputRequired(lazy_gettext("Enter a number.")), Length(max=16)],
    )


class RegisterForm(Form):
    phone = StringField(lazy_gettext("Phone"), [InputRequired(lazy_gettext("Enter a number.")), Length(max=32)])
    services = BoxesField(
        lazy_gettext("Services"),
        [InputRequired(lazy_gettext("Choose at least one service."))],
        choices=choices((name, words.SERVICES[name]) for name in SERVICES),
    )
    language = SelectField(lazy_gettext("Language of the messages"), choices=choices(words.LANGUAGES.items()))


class CodeForm(Form):
    code = StringField(lazy_gettext("Code"), [InputRequired(lazy_gettext("Enter the code.")), Length(max=12)])


@blueprint.get("/")
def page(customer_no: str) -> str:
    return _page(customer_no)


@blueprint.post("/identity")
def identity(customer_no: str) -> Response:
    """Whether the number in an identity document is this customer's; it is compared and not kept."""
    form = IdentityForm()
    if form.validate():
        try:
            secret = identities.key(panel().settings.service)
        except SettingsError:
            flash(gettext("The key for identities is not set ([service] identity_key_file)."), "danger")
            return _back(customer_no)
        with database.writing(panel().engine) as conn:
            customers.shown(conn, customer_no)
            answer = desk.compare(conn, customer_no, form.number.data, current_user.name, secret, panel().now())
        category, said = ANSWERS[answer]
        flash(said, category)
    return _back(customer_no)


@blueprint.post("/vouch")
def vouch(customer_no: str) -> Response:
    """Billing has told no number to compare with: whoever sits at the desk answers for the document."""
    try:
        with database.writing(panel().engine) as conn:
            customers.shown(conn, customer_no)
            desk.vouch(conn, customer_no, current_user.name, panel().now())
    except DocumentNotSeen as error:
        refusals.say(error)
    return _back(customer_no)


@blueprint.post("/register")
def register(customer_no: str) -> Response | str:
    """Send a code to the phone; it becomes active when the customer has read the code out."""
    form, now, settings = RegisterForm(), panel().now(), panel().settings
    if not form.validate():
        return _page(customer_no, register=form)
    wanted = confirmation.Wanted(
        phone=form.phone.data,
        customer_numbers=[customer_no],
        services=form.services.data,
        language=form.language.data,
        channel=Channel.CENTRE,
        who=current_user.name,
        shown=confirmation.consent_text(language.chosen(), settings.service),
    )
    try:
        with database.writing(panel().engine) as conn:
            pending = desk.send_code(conn, wanted, request.remote_addr or "", settings, _key(), now)
    except ModemdError as error:
        refusals.say(error)
        return _page(customer_no, register=form)
    return _back(customer_no, pending=pending)


@blueprint.post("/confirm/<int:pending_id>")
def confirm(customer_no: str, pending_id: int) -> Response:
    """The code that the customer has read out, once the text was read to him and he agrees."""
    form = CodeForm()
    if not form.validate():
        return _back(customer_no, pending=pending_id)
    try:
        with database.writing(panel().engine) as conn:
            who, settings, now = current_user.name, panel().settings, panel().now()
            outcome = confirmation.confirm(conn, pending_id, who, [customer_no], form.code.data, settings, _key(), now)
    except ModemdError as error:
        refusals.say(error)
        return _back(customer_no, pending=pending_id)
    if outcome.number is None:
        left = gettext("This code is not right or no longer good. Tries left: %(left)s.", left=outcome.tries_left)
        flash(left, "warning")
        return _back(customer_no, pending=pending_id)
    flash(gettext("The phone is registered."))
    return _back(customer_no, registered=1)


@blueprint.post("/account")
def account(customer_no: str) -> str | Response:
    """A user name and a one-time password for the portal, on a page to be printed; shown this once."""
    try:
        with database.writing(panel().engine) as conn:
            customers.shown(conn, customer_no)
            handed_out = desk.hand_out(conn, customer_no, current_user.name, panel().now())
    except DocumentNotSeen as error:
        refusals.say(error)
        return _back(customer_no)
    settings = panel().settings
    portal = f"{settings.portal.url}/portal" if settings.portal.url else None
    facts = {"service": settings.service, "portal": portal, "handed_out": handed_out}
    return render_template("desk/handed_out.html", customer_no=customer_no, **facts)


def _page(customer_no: str, **more: Any) -> str:
    """The step that comes next, with those before it ticked off."""
    pending_id, who, now = request.args.get("pending", type=int), current_user.name, panel().now()
    with database.reading(panel().engine) as conn:
        found = customers.shown(conn, customer_no)
        waits = confirmation.waiting(conn, pending_id, who, now) if pending_id else None
        seen = desk.has_seen(conn, customer_no, who, now)
    default = {"language": found.language or panel().settings.service.language}
    facts = {"register": RegisterForm(formdata=None, data=default), "identity": IdentityForm(), "code": CodeForm()}
    here = {"customer": found, "seen": seen, "waits": waits, "registered": "registered" in request.args}
    return render_template("desk/page.html", pending=pending_id, **here, **{**facts, **more})


def _back(customer_no: str, **more: Any) -> Response:
    return redirect(url_for("desk.page", customer_no=customer_no, **more))


def _key() -> bytes:
    """Keeps who reads the database from guessing codes: the panel's own secret."""
    return str(current_app.secret_key).encode()
