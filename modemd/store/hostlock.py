"""One daemon per name on one database: a second one would take the claims of the first for its own.

The lock dies with its process: flock beside an SQLite file, a session's advisory lock on PostgreSQL.
"""

import contextlib
import fcntl
import os
import re
from pathlib import Path

from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import DBAPIError

from modemd.errors import DatabaseUnreachable, HostNameTaken
from modemd.store.database import shown

_TRY_LOCK = text("SELECT pg_try_advisory_lock(hashtextextended('modemd host ' || :name, 0))")
_UNLOCK = text("SELECT pg_advisory_unlock(hashtextextended('modemd host ' || :name, 0))")
_STILL_THERE = text("SELECT 1")
_HOLDER = text(
    "SELECT concat_ws(' ', 'process', a.pid::text, 'from', coalesce(host(a.client_addr), 'the database machine'))"
    " FROM pg_locks l JOIN pg_stat_activity a ON a.pid = l.pid"
    " WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 1"
    " AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())"
    " AND (l.classid::bigint << 32) | l.objid::bigint = hashtextextended('modemd host ' || :name, 0)"
)


class HostLock:
    def __init__(self, engine: Engine, name: str) -> None:
        """`name` is [daemon] name."""
        self._engine = engine
        self._name = name
        self._descriptor: int | None = None
        self._conn: Connection | None = None

    def acquire(self) -> None:
        """Raises HostNameTaken or DatabaseUnreachable."""
        if self._engine.dialect.name == "postgresql":
            self._lock_session()
        else:
            self._lock_file()

    def keep(self) -> None:
        """Take the name again where the server has dropped the session that held it.

        Raises HostNameTaken if somebody else was first, DatabaseUnreachable while the server is away.
        """
        if self._engine.dialect.name != "postgresql" or self._is_held():
            return
        self._drop()
        self._lock_session()

    def release(self) -> None:
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None
        if self._conn is not None:
            with contextlib.suppress(DBAPIError):  # the server may be gone, and the session with it
                self._conn.execute(_UNLOCK, {"name": self._name})
        self._drop()

    def _is_held(self) -> bool:
        try:
            return self._conn is not None and self._conn.scalar(_STILL_THERE) is not None
        except DBAPIError:
            return False

    def _drop(self) -> None:
        if self._conn is not None:
            conn, self._conn = self._conn, None
            conn.invalidate()  # a session that went back into the pool would keep its lock
            conn.close()

    def _lock_file(self) -> None:
        database = Path(self._engine.url.database or "modemd")
        safe = re.sub(r"[^\w.-]", "_", self._name)
        descriptor = os.open(database.with_name(f"{database.name}.{safe}.lock"), os.O_RDWR | os.O_CREAT, 0o660)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.read(descriptor, 32).decode("ascii", "replace").strip()
            os.close(descriptor)
            raise HostNameTaken(name=self._name, holder=f"process {holder}") from None
        os.truncate(descriptor, 0)
        os.write(descriptor, f"{os.getpid()}\n".encode())
        self._descriptor = descriptor

    def _lock_session(self) -> None:
        try:
            conn = self._engine.connect().execution_options(isolation_level="AUTOCOMMIT")
            if conn.scalar(_TRY_LOCK, {"name": self._name}):
                self._conn = conn
                return
            holder = conn.scalar(_HOLDER, {"name": self._name})
            conn.close()
        except DBAPIError as error:
            raise DatabaseUnreachable(url=shown(self._engine.url), reason=str(error.orig).strip()) from error
        raise HostNameTaken(name=self._name, holder=holder or "another process")
