"""Hand-over files from billing: what came, what was refused and why, and what waits for a person's word."""

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext
from flask_login import current_user
from werkzeug.wrappers import Response

from modemd.billing import decisions
from modemd.errors import NotHeldFile
from modemd.store import database
from modemd.store.schema import FileState
from web.forms import Form
from web.panel import panel

ON_A_PAGE = 50

blueprint = Blueprint("files", __name__, url_prefix="/files")


@blueprint.get("/")
def page() -> str:
    """Those that are held first, then everything that came, the newest first."""
    before = request.args.get("before", type=int)
    with database.reading(panel().engine) as conn:
        held = decisions.files(conn, state=FileState.HELD)
        found = decisions.files(conn, ON_A_PAGE + 1, None if before is None else min(before, 2**62))
    older = found[ON_A_PAGE - 1].id if len(found) > ON_A_PAGE else None
    return render_template("files/page.html", held=held, found=found[:ON_A_PAGE], older=older, form=Form())


@blueprint.post("/<int:file_id>/<any(approve,decline):verdict>")
def decide(file_id: int, verdict: str) -> Response:
    """A person says that a held file is right, or wrong."""
    decision = decisions.approve if verdict == "approve" else decisions.decline
    try:
        with database.writing(panel().engine) as conn:
            file = decision(conn, file_id, current_user.name, panel().now())
    except NotHeldFile:
        flash(gettext("Nothing was changed: this file does not wait for a decision any more."), "warning")
    else:
        said = {
            "approve": gettext("%(name)s is approved and will be taken in.", name=file.name),
            "decline": gettext("%(name)s is refused.", name=file.name),
        }
        flash(said[verdict])
    return redirect(url_for("files.page"))
