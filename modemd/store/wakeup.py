"""Tells the daemon that another process may have written, so that the queue is never polled."""

from collections.abc import Callable

from sqlalchemy import Connection


def notify(conn: Connection) -> None:
    """Wake the daemons when this transaction commits. (SQLite needs nothing: every commit shows.)"""
    raise NotImplementedError


class Wakeup:
    def __init__(self, url: str, callback: Callable[[], object]) -> None:
        """`callback` runs in the loop that was running at start(). It is a hint to look: our own commits call it too."""

    async def start(self) -> None: ...

    async def close(self) -> None: ...
