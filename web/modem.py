"""One modem: who and how it is, what it has been through, and everything that a technician can want of it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from flask import Blueprint, Response, abort, flash, redirect, render_template, url_for
from flask_babel import gettext, lazy_gettext
from flask_login import current_user
from sqlalchemy import Connection
from werkzeug.wrappers import Response as AnyResponse
from wtforms import BooleanField, IntegerField, PasswordField, SelectField, StringField, TextAreaField
from wtforms.validators import EqualTo, InputRequired, Length, NumberRange, Optional, Regexp

from modemd import audit, masks
from modemd.config import SOFIA, Limits
from modemd.errors import NotAPhone, TextError
from modemd.service import compose
from modemd.store import database, glance, history, lines, outbox, recovery, rules, wishes
from modemd.store.history import Event
from modemd.store.lines import ModemOverview
from modemd.store.recovery import Record
from modemd.store.rules import LineRule
from modemd.store.schema import WishState, WishVerb
from modemd.store.wishes import Asked
from web import charts, refusals
from web.charts import SignalChart
from web.forms import Form, choices
from web.panel import panel

SHOWN_FOR = timedelta(hours=24)  # of the signal
MOST_LIMIT = 1_000_000  # parts
BUTTONS = (WishVerb.PAUSE, WishVerb.RESUME, WishVerb.RESTART, WishVerb.RESET, WishVerb.TRANSCRIPT)

blueprint = Blueprint("modem", __name__, url_prefix="/modem")


class TestForm(Form):
    number = StringField(lazy_gettext("To"), [InputRequired(lazy_gettext("Enter a number.")), Length(max=32)])
    text = StringField(lazy_gettext("Text"), [InputRequired(lazy_gettext("Write something.")), Length(max=160)])


class UssdForm(Form):
    code = StringField(
        lazy_gettext("Code"),
        [
            InputRequired(lazy_gettext("Enter a code, for example *100#.")),
            Regexp(
                r"[0-9*#]{1,40}\Z", message=lazy_gettext("A USSD code has digits, * and # only, for example *100#.")
            ),
        ],
    )


class PinForm(Form):
    pin = PasswordField(
        lazy_gettext("New PIN"), [Regexp(r"[0-9]{4,8}\Z", message=lazy_gettext("A PIN has 4 to 8 digits."))]
    )
    again = PasswordField(lazy_gettext("New PIN, again"), [EqualTo("pin", lazy_gettext("The two PINs differ."))])
    sure = BooleanField(
        lazy_gettext("I have read this PIN in the contract of this very SIM"),
        [InputRequired(lazy_gettext("Confirm that the PIN is from the contract: three wrong ones lock the SIM."))],
    )


class LineForm(Form):
    name = StringField(lazy_gettext("Name of the line"), [InputRequired(lazy_gettext("Enter a name.")), Length(max=64)])
    number = StringField(lazy_gettext("Its own number"), [Optional(), Length(max=32)])
    replaces = SelectField(lazy_gettext("Stands in for"), coerce=int)
    per_minute = IntegerField(lazy_gettext("Parts a minute"), [Optional(), NumberRange(0, MOST_LIMIT)])
    per_day = IntegerField(lazy_gettext("Parts a day"), [Optional(), NumberRange(0, MOST_LIMIT)])
    per_month = IntegerField(lazy_gettext("Parts a month"), [Optional(), NumberRange(0, MOST_LIMIT)])
    notes = TextAreaField(lazy_gettext("Notes"), [Optional(), Length(max=2000)])


class ConsoleForm(Form):
    command = StringField(
        lazy_gettext("Command"), [InputRequired(lazy_gettext("Enter a command, for example AT+CSQ.")), Length(max=80)]
    )


@dataclass(frozen=True, slots=True)
class Shown:
    """What the page shows of one modem, all of one moment."""

    at: datetime
    modem: ModemOverview
    rule: LineRule | None
    sent_this_month: int
    limits: Limits
    events: Sequence[Event]
    chart: SignalChart
    rungs: Sequence[Record]
    wishes: Sequence[Asked]
    running: bool  # its daemon is: wishes are obeyed
    lines: Sequence[LineRule]

    @property
    def wanted(self) -> bool:
        """Whether something that was asked for is not done yet."""
        return any(each.state in (WishState.PENDING, WishState.TAKEN) for each in self.wishes)


@blueprint.get("/<int:modem_id>")
def page(modem_id: int) -> str:
    shown = _shown(modem_id)
    return render_template("modem/page.html", shown=shown, **_forms(shown))


@blueprint.get("/<int:modem_id>/live")
def live(modem_id: int) -> str:
    """The part of the page that changes by itself."""
    return render_template("modem/live.html", shown=_shown(modem_id))


@blueprint.post("/<int:modem_id>/wish/<verb>")
def wish(modem_id: int, verb: str) -> AnyResponse:
    """Pause, resume, restart or reset it, or fetch the last of its dialogue."""
    if verb not in BUTTONS:
        abort(404)
    return _ask(modem_id, WishVerb(verb), None)


@blueprint.post("/<int:modem_id>/ussd")
def ussd(modem_id: int) -> AnyResponse:
    form = UssdForm()
    return _ask(modem_id, WishVerb.USSD, form.code.data) if form.validate() else _refused(form, modem_id)


@blueprint.post("/<int:modem_id>/pin")
def pin(modem_id: int) -> AnyResponse:
    """Another PIN for the SIM; it goes to the daemon through the database, which forgets it at once."""
    form = PinForm()
    if not form.validate():
        return _refused(form, modem_id)
    if (cause := _shown(modem_id).modem.cause) is not None and cause.code == "PukRequired":
        flash(gettext("The SIM wants its PUK: a PIN would be wasted. Unlock it in a phone."), "danger")
        return redirect(url_for("modem.page", modem_id=modem_id))
    return _ask(modem_id, WishVerb.PIN, form.pin.data)


@blueprint.post("/<int:modem_id>/test")
def test(modem_id: int) -> AnyResponse:
    """A message of the technician's own through this very line."""
    form = TestForm()
    if not form.validate():
        return _refused(form, modem_id)
    modem, now = _shown(modem_id).modem, panel().now()
    if modem.line_id is None:
        flash(gettext("This modem has no SIM that is known."), "warning")
        return redirect(url_for("modem.page", modem_id=modem_id))
    try:
        made = compose.message("manual", form.number.data, form.text.data, panel().settings, now)
    except (NotAPhone, TextError) as error:
        flash(refusals.said(error), "warning")
        return redirect(url_for("modem.page", modem_id=modem_id))
    with database.writing(panel().engine) as conn:
        (message_id,) = outbox.enqueue(conn, [replace(made, line_id=modem.line_id)], now)
        audit.note(conn, current_user.name, "modem.test", modem.name, masks.phone(made.recipient), now)
    return redirect(url_for("messages.one", direction="mt", message_id=message_id))


@blueprint.post("/<int:modem_id>/line")
def line(modem_id: int) -> AnyResponse:
    """Accept the SIM, name it, and say what it may send."""
    shown, form = _shown(modem_id), LineForm()
    _offer(form, shown)
    if not form.validate():
        return _refused(form, modem_id)
    line_id, now = shown.modem.line_id, panel().now()
    if line_id is None:
        flash(gettext("This modem has no SIM that is known."), "warning")
        return redirect(url_for("modem.page", modem_id=modem_id))
    with database.writing(panel().engine) as conn:
        rules.adopt(conn, line_id, now)
        rules.rename(conn, line_id, form.name.data.strip())
        changed: dict[str, Any] = {
            "number": (form.number.data or "").strip() or None,
            "replaces": form.replaces.data or None,
            "notes": (form.notes.data or "").strip() or None,
            "per_minute": form.per_minute.data,
            "per_day": form.per_day.data,
            "per_month": form.per_month.data,
        }
        rules.change(conn, line_id, **changed)
        what = ", ".join(f"{name}={value}" for name, value in changed.items() if value is not None and name != "notes")
        audit.note(conn, current_user.name, "line.change", form.name.data, what, now)
    flash(gettext("The SIM is accepted and its settings are saved."))
    return redirect(url_for("modem.page", modem_id=modem_id))


@blueprint.get("/<int:modem_id>/transcript/<int:wish_id>.txt")
def transcript(modem_id: int, wish_id: int) -> Response:
    """The last of the dialogue as a file, numbers and texts masked."""
    with database.reading(panel().engine) as conn:
        found = wishes.find(conn, modem_id, wish_id)
    if found is None or found.verb is not WishVerb.TRANSCRIPT or found.state is not WishState.DONE:
        abort(404)
    name = f"modem-{modem_id}-{found.asked_at:%Y%m%dT%H%M%SZ}.txt"
    disposition = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response(found.answer or "", mimetype="text/plain", headers=disposition)


@blueprint.get("/<int:modem_id>/console")
def console(modem_id: int) -> str:
    """AT commands that read, for administrators."""
    return render_template("modem/console.html", shown=_shown(modem_id), form=ConsoleForm())


@blueprint.get("/<int:modem_id>/console/live")
def said(modem_id: int) -> str:
    """What was said and answered."""
    return render_template("modem/said.html", shown=_shown(modem_id))


@blueprint.post("/<int:modem_id>/console")
def say(modem_id: int) -> AnyResponse:
    form = ConsoleForm()
    if not form.validate():
        return _refused(form, modem_id, back="modem.console")
    return _ask(modem_id, WishVerb.SAY, form.command.data.strip(), back="modem.console")


def _ask(modem_id: int, verb: WishVerb, argument: str | None, *, back: str = "modem.page") -> AnyResponse:
    """Write the wish down, unless nobody would obey it."""
    shown, now = _shown(modem_id), panel().now()
    if not shown.running:
        flash(gettext("The service %(name)s is not running: nobody would do it.", name=shown.modem.host), "danger")
        return redirect(url_for(back, modem_id=modem_id))
    told = argument if verb in (WishVerb.USSD, WishVerb.SAY) else ""
    with database.writing(panel().engine) as conn:
        wishes.ask(conn, modem_id, verb, argument, current_user.name, now)
        audit.note(conn, current_user.name, f"modem.{verb}", shown.modem.name, told or "", now)
    return redirect(url_for(back, modem_id=modem_id, _anchor="wishes" if back == "modem.page" else None))


def _refused(form: Form, modem_id: int, *, back: str = "modem.page") -> AnyResponse:
    for reason in (reason for reasons in form.errors.values() for reason in reasons):
        flash(reason, "warning")
    return redirect(url_for(back, modem_id=modem_id))


def _shown(modem_id: int) -> Shown:
    now = panel().now()
    with database.reading(panel().engine) as conn:
        return _look(conn, modem_id, now)


def _look(conn: Connection, modem_id: int, now: datetime) -> Shown:
    midnight = now.astimezone(SOFIA).replace(hour=0, minute=0, second=0, microsecond=0)
    modem = next((each for each in lines.overview(conn, midnight) if each.id == modem_id), None)
    if modem is None:
        abort(404)
    all_lines = rules.overview(conn, midnight, midnight.replace(day=1))
    own = next((each for each in all_lines if each.rule.line_id == modem.line_id), None)
    limits = panel().settings.limits_of(modem.port, modem.imei, modem.iccid)
    if own is not None:
        limits = limits.but(own.rule.per_minute, own.rule.per_day, own.rule.per_month)
    kind = " ".join(filter(None, (modem.manufacturer, modem.model))) or "unknown"
    since = now - SHOWN_FOR
    return Shown(
        at=now,
        modem=modem,
        rule=own.rule if own is not None else None,
        sent_this_month=own.sent_this_month if own is not None else 0,
        limits=limits,
        events=history.events(conn, modem_id, limit=12),
        chart=charts.signal(history.signal(conn, modem_id, since), since, now),
        rungs=[each for each in recovery.records(conn) if each.model == kind[:64]],
        wishes=wishes.of_modem(conn, modem_id),
        running=any(each.running and each.name == modem.host for each in glance.daemons(conn, now)),
        lines=[each.rule for each in all_lines],
    )


def _forms(shown: Shown) -> dict[str, Form]:
    rule = shown.rule
    form = LineForm(
        formdata=None,
        data={
            "name": rule.name if rule else "",
            "number": rule.number if rule else "",
            "replaces": (rule.replaces or 0) if rule else 0,
            "notes": rule.notes if rule else "",
            "per_minute": rule.per_minute if rule else None,
            "per_day": rule.per_day if rule else None,
            "per_month": rule.per_month if rule else None,
        },
    )
    _offer(form, shown)
    text = gettext("Test from %(name)s, %(time)s", name=shown.modem.name, time=f"{shown.at.astimezone(SOFIA):%H:%M}")
    test_form = TestForm(formdata=None, data={"text": text})
    return {"line_form": form, "test_form": test_form, "ussd_form": UssdForm(formdata=None), "pin_form": PinForm()}


def _offer(form: LineForm, shown: Shown) -> None:
    others = [(each.line_id, each.name) for each in shown.lines if each.line_id != shown.modem.line_id]
    form.replaces.choices = choices([(0, lazy_gettext("no other SIM")), *others])
