"""The API as a WSGI application of its own, under /api: its process need not know the panel at all."""

from collections.abc import Callable
from datetime import UTC, datetime

from flask import Flask, Response, jsonify, render_template
from flask_babel import Babel
from flask_bootstrap import Bootstrap5

from modemd.config import Settings
from modemd.store import database
from web import language, security
from web.api import kannel, openapi, problems, views
from web.api.operations import LARGEST, blueprint
from web.app import TRANSLATIONS
from web.panel import EXTENSION, Panel

__all__ = ["create_app", "views"]  # whose operations stand in the blueprint once they are imported


def create_app(settings: Settings, *, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> Flask:
    """The API over the database of the settings."""
    app = Flask("web", static_url_path="/api/static")
    app.extensions[EXTENSION] = Panel(settings, database.connect(settings.database.url), now)
    app.config.update(BOOTSTRAP_SERVE_LOCAL=True, BABEL_TRANSLATION_DIRECTORIES=str(TRANSLATIONS))
    app.config.update(MAX_CONTENT_LENGTH=LARGEST)
    Bootstrap5(app)
    Babel(app, default_locale=language.DEFAULT, locale_selector=language.chosen)
    security.set_headers(app, https=settings.web.force_https)
    app.jinja_env.globals.update(language=language.chosen)
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    app.add_url_rule("/api/v1/openapi.json", "description", _description)
    app.add_url_rule("/api/v1/", "page", _page)
    app.register_blueprint(blueprint)
    if settings.api.kannel:
        app.register_blueprint(kannel.blueprint)
    problems.register(app)
    return app


def _description() -> Response:
    return jsonify(openapi.document())


def _page() -> str:
    return render_template("api/page.html", document=openapi.document())
