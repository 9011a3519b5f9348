"""Who is really at the other end of the connection, and who a trusted proxy says it is."""

from typing import TYPE_CHECKING, Any

from flask import Request
from werkzeug.middleware.proxy_fix import ProxyFix

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

_PEER = "modemd.peer"
_FORWARDED = "modemd.forwarded"


class BehindProxy:
    """Takes the proxy's word for client address and scheme, and nobody else's; `peer` still tells the proxy."""

    def __init__(self, app: "WSGIApplication", proxy: str | None) -> None:
        self._app = app
        self._fixed = ProxyFix(app, x_for=1, x_proto=1)
        self._proxy = proxy

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Any:
        environ[_PEER] = environ.get("REMOTE_ADDR", "")
        if self._proxy is not None and environ[_PEER] == self._proxy:
            return self._fixed(environ, start_response)
        for name in [name for name in environ if name.startswith(("HTTP_X_FORWARDED_", "HTTP_FORWARDED"))]:
            environ[_FORWARDED] = True
            del environ[name]
        return self._app(environ, start_response)


def peer(request: Request) -> str:
    """The address that the connection comes from; a unix socket has none."""
    return str(request.environ.get(_PEER, request.environ.get("REMOTE_ADDR", "")))


def forwarded(request: Request) -> bool:
    """Whether somebody says to be a proxy whose word is not taken: then the address is not that of who asks."""
    return bool(request.environ.get(_FORWARDED))
