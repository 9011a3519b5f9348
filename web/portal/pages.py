"""What a customer sees and changes: his phones, what they get, what was sent to them, and whether an SMS is ours."""

from flask import Blueprint, abort, current_app, flash, redirect, render_template, request, url_for
from flask_babel import gettext, lazy_gettext
from werkzeug.wrappers import Response
from wtforms import DateField, SelectField, StringField
from wtforms.validators import InputRequired, Length

from modemd.errors import ModemdError, NotABulgarianMobile, TooOften
from modemd.service import confirmation, consent, ours, own_phones, subscriptions
from modemd.service.confirmation import Wanted
from modemd.store import database
from web import language
from web.forms import BoxesField, Form, choices
from web.panel import panel
from web.portal import visitor
from web.portal.words import KINDS, ON_THE_WAY, OTHER_KIND, SERVICES, STATES
from web.words import LANGUAGES

NEWEST = 50  # messages

blueprint = Blueprint("pages", __name__)


class ServicesForm(Form):
    """Which services, each a box of its own; none is ticked for anybody."""

    services = BoxesField(
        lazy_gettext("Services"),
        [InputRequired(lazy_gettext("Choose at least one service."))],
        choices=choices(SERVICES.items()),
    )


class PhoneForm(ServicesForm):
    customers = BoxesField(
        lazy_gettext("Customer numbers"),
        [InputRequired(lazy_gettext("Choose at least one customer number."))],
    )
    phone = StringField(lazy_gettext("Mobile phone"), [InputRequired(lazy_gettext("Enter the phone.")), Length(max=32)])
    language = SelectField(lazy_gettext("Language of the SMS"), choices=choices(LANGUAGES.items()))


class CodeForm(Form):
    code = StringField(lazy_gettext("Code from the SMS"), [InputRequired(lazy_gettext("Enter the code."))])


class OursForm(Form):
    phone = SelectField(lazy_gettext("Your phone"))
    sender = StringField(lazy_gettext("Sender as your phone shows it"), [InputRequired(), Length(max=32)])
    day = DateField(lazy_gettext("Day"), [InputRequired(lazy_gettext("Enter the day."))])


@blueprint.get("/")
@visitor.signed_in
def home() -> str:
    with database.reading(panel().engine) as conn:
        found = own_phones.of_customers(conn, visitor.mine().customer_numbers)
    return render_template("portal/home.html", phones=found, words=SERVICES)


@blueprint.route("/phone", methods=["GET", "POST"])
@visitor.signed_in
def add() -> Response | str | tuple[str, int]:
    """A phone, new or with other customers: active once the code that is sent to it comes back."""
    mine = visitor.mine().customer_numbers
    form = PhoneForm(customers=list(mine) if len(mine) == 1 else None)
    form.customers.choices = choices((number, number) for number in mine)
    shown = confirmation.consent_text(language.chosen(), visitor.service())
    if not form.validate_on_submit():
        return render_template("portal/phone.html", form=form, consent=shown.text)
    wanted = Wanted(
        form.phone.data,
        form.customers.data,
        form.services.data,
        form.language.data,
        visitor.mine().channel,
        consent.CUSTOMER,
        shown,
    )
    try:
        with database.writing(panel().engine) as conn:
            pending = confirmation.send_code(conn, wanted, _address(), panel().settings, _key(), panel().now())
    except NotABulgarianMobile:
        refused = gettext("This is no Bulgarian mobile number.")
        return render_template("portal/phone.html", form=form, consent=shown.text, refused=refused), 400
    except TooOften:
        refused = gettext("Too many codes were asked for. Wait an hour, then try again.")
        return render_template("portal/phone.html", form=form, consent=shown.text, refused=refused), 429
    except ModemdError:
        refused = gettext("This cannot be registered. Please call us.")
        return render_template("portal/phone.html", form=form, consent=shown.text, refused=refused), 400
    return redirect(url_for("pages.code", pending=pending))


@blueprint.route("/code/<int:pending>", methods=["GET", "POST"])
@visitor.signed_in
def code(pending: int) -> Response | str | tuple[str, int]:
    form = CodeForm()
    if not form.validate_on_submit():
        return render_template("portal/code.html", form=form)
    try:
        with database.writing(panel().engine) as conn:
            mine = visitor.mine().customer_numbers
            outcome = confirmation.confirm(
                conn, pending, consent.CUSTOMER, mine, form.code.data, panel().settings, _key(), panel().now()
            )
    except ModemdError:
        return render_template("portal/code.html", form=form, refused=gettext("This cannot be registered.")), 400
    if outcome.number is not None:
        flash(gettext("The phone is registered. A welcome SMS is on its way."))
        return redirect(url_for("pages.home"))
    refused = gettext("The code is wrong or no longer good.")
    if outcome.tries_left:
        refused = gettext("The code is wrong. Tries left: %(left)d.", left=outcome.tries_left)
    return render_template("portal/code.html", form=form, refused=refused), 400


@blueprint.route("/phone/<number>/services", methods=["GET", "POST"])
@visitor.signed_in
def services(number: str) -> Response | str:
    """What one of the phones gets; the phone is known, so that no code is needed."""
    phone = _own(number)
    form = ServicesForm(services=list(phone.services))
    shown = confirmation.consent_text(language.chosen(), visitor.service())
    if not form.validate_on_submit():
        return render_template("portal/services.html", form=form, phone=phone, consent=shown.text)
    with database.writing(panel().engine) as conn:
        own_phones.choose(conn, phone, form.services.data, visitor.mine().channel, shown, panel().now())
    flash(gettext("Your choice is kept."))
    return redirect(url_for("pages.home"))


@blueprint.post("/phone/<number>/end")
@visitor.signed_in
def end(number: str) -> Response:
    """End a phone's registration for the customers that are mine."""
    phone = _own(number)
    with database.writing(panel().engine) as conn:
        subscriptions.end(
            conn,
            phone.number,
            visitor.mine().channel,
            consent.CUSTOMER,
            panel().now(),
            customer_numbers=phone.customer_numbers,
        )
    flash(gettext("The registration of the phone has ended."))
    return redirect(url_for("pages.home"))


@blueprint.get("/messages")
@visitor.signed_in
def messages() -> str:
    with database.reading(panel().engine) as conn:
        found = own_phones.sent_to(conn, _numbers(), NEWEST)
    words = {"kinds": KINDS, "states": STATES, "other_kind": OTHER_KIND, "on_the_way": ON_THE_WAY}
    return render_template("portal/messages.html", messages=found, **words)


@blueprint.route("/ours", methods=["GET", "POST"], endpoint="ours")
@visitor.signed_in
def is_ours() -> str:
    """Whether an SMS that a phone of mine has got on a day came from us."""
    form = OursForm()
    form.phone.choices = choices((number, number) for number in _numbers())
    if not form.phone.choices or not form.validate_on_submit():
        return render_template("portal/ours.html", form=form)
    number = visitor.service().service_number
    with database.reading(panel().engine) as conn:
        found = ours.ask(conn, form.phone.data, form.sender.data, form.day.data, number)
    return render_template("portal/ours.html", form=form, verdict=found.verdict)


def _own(number: str) -> own_phones.OwnPhone:
    """One of the visitor's phones; any other is no page."""
    with database.reading(panel().engine) as conn:
        phones = own_phones.of_customers(conn, visitor.mine().customer_numbers)
    found = next((phone for phone in phones if phone.number == number), None)
    return found or abort(404)


def _numbers() -> list[str]:
    with database.reading(panel().engine) as conn:
        return [phone.number for phone in own_phones.of_customers(conn, visitor.mine().customer_numbers)]


def _address() -> str:
    return request.remote_addr or "?"


def _key() -> bytes:
    """Keeps the codes in the database from being guessed."""
    return str(current_app.secret_key).encode()
