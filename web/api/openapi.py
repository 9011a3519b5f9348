"""The OpenAPI document, made of the declared operations."""

import inspect
import re
from collections.abc import Iterator
from functools import cache
from importlib.metadata import version
from typing import Any, Literal

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from web.api.operations import KEY_PATTERN, LONGEST_KEY, OPERATIONS, Operation
from web.api.problems import MEDIA, Problem

ALWAYS = (401, 429, 503)
WITH_BODY = (400, 413, 415, 422)
_CONVERTED = re.compile(r"<int\([^)]*\):(\w+)>")
_PROBLEMS = {
    400: "The request is not understood.",
    401: "The token is malformed, unknown, expired or revoked, or has not this scope: which of them is not told.",
    404: "There is no such thing, or it is not this token's.",
    409: "It does not fit what was done before.",
    413: "The body is too large.",
    415: "The body is not application/json.",
    422: "What was sent is not as described here, or cannot be done.",
    429: "The limit of the token is reached.",
    503: "The database cannot be reached; try again.",
}
_Mode = Literal["validation", "serialization"]


@cache
def document() -> dict[str, Any]:
    """What /api/v1/openapi.json gives."""
    paths: dict[str, dict[str, Any]] = {}
    for each in OPERATIONS:
        paths.setdefault(path_of(each), {})[each.method.lower()] = _described(each)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "modemd",
            "version": version("modemd"),
            "description": "Queue SMS and see what became of them. Numbers are E.164 or short codes, times ISO 8601 "
            "with an offset. Every error is an RFC 9457 problem.",
        },
        "servers": [{"url": "/api/v1"}],
        "security": [{"token": []}],
        "paths": paths,
        "components": {
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
            "schemas": _schemas(),
        },
    }


def path_of(each: Operation) -> str:
    return _CONVERTED.sub(r"{\1}", each.path)


def problems_of(each: Operation) -> list[int]:
    """The statuses of every problem that it can answer."""
    found = {*ALWAYS, *each.problems}
    if each.body is not None:
        found |= set(WITH_BODY)
    if each.keyed:
        found |= {400, 409}
    if each.query is not None:
        found.add(422)
    if "<" in each.path:
        found.add(404)
    return sorted(found)


def _described(each: Operation) -> dict[str, Any]:
    summary, _, more = inspect.cleandoc(each.view.__doc__ or "").partition("\n\n")
    described: dict[str, Any] = {
        "operationId": each.name,
        "summary": summary,
        "description": f"{more} Scope: {each.scope}.".strip().replace("\n", " "),
        "parameters": list(_parameters(each)),
        "responses": {
            **{str(status): _answer(model) for status, model in each.answers.items()},
            **{str(status): _problem(status) for status in problems_of(each)},
        },
    }
    if each.body is not None:
        content = {"application/json": {"schema": _reference(each.body)}}
        described["requestBody"] = {"required": True, "content": content}
    return described


def _parameters(each: Operation) -> Iterator[dict[str, Any]]:
    for name in _CONVERTED.findall(each.path):
        schema = {"type": "integer", "minimum": 1, "maximum": 2**63 - 1}
        yield {"name": name, "in": "path", "required": True, "schema": schema}
    if each.keyed:
        yield {
            "name": "Idempotency-Key",
            "in": "header",
            "required": True,
            "description": "New for each wish. The same key never sends twice, however often it comes.",
            "schema": {"type": "string", "minLength": 1, "maxLength": LONGEST_KEY, "pattern": KEY_PATTERN},
        }
    if each.query is not None:
        form = each.query.model_json_schema()
        for name, field in form["properties"].items():
            required = name in form.get("required", ())
            described = {"description": field.pop("description")} if "description" in field else {}
            yield {"name": name, "in": "query", "required": required, "schema": field, **described}


def _answer(model: type[BaseModel]) -> dict[str, Any]:
    content = {"application/json": {"schema": _reference(model)}}
    return {"description": inspect.cleandoc(model.__doc__ or ""), "content": content}


def _problem(status: int) -> dict[str, Any]:
    return {"description": _PROBLEMS[status], "content": {MEDIA: {"schema": _reference(Problem)}}}


def _reference(model: type[BaseModel]) -> dict[str, str]:
    return {"$ref": f"#/components/schemas/{model.__name__}"}


def _schemas() -> dict[str, Any]:
    models: dict[type[BaseModel], _Mode] = {Problem: "serialization"}
    for each in OPERATIONS:
        models.update(dict.fromkeys(each.answers.values(), "serialization"))
        if each.body is not None:
            models[each.body] = "validation"
    _, found = models_json_schema(list(models.items()), ref_template="#/components/schemas/{model}")
    schemas: dict[str, Any] = found["$defs"]
    return schemas
