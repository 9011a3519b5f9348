"""Rule 11 when PostgreSQL crashes, or its primary dies for good and a standby takes over: 0 lost, 0 twice."""

import asyncio
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, text

from modemd.store import database
from modemd.store.ledger import Ledger
from tests.flow.clusters import Cluster, Pair, binaries
from tests.flow.hosts import EACH, Hosts
from tests.flow.running import RunningService


@pytest.fixture
def programs() -> Path:
    """Of a PostgreSQL server."""
    found = binaries()
    if found is None:
        pytest.skip("needs a server that it may kill: apt install postgresql")
    return found


@pytest.fixture
def pair(programs: Path) -> Iterator[Pair]:
    made = Pair(programs)
    try:
        made.make()
        yield made
    finally:
        made.close()


@pytest.fixture
def cluster(programs: Path) -> Iterator[Cluster]:
    made = Cluster(programs)
    try:
        made.make()
        yield made
    finally:
        made.close()


@pytest.fixture
def hosts(service: Callable[..., RunningService], pair: Pair) -> Iterator[Hosts]:
    engine = database.connect(pair.url)
    database.upgrade(engine)
    engine.dispose()
    bank_options = ("--send-seconds", "0.2", "--report-seconds", "0.5")
    running = service(modems=3 * EACH, database_url=pair.url, bank_options=bank_options)
    made = Hosts(running, pair)
    yield made
    made.close()
    running.close()


def endure(hosts: Hosts, pair: Pair, rounds: int) -> None:
    """So many primaries die, all of them under load; the daemons go on by themselves."""
    hosts.begin(askers=6 * rounds)
    for _ in range(rounds):
        hosts.load(200)
        hosts.lose_database()
        hosts.load(100)
        pair.mend()
    hosts.settle()
    hosts.check()


@pytest.mark.long
def test_hosts_go_on_with_a_standby_and_lose_and_repeat_nothing(hosts: Hosts, pair: Pair) -> None:
    endure(hosts, pair, 1)


@pytest.mark.soak
@pytest.mark.timeout(3600)
def test_10_primaries_die_and_nothing_is_lost_or_repeated(hosts: Hosts, pair: Pair) -> None:
    endure(hosts, pair, 10)


TRANSACTION = text("INSERT INTO kept VALUES (:who) RETURNING pg_current_xact_id()::text")


class Crash:
    """In the first COMMIT of an engine's connections the server crashes; before it is asked, another one commits."""

    def __init__(self, cluster: Cluster) -> None:
        self.engine = database.connect(cluster.url)
        self.numbers: list[int] = []  # of the transactions, in order
        self._cluster = cluster
        self._commit = self.engine.dialect.do_commit
        self.engine.dialect.do_commit = self._crash  # type: ignore[method-assign]

    def write(self, conn: Connection, who: str) -> None:
        self.numbers.append(int(conn.execute(TRANSACTION, {"who": who}).scalar_one()))

    def _crash(self, connection: Any) -> None:
        self.engine.dialect.do_commit = self._commit  # type: ignore[method-assign]
        self._cluster.fail()
        with database.writing(self.engine) as other:
            self.write(other, "other")
        connection.cursor().execute("SELECT 1")  # raises what a client sees that waits for the answer


@pytest.mark.long
def test_a_lost_round_is_not_taken_for_committed_because_another_got_its_number(cluster: Cluster) -> None:
    cluster.ask("ALTER SYSTEM SET wal_writer_delay = 10000")  # nothing of the round shall reach the disk
    cluster.ask("SELECT pg_reload_conf()")
    engine = database.connect(cluster.url)
    database.upgrade(engine)
    cluster.ask("CREATE TABLE kept (who text)")
    crash = Crash(cluster)

    async def run() -> None:
        ledger = Ledger(crash.engine, lambda: datetime.now(UTC))
        await ledger.start()
        await ledger.do(crash.write, "round")
        await ledger.close()

    asyncio.run(run())
    crash.engine.dispose()
    with database.reading(engine) as conn:
        assert sorted(conn.scalars(text("SELECT who FROM kept"))) == ["other", "round"]
    engine.dispose()
    lost, others, again = crash.numbers
    assert (lost == others, again > others) == (True, True)
