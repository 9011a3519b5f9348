"""Tells the daemon that there may be something new to look at, so that the queue is never polled."""

import asyncio
import contextlib
import logging
import sqlite3
import threading
from collections.abc import Callable

from sqlalchemy import Connection, make_url, text
from sqlalchemy.exc import DBAPIError

from modemd.errors import DatabaseUnreachable, ModemdError
from modemd.store import database
from modemd.store.ledger import Ledger

log = logging.getLogger(__name__)

CHANNEL = "modemd"
SQLITE_INTERVAL = 0.1  # s between two looks at the data version: 5 µs each
LISTEN_TIMEOUT = 0.5  # s until close() is noticed
RECONNECT_AFTER = 2.0  # s

_NOTIFIED = "modemd_notified"
_NOTIFY = text(f"NOTIFY {CHANNEL}")


def notify(conn: Connection) -> None:
    """Wake the daemons when this transaction commits. (On SQLite every commit of another process shows by itself.)"""
    if conn.dialect.name == "postgresql":
        conn.execute(_NOTIFY)
    else:
        conn.info[_NOTIFIED] = conn.info.get(_NOTIFIED, 0) + 1


def news(conn: Connection) -> object:
    """Is another one whenever another connection has written, or a verb on this one has called `notify`."""
    if conn.dialect.name == "postgresql":
        return object()  # nothing but NOTIFY gives a hint
    return conn.exec_driver_sql("PRAGMA data_version").scalar(), conn.info.get(_NOTIFIED)


class News:
    """Lets hints pass on but those that the daemon's own commits give: a campaign gives ten of them a second."""

    def __init__(self, ledger: Ledger, callback: Callable[[], object]) -> None:
        self._ledger = ledger
        self._callback = callback
        self._seen: object = None
        self._asking: asyncio.Task[None] | None = None

    def hint(self) -> None:
        """Somebody may have written; call it in the loop."""
        if self._asking is None or self._asking.done():
            self._asking = asyncio.get_running_loop().create_task(self._ask(), name="news")

    async def settled(self) -> None:
        """Return when the last hint has passed on or not."""
        if self._asking is not None:
            await self._asking

    async def _ask(self) -> None:
        try:
            found = await self._ledger.do(news)
        except (DBAPIError, ModemdError) as error:
            log.warning("whether others have written is not known: %s", error)
            found = None
        if found is None or found != self._seen:
            self._seen = found
            self._callback()


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
        self._thread = threading.Thread(target=self._watch, name="wakeup", daemon=True)
        self._thread.start()

    async def close(self) -> None:
        self._closing.set()
        if self._thread is not None:
            await asyncio.to_thread(self._thread.join)

    def _hint(self) -> None:
        if self._loop is not None and not self._closing.is_set():
            self._loop.call_soon_threadsafe(self._callback)

    def _watch(self) -> None:
        attend = self._attend_sqlite if self._url.get_backend_name() == "sqlite" else self._attend_postgresql
        while not self._closing.is_set():
            try:
                attend()
            except (sqlite3.Error, DatabaseUnreachable) as error:
                log.warning("what others write to the database is not noticed: %s", error)
                self._closing.wait(RECONNECT_AFTER)

    def _attend_sqlite(self) -> None:
        with contextlib.closing(sqlite3.connect(str(self._url.database), isolation_level=None)) as connection:
            seen = None
            while not self._closing.wait(SQLITE_INTERVAL):
                (version,) = connection.execute("PRAGMA data_version").fetchone()
                if version != seen:
                    seen = version
                    self._hint()

    def _attend_postgresql(self) -> None:
        import psycopg  # not for those who run on SQLite: it takes long to import

        try:
            with psycopg.connect(**database.postgresql_arguments(self._url), autocommit=True) as connection:
                connection.execute(f"LISTEN {CHANNEL}")
                self._hint()  # what was notified while nobody listened is not told again
                while not self._closing.is_set():
                    for _ in connection.notifies(timeout=LISTEN_TIMEOUT, stop_after=1):
                        self._hint()
        except psycopg.Error as error:
            raise DatabaseUnreachable(url=database.shown(self._url), reason=str(error).strip()) from error
