"""The portal as a WSGI application of its own, under /portal: its process need not know the panel at all."""

from collections.abc import Callable
from datetime import UTC, datetime

from flask import Flask
from flask_babel import Babel, gettext
from flask_bootstrap import Bootstrap5
from werkzeug.exceptions import HTTPException, NotFound

from modemd.config import Settings
from modemd.store import database
from web import language, security, templating
from web.app import TRANSLATIONS, secret_key
from web.panel import EXTENSION, Panel
from web.portal import certificates, door, pages, visitor

PREFIX = "/portal"


def create_app(settings: Settings, *, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> Flask:
    """The portal over the database of the settings. Raises SettingsError without a secret key."""
    app = Flask("web", static_url_path=f"{PREFIX}/static")
    app.secret_key = secret_key(settings.web.secret_key_file)
    app.extensions[EXTENSION] = Panel(settings, database.connect(settings.database.url), now)
    app.config.update(BOOTSTRAP_SERVE_LOCAL=True, BABEL_TRANSLATION_DIRECTORIES=str(TRANSLATIONS))
    app.config.update(SESSION_COOKIE_PATH=PREFIX)
    Bootstrap5(app)
    Babel(app, default_locale=language.DEFAULT, locale_selector=language.chosen)
    lead_to = settings.portal.kep_url
    security.protect(app, https=settings.web.force_https, cookie="modemd_portal", forms_lead_to=lead_to)
    templating.register_formats(app)
    app.jinja_env.globals.update(
        supplier=visitor.supplier,
        service=settings.service,
        languages=language.LANGUAGES,
        language=language.chosen,
        here=visitor.session,
        portal=settings.portal,
    )
    app.register_blueprint(language.blueprint, url_prefix=PREFIX)
    for blueprint in (door.blueprint, pages.blueprint, certificates.blueprint):
        app.register_blueprint(blueprint, url_prefix=PREFIX)
    app.register_error_handler(HTTPException, _explain)
    return app


def _explain(error: HTTPException) -> tuple[str, int]:
    from flask import render_template

    status = error.code or 500
    match error:
        case NotFound():
            message = gettext("There is no such page.")
        case security.StaleForm():
            message = gettext("The form was too old or not from here. Go back, load the page again and retry.")
        case _ if status >= 500:
            message = gettext("Something went wrong here. Please try again later.")
        case _:
            message = gettext("This cannot be done. Go back and try again.")
    return render_template("portal/error.html", message=message), status
