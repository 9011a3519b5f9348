"""One's own account: the second factor, and where one is signed in."""

from datetime import datetime
from typing import Any

import segno
from flask import Blueprint, flash, redirect, render_template, request, session, url_for
from flask_babel import gettext
from flask_login import current_user
from markupsafe import Markup
from sqlalchemy import Connection
from werkzeug.wrappers import Response

from modemd import audit
from modemd.errors import FactorSealed
from modemd.service import factors
from modemd.store import database, limits, sessions, staff
from web import refusals
from web.forms import Form
from web.panel import factor_seal, panel
from web.sign_in import PER_NAME, CodeForm

PROPOSED = "proposed_factor"  # the secret that is shown and not yet confirmed

blueprint = Blueprint("me", __name__, url_prefix="/me")


@blueprint.get("/")
def page() -> str:
    person = current_user.person
    with database.reading(panel().engine) as conn:
        found = sessions.of(conn, person.id, panel().now())
    return render_template(
        "me/page.html",
        sign_ins=found,
        here=sessions.hash_of(current_user.token),
        form=CodeForm(),
        token=Form(),
        **({} if person.has_factor else _proposal()),
    )


@blueprint.post("/factor")
def factor() -> Response:
    """Take the shown secret as the second factor, once a code of it proves that the authenticator has it."""
    form, now, secret = CodeForm(), panel().now(), session.get(PROPOSED)
    step = factors.step_of(secret, form.code.data, now) if secret and form.validate() else None
    if secret is None or step is None or current_user.person.has_factor:
        flash(gettext("This code does not belong to the picture. Scan it again and type the newest code."), "warning")
        return redirect(url_for("me.page"))
    with database.writing(panel().engine) as conn:
        factors.keep(conn, current_user.person.id, secret, step, factor_seal())
        audit.note(conn, current_user.name, "factor.set", current_user.name, "", now)
    session.pop(PROPOSED, None)
    flash(gettext("From now on a code of your authenticator is asked for at every sign-in."))
    return redirect(url_for("me.page"))


@blueprint.post("/no-factor")
def no_factor() -> Response:
    """Give the second factor up, with a code of it."""
    form, now = CodeForm(), panel().now()
    with database.writing(panel().engine) as conn:
        may = limits.take(conn, f"factor:{current_user.name}", PER_NAME, now)
        try:
            right = may and form.validate() and _take(conn, form.code.data, now)
        except FactorSealed as error:
            flash(refusals.said(error), "danger")
            return redirect(url_for("me.page"))
        if right:
            staff.set_factor(conn, current_user.person.id, None)
            audit.note(conn, current_user.name, "factor.remove", current_user.name, "", now)
    if right:
        flash(gettext("The second factor is removed."), "warning")
    else:
        flash(gettext("This code is wrong or has been used. Wait for the next one."), "warning")
    return redirect(url_for("me.page"))


@blueprint.post("/end")
def end() -> Response:
    """End one of one's own sign-ins."""
    with database.writing(panel().engine) as conn:
        sessions.end(conn, current_user.person.id, request.form.get("id", ""))
    return redirect(url_for("me.page"))


def _take(conn: Connection, code: str, now: datetime) -> bool:
    return factors.take(conn, current_user.person.id, code, now, factor_seal())


def _proposal() -> dict[str, Any]:
    """A secret to scan; the same one until it is confirmed, so that a reload does not change the picture."""
    secret = session.setdefault(PROPOSED, factors.new_secret())
    made = segno.make(factors.address(secret, current_user.name), micro=False)
    picture = made.svg_inline(border=2, omitsize=True, light="#fff", svgclass="qr", lineclass=None)
    return {"secret": secret, "picture": Markup(picture)}  # noqa: S704 -- drawn here # nosec B704
