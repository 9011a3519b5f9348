"""The first page: every modem, what waits, and the newest messages; it keeps itself current."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from flask import Blueprint, render_template
from sqlalchemy import Connection

from modemd.config import SOFIA
from modemd.store import database, glance, lines, listing
from modemd.store.glance import Daemon
from modemd.store.lines import ModemOverview
from modemd.store.listing import Listed
from web.panel import panel
from web.words import MODEM_STATES

NEWEST = 20  # messages
READY = "ready"
IN_ORDER = frozenset({"starting", "paused"})  # not ready, and nothing is wrong
_WORST_FIRST = list(MODEM_STATES)

blueprint = Blueprint("bank", __name__)


@dataclass(frozen=True, slots=True)
class Glance:
    """What the page shows, all of one moment."""

    at: datetime
    daemons: Sequence[Daemon]
    modems: Sequence[ModemOverview]
    waiting: Mapping[str, int]
    messages: Sequence[Listed]  # newest first

    @property
    def not_ready(self) -> list[ModemOverview]:
        """The worst first."""
        return sorted((modem for modem in self.modems if modem.state != READY), key=_badness)

    @property
    def ready(self) -> list[ModemOverview]:
        return [modem for modem in self.modems if modem.state == READY]

    @property
    def down(self) -> list[Daemon]:
        return [daemon for daemon in self.daemons if not daemon.running]

    @property
    def ill(self) -> list[ModemOverview]:
        """What somebody has to look at. Of a daemon that is down we know nothing, and that is said elsewhere."""
        down = {daemon.name for daemon in self.down}
        return [modem for modem in self.not_ready if modem.state not in IN_ORDER and modem.host not in down]

    @property
    def well(self) -> bool:
        return bool(self.modems) and not self.ill and not self.down

    @property
    def many_hosts(self) -> bool:
        return len({modem.host for modem in self.modems}) > 1

    def is_down(self, host: str) -> bool:
        return any(daemon.name == host for daemon in self.down)


@blueprint.get("/")
def page() -> str:
    return render_template("bank/page.html", glance=_glance())


@blueprint.get("/live")
def live() -> str:
    """The part of the page that changes."""
    return render_template("bank/live.html", glance=_glance())


def _glance() -> Glance:
    now = panel().now()
    with database.reading(panel().engine) as conn:
        return _look(conn, now)


def _look(conn: Connection, now: datetime) -> Glance:
    midnight = now.astimezone(SOFIA).replace(hour=0, minute=0, second=0, microsecond=0)
    return Glance(
        at=now,
        daemons=glance.daemons(conn, now),
        modems=lines.overview(conn, midnight),
        waiting=glance.waiting(conn),
        messages=listing.find(conn, limit=NEWEST)[::-1],
    )


def _badness(modem: ModemOverview) -> int:
    return _WORST_FIRST.index(modem.state) if modem.state in _WORST_FIRST else 0
