"""What every template of the panel can use: filters, words, and who may do what."""

from flask import Flask

from web import access, charts, formats, language, navigation, reasons, refusals, words

_FORMATS = (
    *("at", "bars", "clip", "clock", "date", "dbm", "decimal"),
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
        tabs=navigation.tabs,
        words=words,
    )


def register_formats(app: Flask) -> None:
    """What the portal's templates use too."""
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    app.jinja_env.filters.update({name: getattr(formats, name) for name in (*_FORMATS, "visible")})
