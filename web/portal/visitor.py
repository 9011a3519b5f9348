"""Who is at the portal: the cookie that says so, and what every page asks first."""

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar

from flask import g, redirect, request, url_for
from werkzeug.wrappers import Response

from modemd.config import Service
from modemd.service import accounts
from modemd.service.accounts import Session
from modemd.store import database
from web import language
from web.panel import panel

COOKIE = "modemd_customer"
PATH = "/portal"

View = TypeVar("View", bound=Callable[..., Any])


def session() -> Session | None:
    """Who holds this request's cookie; looked up once a request."""
    if "visitor" not in g:
        token = request.cookies.get(COOKIE, "")
        with database.reading(panel().engine) as conn:
            g.visitor = accounts.of_cookie(conn, token, panel().now()) if token else None
    found: Session | None = g.visitor
    return found


def mine() -> Session:
    """Who is signed in; for pages behind `signed_in`."""
    found = session()
    assert found is not None  # noqa: S101 -- signed_in has seen to it
    return found


def signed_in(view: View) -> View:
    """Let only signed-in customers see the page, and those with a handed-out password only their own new password."""

    @wraps(view)
    def guarded(*args: Any, **kwargs: Any) -> Any:
        found = session()
        if found is None:
            return redirect(url_for("door.sign_in"))
        if found.one_time and request.endpoint not in ("door.password", "door.out"):
            return redirect(url_for("door.password"))
        return view(*args, **kwargs)

    return guarded  # type: ignore[return-value]


def let_in(response: Response, token: str) -> Response:
    """Give the browser the cookie of a session."""
    response.set_cookie(
        COOKIE, token, path=PATH, httponly=True, samesite="Lax", secure=panel().settings.web.force_https
    )
    return response


def let_out(response: Response) -> Response:
    response.delete_cookie(COOKIE, path=PATH)
    return response


def service() -> Service:
    return panel().settings.service


def supplier() -> str:
    """Its name as the page's language writes it."""
    return service().supplier_cyrillic if language.chosen() == "bg" else service().supplier
