"""The daemon's one writer: gathers the verbs that wait, runs them, commits once, and only then wakes their callers.

Writes never run in the event loop, for another process may hold the database. What is asked for in one turn of the loop
goes to the writer thread together; whatever has come when that thread is free is one round and one transaction, so that
what was asked for earlier is never on the disk later. When anything in a round goes wrong, it is rolled back and run
again item by item, in the order of asking, so that only the guilty one hears of it.

What is asked for with `later` waits a little, so that it is written for many at once. It is written before anything but
the `hasty` verbs, which run first in their round.

A round that met a locked SQLite, a deadlock or a lost PostgreSQL connection is run again, with back-off, for as long as
it takes. If the connection is lost inside COMMIT, the server is asked whether it committed (`rounds.py`), so that
nothing is done twice. (After a fail-over to a standby that never saw the round, it did not.)
"""

import asyncio
import logging
import queue
import sqlite3
import threading
import time
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, Concatenate, ParamSpec, TypeVar

from sqlalchemy import Connection, Engine, Transaction
from sqlalchemy.exc import DBAPIError

from modemd.errors import DatabaseUnreachable, VerbFailed
from modemd.store import events, pipeline
from modemd.store.database import passes, shown
from modemd.store.requests import Call, Outcome, Request, gather, in_haste
from modemd.store.rounds import Rounds

log = logging.getLogger(__name__)

P = ParamSpec("P")
R = TypeVar("R")
T = TypeVar("T")

BACK_OFF = (0.05, 0.1, 0.2, 0.5, 1.0)  # s between attempts; the last one repeats
LATER_SECONDS = 0.05  # what is asked for with `later` is on the disk at the latest then, and a round
CLOSING_PATIENCE = 10.0  # s that close() waits for a database that does not answer
HANGS_SECONDS = 60.0  # for one attempt; a PostgreSQL that is cut off gives up after 30, see POSTGRESQL_OPTIONS
STRUGGLES_SECONDS = 120.0  # after a refused attempt, until whoever waited for the database has moved on

_BY_KEYS = (
    "SELECT set_config(name, 'off', false) FROM pg_settings"
    " WHERE name IN ('enable_seqscan', 'enable_hashjoin', 'enable_mergejoin', 'jit')"
)


class Ledger:
    def __init__(self, engine: Engine, clock: Callable[[], datetime]) -> None:
        """`clock` tells the `now` that batch verbs are given."""
        self._engine = engine
        self._clock = clock
        self._committed = Rounds()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._this_turn: list[Request] = []
        self._rounds: queue.SimpleQueue[list[Request] | None] = queue.SimpleQueue()
        self._later: list[Request] = []
        self._write_later_at = 0.0
        self._conn: Connection | None = None
        self._closing = threading.Event()
        self._give_up_at = 0.0
        self._busy_since: float | None = None  # with this attempt
        self._refused_at = float("-inf")

    # for callers, in the event loop

    async def start(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._thread = threading.Thread(target=self._write, name="ledger", daemon=True)
        self._thread.start()

    async def close(self) -> None:
        """Finish what was asked for, then end the writer thread."""
        if self._thread is None or self._closing.is_set():
            return
        self._hand_over()
        self._give_up_at = time.monotonic() + CLOSING_PATIENCE
        self._closing.set()
        self._rounds.put(None)
        await asyncio.to_thread(self._thread.join)

    def hangs(self) -> str | None:
        """What is the matter with the writer thread, None if it works or has nothing to do."""
        if self._thread is None or not self._thread.is_alive():
            return None if self._closing.is_set() else "the thread that writes to the database is dead"
        since = self._busy_since
        if since is None or time.monotonic() - since <= HANGS_SECONDS:
            return None
        return f"the thread that writes to the database hangs for more than {HANGS_SECONDS:.0f} s"

    @property
    def struggles(self) -> bool:
        """Whether the database has refused an attempt lately: what waits for it does not hang by itself."""
        return time.monotonic() - self._refused_at <= STRUGGLES_SECONDS

    def do(self, verb: Callable[Concatenate[Connection, P], R], *args: P.args, **kwargs: P.kwargs) -> asyncio.Future[R]:
        """Run `verb(conn, *args, **kwargs)` in the next round; returns its result once committed, or raises.

        A verb may be run twice (the round is rolled back in between), so it does nothing but database work.
        It runs even if its caller is cancelled meanwhile.
        """
        return self._ask(Request(verb, args, kwargs, self._future()))

    def batch(
        self,
        verb: Callable[Concatenate[Connection, Sequence[T], datetime, P], Sequence[R]],
        item: T,
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> asyncio.Future[R]:
        """Run `verb(conn, items, now, *args, **kwargs)` with all items that wait for this verb with these arguments.

        The verb returns one result per item, in order: `await ledger.batch(outbox.claim, Want(1, 1), host, lease)`.
        """
        return self._ask(Request(verb, args, kwargs, self._future(), gathered=True, item=item))

    def post(
        self,
        verb: Callable[Concatenate[Connection, Sequence[T], datetime, P], Sequence[object]],
        item: T,
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> None:
        """As batch, for a caller that does not wait; an error is logged."""
        self._put(Request(verb, args, kwargs, None, gathered=True, item=item))

    def later(
        self,
        verb: Callable[Concatenate[Connection, Sequence[T], datetime, P], Sequence[object]],
        item: T,
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> None:
        """As post, but it may wait for LATER_SECONDS, or for the next round that has more than `hasty` verbs."""
        self._put(Request(verb, args, kwargs, None, gathered=True, item=item, later=True))

    def _future(self) -> asyncio.Future[Any]:
        if self._loop is None or self._closing.is_set():
            raise VerbFailed(reason="the ledger is not open")
        return self._loop.create_future()

    def _ask(self, request: Request) -> asyncio.Future[Any]:
        self._put(request)
        assert request.future is not None  # noqa: S101 -- both callers made one
        return request.future

    def _put(self, request: Request) -> None:
        if self._loop is None or self._closing.is_set():
            log.error("%s came when the ledger was not open", request.verb)
            return
        if not self._this_turn:
            self._loop.call_soon(self._hand_over)
        self._this_turn.append(request)

    def _hand_over(self) -> None:
        if self._this_turn:
            self._rounds.put(self._this_turn)
            self._this_turn = []

    # in the writer thread

    def _write(self) -> None:
        while (requests := self._next_round()) is not None:
            outcomes = self._settle(requests)
            for request, _, error in outcomes:
                if request.future is None and error is not None:
                    log.error("%s failed", request.verb, exc_info=error)
            self._wake(outcomes)
        self._drop_connection()

    def _next_round(self) -> list[Request] | None:
        """What is to be done now, in the order of asking, at least one request; None when nothing more is to come."""
        while (asked := self._asked()) is not None or self._later:
            requests = [request for request in asked or () if not request.later]
            if asked is None or not all(map(in_haste, requests)) or self._is_late():
                requests, self._later = self._later + (asked or []), []
            else:
                self._put_off([request for request in asked if request.later])
            if requests:
                return requests
        return None

    def _asked(self) -> list[Request] | None:
        """Everything that waits; empty when it is time for what was put off; None once the ledger is closed."""
        try:
            requests = self._rounds.get(timeout=self._patience())
        except queue.Empty:
            return []
        while requests is not None and not self._rounds.empty():
            more = self._rounds.get()
            if more is None:
                self._rounds.put(None)
                break
            requests += more
        if requests is None:
            self._rounds.put(None)  # for the next one who asks
        return requests

    def _patience(self) -> float | None:
        return max(0.0, self._write_later_at - time.monotonic()) if self._later else None

    def _is_late(self) -> bool:
        return bool(self._later) and time.monotonic() >= self._write_later_at

    def _put_off(self, requests: list[Request]) -> None:
        if not self._later:
            self._write_later_at = time.monotonic() + LATER_SECONDS
        self._later += requests

    def _settle(self, requests: Sequence[Request]) -> list[Outcome]:
        """Run a round; what raises alone is to blame for it."""
        calls = gather(requests)
        try:
            results = self._transact(calls)
        except Exception as error:
            if len(requests) == 1:
                return [(requests[0], None, error)]
            log.debug("a round of %s is run item by item: %s", len(requests), error)
            return [outcome for request in requests for outcome in self._settle([request])]
        return [
            (request, result, None)
            for call, given in zip(calls, results, strict=True)
            for request, result in zip(call.requests, given, strict=True)
        ]

    def _transact(self, calls: Sequence[Call]) -> list[Sequence[Any]]:
        """Run the calls in one transaction, as often as it takes for faults that pass."""
        attempt = 0
        while True:
            self._busy_since = time.monotonic()
            try:
                return self._once(calls)
            except (DBAPIError, sqlite3.Error) as error:
                self._drop_connection()
                if not passes(error):
                    raise
                self._refused()
                reason = error.orig if isinstance(error, DBAPIError) else error
                log.warning("the database does not take a write, which is tried again: %s", reason)
                if self._closing.is_set() and time.monotonic() > self._give_up_at:
                    raise DatabaseUnreachable(url=shown(self._engine.url), reason=str(reason)) from error
                time.sleep(BACK_OFF[min(attempt, len(BACK_OFF) - 1)])
                attempt += 1
            finally:
                self._busy_since = None

    def _once(self, calls: Sequence[Call]) -> list[Sequence[Any]]:
        if self._conn is None:
            self._conn = _connect(self._engine)
        now = self._clock()
        if self._at_once(self._conn, calls, now):
            return [[None] * len(calls[0].requests)]
        transaction = self._conn.begin()
        try:
            results = [call.run(self._conn, now) for call in calls]
            happened = events.taken(self._conn)
        except BaseException:
            events.taken(self._conn)
            self._roll_back(transaction)
            raise
        try:
            self._committed.commit(self._conn, transaction, now)
        except DBAPIError:
            if not self._committed_after_all(now):
                raise
        events.tell(happened)
        return results

    def _at_once(self, conn: Connection, calls: Sequence[Call], now: datetime) -> bool:
        """Whether the round could be run and committed in one round trip; if not, nothing was written."""
        if len(calls) > 1 or self._engine.dialect.name != "postgresql":
            return False
        try:
            statements = calls[0].at_once(conn, now)
        finally:
            happened = events.taken(conn)
        if statements is None:
            return False
        try:
            if not self._committed.commit_at_once(conn, statements, now):
                return False
        except DBAPIError:
            if not self._committed_after_all(now):
                raise
        events.tell(happened)
        return True

    def _committed_after_all(self, now: datetime) -> bool:
        """Whether the round is in the database, though its COMMIT raised an error."""
        self._drop_connection()
        return self._engine.dialect.name == "postgresql" and self._has_committed(now)

    def _roll_back(self, transaction: Transaction) -> None:
        try:
            transaction.rollback()
        except DBAPIError:  # the connection is gone, and the transaction with it
            self._drop_connection()

    def _has_committed(self, now: datetime) -> bool:
        """Whether the round whose COMMIT was cut off is in the database; waits until the server can be asked."""
        attempt = 0
        while True:
            try:
                with self._engine.begin() as conn:
                    return self._committed.has_committed(conn, now)
            except DBAPIError as error:
                if not passes(error):
                    raise
                self._refused()
            if self._closing.is_set() and time.monotonic() > self._give_up_at:
                raise DatabaseUnreachable(url=shown(self._engine.url), reason="it was lost while it committed")
            time.sleep(BACK_OFF[min(attempt, len(BACK_OFF) - 1)])
            attempt += 1

    def _refused(self) -> None:
        """The database is there again some day: whoever waits for it does not hang."""
        self._refused_at = self._busy_since = time.monotonic()

    def _drop_connection(self) -> None:
        if self._conn is not None:
            conn, self._conn = self._conn, None
            conn.close()

    def _wake(self, outcomes: Sequence[Outcome]) -> None:
        assert self._loop is not None  # noqa: S101 -- start() set it
        try:
            self._loop.call_soon_threadsafe(_deliver, outcomes)
        except RuntimeError:  # the loop is closed: nobody is left to be told
            log.debug("the loop is gone; %s outcomes reach nobody", len(outcomes))


def _connect(engine: Engine) -> Connection:
    """A connection of its own, on which PostgreSQL finds rows by their keys.

    It makes its plans once, perhaps while a table is still small, and would go on reading all of it for a few rows.
    What then has to read all of a table counts as dear, and would be compiled first (jit), for nothing.
    """
    conn = engine.connect()
    conn.detach()
    if engine.dialect.name == "postgresql":
        pipeline.send(conn, [(_BY_KEYS, None)])
        conn.connection.commit()
    return conn


def _deliver(outcomes: Sequence[Outcome]) -> None:
    for request, result, error in outcomes:
        future = request.future
        if future is None or future.done():
            continue
        if error is None:
            future.set_result(result)
        else:
            future.set_exception(error)
