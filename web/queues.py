"""Messages that wait for a person, and what can be done about each, singly and for many: all or none."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask_babel import gettext, lazy_gettext, ngettext
from flask_login import current_user
from sqlalchemy import Connection
from werkzeug.wrappers import Response

from modemd import audit
from modemd.config import Language
from modemd.errors import AnswerRefused, CannedRefused, NotFailed, NotHeld, NotUnread, SpellingRefused
from modemd.service import canned, failures, spellings
from modemd.service import unread as texts
from modemd.service.failures import RESENDABLE
from modemd.store import database, doubt, search
from modemd.store import failures as failed
from modemd.store.listing import Listed
from web import language, refusals, words
from web.panel import panel
from web.paths import local

ON_A_PAGE = 50

blueprint = Blueprint("queues", __name__, url_prefix="/messages")

Lister = Callable[[Connection, int, int], list[Listed]]


@dataclass(frozen=True, slots=True)
class Queue:
    """Messages that wait for a person."""

    name: str
    title: words.Words
    explained: words.Words
    find: Lister


QUEUES = {
    each.name: each
    for each in (
        Queue(
            "held",
            lazy_gettext("Held for a person"),
            lazy_gettext(
                "The network may have taken these and we cannot know. Send again only what matters more than being "
                "received twice."
            ),
            lambda conn, limit, after: search.troubled(conn, "held", limit, after),
        ),
        Queue(
            "in_doubt",
            lazy_gettext("In doubt"),
            lazy_gettext("The modem's last answer was never seen. They settle by themselves within minutes or hours."),
            lambda conn, limit, after: search.troubled(conn, "in_doubt", limit, after),
        ),
        Queue(
            "failed",
            lazy_gettext("Failed"),
            lazy_gettext(
                "The network or the modem refused these for good. Read the reason, do what it says, and send again "
                "or close with a note."
            ),
            failed.queue,
        ),
        Queue(
            "unread",
            lazy_gettext("Not understood"),
            lazy_gettext("Texts in which no keyword was found. Nobody has answered them."),
            search.not_understood,
        ),
    )
}


@blueprint.get("/queue/<name>")
def page(name: str) -> str:
    """One queue, the oldest first."""
    chosen = QUEUES.get(name) or abort(404)
    after = request.args.get("after", 0, type=int)
    with database.reading(panel().engine) as conn:
        found = chosen.find(conn, ON_A_PAGE + 1, max(0, min(after, 2**62)))
    more = found[ON_A_PAGE - 1].id if len(found) > ON_A_PAGE else None
    return render_template(
        "messages/queue.html",
        queue=chosen,
        queues=QUEUES.values(),
        found=found[:ON_A_PAGE],
        more=more,
        canned=_ready_answers(),
        resendable=RESENDABLE,
    )


@blueprint.post("/decide")
def decide() -> Response:
    """Send held messages once more, or leave them as they are."""
    ids, verdict, now = _chosen(), request.form.get("verdict"), panel().now()
    if not ids or verdict not in ("resend", "drop"):
        return _nothing_chosen("held")
    try:
        with database.writing(panel().engine) as conn:
            if verdict == "resend":
                kinds = panel().settings.kinds
                validity = {name: timedelta(hours=kind.validity_hours) for name, kind in kinds}
                doubt.resend(conn, ids, now, validity)
            else:
                doubt.drop(conn, ids, now)
            audit.note(conn, current_user.name, f"doubt.{verdict}", f"message {','.join(map(str, ids))}", "", now)
    except NotHeld:
        flash(gettext("Nothing was changed: somebody else, or a status report, has settled one of these."), "warning")
        return _back("held")
    if verdict == "resend":
        flash(ngettext("%(num)d message is sent again.", "%(num)d messages are sent again.", len(ids)))
    else:
        flash(ngettext("%(num)d message is left as it is.", "%(num)d messages are left as they are.", len(ids)))
    return _back("held")


@blueprint.post("/failed/resend")
def resend_failed() -> Response:
    """Send the texts of failed messages again, as new messages."""
    ids = _chosen()
    if not ids:
        return _nothing_chosen("failed")
    try:
        with database.writing(panel().engine) as conn:
            failures.resend(conn, ids, current_user.name, panel().settings, panel().now())
    except NotFailed as error:
        refusals.say(error)
    else:
        flash(ngettext("%(num)d message is sent again.", "%(num)d messages are sent again.", len(ids)))
    return _back("failed")


@blueprint.post("/failed/close")
def close_failed() -> Response:
    """Seen, and nothing more is done: the note says why."""
    ids = _chosen()
    if not ids:
        return _nothing_chosen("failed")
    try:
        with database.writing(panel().engine) as conn:
            failures.close(conn, ids, request.form.get("note", ""), current_user.name, panel().now())
    except NotFailed as error:
        refusals.say(error)
    else:
        flash(ngettext("%(num)d message is closed.", "%(num)d messages are closed.", len(ids)))
    return _back("failed")


@blueprint.post("/unread")
def unread() -> Response:
    """Answer texts that were not understood, teach a spelling, or leave them."""
    ids = _chosen()
    if not ids:
        return _nothing_chosen("unread")
    settings, now, who = panel().settings, panel().now(), current_user.name
    try:
        with database.writing(panel().engine) as conn:
            match request.form.get("do"):
                case "answer":
                    texts.answer(conn, ids, request.form.get("text", "")[:1000], who, settings, now)
                case "canned":
                    texts.answer_canned(conn, ids, request.form.get("canned", ""), who, settings, now)
                case "teach":
                    kind, words_ = request.form.get("kind", ""), request.form.get("words") or None
                    for inbox_id in ids:
                        spellings.teach(conn, inbox_id, kind, who, settings.service, now, words=words_)
                case "drop":
                    texts.drop(conn, ids, who, now)
                case _:
                    abort(400)
    except (NotUnread, AnswerRefused, CannedRefused, SpellingRefused) as error:
        refusals.say(error)
    else:
        flash(ngettext("%(num)d text is settled.", "%(num)d texts are settled.", len(ids)))
    return _back("unread")


def _ready_answers() -> dict[str, str]:
    """What each says, in the reader's language, by its name in the settings."""
    settings = panel().settings
    spoken: Language = "en" if language.chosen() == "en" else "bg-Cyrl"
    return {name: canned.render(name, spoken, settings) for name in settings.canned}


def _chosen() -> Sequence[int]:
    return list(dict.fromkeys(each for each in request.form.getlist("id", type=int) if each < 2**62))[:ON_A_PAGE]


def _nothing_chosen(queue: str) -> Response:
    flash(gettext("Choose messages first."), "warning")
    return _back(queue)


def _back(queue: str) -> Response:
    """To the message's own page if that is where somebody decided, else to the queue."""
    return redirect(local(request.form.get("back"), url_for("queues.page", name=queue)))
