"""What machines ask: figures for Prometheus, and whether the service lives and can do its work. No sign-in, no person.

Only addresses that [web] watchers names are answered; everybody else sees no such page. A request that came through a
proxy which is not trusted is nobody's we know.
"""

import ipaddress
from collections.abc import Callable
from typing import Any

from flask import Blueprint, Response, abort, jsonify, request
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from modemd.errors import DatabaseNewer, DatabaseOutdated, DatabaseUnreachable
from modemd.store import database, glance, lines, switch
from modemd.store.freshness import Age, freshness
from modemd.store.switch import Allowed
from web import metrics, peer
from web.panel import panel

blueprint = Blueprint("watch", __name__)


def plain_http(view: Callable[..., Any]) -> Callable[..., Any]:
    """Not redirected to https, which would lead nowhere: whoever asks comes from this machine or its network."""
    view.talisman_view_options = {"force_https": False}  # type: ignore[attr-defined]
    return view


@blueprint.before_request
def only_watchers() -> None:
    try:
        address = ipaddress.ip_address(request.remote_addr or "")
    except ValueError:  # a unix socket has none
        abort(404)
    if peer.forwarded(request) or not any(address in network for network in panel().settings.web.networks):
        abort(404)


@blueprint.get("/metrics")
@plain_http
def figures() -> Response:
    """For Prometheus. Where the database is gone there is nothing to tell but that."""
    return Response(generate_latest(metrics.registry(panel())), content_type=CONTENT_TYPE_LATEST)


@blueprint.get("/health/live")
@plain_http
def live() -> Response:
    """The process answers; it would not help to start it anew."""
    return jsonify(alive=True)


@blueprint.get("/health/ready")
@plain_http
def ready() -> tuple[Response, int]:
    """Whether questions are answered and messages sent; if not, why."""
    why = _not_ready()
    return jsonify(ready=not why, why=why), 503 if why else 200


def _not_ready() -> list[str]:
    engine = panel().engine
    try:
        database.check_revision(engine)
        with database.reading(engine) as conn:
            return [words for wrong, words in _checks(conn) if wrong]
    except (DatabaseNewer, DatabaseOutdated):
        return ["the database is not of this program's version"]
    except (DBAPIError, DatabaseUnreachable):
        return ["the database does not answer"]


def _checks(conn: Connection) -> list[tuple[bool, str]]:
    now = panel().now()
    daemons = glance.daemons(conn, now)
    down = [daemon.name for daemon in daemons if not daemon.running]
    running = {daemon.name for daemon in daemons if daemon.running}
    ready_lines = [modem for modem in lines.overview(conn, now) if modem.host in running and modem.state == "ready"]
    return [
        (not daemons, "no daemon has ever run"),
        *((True, f"the daemon {name} does not run") for name in down),
        (not ready_lines, "no modem is ready"),
        (switch.sending(conn).allowed is Allowed.NONE, "sending is switched off"),
        (freshness(conn, now).age is Age.STALE, "the data from billing is stale"),
    ]
