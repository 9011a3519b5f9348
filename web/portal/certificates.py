"""The door of the КЕП. Its middle step runs on a host of its own, behind the proxy that asks for certificates:

    portal's host: POST /portal/kep         a nonce, tied to this browser by a cookie
    КЕП host:      GET  /portal/kep/open    the proxy hands the certificate over; a ticket takes the nonce's place
    portal's host: GET  /portal/kep/enter   this browser, which has both cookie and ticket, is signed in; once

The proxy clears and sets the headers that speak of certificates (systemd/nginx-modemd.conf). They count only where the
request comes from the proxy's address or through its socket and brings the shared secret.
"""

import hmac
import logging
import secrets
from urllib.parse import unquote

from flask import Blueprint, abort, redirect, render_template, request, url_for
from flask_babel import gettext
from werkzeug.wrappers import Response

from modemd.config import Portal
from modemd.errors import CertificateRefused, ModemdError, RegistrationRefused
from modemd.service import accounts, identities, kep
from modemd.service.trust import Trust
from modemd.store import database
from web.panel import panel
from web.peer import peer
from web.portal import visitor

log = logging.getLogger(__name__)

BROWSER_COOKIE = "modemd_kep"
SECRET_HEADER = "X-Modemd-Proxy"  # noqa: S105 -- its name
VERIFIED_HEADER = "X-Client-Verify"
CERTIFICATE_HEADER = "X-Client-Certificate"  # PEM, percent-encoded, as nginx writes $ssl_client_escaped_cert

blueprint = Blueprint("certificates", __name__)


@blueprint.post("/kep")
def begin() -> Response:
    portal = _portal()
    browser = secrets.token_urlsafe(32)
    with database.writing(panel().engine) as conn:
        nonce = accounts.begin_kep(conn, browser, panel().now())
    response = redirect(f"{portal.kep_url}{url_for('certificates.open_')}?nonce={nonce}", code=303)
    secure = panel().settings.web.force_https
    lasts = int(accounts.NONCE_LASTS.total_seconds())
    response.set_cookie(BROWSER_COOKIE, browser, lasts, path=visitor.PATH, httponly=True, samesite="Lax", secure=secure)
    return response


@blueprint.get("/kep/open")
def open_() -> Response | tuple[str, int]:
    portal = _portal()
    nonce = request.args.get("nonce", "")
    try:
        customer_numbers = _customers(portal)
        with database.writing(panel().engine) as conn:
            ticket = accounts.open_kep(conn, nonce, customer_numbers, panel().now())
    except ModemdError as error:
        log.warning("a КЕП was refused: %s", error if isinstance(error, CertificateRefused) else type(error).__name__)
        return _refused(error), 403
    return redirect(f"{portal.url}{url_for('certificates.enter')}?ticket={ticket}", code=303)


@blueprint.get("/kep/enter")
def enter() -> Response | tuple[str, int]:
    _portal()
    try:
        with database.writing(panel().engine) as conn:
            browser = request.cookies.get(BROWSER_COOKIE, "")
            token = accounts.enter_kep(conn, request.args.get("ticket", ""), browser, panel().now())
    except RegistrationRefused as error:
        return _refused(error), 403
    response = visitor.let_in(redirect(url_for("pages.home"), code=303), token)
    response.delete_cookie(BROWSER_COOKIE, path=visitor.PATH)
    return response


def _portal() -> Portal:
    """The settings, where this door is open at all."""
    portal = panel().settings.portal
    if not portal.has_kep:
        abort(404)
    return portal


def _customers(portal: Portal) -> list[str]:
    """The customers of the certificate that the proxy hands over. Raises CertificateRefused."""
    if not _is_the_proxy(portal):
        raise CertificateRefused(reason="it does not come from the proxy")
    if request.headers.get(VERIFIED_HEADER) != "SUCCESS":
        raise CertificateRefused(reason="the proxy was shown none that it accepts")
    assert portal.kep_issuers_file is not None  # noqa: S101 -- has_kep
    assert portal.kep_crl_folder is not None  # noqa: S101 -- has_kep
    trust = Trust(portal.kep_issuers_file, portal.kep_crl_folder)
    holder = kep.holder(unquote(request.headers.get(CERTIFICATE_HEADER, "")), trust, panel().now())
    secret = identities.key(panel().settings.service)
    with database.reading(panel().engine) as conn:
        found = identities.customers_of(conn, holder.egn, holder.eik, secret)
    if not found:
        raise CertificateRefused(reason="its holder is no customer")
    return found


def _is_the_proxy(portal: Portal) -> bool:
    """By its address (none on a unix socket, which the file system guards) and by the secret that it knows."""
    from_there = peer(request) in ("", "localhost", *portal.proxies)
    assert portal.proxy_secret_file is not None  # noqa: S101 -- has_kep
    known = portal.proxy_secret_file.read_text(encoding="utf-8").strip()
    told = request.headers.get(SECRET_HEADER, "")
    return from_there and len(known) >= 32 and hmac.compare_digest(told.encode(), known.encode())


def _refused(error: ModemdError) -> str:
    """One page for every refusal: why, only as far as it is the holder's own affair."""
    reason = str(error.facts.get("reason", "")) if isinstance(error, CertificateRefused) else ""
    known = {
        "it has expired": gettext("The certificate has expired."),
        "it is not valid yet": gettext("The certificate is not valid yet."),
        "it was revoked": gettext("The certificate was revoked."),
        "its holder is no customer": gettext("No customer has this ЕГН or ЕИК."),
    }
    return render_template("portal/kep_refused.html", why=known.get(reason))
