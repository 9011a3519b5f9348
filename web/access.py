"""Who may go where and read what. A route without a row here is open to nobody."""

from flask import Flask, abort, redirect, request, session, url_for
from flask_login import LoginManager, current_user
from werkzeug.wrappers import Response

from modemd.store import database, sessions
from modemd.store.listing import Listed
from modemd.store.staff import Person, Role
from web.panel import panel

EVERYBODY = frozenset(Role)

WATCHERS = frozenset({"watch.figures", "watch.live", "watch.ready"})  # machines, by their address: web/watch.py
WITHOUT_SIGN_IN = WATCHERS | {"static", "bootstrap.static", "language.choose", "sign_in.page", "sign_in.code"}
BEFORE_OWN_PASSWORD = frozenset({"sign_in.out", "sign_in.password"})
TECHNICIANS = frozenset({Role.TECHNICIAN, Role.ADMIN})
ADMINS = frozenset({Role.ADMIN})
OFFICE = frozenset({Role.OPERATOR, Role.MANAGER, Role.ADMIN})
MANAGERS = frozenset({Role.MANAGER, Role.ADMIN})
ROLES: dict[str, frozenset[Role]] = {
    "bank.page": EVERYBODY,
    "bank.live": EVERYBODY,
    "bank.sending": frozenset({Role.TECHNICIAN, Role.MANAGER, Role.ADMIN}),
    "sign_in.out": EVERYBODY,
    "sign_in.password": EVERYBODY,
    "queues.unread": OFFICE,
    "queues.resend_failed": OFFICE,
    "customers.page": EVERYBODY,
    "customers.find": EVERYBODY,
    "customers.one": EVERYBODY,
    "customers.conversation": EVERYBODY,
    "customers.phone": OFFICE,
    "desk.page": OFFICE,
    "desk.identity": OFFICE,
    "desk.vouch": OFFICE,
    "desk.register": OFFICE,
    "desk.confirm": OFFICE,
    "desk.account": OFFICE,
    "write.page": OFFICE,
    "write.measure": OFFICE,
    "write.send": OFFICE,
    "reminders.page": OFFICE,
    "reminders.preview": OFFICE,
    "reminders.one": OFFICE,
    "reminders.live": OFFICE,
    "reminders.approve": MANAGERS,
    "reminders.act": OFFICE,
    "reminders.test": OFFICE,
    "reminders.outage": OFFICE,
    **dict.fromkeys(("texts.page", "texts.save", "texts.count", "texts.versions", "texts.restore"), MANAGERS),
    "files.page": OFFICE,
    "files.decide": MANAGERS,
    "reports.page": EVERYBODY,
    "reports.table": EVERYBODY,
    "me.page": EVERYBODY,
    "me.factor": EVERYBODY,
    "me.no_factor": EVERYBODY,
    "me.end": EVERYBODY,
    "people.page": ADMINS,
    "people.add": ADMINS,
    "people.change": ADMINS,
    "people.audit": MANAGERS,
    "programs.page": ADMINS,
    "programs.add": ADMINS,
    "programs.revoke": ADMINS,
    "webhooks.page": ADMINS,
    "webhooks.add": ADMINS,
    "webhooks.one": ADMINS,
    "webhooks.end": ADMINS,
    "webhooks.resend": ADMINS,
    "phone.page": TECHNICIANS,
    "phone.live": TECHNICIANS,
    "phone.text": TECHNICIANS,
    "modem.page": TECHNICIANS,
    "modem.live": TECHNICIANS,
    "modem.wish": TECHNICIANS,
    "modem.ussd": TECHNICIANS,
    "modem.pin": TECHNICIANS,
    "modem.test": TECHNICIANS,
    "modem.line": TECHNICIANS,
    "modem.transcript": TECHNICIANS,
    "modem.console": ADMINS,
    "modem.said": ADMINS,
    "modem.say": ADMINS,
    "messages.page": EVERYBODY,
    "messages.find": EVERYBODY,
    "messages.one": EVERYBODY,
    "messages.live": EVERYBODY,
    "messages.reveal": EVERYBODY,
    "messages.conversation": EVERYBODY,
    "queues.page": EVERYBODY,
    "queues.decide": EVERYBODY,
    "queues.close_failed": EVERYBODY,
    "messages.is_ours": EVERYBODY,
}

# What a technician needs no text of: answers hold sums, and what is not read yet may hold anything.
PRIVATE_KINDS = frozenset({"reply", "reminder", "bill", "number", None})


class SignedIn:
    """A person as Flask-Login wants one, known by the token of the sign-in."""

    is_authenticated = True
    is_active = True
    is_anonymous = False

    def __init__(self, person: Person, token: str) -> None:
        self.person = person
        self.token = token
        self.name = person.name
        self.role = person.role

    def get_id(self) -> str:
        return self.token


def guard(app: Flask) -> None:
    """Ask ROLES before every request."""
    manager = LoginManager(app)
    manager.user_loader(_load)
    app.before_request(_check)


def may(endpoint: str) -> bool:
    """Whether the person who asks may open this page."""
    return current_user.is_authenticated and current_user.role in ROLES.get(endpoint, ())


def may_read(role: Role, message: Listed) -> bool:
    """Whether this role sees the message's text. Nobody sees codes: they prove who holds a phone (DOMAIN 7 and 8)."""
    if message.kind == "otp":
        return False
    return role is not Role.TECHNICIAN or message.kind not in PRIVATE_KINDS


def _load(token: str) -> SignedIn | None:
    now = panel().now()
    with database.reading(panel().engine) as conn:
        found = sessions.find(conn, token, now)
    if found is None:
        return None
    person, seen_at = found
    if now - seen_at >= sessions.SEEN_EVERY:
        with database.writing(panel().engine) as conn:
            sessions.seen(conn, token, now)
    return SignedIn(person, token)


def _check() -> Response | None:
    endpoint = request.endpoint
    if endpoint is None or endpoint in WITHOUT_SIGN_IN:
        return None
    if not current_user.is_authenticated:
        if request.method == "GET" and endpoint.endswith(".page") and request.path != "/":
            session["next"] = request.full_path
        return redirect(url_for("sign_in.page"))
    if not may(endpoint):
        abort(403)
    if current_user.person.one_time and endpoint not in BEFORE_OWN_PASSWORD:
        return redirect(url_for("sign_in.password"))
    return None
