"""Templates and routes compiled once for all the apps of a run: compiling them took most of a small test's time."""

from collections.abc import Callable
from types import CodeType
from typing import Any

from flask import Flask
from jinja2 import BytecodeCache
from jinja2.bccache import Bucket
from werkzeug.routing import Rule


class _Compiled(BytecodeCache):
    def __init__(self) -> None:
        self._codes: dict[tuple[str, str], CodeType | None] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        bucket.code = self._codes.get((bucket.key, bucket.checksum))

    def dump_bytecode(self, bucket: Bucket) -> None:
        self._codes[bucket.key, bucket.checksum] = bucket.code


_compiled = _Compiled()
_compile_builder = Rule._compile_builder
_builders: dict[object, Callable[..., Any]] = {}


def share(app: Flask) -> None:
    """Let the app use the templates that others have compiled."""
    app.jinja_env.bytecode_cache = _compiled


def _builder(rule: Rule, append_unknown: bool = True) -> Callable[..., Any]:
    """What makes a route's URLs; it is handed its rule with each call."""
    key = rule.rule, tuple(rule._trace), tuple((rule.defaults or {}).items()), append_unknown
    if key not in _builders:
        _builders[key] = _compile_builder(rule, append_unknown)
    return _builders[key]


Rule._compile_builder = _builder  # type: ignore[method-assign]
