"""The texts that the service says by itself: changed with their parts counted, and every version that there was."""

import difflib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask_babel import gettext, lazy_gettext
from flask_login import current_user
from werkzeug.wrappers import Response
from wtforms import IntegerField, TextAreaField
from wtforms.validators import InputRequired, Length, NumberRange

from modemd.errors import TemplateRefused
from modemd.service import notices
from modemd.service.notices import TEXTS
from modemd.store import database
from modemd.store import texts as rows
from web import refusals
from web.forms import Form
from web.panel import panel

_WORDS = re.compile(r"\s+|\{\w*\}|\w+|.")

blueprint = Blueprint("texts", __name__, url_prefix="/reminders/texts")


class TextForm(Form):
    text = TextAreaField(lazy_gettext("Text"), [InputRequired(lazy_gettext("Write something.")), Length(max=1000)])


class RestoreForm(Form):
    version = IntegerField(validators=[InputRequired(), NumberRange(0, 2**62)])


@dataclass(frozen=True, slots=True)
class Shown:
    """A version, and what its author changed: (kept, added or taken out; words)."""

    id: int
    text: str
    saved_by: str
    saved_at: datetime | None  # None: as it comes with the program
    changes: Sequence[tuple[str, str]]


@blueprint.get("/")
def page() -> str:
    """Every text, with the parts that it needs at its worst."""
    with database.reading(panel().engine) as conn:
        found = notices.overview(conn, panel().settings.service)
    return render_template("texts/page.html", found=found, form=Form())


@blueprint.post("/<name>/<language>/count")
def count(name: str, language: str) -> str:
    """What the text that is being typed needs at its worst, or why it would be refused."""
    written = request.form.get("text", "")[:1000]
    try:
        counted, fault = notices.look_at(name, language, written, panel().settings.service), None
    except TemplateRefused as error:
        counted, fault = None, refusals.said(error)
    return render_template("texts/counted.html", counted=counted, fault=fault)


@blueprint.post("/<name>/<language>")
def save(name: str, language: str) -> Response:
    """Change a text, or take back the one that comes with the program."""
    form = TextForm()
    wanted = None if "reset" in request.form else form.text.data
    if wanted is not None and not form.validate():
        flash(gettext("Write something."), "warning")
        return redirect(url_for("texts.page"))
    _save(name, language, wanted)
    return redirect(url_for("texts.page", _anchor=f"{name}-{language}"))


@blueprint.get("/<name>/<language>/versions")
def versions(name: str, language: str) -> str:
    """Who changed a text, when, and what; the newest first."""
    found = _versions(name, language)
    return render_template("texts/versions.html", text={"name": name, "language": language}, found=found)


@blueprint.post("/<name>/<language>/restore")
def restore(name: str, language: str) -> Response:
    """Take an old version again; it becomes the newest."""
    form = RestoreForm()
    old = next((each for each in _versions(name, language) if each.id == form.version.data), None)
    if old is None:
        abort(404)
    _save(name, language, old.text if old.saved_at else None)
    return redirect(url_for("texts.versions", name=name, language=language))


def _save(name: str, language: str, wanted: str | None) -> None:
    try:
        with database.writing(panel().engine) as conn:
            notices.save(conn, name, language, wanted, panel().settings.service, current_user.name, panel().now())
    except TemplateRefused as error:
        refusals.say(error)
    else:
        flash(gettext("The text is saved. A run that was previewed keeps its own."))


def _versions(name: str, language: str) -> list[Shown]:
    try:
        known_name, known_language = notices.known(name, language)
    except TemplateRefused:
        abort(404)
    shipped = TEXTS[known_language][known_name]
    with database.reading(panel().engine) as conn:
        kept = rows.versions(conn, name, language)
    told = [Shown(0, shipped, "", None, [("kept", shipped)])]
    for each in reversed(kept):
        text = shipped if each.text is None else each.text
        told.append(Shown(each.id, text, each.saved_by, each.saved_at, _changes(told[-1].text, text)))
    return told[::-1]


def _changes(old: str, new: str) -> list[tuple[str, str]]:
    """From one text to the other, word by word."""
    before, after = _WORDS.findall(old), _WORDS.findall(new)
    found: list[tuple[str, str]] = []
    for what, i, j, k, m in difflib.SequenceMatcher(None, before, after, autojunk=False).get_opcodes():
        if what == "equal":
            found.append(("kept", "".join(before[i:j])))
            continue
        found += [each for each in (("out", "".join(before[i:j])), ("added", "".join(after[k:m]))) if each[1]]
    return found
