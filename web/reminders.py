"""Reminder runs and outage notices: previewed, approved by a second person, started, watched, stopped."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask_babel import gettext, lazy_gettext, ngettext
from flask_login import current_user
from sqlalchemy import Connection
from werkzeug.wrappers import Response
from wtforms import DateTimeLocalField, IntegerField, StringField, TextAreaField
from wtforms.validators import InputRequired, Length, NumberRange, Optional

from modemd import audit, masks
from modemd.config import SOFIA
from modemd.errors import CampaignRefused, NotAPhone, NothingToSend, TemplateRefused
from modemd.service import campaigns, compose, outages
from modemd.service.campaigns import MAY_APPROVE, Actor, Standing
from modemd.service.reminders import preview as previews
from modemd.store import campaigns as rows
from modemd.store import database, glance, outbox
from modemd.store.schema import CampaignKind, CampaignState
from web import refusals
from web.forms import Form
from web.panel import panel

MOST_PEOPLE = 10_000_000
TESTS = 5  # sample texts that go to one's own phone

blueprint = Blueprint("reminders", __name__, url_prefix="/reminders")


class StartForm(Form):
    recipients = IntegerField(
        lazy_gettext("How many people does it go to? Type their number"),
        [InputRequired(lazy_gettext("Type the number of recipients.")), NumberRange(1, MOST_PEOPLE)],
    )


class TestForm(Form):
    number = StringField(lazy_gettext("My phone"), [InputRequired(lazy_gettext("Enter a number.")), Length(max=32)])


class OutageForm(Form):
    points = TextAreaField(
        lazy_gettext("Metering points"),
        [InputRequired(lazy_gettext("Paste the metering points.")), Length(max=500_000)],
    )
    begins = DateTimeLocalField(lazy_gettext("Begins"), [InputRequired(lazy_gettext("Choose day and hour."))])
    ends = DateTimeLocalField(lazy_gettext("Ends"), [InputRequired(lazy_gettext("Choose day and hour."))])
    text = StringField(lazy_gettext("A few words more"), [Optional(), Length(max=100)])


@blueprint.get("/")
def page() -> str:
    """All runs and notices, the newest first, and what the data from billing allow."""
    now = panel().now()
    with database.reading(panel().engine) as conn:
        found = rows.newest(conn, limit=30)
        running = [_standing(conn, each.id, now) for each in found if each.state in campaigns.ACTIVE]
        data_at = glance.data_at(conn)
    return render_template("reminders/page.html", found=found, running=running, data_at=data_at, form=Form())


@blueprint.post("/preview")
def preview() -> Response:
    """Count who would be reminded and why the others are not; keep it, so that somebody else can approve it."""
    settings, now = panel().settings, panel().now()
    try:
        with database.reading(panel().engine) as conn:
            made = previews.preview(conn, settings, now)
        with database.writing(panel().engine) as conn:
            campaign_id = previews.propose(conn, made, settings, current_user.name, now)
    except (CampaignRefused, NothingToSend, TemplateRefused) as error:
        refusals.say(error)
        return redirect(url_for("reminders.page"))
    return redirect(url_for("reminders.one", campaign_id=campaign_id))


@blueprint.get("/<int:campaign_id>")
def one(campaign_id: int) -> str:
    standing = _find(campaign_id)
    return render_template("reminders/one.html", **_facts(standing), test=TestForm(), token=Form())


@blueprint.get("/<int:campaign_id>/live")
def live(campaign_id: int) -> str:
    """How far it is."""
    return render_template("reminders/live.html", **_facts(_find(campaign_id)))


@blueprint.post("/<int:campaign_id>/approve")
def approve(campaign_id: int) -> Response:
    """The second person's word; the service sees to it that it is one."""
    settings = panel().settings
    return _do(campaign_id, lambda conn, who, now: campaigns.approve(conn, campaign_id, who, settings, now))


@blueprint.post("/<int:campaign_id>/<any(start,pause,resume,cancel,call_off):what>")
def act(campaign_id: int, what: str) -> Response:
    """Start it (with the number of its recipients), pause it, go on, end it, or call an outage off."""
    settings = panel().settings

    def do(conn: Connection, who: Actor, now: datetime) -> None:
        match what:
            case "start":
                form = StartForm()
                form.validate()
                campaigns.start(conn, campaign_id, form.recipients.data or 0, who, settings, now)
            case "pause":
                campaigns.pause(conn, campaign_id, who, now)
            case "resume":
                campaigns.resume(conn, campaign_id, who, settings, now)
            case "call_off":
                outages.call_off(conn, campaign_id, who, settings, now)
            case "cancel":
                campaigns.cancel(conn, campaign_id, who, settings, now)

    return _do(campaign_id, do)


@blueprint.post("/<int:campaign_id>/test")
def test(campaign_id: int) -> Response:
    """Its sample texts to one's own phone, as its recipients would get them."""
    form, now = TestForm(), panel().now()
    samples = _samples(_find(campaign_id))[:TESTS]
    back = redirect(url_for("reminders.one", campaign_id=campaign_id))
    if not form.validate():
        flash(gettext("Enter a number."), "warning")
        return back
    try:
        made = [compose.message("manual", form.number.data, each["text"], panel().settings, now) for each in samples]
    except NotAPhone as error:
        flash(refusals.said(error), "warning")
        return back
    with database.writing(panel().engine) as conn:
        outbox.enqueue(conn, made, now)
        to = masks.phone(made[0].recipient) if made else ""
        audit.note(conn, current_user.name, "campaign.test", f"campaign {campaign_id}", to, now)
    flash(
        ngettext(
            "%(num)d text is on its way to your phone.", "%(num)d texts are on their way to your phone.", len(made)
        )
    )
    return back


@blueprint.route("/outage", methods=["GET", "POST"])
def outage() -> str | Response | tuple[str, int]:
    """Announce a planned outage: first whom it concerns and what they would read, then to be confirmed."""
    form, now = OutageForm(), panel().now()
    if not form.validate_on_submit():
        return render_template("reminders/outage.html", form=form, made=None)
    begins, ends = (moment.replace(tzinfo=SOFIA) for moment in (form.begins.data, form.ends.data))
    try:
        wanted = outages.read(form.points.data, begins, ends, form.text.data or "", now)
        with database.reading(panel().engine) as conn:
            made = outages.prepare(conn, wanted, panel().settings)
        if request.form.get("confirmed") != str(len(made.recipients)):
            return render_template("reminders/outage.html", form=form, made=made)
        with database.writing(panel().engine) as conn:
            campaign_id = outages.announce(conn, made, _actor(), now)
    except (CampaignRefused, NothingToSend, TemplateRefused) as error:
        refusals.say(error)
        return render_template("reminders/outage.html", form=form, made=None), 400
    return redirect(url_for("reminders.one", campaign_id=campaign_id))


def _do(campaign_id: int, what: Callable[[Connection, Actor, datetime], None]) -> Response:
    try:
        with database.writing(panel().engine) as conn:
            what(conn, _actor(), panel().now())
    except (CampaignRefused, NothingToSend) as error:
        refusals.say(error)
    return redirect(url_for("reminders.one", campaign_id=campaign_id))


def _actor() -> Actor:
    return Actor(current_user.name, current_user.role)


def _find(campaign_id: int) -> Standing:
    if campaign_id >= 2**62:
        abort(404)
    with database.reading(panel().engine) as conn:
        try:
            return _standing(conn, campaign_id, panel().now())
        except CampaignRefused:
            abort(404)


def _standing(conn: Connection, campaign_id: int, now: datetime) -> Standing:
    return campaigns.standing(conn, campaign_id, panel().settings, now)


def _samples(standing: Standing) -> list[dict[str, Any]]:
    """Texts of reminders are objects, those of outages plain."""
    return [each if isinstance(each, dict) else {"text": each} for each in standing.figures.get("samples", ())]


def _facts(standing: Standing) -> dict[str, Any]:
    campaign, person = standing.campaign, current_user
    two = panel().settings.reminders.two_people
    may_approve = (
        campaign.state is CampaignState.PROPOSED
        and person.role in MAY_APPROVE
        and not (two and person.name == campaign.created_by)
    )
    ready = {CampaignState.APPROVED} if two else {CampaignState.APPROVED, CampaignState.PROPOSED}
    return {
        "standing": standing,
        "campaign": campaign,
        "figures": standing.figures,
        "samples": _samples(standing),
        "start": StartForm(),
        "may_approve": may_approve,
        "may_start": campaign.state in (ready, CampaignState.APPROVED)
        and not (two and person.name == campaign.approved_by),
        "is_reminder": campaign.kind is CampaignKind.REMINDER,
        "may_call_off": campaign.kind is CampaignKind.OUTAGE
        and campaign.calls_off is None
        and campaign.state is not CampaignState.CANCELLED
        and campaign.ends_at is not None
        and campaign.ends_at > panel().now(),
    }
