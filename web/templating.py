"""What every template of the panel can use: filters, words, and who may do what."""

from flask import Flask

from modemd.store import database, glance
from modemd.store.glance import Daemon
from web import access, charts, formats, language, navigation, reasons, refusals, words
from web.panel import panel

_FORMATS = (
    *("at", "bars", "browser", "clip", "clock", "date", "dbm", "decimal"),
    *("full_time", "masked", "moment", "money", "percent", "place"),
)


def register(app: Flask) -> None:
    """Give the templates these filters, and the words."""
    register_formats(app)
    app.jinja_env.filters.update(
        date_of=formats.date_of, reason=reasons.what, to_do=reasons.do, why=reasons.of_message, because=refusals.reason
    )
    app.jinja_env.globals.update(
        charts=charts,
        may=access.may,
        may_read=access.may_read,
        languages=language.LANGUAGES,
        language=language.chosen,
        reasons=reasons,
        stopped=_stopped,
        tabs=navigation.tabs,
        words=words,
    )


def _stopped() -> list[Daemon]:
    """The daemons that do not run, which every page says."""
    with database.reading(panel().engine) as conn:
        return [each for each in glance.daemons(conn, panel().now()) if not each.running]


def register_formats(app: Flask) -> None:
    """What the portal's templates use too."""
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    app.jinja_env.filters.update({name: getattr(formats, name) for name in (*_FORMATS, "visible")})
