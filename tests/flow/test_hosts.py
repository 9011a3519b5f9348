"""Rule 11 for several hosts on one PostgreSQL: killed, cut off, their database restarted; 0 lost, 0 twice."""

from collections.abc import Callable, Iterator

import pytest

from modemd.store import database
from tests.flow.clusters import server
from tests.flow.hosts import BLOWS, EACH, Hosts
from tests.flow.running import RunningService


@pytest.fixture
def hosts(service: Callable[..., RunningService], empty_database: str) -> Iterator[Hosts]:
    with server(empty_database) as served:
        engine = database.connect(served.url)
        database.upgrade(engine)
        engine.dispose()
        bank_options = ("--send-seconds", "0.2", "--report-seconds", "0.5")
        running = service(modems=3 * EACH, database_url=served.url, bank_options=bank_options)
        made = Hosts(running, served)
        yield made
        made.close()
        running.close()


def endure(hosts: Hosts, rounds: int) -> None:
    """Each blow in turn, so many times, all of them under load."""
    hosts.begin(askers=3 * rounds * len(BLOWS))
    for _ in range(rounds):
        for blow in BLOWS:
            hosts.load(200)
            blow(hosts)
    hosts.settle()
    hosts.check()


@pytest.mark.long
def test_hosts_that_are_killed_cut_off_or_without_a_database_lose_and_repeat_nothing(hosts: Hosts) -> None:
    endure(hosts, 1)


@pytest.mark.soak
@pytest.mark.timeout(3 * 3600)
def test_30_blows_to_three_hosts_lose_and_repeat_nothing(hosts: Hosts) -> None:
    endure(hosts, 10)
