"""How values look on a page: Sofia time, masked numbers, text that can do no harm."""

import re
from datetime import datetime

from flask import Flask
from flask_babel import format_decimal

from modemd.config import SOFIA
from web import access, language, words
from web.panel import panel

SHORT_CODE = 6  # digits; such numbers and names are nobody's secret
BARS = ((-75, 4), (-87, 3), (-97, 2), (-107, 1))  # dBm from which so many bars are lit, of 4

# What would turn a line around, move the cursor or not encode at all: C0 and C1 controls, marks and overrides of
# writing direction, line and paragraph separators, lone halves of surrogate pairs.
_HARMFUL = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u206f\ud800-\udfff\ufff9-\ufffb]"
)


def register(app: Flask) -> None:
    """Give the templates these filters, and the words."""
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    filters = (at, bars, clip, clock, dbm, decimal, full_time, masked, moment, visible)
    app.jinja_env.filters.update({each.__name__: each for each in filters})
    app.jinja_env.globals.update(
        may=access.may,
        may_read=access.may_read,
        languages=language.LANGUAGES,
        language=language.chosen,
        words=words,
        has_page=lambda endpoint: endpoint in app.view_functions,
    )


def masked(number: str | None) -> str:
    """+35988•••567: enough to tell two messages apart, not enough to call. Short codes and names stay as they are."""
    if number is None:
        return "—"
    shown = visible(number)
    digits = sum(letter.isdigit() for letter in shown)
    if digits <= SHORT_CODE:
        return shown
    return f"{shown[:6]}•••{shown[-3:]}" if digits > SHORT_CODE + 4 else f"{shown[:2]}•••{shown[-2:]}"


def visible(text: str) -> str:
    """The text with what would act instead of being seen written out, as in ‹U+202E›. Escaping is the template's."""
    return _HARMFUL.sub(lambda found: f"‹U+{ord(found[0]):04X}›", text.replace("\r\n", "\n"))


def clip(text: str, longest: int) -> str:
    """At most so many characters; says how many there are when it cuts."""
    if len(text) <= longest:
        return text
    return f"{text[:longest]}… ({decimal(len(text))})"


def at(written: str) -> datetime:
    """A time as the simulated bank writes it, ISO 8601 with an offset."""
    return datetime.fromisoformat(written)


def clock(time: datetime) -> str:
    return time.astimezone(SOFIA).strftime("%H:%M:%S")


def moment(time: datetime) -> str:
    """As short as it is clear today: 10:42, 22.11. 10:42, 22.11.2025 10:42."""
    local, today = time.astimezone(SOFIA), panel().now().astimezone(SOFIA).date()
    if local.date() == today:
        return local.strftime("%H:%M")
    return local.strftime("%d.%m. %H:%M" if local.year == today.year else "%d.%m.%Y %H:%M")


def full_time(time: datetime) -> str:
    return time.astimezone(SOFIA).strftime("%d.%m.%Y %H:%M:%S")


def decimal(value: float) -> str:
    """With the reader's decimal mark and groups of thousands."""
    return str(format_decimal(value))


def bars(signal: int | None) -> int:
    """How many of 4 bars a signal in dBm lights."""
    return next((count for least, count in BARS if signal is not None and signal >= least), 0)


def dbm(signal: int | None) -> str:
    return "—" if signal is None else f"{signal} dBm".replace("-", "−")
