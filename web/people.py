"""Who works in the panel, in which role; and what everybody did."""

from dataclasses import dataclass
from datetime import datetime

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask_babel import gettext, lazy_gettext
from flask_login import current_user
from sqlalchemy import Connection
from werkzeug.wrappers import Response
from wtforms import SelectField, StringField
from wtforms.validators import InputRequired, Length

from modemd import audit as log
from modemd.errors import AuditBroken, UserRefused
from modemd.store import database, sessions, staff
from modemd.store.staff import Person, Role
from web import deeds
from web.forms import Form, choices
from web.panel import panel
from web.words import ROLES

ON_A_PAGE = 100

blueprint = Blueprint("people", __name__)


class AddForm(Form):
    name = StringField(lazy_gettext("Name"), [InputRequired(lazy_gettext("Enter a name.")), Length(max=64)])
    role = SelectField(lazy_gettext("Role"), choices=choices((each.value, ROLES[each]) for each in Role))


class ChangeForm(Form):
    role = SelectField(lazy_gettext("Role"), choices=choices((each.value, ROLES[each]) for each in Role))


@dataclass(frozen=True, slots=True)
class Shown:
    person: Person
    sign_ins: int
    seen_at: datetime | None


@blueprint.get("/people")
def page() -> str:
    return _page(AddForm())


@blueprint.post("/people")
def add() -> str | tuple[str, int]:
    """Let somebody in; the one-time password is shown once, on the answer, and kept nowhere."""
    form, now = AddForm(), panel().now()
    if not form.validate():
        return _page(form), 400
    try:
        with database.writing(panel().engine) as conn:
            password = staff.add(conn, form.name.data, form.role.data, now)
            name = staff.tidy(form.name.data)
            log.note(conn, current_user.name, "user.add", name, form.role.data, now)
    except UserRefused:
        form.name.errors = [
            gettext("Choose another name: 2 to 64 small Latin letters, digits and . _ -, not taken by anybody.")
        ]
        return _page(form), 400
    return _page(AddForm(formdata=None), handed_out=(name, password))


@blueprint.post("/people/<int:person_id>/<any(role,password,factor,sign_ins,remove):what>")
def change(person_id: int, what: str) -> Response | str:
    """Change a person's role, hand out a new password, take the second factor or the sign-ins away, or remove."""
    now = panel().now()
    with database.writing(panel().engine) as conn:
        person = staff.get(conn, person_id) or abort(404)
        if person.id == current_user.person.id:
            flash(gettext("Nobody changes the own account here: so there is always an administrator."), "warning")
            return redirect(url_for("people.page"))
        detail, password = "", None
        match what:
            case "role":
                form = ChangeForm()
                if not form.validate():
                    abort(400)
                detail = form.role.data
                staff.change_role(conn, person_id, detail)
            case "password":
                password = staff.new_one_time(conn, person_id)
            case "factor":
                staff.set_factor(conn, person_id, None)
            case "sign_ins":
                sessions.end_all(conn, person_id)
            case "remove":
                staff.remove(conn, person_id)
        log.note(conn, current_user.name, f"user.{what}", person.name, detail, now)
    if password is not None:
        return _page(AddForm(formdata=None), handed_out=(person.name, password))
    flash(gettext("Done: %(name)s.", name=person.name))
    return redirect(url_for("people.page"))


@blueprint.get("/audit")
def audit() -> str:
    """What people did, the newest first; on demand, whether anybody has altered it."""
    before = request.args.get("before", type=int)
    verdict = None
    with database.reading(panel().engine) as conn:
        entries = log.entries(conn, ON_A_PAGE + 1, None if before is None else min(before, 2**62))
        head = log.head(conn)
        if "verify" in request.args:
            verdict = _verify(conn)
    older = entries[ON_A_PAGE - 1].id if len(entries) > ON_A_PAGE else None
    shown = {"entries": entries[:ON_A_PAGE], "older": older, "head": head, "verdict": verdict}
    return render_template("people/audit.html", deeds=deeds, **shown)


def _verify(conn: Connection) -> int:
    """0: nobody has altered it; else the number of the first entry that does not fit."""
    try:
        log.verify(conn)
    except AuditBroken as error:
        return int(str(error.facts["entry"]))
    return 0


def _page(form: AddForm, handed_out: tuple[str, str] | None = None) -> str:
    now = panel().now()
    with database.reading(panel().engine) as conn:
        shown = []
        for person in staff.everybody(conn):
            found = sessions.of(conn, person.id, now)
            shown.append(Shown(person, len(found), max((each.seen_at for each in found), default=None)))
    return render_template("people/page.html", people=shown, form=form, handed_out=handed_out)
