"""Runs the panel until SIGTERM or Ctrl-C."""

import logging
import os
import signal
import socket
from collections.abc import Callable
from typing import Any, NoReturn

import waitress
from flask import Flask

from modemd.config import Settings
from modemd.errors import PanelNotStarted

log = logging.getLogger(__name__)

THREADS = 8


def serve(app: Flask, settings: Settings, ready: Callable[[str], object]) -> None:
    """Serve the panel on [web] host and port until SIGTERM or SIGINT, then return; for the main thread.

    `ready` is called once, with the address, when the panel answers there; port 0 takes a free one. Raises
    PanelNotStarted.
    """
    listening = _listen(settings.web.host, settings.web.port)
    server = waitress.create_server(
        app, sockets=[listening], threads=THREADS, ident=None, **_proxy(settings.web.trusted_proxy)
    )
    try:
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, _stop)
        ready(_address(listening))
        server.run()  # returns after _stop, when the requests in hand are answered
    except SystemExit:
        server.task_dispatcher.shutdown()  # the signal came before run
    finally:
        server.close()
    log.info("the panel stopped")


def _listen(host: str, port: int) -> socket.socket:
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


def _proxy(trusted: str | None) -> dict[str, Any]:
    """Whose word is taken for where a request comes from; without one, nobody's."""
    if trusted is None:
        return {}
    return {"trusted_proxy": trusted, "trusted_proxy_headers": {"x-forwarded-for", "x-forwarded-proto"}}


def _stop(_number: int, _frame: object) -> NoReturn:
    raise SystemExit
