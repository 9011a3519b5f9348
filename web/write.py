"""Writing to one or many: recipients checked, alphabet and parts while typing, Latin letters with one click."""

from dataclasses import dataclass

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext, lazy_gettext, ngettext
from flask_login import current_user
from werkzeug.wrappers import Response
from wtforms import TextAreaField
from wtforms.validators import InputRequired, Length

from modemd import audit, masks
from modemd.errors import NotAPhone, TextError
from modemd.service import compose, drafts, phones
from modemd.store import database, outbox
from web import refusals
from web.forms import Form
from web.panel import panel

MOST = 1000  # recipients at once: more is a run of its own
LONGEST = 1600  # characters

blueprint = Blueprint("write", __name__, url_prefix="/write")


class WriteForm(Form):
    to = TextAreaField(
        lazy_gettext("Recipients"), [InputRequired(lazy_gettext("Write at least one number.")), Length(max=50_000)]
    )
    text = TextAreaField(lazy_gettext("Text"), [InputRequired(lazy_gettext("Write something.")), Length(max=LONGEST)])


@dataclass(frozen=True, slots=True)
class Recipients:
    """What was typed as recipients: those that are numbers, each once, and what is none."""

    numbers: tuple[str, ...]
    wrong: tuple[str, ...]
    doubles: int


@blueprint.get("/")
def page() -> str:
    return _page(WriteForm(formdata=None))


@blueprint.post("/measure")
def measure() -> str:
    """What the text and the recipients come to, for the page to show while somebody types."""
    text, to = request.form.get("text", "")[:LONGEST], request.form.get("to", "")[:50_000]
    return render_template("write/measured.html", draft=drafts.look_at(text), recipients=_recipients(to))


@blueprint.post("/")
def send() -> Response | str | tuple[str, int]:
    """Send it, or only check it, or take the Latin text: whichever button was pressed."""
    form, now = WriteForm(), panel().now()
    draft = drafts.look_at(form.text.data or "")
    if request.form.get("do") == "latin":
        if draft.latin is not None:
            form.text.data = draft.latin.text
        return _page(form)
    recipients = _recipients(form.to.data or "")
    valid = form.validate()
    if request.form.get("do") != "send":
        return _page(form)
    if recipients.wrong:
        form.to.errors = [gettext("These are no phone numbers: %(wrong)s", wrong=", ".join(recipients.wrong[:10]))]
    elif len(recipients.numbers) > MOST:
        form.to.errors = [gettext("%(most)s recipients at once are the most.", most=MOST)]
    if not valid or form.to.errors or not recipients.numbers:
        return _page(form), 400
    try:
        made = [compose.message("manual", to, form.text.data, panel().settings, now) for to in recipients.numbers]
    except (NotAPhone, TextError) as error:
        form.text.errors = [refusals.said(error)]
        return _page(form), 400
    with database.writing(panel().engine) as conn:
        ids = outbox.enqueue(conn, made, now)
        to = masks.phone(recipients.numbers[0]) if len(ids) == 1 else f"{len(ids)} recipients"
        audit.note(conn, current_user.name, "message.write", to, f"messages {ids[0]}-{ids[-1]}", now)
    flash(ngettext("%(num)d message is on its way.", "%(num)d messages are on their way.", len(ids)))
    if len(ids) == 1:
        return redirect(url_for("messages.one", direction="mt", message_id=ids[0]))
    return redirect(url_for("messages.page", kind="manual"))


def _page(form: WriteForm) -> str:
    draft = drafts.look_at(form.text.data or "")
    return render_template("write/page.html", form=form, draft=draft, recipients=_recipients(form.to.data or ""))


def _recipients(written: str) -> Recipients:
    """Numbers with commas, semicolons or line ends between them."""
    typed = [each.strip() for each in written.replace(";", "\n").replace(",", "\n").splitlines() if each.strip()]
    numbers, wrong = [], []
    for each in typed:
        try:
            numbers.append(phones.recipient(each))
        except NotAPhone:
            wrong.append(each[:40])
    different = tuple(dict.fromkeys(numbers))
    return Recipients(different, tuple(wrong), len(numbers) - len(different))
