"""Runs the panel until SIGTERM or Ctrl-C."""

import logging
import os
import re
import signal
import socket
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import waitress
from waitress.channel import HTTPChannel
from werkzeug.exceptions import NotFound

from modemd.config import Settings, Web
from modemd.errors import PanelNotStarted
from web.peer import BehindProxy

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

log = logging.getLogger(__name__)

THREADS = 8
ON_SOCKET = "localhost"  # where waitress says that a connection through a unix socket comes from
LONGEST_WAIT = 30.0  # s without an octet from a client, and that a request may take to come; more is no client of ours
CONNECTIONS = 500
LARGEST = 16_000_000  # octets of a body that are taken in, so that the application can say why it refuses it
PATHS = {  # each path belongs to one application: its pages, and the copy of Bootstrap that they load
    "portal": re.compile(r"(/bootstrap)?/portal(/|$)"),
    "api": re.compile(r"(/bootstrap)?/api(/|$)|/cgi-bin/"),
    "panel": re.compile(r""),
}


def together(apps: "Mapping[str, WSGIApplication]") -> "WSGIApplication":
    """What [web] serve names, as one application."""
    if len(apps) == 1:
        return next(iter(apps.values()))

    def whole(environ: Any, start_response: Any) -> Any:
        found = (apps[name] for name, own in PATHS.items() if name in apps and own.match(environ["PATH_INFO"]))
        return next(found, NotFound())(environ, start_response)

    return whole


class Impatient(HTTPChannel):  # type: ignore[misc]  # waitress brings no types
    """A connection that is closed when a request takes too long to come: waitress itself only minds silence."""

    _begun: float | None = None

    def received(self, data: bytes) -> Any:
        done = super().received(data)
        if self.request is None:
            self._begun = None
        elif self._begun is None:
            self._begun = time.monotonic()
        elif time.monotonic() - self._begun > LONGEST_WAIT:
            self.handle_close()
        return done


def serve(app: "WSGIApplication", settings: Settings, ready: Callable[[str], object]) -> None:
    """Serve the panel on [web] host and port until SIGTERM or SIGINT, then return; for the main thread.

    `ready` is called once, with the address, when the panel answers there; port 0 takes a free one. Raises
    PanelNotStarted.
    """
    listening = _listen_on_socket(settings.web.socket) if settings.web.socket else _listen(settings.web)
    behind = BehindProxy(app, ON_SOCKET if settings.web.socket else settings.web.trusted_proxy)
    server = waitress.create_server(
        behind,
        sockets=[listening],
        threads=THREADS,
        ident=None,
        clear_untrusted_proxy_headers=False,
        channel_timeout=LONGEST_WAIT,
        connection_limit=CONNECTIONS,
        max_request_body_size=LARGEST,
    )
    server.channel_class = Impatient
    try:
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, _stop)
        ready(str(settings.web.socket or _address(listening)))
        server.run()  # returns after _stop, when the requests in hand are answered
    except SystemExit:
        server.task_dispatcher.shutdown()  # the signal came before run
    finally:
        server.close()
    log.info("the panel stopped")


def _listen(web: Web) -> socket.socket:
    host, port = web.host, web.port
    try:
        family, *_, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
        return socket.create_server(address[:2], family=family)
    except OSError as error:
        number = error.errno or 0  # negative: the resolver's
        reason = os.strerror(number) if number > 0 else error.strerror
        raise PanelNotStarted(address=f"{host}:{port}", reason=reason) from error


def _address(listening: socket.socket) -> str:
    host, port = listening.getsockname()[:2]
    return f"http://[{host}]:{port}/" if ":" in host else f"http://{host}:{port}/"


def _listen_on_socket(path: Path) -> socket.socket:
    """A unix socket that user and group may use: the proxy's user is put into the group."""
    try:
        path.unlink(missing_ok=True)
        listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        listening.bind(str(path))
        path.chmod(0o660)
        listening.listen()
    except OSError as error:
        raise PanelNotStarted(address=path, reason=error.strerror) from error
    return listening


def _stop(_number: int, _frame: object) -> NoReturn:
    raise SystemExit
