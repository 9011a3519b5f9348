"""How values look on a page: Sofia time, masked numbers, text that can do no harm."""

import re
from datetime import date as date_type
from datetime import datetime
from decimal import Decimal

from flask_babel import format_decimal, gettext

from modemd import masks
from modemd.config import SOFIA
from modemd.store.lines import ModemOverview
from web.panel import panel

BARS = ((-75, 4), (-87, 3), (-97, 2), (-107, 1))  # dBm from which so many bars are lit, of 4

# What would turn a line around, move the cursor or not encode at all: C0 and C1 controls, marks and overrides of
# writing direction, line and paragraph separators, lone halves of surrogate pairs.
_HARMFUL = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u206f\ud800-\udfff\ufff9-\ufffb]"
)


def masked(number: str | None) -> str:
    """+35988•••567: enough to tell two messages apart, not enough to call. Short codes and names stay as they are."""
    return "—" if number is None else masks.phone(visible(number))


def visible(text: str) -> str:
    """The text with what would act instead of being seen written out, as in ‹U+202E›. Escaping is the template's."""
    return _HARMFUL.sub(lambda found: f"‹U+{ord(found[0]):04X}›", text.replace("\r\n", "\n"))


def clip(text: str, longest: int) -> str:
    """At most so many characters; says how many there are when it cuts."""
    if len(text) <= longest:
        return text
    return f"{text[:longest]}… ({decimal(len(text))})"


# What a browser says of itself names the others that it is like, so the order decides.
_BROWSERS = {"Edg": "Edge", "OPR": "Opera", "Firefox": "Firefox", "Chrome": "Chrome", "Safari": "Safari"}
_SYSTEMS = {
    "Android": "Android",
    "iPhone": "iPhone",
    "iPad": "iPad",
    "Windows": "Windows",
    "Mac OS": "macOS",
    "Linux": "Linux",
}


def browser(agent: str) -> str:
    """The browser and its system in two words; what names neither is shown as it is, shortened."""
    found = (next((name for sign, name in names.items() if sign in agent), None) for names in (_BROWSERS, _SYSTEMS))
    return ", ".join(name for name in found if name) or clip(visible(agent), 80)


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


def date(day: date_type) -> str:
    return day.strftime("%d.%m.%Y")


def date_of(time: datetime) -> str:
    """The day in Sofia."""
    return date(time.astimezone(SOFIA).date())


def money(cents: int) -> str:
    """1234567 -> 12 345,67 EUR, with the reader's decimal mark."""
    return f"{format_decimal(Decimal(cents) / 100, format='#,##0.00')} EUR"


def place(modem: ModemOverview, many_hosts: bool = False) -> str:
    """Where somebody finds it: hub and port by its USB path 1-1.4, else the port's name."""
    hub, _, port = (modem.place or "").rpartition(".")
    if hub:
        where = gettext("hub %(hub)s, port %(port)s", hub=hub, port=port)
    else:
        where = visible(modem.place or modem.port.rpartition("/")[2])
    return f"{modem.host}, {where}" if many_hosts else where


def decimal(value: float) -> str:
    """With the reader's decimal mark and groups of thousands."""
    return str(format_decimal(value))


def percent(value: float) -> str:
    """12.3 -> 12,3 %, with the reader's decimal mark."""
    return f"{format_decimal(value)} %".replace("-", "−")


def bars(signal: int | None) -> int:
    """How many of 4 bars a signal in dBm lights."""
    return next((count for least, count in BARS if signal is not None and signal >= least), 0)


def dbm(signal: int | None) -> str:
    return "—" if signal is None else f"{signal} dBm".replace("-", "−")
