"""Tells the daemon that another process may have written, so that the queue is never polled."""

import asyncio
import logging
import sqlite3
import threading
from collections.abc import Callable

import psycopg
from sqlalchemy import Connection, make_url, text

from modemd.store import database

log = logging.getLogger(__name__)

CHANNEL = "modemd"
SQLITE_INTERVAL = 0.1  # s between two looks at the data version: 5 µs each
LISTEN_TIMEOUT = 0.5  # s until close() is noticed
RECONNECT_AFTER = 2.0  # s

_NOTIFY = text(f"NOTIFY {CHANNEL}")


def notify(conn: Connection) -> None:
    """Wake the daemons when this transaction commits. (SQLite needs nothing: every commit shows.)"""
    if conn.dialect.name == "postgresql":
        conn.execute(_NOTIFY)


class Wakeup:
    """Watches from a thread and a connection of its own."""

    def __init__(self, url: str, callback: Callable[[], object]) -> None:
        """`callback` runs in the loop that was running at start(). A hint to look; our own commits give it too."""
        self._url = make_url(url)
        self._callback = callback
        self._closing = threading.Event()
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    async def start(self) -> None:
        self._loop = asyncio.get_running_loop()
        watch = self._watch_sqlite if self._url.get_backend_name() == "sqlite" else self._listen
        self._thread = threading.Thread(target=watch, name="wakeup", daemon=True)
        self._thread.start()

    async def close(self) -> None:
        self._closing.set()
        if self._thread is not None:
            await asyncio.to_thread(self._thread.join)

    def _hint(self) -> None:
        if self._loop is not None and not self._closing.is_set():
            self._loop.call_soon_threadsafe(self._callback)

    def _watch_sqlite(self) -> None:
        connection = sqlite3.connect(str(self._url.database), isolation_level=None)
        try:
            seen = None
            while not self._closing.wait(SQLITE_INTERVAL):
                (version,) = connection.execute("PRAGMA data_version").fetchone()
                if version != seen:
                    seen = version
                    self._hint()
        finally:
            connection.close()

    def _listen(self) -> None:
        url = self._url.set(drivername="postgresql").render_as_string(hide_password=False)
        while not self._closing.is_set():
            try:
                with psycopg.connect(url, autocommit=True, **database.POSTGRESQL_OPTIONS) as connection:
                    connection.execute(f"LISTEN {CHANNEL}")
                    self._hint()  # what was notified while nobody listened is not told again
                    self._read_notifications(connection)
            except psycopg.OperationalError as error:
                log.warning("database: no notifications: %s", error)
                self._closing.wait(RECONNECT_AFTER)

    def _read_notifications(self, connection: psycopg.Connection[tuple[object, ...]]) -> None:
        while not self._closing.is_set():
            for _ in connection.notifies(timeout=LISTEN_TIMEOUT, stop_after=1):
                self._hint()
