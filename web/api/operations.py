"""What the API can do: each operation is declared once, and so it is checked, answered, and described in OpenAPI."""

import inspect
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from flask import Blueprint, Response, request
from pydantic import BaseModel, ValidationError

from modemd.errors import NotLetIn
from modemd.service import tokens
from modemd.service.tokens import Scope, Token
from modemd.store import database
from web.api.problems import Refused, faults_of
from web.panel import panel

LONGEST_KEY = 128
KEY_PATTERN = "^[!-~][ -~]*$"
LARGEST = 2_000_000  # octets of a body: 1,000 messages of the greatest length

blueprint = Blueprint("api", __name__, url_prefix="/api/v1")
View = Callable[..., tuple[int, BaseModel]]


@dataclass(frozen=True, slots=True)
class Operation:
    method: str
    path: str  # under /api/v1, as Flask writes it
    view: View
    scope: Scope
    answers: Mapping[int, type[BaseModel]]
    problems: Sequence[int]
    body: type[BaseModel] | None
    query: type[BaseModel] | None
    keyed: bool  # wants an Idempotency-Key

    @property
    def name(self) -> str:
        return self.view.__name__

    @property
    def wants_token(self) -> bool:
        return "token" in inspect.signature(self.view).parameters

    def run(self, **path: int) -> Response:
        """Let in, check, do, and answer."""
        token = _let_in(self.scope)
        asked: dict[str, Any] = path | ({"token": token} if self.wants_token else {})
        if self.keyed:
            asked["key"] = _key()
        if self.query is not None:
            asked["query"] = _query(self.query)
        if self.body is not None:
            asked["body"] = _body(self.body)
        status, answer = self.view(**asked)
        return Response(answer.model_dump_json(), status, mimetype="application/json")


OPERATIONS: list[Operation] = []


def operation(
    method: str,
    path: str,
    scope: Scope,
    answers: Mapping[int, type[BaseModel]],
    *,
    problems: Sequence[int] = (),
    body: type[BaseModel] | None = None,
    query: type[BaseModel] | None = None,
    keyed: bool = False,
) -> Callable[[View], View]:
    """Declare a view as an operation; it is called with `body`, `query`, `key`, what the path names, and a `token`.

    `problems` are those of its own: what every operation of its shape can answer besides is known (see `openapi`).
    """

    def declare(view: View) -> View:
        made = Operation(method, path, view, scope, answers, problems, body, query, keyed)
        OPERATIONS.append(made)
        blueprint.add_url_rule(
            path, made.name, made.run, methods=[method], provide_automatic_options=False, strict_slashes=True
        )
        return view

    return declare


def secret() -> str:
    """What the client proves itself with; anything else than a bearer's token reads as one that nobody has."""
    scheme, _, given = request.headers.get("Authorization", "").partition(" ")
    return given.strip() if scheme.lower() == "bearer" else ""


def _let_in(scope: Scope) -> Token:
    now = panel().now()
    with database.writing(panel().engine) as conn:
        try:
            token = tokens.let_in(conn, secret(), scope, now)
        except NotLetIn as error:
            raise Refused(401, str(error), WWW_Authenticate="Bearer") from error
        if not tokens.may_ask(conn, token, now):
            raise Refused(429, f"This token may ask {token.per_minute} times a minute.", Retry_After="60")
    return token


def _key() -> str:
    key = request.headers.get("Idempotency-Key", "").strip()
    if len(key) > LONGEST_KEY or not re.fullmatch(KEY_PATTERN, key):
        detail = f"Send a header Idempotency-Key of 1 to {LONGEST_KEY} printable ASCII characters, new for each wish."
        raise Refused(400, detail)
    return key


def _body(model: type[BaseModel]) -> BaseModel:
    if request.mimetype != "application/json":
        raise Refused(415, "Send the body as application/json.")
    try:
        return model.model_validate_json(request.get_data())
    except ValidationError as error:
        faults = faults_of(error)
        if any(each["type"] == "json_invalid" for each in error.errors()):
            raise Refused(400, "The body is no JSON in UTF-8.", faults=faults) from error
        raise Refused(422, "The body is not as the description says.", faults=faults) from error


def _query(model: type[BaseModel]) -> BaseModel:
    given: dict[str, Any] = {name: each[0] if len(each) == 1 else each for name, each in request.args.lists()}
    try:
        return model.model_validate_strings(given)
    except ValidationError as error:
        raise Refused(422, "A parameter is not as the description says.", faults=faults_of(error)) from error
