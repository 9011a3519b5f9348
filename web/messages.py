"""Messages: looked for, as a conversation, one by one with all that happened, and those that wait for a person."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime, time, timedelta
from typing import Any

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask_babel import gettext, lazy_gettext, ngettext
from flask_login import current_user
from sqlalchemy import Connection
from werkzeug.datastructures import MultiDict
from werkzeug.wrappers import Response
from wtforms import DateField, SelectField, StringField
from wtforms.validators import InputRequired, Length, Optional

from modemd import audit, masks
from modemd.config import SOFIA
from modemd.errors import NotAPhone, RevealRefused
from modemd.service import customers, ours, phones
from modemd.service.failures import RESENDABLE
from modemd.store import database, failures, lives, rules, search
from modemd.store.listing import Direction, Listed
from modemd.store.lives import Life
from modemd.store.search import Position, Wanted
from web import refusals, words
from web.forms import Form, SearchForm, choices
from web.panel import panel
from web.queues import QUEUES

ON_A_PAGE = 50
DAYS = 7  # that are looked through if nobody says otherwise, and at most when a text is looked for
MOST_DAYS = 31
IN_CONVERSATION = 200

blueprint = Blueprint("messages", __name__, url_prefix="/messages")


class FilterForm(SearchForm):
    since = DateField(lazy_gettext("From day"), [Optional()])
    until = DateField(lazy_gettext("To day"), [Optional()])
    direction = SelectField(
        lazy_gettext("Direction"),
        default="",
        choices=choices(
            [("", lazy_gettext("both")), ("mo", lazy_gettext("received")), ("mt", lazy_gettext("sent by us"))]
        ),
    )
    state = SelectField(lazy_gettext("State"), default="")
    kind = SelectField(lazy_gettext("Kind"), default="")
    line = SelectField(lazy_gettext("Line"), default="")
    text = StringField(lazy_gettext("Words in the text"), [Optional(), Length(max=100)])

    def offer(self, lines: Sequence[rules.LineRule]) -> None:
        """Fill in what can be chosen."""
        any_ = ("", lazy_gettext("any"))
        self.state.choices = choices([any_, *((name, word.text) for name, word in words.MESSAGE_STATES.items())])
        self.kind.choices = choices([any_, *words.KINDS.items()])
        self.line.choices = choices([any_, *((str(each.line_id), each.name) for each in lines)])


class FindForm(Form):
    number = StringField(lazy_gettext("Phone number"), [InputRequired(lazy_gettext("Enter a number.")), Length(max=32)])


class RevealForm(Form):
    why = StringField(lazy_gettext("Why"), [InputRequired(), Length(max=200)])


class OursForm(Form):
    recipient = StringField(
        lazy_gettext("Recipient"), [InputRequired(lazy_gettext("Enter the recipient's number.")), Length(max=32)]
    )
    sender = StringField(lazy_gettext("Sender shown on the phone"), [Optional(), Length(max=32)])
    day = DateField(lazy_gettext("Day"), [InputRequired(lazy_gettext("Choose the day."))])


@blueprint.get("/")
def page() -> str:
    """Search: a page of messages, the newest first."""
    now = panel().now()
    form = FilterForm(request.args)
    with database.reading(panel().engine) as conn:
        form.offer(rules.read(conn))
        valid = form.validate()
        wanted, note = _wanted(form if valid else None, now)
        before = _position(request.args)
        found = search.page(conn, wanted, ON_A_PAGE + 1, before)
    shown = found[:ON_A_PAGE]
    older = _next_page(request.args, shown[-1]) if len(found) > ON_A_PAGE else None
    return render_template(
        "messages/page.html",
        form=form,
        find=FindForm(),
        found=shown,
        older=older,
        paged=before is not None,
        newest={name: value for name, value in request.args.items() if name != "before" and value},
        wanted=wanted,
        last_day=(wanted.until - timedelta(days=1)).astimezone(SOFIA).date(),
        note=note,
        queues=QUEUES.values(),
    )


@blueprint.post("/find")
def find() -> Response:
    """The conversation with a number. It is posted: a number has no place in an address."""
    form = FindForm()
    if not form.validate():
        flash(gettext("Enter a number."), "warning")
        return redirect(url_for("messages.page"))
    try:
        number = phones.recipient(form.number.data)
    except NotAPhone as error:
        flash(refusals.said(error), "warning")
        return redirect(url_for("messages.page"))
    with database.reading(panel().engine) as conn:
        found = lives.find_number(conn, number)
    if found is None:
        flash(gettext("There is no message from or to %(number)s.", number=number), "warning")
        return redirect(url_for("messages.page"))
    direction, message_id = found
    return redirect(url_for("messages.conversation", direction=direction, message_id=message_id))


@blueprint.get("/<any(mo,mt):direction>/<int:message_id>")
def one(direction: Direction, message_id: int) -> str:
    """One message and all that happened to it."""
    with database.reading(panel().engine) as conn:
        return _one(conn, direction, message_id)


@blueprint.get("/<any(mo,mt):direction>/<int:message_id>/live")
def live(direction: Direction, message_id: int) -> str:
    """What has happened to it so far."""
    with database.reading(panel().engine) as conn:
        return render_template("messages/life.html", **_facts(conn, direction, message_id))


@blueprint.post("/<any(mo,mt):direction>/<int:message_id>/reveal")
def reveal(direction: Direction, message_id: int) -> str | Response:
    """Show the whole number, once and for a reason; the audit log keeps who has seen it and why."""
    form = RevealForm()
    try:
        with database.writing(panel().engine) as conn:
            why = form.why.data if form.validate() else ""
            number = customers.reveal_message(conn, direction, message_id, current_user.name, why, panel().now())
            return _one(conn, direction, message_id, number)
    except RevealRefused:
        flash(gettext("Say why you need the number."), "warning")
        return redirect(url_for("messages.one", direction=direction, message_id=message_id))


@blueprint.get("/<any(mo,mt):direction>/<int:message_id>/phone")
def conversation(direction: Direction, message_id: int) -> str:
    """Everything from and to the phone of this message, as on the phone."""
    with database.reading(panel().engine) as conn:
        number = lives.number_of(conn, direction, message_id)
        if number is None:
            abort(404)
        found = search.with_number(conn, number, IN_CONVERSATION)
    return render_template("messages/conversation.html", number=number, found=found, most=IN_CONVERSATION)


@blueprint.route("/ours", methods=["GET", "POST"])
def is_ours() -> str | tuple[str, int]:
    """Whether an SMS is one of ours, with a proof to print. What was asked is kept in the audit log."""
    form = OursForm()
    if not form.validate_on_submit():
        return render_template("messages/ours.html", form=form, finding=None)
    now = panel().now()
    service_number = panel().settings.service.service_number
    try:
        with database.writing(panel().engine) as conn:
            finding = ours.ask(conn, form.recipient.data, form.sender.data, form.day.data, service_number)
            what = f"{finding.day.isoformat()} {finding.verdict}"
            audit.note(conn, current_user.name, "message.ours", masks.phone(finding.recipient), what, now)
    except NotAPhone:
        form.recipient.errors = [gettext("This is no phone number. Write it as 0888 000 101.")]
        return render_template("messages/ours.html", form=form, finding=None), 400
    return render_template("messages/ours.html", form=form, finding=finding, at=now, sent_by=_supplier())


def _supplier() -> str:
    return panel().settings.service.supplier_cyrillic


def _one(conn: Connection, direction: Direction, message_id: int, revealed: str | None = None) -> str:
    facts = _facts(conn, direction, message_id)
    return render_template("messages/one.html", **facts, revealed=revealed, form=RevealForm())


def _facts(conn: Connection, direction: Direction, message_id: int) -> dict[str, Any]:
    return {
        "life": _life(conn, direction, message_id),
        "decision": failures.decision(conn, message_id) if direction == "mt" else None,
        "resendable": RESENDABLE,
    }


def _life(conn: Connection, direction: Direction, message_id: int) -> Life:
    life = lives.of(conn, direction, message_id) if message_id < 2**62 else None
    if life is None:
        abort(404)
    return life


def _wanted(form: FilterForm | None, now: datetime) -> tuple[Wanted, str]:
    """What is looked for, and a word about days that are left out of it."""
    today = now.astimezone(SOFIA).date()
    if form is None:
        return Wanted(_midnight(today - timedelta(days=DAYS - 1)), _midnight(today + timedelta(days=1))), ""
    last = form.until.data or (form.since.data and min(today, form.since.data + timedelta(days=DAYS - 1))) or today
    first = form.since.data or last - timedelta(days=DAYS - 1)
    most = DAYS if form.text.data else MOST_DAYS
    note = ""
    if (last - first).days >= most:
        first = last - timedelta(days=most - 1)
        note = ngettext(
            "Only the last %(num)d day is looked through.", "Only the last %(num)d days are looked through.", most
        )
    return (
        Wanted(
            since=_midnight(first),
            until=_midnight(last + timedelta(days=1)),
            direction=form.direction.data or None,
            state=form.state.data or None,
            kind=form.kind.data or None,
            line_id=int(form.line.data) if form.line.data else None,
            words=form.text.data or None,
        ),
        str(note),
    )


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), SOFIA)


def _position(arguments: Mapping[str, str]) -> Position | None:
    """Where the page begins, from the address; None: at the newest, also for what makes no sense."""
    try:
        at, direction, message_id = arguments.get("before", "").split("~")
        position = Position(datetime.fromisoformat(at), "mo" if direction == "mo" else "mt", int(message_id))
    except ValueError:
        return None
    return position if position.at.tzinfo is not None and abs(position.id) < 2**62 else None


def _next_page(arguments: MultiDict[str, str], last: Listed) -> str:
    before = f"{last.created_at.isoformat()}~{last.direction}~{last.id}"
    kept: dict[str, Any] = {name: value for name, value in arguments.items() if name != "before" and value}
    return url_for("messages.page", **kept, before=before)
