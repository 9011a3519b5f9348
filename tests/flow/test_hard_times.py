"""What a service of years lives through: a full disk, a database that goes, robots, a signal at any moment."""

import json
import os
import re
import resource
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from sqlalchemy import create_engine, make_url, text

from modemd.store import database
from tests.flow.running import RunningService

PHONE = "+359888111001"
ROBOT = "+359888111002"


def phones(count: int) -> list[str]:
    return [f"+35988820{number:04}" for number in range(count)]


@contextmanager
def no_room(running: RunningService) -> Iterator[None]:
    """The daemon's files cannot grow, nor be written at all."""
    daemon = running._processes["run"]
    assert daemon.pid is not None
    _, most = resource.prlimit(daemon.pid, resource.RLIMIT_FSIZE)
    resource.prlimit(daemon.pid, resource.RLIMIT_FSIZE, (0, most))
    yield
    if daemon.is_alive():
        resource.prlimit(daemon.pid, resource.RLIMIT_FSIZE, (most, most))


@pytest.mark.parametrize("killed", [False, True], ids=["it goes on", "it is killed and starts anew"])
def test_while_the_disk_is_full_the_modem_keeps_what_came_and_afterwards_it_is_answered(
    service: Callable[..., RunningService], killed: bool
) -> None:
    running = service(modems=1)
    running.start_bank()
    running.give_customers({PHONE: ["300000000001"]})
    running.start_daemon()
    running.wait_until_ready()
    assert "37,91 EUR" in running.answer_to(PHONE, "smetka")
    with no_room(running):
        for _ in range(3):
            running.phones.text(PHONE, "smetka")
        time.sleep(1.0)  # in which it would have answered
        assert len(running.messages(direction="mo")) == 1
        assert len(running.phones.phone(PHONE)) == 1
        if killed:
            running.kill_daemon()
    if killed:
        running.start_daemon()
    running.until(lambda: [row.state for row in running.messages(direction="mo")] == ["done"] * 4)
    running.until(lambda: len(running.phones.phone(PHONE)) == 4)


def test_a_database_that_goes_and_comes_back_costs_nothing(
    service: Callable[..., RunningService], empty_database: str
) -> None:
    running = service(modems=1, database_url=empty_database)
    running.run("db", "upgrade", "-c", running.config)
    running.start_bank()
    running.give_customers({PHONE: ["300000000001"]})
    running.start_daemon()
    running.wait_until_ready()
    url = make_url(empty_database)
    server = create_engine(url.set(database="postgres"), isolation_level="AUTOCOMMIT")
    with server.connect() as conn:
        conn.execute(text(f"ALTER DATABASE {url.database} ALLOW_CONNECTIONS false"))
        ours = text("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = :name")
        conn.execute(ours, {"name": url.database})
        for _ in range(3):
            running.phones.text(PHONE, "smetka")
        time.sleep(1.0)  # in which it would have answered
        assert running.phones.phone(PHONE) == []
        conn.execute(text(f"ALTER DATABASE {url.database} ALLOW_CONNECTIONS true"))
    server.dispose()
    running.until(lambda: len(running.phones.phone(PHONE)) == 3)
    running.until(lambda: [row.state for row in running.messages(direction="mo")] == ["done"] * 3)
    assert running.stop_daemon() == 0


@pytest.mark.long
def test_a_daemon_whose_database_is_away_can_be_stopped(service: Callable[..., RunningService]) -> None:
    running = service(modems=1)
    running.start_bank()
    running.start_daemon()
    running.wait_until_ready()
    with running.engine() as engine, database.writing(engine):  # nobody else writes meanwhile
        assert running.stop_daemon() is not None


def test_a_robot_that_asks_again_at_every_answer_is_answered_no_more_often_than_anybody(
    service: Callable[..., RunningService],
) -> None:
    running = service(modems=1, settings="service.answers_per_hour = 4")
    running.start_bank()
    running.give_customers({PHONE: ["300000000001"], ROBOT: ["300000000002"]})
    running.start_daemon()
    running.phones.text(ROBOT, "smetka")
    for answers in range(1, 5):
        running.until(lambda answers=answers: len(running.phones.phone(ROBOT)) == answers)
        running.phones.text(ROBOT, "smetka")
        running.phones.text(ROBOT, running.phones.phone(ROBOT)[-1]["text"])  # or says what it was told
    assert "37,91 EUR" in running.answer_to(PHONE, "smetka")
    running.until(lambda: all(row.state in ("done", "unread") for row in running.messages(direction="mo")))
    assert len(running.phones.phone(ROBOT)) == 4


def test_sigterm_in_the_middle_of_everything_leaves_nothing_in_doubt(service: Callable[..., RunningService]) -> None:
    running = service(modems=3, bank_options=("--send-seconds", "0.2", "--report-seconds", "0.1"))
    asking = phones(12)
    running.start_bank()
    running.give_customers({phone: [f"3000000{number:05}"] for number, phone in enumerate(asking, start=1)})
    running.start_daemon()
    running.wait_until_ready()
    listed = running.folder / "many.csv"
    listed.write_text("to,text\n" + "".join(f"+35988830{number:04},x\n" for number in range(40)))
    assert running.run("send", "-c", running.config, "--csv", listed).returncode == 0
    for phone in asking:
        running.phones.text(phone, "smetka")
    running.until(lambda: len(running.submitted()) >= 6)
    assert running.stop_daemon() == 0
    states = Counter(row.state for row in running.messages(direction="mt"))
    assert not {"sending", "in_doubt", "held"} & set(states)
    assert states["queued"] > 0
    running.start_daemon()
    running.until(lambda: {row.state for row in running.messages(direction="mt")} == {"delivered"})
    taken = Counter(event["to"] for event in running.submitted())
    assert len(taken) == 52
    assert set(taken.values()) == {1}


def test_of_two_daemons_on_one_bank_the_second_says_who_holds_it(service: Callable[..., RunningService]) -> None:
    running = service(modems=1)
    running.start_bank()
    running.start_daemon()
    running.wait_until_ready()
    other = service(modems=1)
    other.config.write_text(
        other.config.read_text().replace(f"{other.bank}/modem*", f"{running.bank}/modem*").replace("test-host", "other")
    )
    other.start_daemon()
    said = r"in use by another program \(.+, process \d+\)"
    other.until(lambda: other.overview() and re.search(said, other.overview()[0].reason or ""))
    assert [modem.state for modem in running.overview()] == ["ready"]


@pytest.mark.long
def test_10000_texts_of_one_hour_are_all_answered_once(service: Callable[..., RunningService]) -> None:
    """As fast as the machine lets them in; nobody asks more often than he may."""
    running = service(modems=8)
    asking = phones(2000)
    running.start_bank()
    running.give_customers({phone: [f"3000000{number:05}"] for number, phone in enumerate(asking, start=1)})
    running.start_daemon()
    running.wait_until_ready()
    running.phones.measure()
    for turn in range(5):
        for number, phone in enumerate(asking):
            running.phones.text(phone, f"smetka {turn}", f"modem{number % 8:02}")
    running.until(lambda: running.phones.taken() >= 10_000, 240)
    running.until(lambda: not waiting(running))
    assert Counter(event["to"] for event in running.submitted()) == dict.fromkeys(asking, 5)
    assert len(running.messages(direction="mo")) == 10_000


@pytest.mark.soak
@pytest.mark.timeout(3600)
def test_a_month_of_traffic_takes_no_more_memory_than_its_first_day(service: Callable[..., RunningService]) -> None:
    """40,000 messages out, 13,000 questions in: a busy month of the published figures, in minutes."""
    running = service(modems=4)
    asking = phones(1300)
    running.start_bank()
    running.give_customers({phone: [f"3000000{number:05}"] for number, phone in enumerate(asking, start=1)})
    running.start_daemon()
    running.wait_until_ready()
    kept = []
    for day in range(30):
        listed = running.folder / "day.csv"
        listed.write_text("to,text\n" + "".join(f"+35988830{number:04},{day}\n" for number in range(1333)))
        assert running.run("send", "-c", running.config, "--csv", listed).returncode == 0
        for phone in asking[day % 3 :: 3]:
            running.phones.text(phone, "smetka")
        running.until(lambda: not waiting(running), 120)
        kept.append(resident(running))
    print(json.dumps({"resident_mib": [octets // 2**20 for octets in kept]}))
    assert kept[-1] <= 1.1 * kept[2]  # by then every buffer has been filled once


def waiting(running: RunningService) -> int:
    """Messages that have not left, and questions without an answer."""
    with running.engine() as engine, database.reading(engine) as conn:
        outgoing = conn.scalar(text("SELECT count(*) FROM message WHERE state IN ('queued', 'sending')"))
        return int((outgoing or 0) + (conn.scalar(text("SELECT count(*) FROM inbox WHERE state = 'new'")) or 0))


def resident(running: RunningService) -> int:
    """Octets of the daemon's memory."""
    pid = running._processes["run"].pid
    with open(f"/proc/{pid}/statm", encoding="ascii") as told:
        return int(told.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
