"""What every answer of the panel has: headers, cookies, and forms that nobody else can send."""

from flask import Flask, Response, request
from flask_talisman import Talisman
from flask_wtf import CSRFProtect
from flask_wtf.csrf import CSRFError

from modemd.store import sessions

StaleForm = CSRFError

CONTENT = {  # nothing inline, nothing from elsewhere; data: is Bootstrap's own icons in its stylesheet
    "default-src": "'none'",
    "script-src": "'self'",
    "style-src": "'self'",
    "img-src": "'self' data:",
    "font-src": "'self'",
    "connect-src": "'self'",
    "form-action": "'self'",
    "base-uri": "'none'",
    "frame-ancestors": "'none'",
}


def protect(app: Flask, *, https: bool, cookie: str = "modemd", forms_lead_to: str | None = None) -> None:
    """Set headers and cookies; with `https`, plain HTTP is redirected and cookies never leave by it."""
    app.config.update(
        SESSION_COOKIE_NAME=cookie,
        PERMANENT_SESSION_LIFETIME=sessions.LASTS,  # also the age at which an unchanged session cookie is refused
        WTF_CSRF_TIME_LIMIT=None,  # as long as the session: a sign-in page stays open over night
        MAX_CONTENT_LENGTH=1_000_000,
    )
    set_headers(app, https=https, forms_lead_to=forms_lead_to)
    CSRFProtect(app)


def set_headers(app: Flask, *, https: bool, forms_lead_to: str | None = None) -> None:
    """What also an application without sessions and forms has.

    A browser follows a form's answer to no other host than its own and `forms_lead_to`.
    """
    content = {**CONTENT, "form-action": f"'self' {forms_lead_to}"} if forms_lead_to else CONTENT
    Talisman(
        app,
        force_https=https,
        session_cookie_secure=https,
        content_security_policy=content,
        frame_options="DENY",
        referrer_policy="same-origin",
        strict_transport_security_include_subdomains=False,
    )
    app.after_request(_keep_out_of_caches)


def _keep_out_of_caches(response: Response) -> Response:
    if request.endpoint not in ("static", "bootstrap.static"):
        response.headers["Cache-Control"] = "no-store"
    return response
