"""`GET /cgi-bin/sendsms` as Kannel's smsbox answers it: a program that speaks to Kannel changes its address alone.

User name and password are a token's name and the token. Kannel knows no key for a wish: who asks twice sends twice.
"""

import re
from datetime import timedelta
from urllib.parse import parse_qsl

from flask import Blueprint, Response, request
from sqlalchemy import Connection
from werkzeug.exceptions import HTTPException

from modemd.errors import MessagesRefused, NotLetIn, TooManyMessages, WebhookRefused
from modemd.service import queueing, tokens
from modemd.service.queueing import Reports, Wanted
from modemd.service.tokens import Scope, Token
from modemd.service.webhooks import check_url
from modemd.store import database, modems, switch
from web.panel import panel

MOST = 100  # receivers at once
ACCEPTED, QUEUED = "0: Accepted for delivery", "3: Queued for later delivery"
LATER = "Temporal failure, try again later."

blueprint = Blueprint("kannel", __name__)


class Rejected(Exception):
    """Answered with this status and Kannel's words."""

    def __init__(self, status: int, words: str) -> None:
        self.status, self.words = status, words
        super().__init__(words)


@blueprint.get("/cgi-bin/sendsms", provide_automatic_options=False)
def sendsms() -> Response:
    fields = dict(parse_qsl(request.query_string.decode("latin-1"), keep_blank_values=True, encoding="latin-1"))
    try:
        token = _let_in(fields)
        return _answer(202, _queue(token, fields))
    except Rejected as rejected:
        return _answer(rejected.status, rejected.words)


@blueprint.errorhandler(HTTPException)
def explain(error: HTTPException) -> Response:
    return _answer(error.code or 500, error.name)


def _let_in(fields: dict[str, str]) -> Token:
    name, password = _either(fields, "username", "user"), _either(fields, "password", "pass")
    with database.writing(panel().engine) as conn:
        try:
            token = tokens.let_in(conn, password, Scope.SEND, panel().now(), name=name)
        except NotLetIn:
            raise Rejected(403, "Authorization failed for sendsms") from None
        if not tokens.may_ask(conn, token, panel().now()):
            raise Rejected(503, LATER)
    return token


def _queue(token: Token, fields: dict[str, str]) -> str:
    receivers = fields.get("to", "").split()
    if not receivers:
        raise Rejected(
            400,
            "Missing receiver number, rejected"
            if "to" not in fields
            else "Empty receiver number not allowed, rejected",
        )
    if len(receivers) > MOST:
        raise Rejected(400, "Missing receiver(s) number(s), rejected")
    now, text = panel().now(), _text(fields)
    deferred = _number(fields, "deferred", "Deferred", 525_600)
    not_before = now + timedelta(minutes=deferred) if deferred else None
    wanted = [Wanted(_international(each), text, not_before=not_before) for each in receivers]
    try:
        with database.writing(panel().engine) as conn:
            queueing.queue(conn, token, wanted, panel().settings, now, reports=_reports(fields))
            return ACCEPTED if _leaves_now(conn) else QUEUED
    except MessagesRefused as error:
        raise Rejected(400, f"{error}") from error
    except TooManyMessages as error:
        raise Rejected(503, LATER) from error


def _text(fields: dict[str, str]) -> str:
    """The text in its charset: UTF-8 if none is named, and UTF-16BE where UCS-2 is asked for. Raises Rejected."""
    coding = _number(fields, "coding", "Coding", 2)
    if coding == 1:
        raise Rejected(400, "Coding field misformed, rejected")  # octets for a machine: nothing here sends them
    if fields.get("udh"):
        raise Rejected(400, "UDH field misformed, rejected")
    charset = fields.get("charset") or ("UTF-16BE" if coding == 2 else "UTF-8")
    try:
        text = fields.get("text", "").encode("latin-1").decode(charset)
    except (LookupError, UnicodeError, ValueError):
        raise Rejected(400, "Charset or body misformed, rejected") from None
    if not isinstance(text, str) or "\x00" in text:
        raise Rejected(400, "Charset or body misformed, rejected")
    return text


def _reports(fields: dict[str, str]) -> Reports | None:
    mask, url = _number(fields, "dlr-mask", "DLR-Mask", 63), _either(fields, "dlr-url", "dlrurl")
    if not mask or not url:
        return None
    try:
        check_url(url)
    except WebhookRefused:
        raise Rejected(400, "DLR-URL field misformed, rejected") from None
    return Reports(mask, url)


def _leaves_now(conn: Connection) -> bool:
    """Whether there is a modem that would take it; what is queued leaves in any case, but later."""
    return switch.sending(conn).allowed.permits("api") and modems.any_ready(conn)


def _international(number: str) -> str:
    """Kannel's clients leave out the +, and write 00 at will."""
    return f"+{number}" if re.fullmatch(r"[1-9][0-9]{10,14}", number) else number


def _either(fields: dict[str, str], *names: str) -> str:
    return next((fields[name] for name in names if name in fields), "")


def _number(fields: dict[str, str], name: str, shown: str, most: int) -> int:
    given = fields.get(name, "")
    if not given:
        return 0
    if not given.isascii() or not given.isdigit() or len(given) > 9 or int(given) > most:
        raise Rejected(400, f"{shown} field misformed, rejected")
    return int(given)


def _answer(status: int, words: str) -> Response:
    return Response(words, status, mimetype="text/plain")
