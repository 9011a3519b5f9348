"""Templates compiled once for all the apps of a test run: compiling them took each test two fifths of its time."""

from types import CodeType

from flask import Flask
from jinja2 import BytecodeCache
from jinja2.bccache import Bucket


class _Compiled(BytecodeCache):
    def __init__(self) -> None:
        self._codes: dict[tuple[str, str], CodeType | None] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        bucket.code = self._codes.get((bucket.key, bucket.checksum))

    def dump_bytecode(self, bucket: Bucket) -> None:
        self._codes[bucket.key, bucket.checksum] = bucket.code


_compiled = _Compiled()


def share(app: Flask) -> None:
    """Let the app use what others have compiled."""
    app.jinja_env.bytecode_cache = _compiled
