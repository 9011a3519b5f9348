"""What went wrong, as RFC 9457 wants it told: the same form for every error of this application."""

import json
import logging
from collections.abc import Sequence
from typing import Any

from flask import Flask, Response
from pydantic import BaseModel, Field, ValidationError
from sqlalchemy.exc import DBAPIError
from werkzeug.exceptions import HTTPException
from werkzeug.http import HTTP_STATUS_CODES

MEDIA = "application/problem+json"

log = logging.getLogger(__name__)


class Fault(BaseModel):
    """One thing that is wrong with what was sent."""

    pointer: str = Field(description="Where: a JSON pointer into the body, or the name of a parameter.")
    detail: str


class Problem(BaseModel):
    """RFC 9457. `type` is always about:blank: the status says what kind of problem it is."""

    type: str = "about:blank"
    title: str
    status: int
    detail: str | None = None
    errors: list[Fault] | None = None


class Refused(Exception):
    """A view or what stands before it gives up with this problem."""

    def __init__(self, status: int, detail: str, *, faults: Sequence[Fault] = (), **headers: str) -> None:
        self.status = status
        self.detail = detail
        self.faults = list(faults)
        self.headers = {name.replace("_", "-"): value for name, value in headers.items()}
        super().__init__(detail)


def faults_of(error: ValidationError) -> list[Fault]:
    """What pydantic found, without repeating what was sent."""
    found: list[Any] = error.errors(include_url=False, include_input=False, include_context=False)
    return [Fault(pointer="/" + "/".join(map(str, each["loc"])), detail=each["msg"]) for each in found[:20]]


def register(app: Flask) -> None:
    """Answer every error of the app so, also those of routing and of the server."""

    def refused(error: Refused) -> Response:
        return _response(error.status, error.detail, error.faults, error.headers)

    def http(error: HTTPException) -> Response:
        headers = {name: value for name, value in error.get_headers() if name in ("Allow", "Location", "Retry-After")}
        return _response(error.code or 500, error.description, (), headers)

    def unreachable(error: DBAPIError) -> Response:
        log.error("database: %s", str(error.orig).partition("\n")[0])  # what follows may quote values
        return _response(503, "The database cannot be reached. Try again.", (), {"Retry-After": "5"})

    app.register_error_handler(Refused, refused)
    app.register_error_handler(HTTPException, http)
    app.register_error_handler(DBAPIError, unreachable)


def _response(status: int, detail: str | None, faults: Sequence[Fault], headers: dict[str, str]) -> Response:
    title = HTTP_STATUS_CODES.get(status, "Error")
    problem = Problem(title=title, status=status, detail=detail, errors=list(faults) or None)
    body = json.dumps(problem.model_dump(exclude_none=True))
    return Response(body, status, headers, mimetype=MEDIA)
