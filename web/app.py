"""The panel as a WSGI application."""

import logging
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from flask import Flask, current_app
from flask_babel import Babel, gettext
from flask_bootstrap import Bootstrap5
from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError
from werkzeug.exceptions import Forbidden, HTTPException, InternalServerError, NotFound

from modemd.config import Settings
from modemd.errors import SettingsError
from modemd.service import factors
from modemd.service.sealing import Seal
from modemd.store import database
from web import (
    access,
    bank,
    customers,
    desk,
    files,
    language,
    me,
    messages,
    modem,
    people,
    phone,
    programs,
    queues,
    reminders,
    reports,
    security,
    sign_in,
    templating,
    texts,
    watch,
    webhooks,
    write,
)
from web.panel import EXTENSION, Panel

log = logging.getLogger(__name__)

SHORTEST_KEY = 32  # characters
TRANSLATIONS = Path(__file__).parent / "translations"
HOW_TO_MAKE_A_KEY = "make one with: (umask 077; python3 -c 'import secrets; print(secrets.token_hex(32))' > {path})"


def create_app(
    settings: Settings,
    *,
    phones: phone.SimulatedPhones | None = None,
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> Flask:
    """The panel over the database of the settings, which must be at this program's revision already.

    `phones` gives it a page to text the service from simulated phones. Raises SettingsError without a secret key.
    """
    app = Flask(__name__)
    app.secret_key = secret_key(settings.web.secret_key_file)
    app.extensions[EXTENSION] = Panel(settings, database.connect(settings.database.url), now)
    app.config.update(BOOTSTRAP_SERVE_LOCAL=True, BABEL_TRANSLATION_DIRECTORIES=str(TRANSLATIONS))
    Bootstrap5(app)
    Babel(app, default_locale=language.DEFAULT, locale_selector=language.chosen)
    security.protect(app, https=settings.web.force_https)
    access.guard(app)
    templating.register(app)
    for module in (
        *(bank, modem, messages, queues, write, customers, desk, reminders, texts, files, reports),
        *(people, programs, webhooks, me, sign_in, language),
    ):
        app.register_blueprint(module.blueprint)
    if phones is not None:
        app.extensions[phone.EXTENSION] = phones
        app.register_blueprint(phone.blueprint)
    app.register_blueprint(watch.blueprint)
    _explain_errors(app)
    _seal_factors(app.extensions[EXTENSION].engine, factors.seal_of(app.secret_key))
    return app


def _seal_factors(engine: Engine, seal: Seal) -> None:
    """Second factors that a version before this one has kept in clear."""
    with database.reading(engine) as conn:
        if not factors.any_in_clear(conn):
            return
    with database.writing(engine) as conn:
        log.info("%s second factors are sealed", factors.seal_all(conn, seal))


def secret_key(path: Path | None) -> str:
    """What signs the sign-ins. Raises SettingsError."""
    if path is None:
        how = HOW_TO_MAKE_A_KEY.format(path="/etc/modemd/secret_key")
        raise SettingsError(path="[web]", reason=f"secret_key_file is not set; {how}, then name that file.")
    try:
        key = path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        reason = f"secret_key_file {path} cannot be read ({error}); {HOW_TO_MAKE_A_KEY.format(path=path)}."
        raise SettingsError(path="[web]", reason=reason) from error
    if len(key) < SHORTEST_KEY:
        reason = f"secret_key_file {path} holds fewer than {SHORTEST_KEY} characters"
        raise SettingsError(path="[web]", reason=f"{reason}; {HOW_TO_MAKE_A_KEY.format(path=path)}.")
    return key


def _explain_errors(app: Flask) -> None:
    """Say in the reader's language what went wrong, on a page that needs neither a sign-in nor the database."""

    def explain(error: Exception) -> tuple[str, int]:
        match error:
            case DBAPIError():
                log.error("database: %s", str(error.orig).partition("\n")[0])  # what follows may quote values
                return _error(
                    gettext("The database cannot be reached. The administrator finds the reason in the log."), 503
                )
            case NotFound():
                return _error(gettext("There is no such page."), 404)
            case Forbidden():
                return _error(gettext("Your role does not open this page."), 403)
            case security.StaleForm():
                return _error(
                    gettext("The form was too old or not from here. Go back, load the page again and retry."), 400
                )
            case InternalServerError():
                return _error(gettext("Something went wrong here. The administrator finds the reason in the log."), 500)
            case HTTPException():
                return _error(f"{error.code} {error.name}", error.code or 500)
        raise error

    for kind in (DBAPIError, HTTPException):
        app.register_error_handler(kind, explain)


def _error(message: str, status: int) -> tuple[str, int]:
    page = current_app.jinja_env.get_template("error.html")  # render_template would ask the database who is signed in
    return page.render(message=message, status=status), status
