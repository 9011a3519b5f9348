"""The first page of technicians: every modem, the ill ones first and in plain words; it keeps itself current."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from flask import Blueprint, flash, redirect, render_template, url_for
from flask_babel import gettext
from flask_login import current_user
from sqlalchemy import Connection
from werkzeug.wrappers import Response
from wtforms import RadioField

from modemd import audit
from modemd.config import SOFIA
from modemd.service import campaigns
from modemd.service.campaigns import Standing
from modemd.store import campaigns as rows
from modemd.store import database, glance, history, lines, listing, switch
from modemd.store.glance import Daemon
from modemd.store.lines import ModemOverview
from modemd.store.listing import Listed
from modemd.store.switch import Allowed, Position
from web.forms import Form, choices
from web.panel import panel
from web.words import MODEM_STATES, SWITCH

NEWEST = 12  # messages
LOOKED_AT = 10  # campaigns, the newest, for those that run
IN_ORDER = frozenset({"starting", "paused"})  # not ready, and nothing is wrong
OLD, TOO_OLD = timedelta(hours=36), timedelta(hours=48)  # of billing's data (DOMAIN, section 5)
A_DAY = timedelta(days=1)
_WORST_FIRST = list(MODEM_STATES)

blueprint = Blueprint("bank", __name__)


class SwitchForm(Form):
    allowed = RadioField(choices=choices((each.value, SWITCH[each].text) for each in Allowed))


@dataclass(frozen=True, slots=True)
class Ill:
    """A modem that is not ready, and what follows from it."""

    modem: ModemOverview
    since: datetime  # that it has not been ready; its state may be younger
    others: int  # parts that other lines have sent since then, of the last 24 hours
    down: bool  # its daemon is: nothing is known of it


@dataclass(frozen=True, slots=True)
class Glance:
    """What the page shows, all of one moment."""

    at: datetime
    daemons: Sequence[Daemon]
    modems: Sequence[ModemOverview]
    ills: Sequence[Ill]  # the worst first
    waiting: Mapping[str, int]
    messages: Sequence[Listed]  # newest first
    data_at: datetime | None
    switch: Position
    running: Sequence[Standing]  # campaigns that hand messages over, or are paused

    @property
    def ready(self) -> list[ModemOverview]:
        return [modem for modem in self.modems if modem.state == history.READY]

    @property
    def down(self) -> list[Daemon]:
        return [daemon for daemon in self.daemons if not daemon.running]

    @property
    def ill(self) -> list[Ill]:
        """What somebody has to look at. Of a daemon that is down we know nothing, and that is said elsewhere."""
        return [each for each in self.ills if each.modem.state not in IN_ORDER and not each.down]

    @property
    def to_accept(self) -> list[ModemOverview]:
        """Ready, but their SIM sends nothing until somebody accepts it."""
        return [modem for modem in self.ready if modem.cause is not None and modem.cause.code == "NotAdopted"]

    @property
    def well(self) -> bool:
        return bool(self.modems) and not self.ill and not self.down and not self.to_accept

    @property
    def many_hosts(self) -> bool:
        return len({modem.host for modem in self.modems}) > 1

    @property
    def data_tone(self) -> str:
        if self.data_at is None or self.at - self.data_at <= OLD:
            return ""
        return "bad" if self.at - self.data_at > TOO_OLD else "warn"

    def is_down(self, host: str) -> bool:
        return any(daemon.name == host for daemon in self.down)


@blueprint.get("/")
def page() -> str:
    return render_template("bank/page.html", glance=_glance(), switch_form=SwitchForm())


@blueprint.get("/live")
def live() -> str:
    """The part of the page that changes."""
    return render_template("bank/live.html", glance=_glance())


@blueprint.post("/sending")
def sending() -> Response:
    """Move the switch that stops all sending, or all but answers, of every daemon."""
    form = SwitchForm()
    if form.validate():
        allowed = Allowed(form.allowed.data)
        now = panel().now()
        with database.writing(panel().engine) as conn:
            switch.allow(conn, allowed, now)
            audit.note(conn, current_user.name, "sending.switch", allowed, "", now)
        flash(SWITCH[allowed].explained, "success" if allowed is Allowed.ALL else "warning")
    else:
        flash(gettext("Choose what may be sent."), "warning")
    return redirect(url_for("bank.page"))


def _glance() -> Glance:
    now = panel().now()
    with database.reading(panel().engine) as conn:
        return _look(conn, now)


def _look(conn: Connection, now: datetime) -> Glance:
    midnight = now.astimezone(SOFIA).replace(hour=0, minute=0, second=0, microsecond=0)
    modems = lines.overview(conn, midnight)
    daemons = glance.daemons(conn, now)
    down = {daemon.name for daemon in daemons if not daemon.running}
    not_ready = sorted((modem for modem in modems if modem.state != history.READY), key=_badness)
    since = history.ill_since(conn, [modem.id for modem in not_ready])
    return Glance(
        at=now,
        daemons=daemons,
        modems=modems,
        ills=[_ill(conn, modem, since.get(modem.id), modems, down, now) for modem in not_ready],
        waiting=glance.waiting(conn),
        messages=listing.find(conn, limit=NEWEST)[::-1],
        data_at=glance.data_at(conn),
        switch=switch.sending(conn),
        running=[
            campaigns.standing(conn, each.id, panel().settings, now)
            for each in rows.newest(conn, limit=LOOKED_AT)
            if each.state in campaigns.ACTIVE
        ],
    )


def _ill(
    conn: Connection,
    modem: ModemOverview,
    since: datetime | None,
    modems: Sequence[ModemOverview],
    down: Collection[str],
    now: datetime,
) -> Ill:
    since = min(since or modem.state_since, modem.state_since)
    others = [each.line_id for each in modems if each.line_id is not None and each.line_id != modem.line_id]
    sent = glance.sent_by_others(conn, others, max(since, now - A_DAY))
    return Ill(modem, since, sent, modem.host in down)


def _badness(modem: ModemOverview) -> int:
    return _WORST_FIRST.index(modem.state) if modem.state in _WORST_FIRST else 0
