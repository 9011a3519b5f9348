"""Webhooks: whom the daemon tells what came in and what was sent, what it has told, and telling it once more."""

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask_babel import gettext, lazy_gettext
from flask_login import current_user
from werkzeug.wrappers import Response
from wtforms import StringField
from wtforms.validators import InputRequired, Length

from modemd.errors import WebhookRefused
from modemd.service import webhooks
from modemd.store import database
from modemd.store.schema import HookEvent
from web.forms import BoxesField, Form, choices
from web.panel import panel
from web.words import HOOK_EVENTS

ON_A_PAGE = 100

blueprint = Blueprint("webhooks", __name__, url_prefix="/webhooks")


class WebhookForm(Form):
    name = StringField(lazy_gettext("Name"), [InputRequired(lazy_gettext("Enter a name.")), Length(max=64)])
    url = StringField(
        lazy_gettext("Address"), [InputRequired(lazy_gettext("Enter an address.")), Length(max=webhooks.LONGEST_URL)]
    )
    events = BoxesField(
        lazy_gettext("What it is told"),
        [InputRequired(lazy_gettext("Choose at least one."))],
        choices=choices(HOOK_EVENTS.items()),
    )


@blueprint.get("/")
def page() -> str:
    return _page(WebhookForm(formdata=None))


@blueprint.post("/")
def add() -> str | tuple[str, int]:
    """Subscribe an address; its secret is shown once, on the answer."""
    form = WebhookForm()
    if not form.validate():
        return _page(form), 400
    try:
        with database.writing(panel().engine) as conn:
            events = [HookEvent(each) for each in form.events.data]
            secret = webhooks.subscribe(conn, form.name.data, form.url.data, events, current_user.name, panel().now())
    except WebhookRefused:
        form.url.errors = [
            gettext(
                "The address begins with https:// or http://, names a host and no user; the name has 2 to 64 small "
                "Latin letters, digits and . _ -, and was not used before."
            )
        ]
        return _page(form), 400
    return _page(WebhookForm(formdata=None), handed_out=(form.name.data, secret))


@blueprint.get("/<int:webhook_id>")
def one(webhook_id: int) -> str:
    """What it was told, the newest first."""
    before = request.args.get("before", type=int)
    with database.reading(panel().engine) as conn:
        hook = next((each for each in webhooks.all_of_them(conn) if each.id == webhook_id), None) or abort(404)
        rows = webhooks.logged(conn, webhook_id, ON_A_PAGE + 1, None if before is None else min(before, 2**62))
    older = rows[ON_A_PAGE - 1].id if len(rows) > ON_A_PAGE else None
    return render_template("webhooks/one.html", hook=hook, rows=rows[:ON_A_PAGE], older=older)


@blueprint.post("/<int:webhook_id>/end")
def end(webhook_id: int) -> Response:
    try:
        with database.writing(panel().engine) as conn:
            webhooks.end(conn, min(webhook_id, 2**62), current_user.name, panel().now())
    except WebhookRefused:
        flash(gettext("There is no such webhook, or it was ended before."), "warning")
    else:
        flash(gettext("It is told nothing any more."))
    return redirect(url_for("webhooks.page"))


@blueprint.post("/<int:webhook_id>/<int:delivery_id>/resend")
def resend(webhook_id: int, delivery_id: int) -> Response:
    ids = min(webhook_id, 2**62), min(delivery_id, 2**62)
    try:
        with database.writing(panel().engine) as conn:
            webhooks.resend(conn, *ids, current_user.name, panel().now())
    except WebhookRefused:
        flash(gettext("It waits already, or the webhook was ended."), "warning")
    else:
        flash(gettext("It is told once more."))
    return redirect(url_for("webhooks.one", webhook_id=webhook_id))


def _page(form: WebhookForm, handed_out: tuple[str, str] | None = None) -> str:
    with database.reading(panel().engine) as conn:
        found = webhooks.all_of_them(conn)
    told = panel().settings.webhooks.enabled
    return render_template("webhooks/page.html", hooks=found, form=form, handed_out=handed_out, told=told)
