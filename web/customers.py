"""Customers: found by number, phone or metering point; what they get, what they agreed to; registered at the desk."""

from typing import Any

from flask import Blueprint, abort, current_app, flash, redirect, render_template, request, url_for
from flask_babel import gettext, lazy_gettext
from flask_login import current_user
from sqlalchemy import Connection
from werkzeug.wrappers import Response
from wtforms import SelectField, SelectMultipleField, StringField
from wtforms.validators import InputRequired, Length
from wtforms.widgets import CheckboxInput, ListWidget

from modemd import audit
from modemd.errors import CustomerUnknown, ModemdError, SettingsError
from modemd.service import accounts, confirmation, customers, identities, subscriptions
from modemd.service.consent import SERVICES
from modemd.store import database, lives
from modemd.store.schema import Channel
from modemd.store.staff import Role
from web import language, refusals, words
from web.forms import Form, choices
from web.panel import panel

blueprint = Blueprint("customers", __name__, url_prefix="/customers")


class FindForm(Form):
    term = StringField(
        lazy_gettext("Customer number, phone or metering point"),
        [InputRequired(lazy_gettext("Write what you look for.")), Length(max=customers.LONGEST_SEARCH)],
    )


class IdentityForm(Form):
    number = StringField(
        lazy_gettext("Number in the identity document"),
        [InputRequired(lazy_gettext("Enter a number.")), Length(max=16)],
    )


class RegisterForm(Form):
    phone = StringField(lazy_gettext("Phone"), [InputRequired(lazy_gettext("Enter a number.")), Length(max=32)])
    services = SelectMultipleField(
        lazy_gettext("Services"),
        [InputRequired(lazy_gettext("Choose at least one service."))],
        choices=choices((name, words.SERVICES[name]) for name in SERVICES),
        widget=ListWidget(prefix_label=False),
        option_widget=CheckboxInput(),
    )
    language = SelectField(lazy_gettext("Language of the messages"), choices=choices(words.LANGUAGES.items()))


class CodeForm(Form):
    code = StringField(lazy_gettext("Code"), [InputRequired(lazy_gettext("Enter the code.")), Length(max=12)])


@blueprint.get("/")
def page() -> str:
    return render_template("customers/page.html", form=FindForm(), found=None)


@blueprint.post("/")
def find() -> str | Response:
    """What is looked for is posted: phones have no place in an address."""
    form = FindForm()
    if not form.validate():
        return render_template("customers/page.html", form=form, found=None)
    with database.reading(panel().engine) as conn:
        found = customers.search(conn, form.term.data)
    if len(found) == 1:
        return redirect(url_for("customers.one", customer_no=found[0]))
    return render_template("customers/page.html", form=form, found=found)


@blueprint.get("/<customer_no>")
def one(customer_no: str) -> str:
    return _one(customer_no)


@blueprint.post("/<customer_no>/identity")
def identity(customer_no: str) -> Response:
    """Whether the number in an identity document is this customer's; it is compared and not kept."""
    form, now = IdentityForm(), panel().now()
    if form.validate():
        try:
            secret = identities.key(panel().settings.service)
        except SettingsError:
            flash(gettext("The key for identities is not set ([service] identity_key_file)."), "danger")
            return redirect(url_for("customers.one", customer_no=customer_no))
        with database.writing(panel().engine) as conn:
            allowed = identities.may_compare(conn, customer_no, current_user.name, now)
            fits = allowed and identities.fits(conn, customer_no, form.number.data, secret)
            audit.note(
                conn, current_user.name, "customer.identity", customer_no, "fits" if fits else "does not fit", now
            )
        if not allowed:
            flash(gettext("Compared too often. Wait an hour."), "danger")
        elif fits:
            flash(gettext("The document fits this customer."))
        else:
            flash(gettext("The document does not fit this customer."), "danger")
    return redirect(url_for("customers.one", customer_no=customer_no))


@blueprint.post("/<customer_no>/register")
def register(customer_no: str) -> Response | str:
    """Send a code to the phone; it becomes active when the customer has read the code out."""
    form, now, settings = RegisterForm(), panel().now(), panel().settings
    if not form.validate():
        return _one(customer_no, register=form)
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
            address = request.remote_addr or ""
            pending = confirmation.send_code(conn, wanted, address, settings, _key(), now)
    except ModemdError as error:
        refusals.say(error)
        return _one(customer_no, register=form)
    return redirect(url_for("customers.one", customer_no=customer_no, pending=pending, _anchor="code"))


@blueprint.post("/<customer_no>/confirm/<int:pending_id>")
def confirm(customer_no: str, pending_id: int) -> Response:
    """The code that the customer has read out."""
    form = CodeForm()
    back = redirect(url_for("customers.one", customer_no=customer_no, pending=pending_id, _anchor="code"))
    if not form.validate():
        return back
    try:
        with database.writing(panel().engine) as conn:
            who, settings, now = current_user.name, panel().settings, panel().now()
            outcome = confirmation.confirm(conn, pending_id, who, (), form.code.data, settings, _key(), now)
    except ModemdError as error:
        refusals.say(error)
        return back
    if outcome.number is None:
        flash(
            gettext("This code is not right or no longer good. Tries left: %(left)s.", left=outcome.tries_left),
            "warning",
        )
        return back
    flash(gettext("The phone is registered."))
    return redirect(url_for("customers.one", customer_no=customer_no))


@blueprint.post("/<customer_no>/phone/<int:index>/<any(end,wrong,right):what>")
def phone(customer_no: str, index: int, what: str) -> Response:
    """End what a phone gets for this customer, or mark it as somebody else's (and take that back)."""
    now, who = panel().now(), current_user.name
    try:
        with database.writing(panel().engine) as conn:
            found = _show(conn, customer_no).phones
            if index >= len(found):
                abort(404)
            number = found[index].number
            match what:
                case "end":
                    subscriptions.end(conn, number, Channel.CENTRE, who, now, customer_numbers=[customer_no])
                case "wrong":
                    default = panel().settings.service.language
                    subscriptions.mark_wrong_number(conn, number, default, who, now)
                case "right":
                    subscriptions.lift_wrong_number(conn, number, who, now)
    except ModemdError as error:
        refusals.say(error)
    else:
        flash(gettext("Done."))
    return redirect(url_for("customers.one", customer_no=customer_no))


@blueprint.post("/<customer_no>/phone/<int:index>/conversation")
def conversation(customer_no: str, index: int) -> Response:
    """The messages with a phone of this customer."""
    with database.reading(panel().engine) as conn:
        found = _show(conn, customer_no).phones
        message = lives.find_number(conn, found[index].number) if index < len(found) else None
    if message is None:
        flash(gettext("There is no message with this phone yet."), "warning")
        return redirect(url_for("customers.one", customer_no=customer_no))
    return redirect(url_for("messages.conversation", direction=message[0], message_id=message[1]))


@blueprint.post("/<customer_no>/account")
def account(customer_no: str) -> str:
    """A user name and a one-time password for the portal, shown once on the answer."""
    with database.writing(panel().engine) as conn:
        _show(conn, customer_no)
        handed_out = accounts.hand_out(conn, customer_no, current_user.name, panel().now())
    return _one(customer_no, handed_out=handed_out)


def _one(customer_no: str, **more: Any) -> str:
    pending_id = request.args.get("pending", type=int)
    with database.reading(panel().engine) as conn:
        found = _show(conn, customer_no)
        history = customers.history(conn, customer_no)
        waits = confirmation.phone_of(conn, pending_id, current_user.name) if pending_id else None
    default = {"language": found.language or panel().settings.service.language}
    facts: dict[str, Any] = {
        "register": RegisterForm(formdata=None, data=default),
        "handed_out": None,
        **more,
    }
    return render_template(
        "customers/one.html",
        customer=found,
        history=history,
        pending=pending_id if waits else None,
        waits=waits,
        identity=IdentityForm(),
        code=CodeForm(),
        consent_text=confirmation.consent_text(language.chosen(), panel().settings.service).text,
        sees_amounts=current_user.role is not Role.TECHNICIAN,
        **facts,
    )


def _show(conn: Connection, customer_no: str) -> customers.Customer:
    try:
        return customers.show(conn, customer_no)
    except CustomerUnknown:
        abort(404)


def _key() -> bytes:
    """Keeps who reads the database from guessing codes: the panel's own secret."""
    return str(current_app.secret_key).encode()
