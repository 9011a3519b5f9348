"""The daemon's one writer: gathers the verbs that wait, commits them once, then wakes their callers."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Concatenate, ParamSpec, TypeVar

from sqlalchemy import Connection, Engine

P = ParamSpec("P")
R = TypeVar("R")
T = TypeVar("T")


class Ledger:
    def __init__(self, engine: Engine, clock: Callable[[], datetime]) -> None:
        """`clock` tells the `now` that batch verbs are given."""

    async def start(self) -> None: ...

    async def close(self) -> None:
        """Finish what was asked for, then end the writer thread."""

    async def do(self, verb: Callable[Concatenate[Connection, P], R], *args: P.args, **kwargs: P.kwargs) -> R:
        """Run `verb(conn, *args, **kwargs)` in the next round; returns its result once committed, raises what it raised.

        A verb may be run twice (the round is rolled back in between), so it does nothing but database work.
        """
        raise NotImplementedError

    async def batch(
        self,
        verb: Callable[Concatenate[Connection, Sequence[T], datetime, P], Sequence[R]],
        item: T,
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> R:
        """Run `verb(conn, items, now, *args, **kwargs)` with this item and all others that wait for the same verb and arguments.

        The verb returns one result per item, in order. `await ledger.batch(outbox.claim, Want(1, 1), host, lease)`.
        """
        raise NotImplementedError

    def post(
        self,
        verb: Callable[Concatenate[Connection, Sequence[T], datetime, P], Sequence[object]],
        item: T,
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> None:
        """As batch, for a caller that does not wait; an error is logged."""
