"""Customers: found by number, phone or metering point; what they get, and what they agreed to."""

from flask import Blueprint, abort, flash, redirect, render_template, url_for
from flask_babel import gettext, lazy_gettext
from flask_login import current_user
from sqlalchemy import Connection
from werkzeug.wrappers import Response
from wtforms import StringField
from wtforms.validators import InputRequired, Length

from modemd.errors import CustomerUnknown, ModemdError
from modemd.service import customers, subscriptions
from modemd.store import database, lives
from modemd.store.schema import Channel
from modemd.store.staff import Role
from web import refusals
from web.forms import Form
from web.panel import panel

blueprint = Blueprint("customers", __name__, url_prefix="/customers")


class FindForm(Form):
    term = StringField(
        lazy_gettext("Customer number, phone or metering point"),
        [InputRequired(lazy_gettext("Write what you look for.")), Length(max=customers.LONGEST_SEARCH)],
    )


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
    with database.reading(panel().engine) as conn:
        found = shown(conn, customer_no)
        history = customers.history(conn, customer_no)
    sees_amounts = current_user.role is not Role.TECHNICIAN
    return render_template("customers/one.html", customer=found, history=history, sees_amounts=sees_amounts)


@blueprint.post("/<customer_no>/phone/<int:index>/<any(end,wrong,right):what>")
def phone(customer_no: str, index: int, what: str) -> Response:
    """End what a phone gets for this customer, or mark it as somebody else's (and take that back)."""
    now, who = panel().now(), current_user.name
    try:
        with database.writing(panel().engine) as conn:
            found = shown(conn, customer_no).phones
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
        found = shown(conn, customer_no).phones
        message = lives.find_number(conn, found[index].number) if index < len(found) else None
    if message is None:
        flash(gettext("There is no message with this phone yet."), "warning")
        return redirect(url_for("customers.one", customer_no=customer_no))
    return redirect(url_for("messages.conversation", direction=message[0], message_id=message[1]))


def shown(conn: Connection, customer_no: str) -> customers.Customer:
    """The customer of this page; there is none for one of whom nothing is known."""
    try:
        return customers.show(conn, customer_no)
    except CustomerUnknown:
        abort(404)
