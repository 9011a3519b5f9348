"""Bulgarian, or English for who prefers it."""

from datetime import timedelta

from flask import Blueprint, abort, redirect, request
from werkzeug.wrappers import Response

from web.panel import panel
from web.paths import local

LANGUAGES = {"bg": "Български", "en": "English"}
DEFAULT = "bg"
COOKIE = "language"

blueprint = Blueprint("language", __name__)


def chosen() -> str:
    """The language of this request."""
    wanted = request.cookies.get(COOKIE)
    return wanted if wanted in LANGUAGES else DEFAULT


@blueprint.post("/language")
def choose() -> Response:
    """Keep the choice in the browser, for before the sign-in too, and go back."""
    wanted = request.form.get("language")
    if wanted not in LANGUAGES:
        abort(400)
    response = redirect(local(request.form.get("back")))
    response.set_cookie(
        COOKIE,
        wanted,
        max_age=timedelta(days=365),
        httponly=True,
        samesite="Lax",
        secure=panel().settings.web.force_https,
    )
    return response
