"""How often something may happen."""

import threading
from datetime import timedelta

import pytest
from sqlalchemy import Connection, Engine, func, select

from modemd.store import limits
from modemd.store.schema import limit_use
from tests.store.outbox_driver import NOW

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


def test_a_limit_is_reached_and_frees_itself_as_the_window_slides(conn: Connection) -> None:
    taken = [limits.take(conn, "answer:1", [(2, HOUR)], NOW + minutes * HOUR / 60) for minutes in (0, 10, 20, 59)]
    assert taken == [True, True, False, False]
    assert limits.take(conn, "answer:1", [(2, HOUR)], NOW + HOUR)
    assert not limits.take(conn, "answer:1", [(2, HOUR)], NOW + HOUR)


def test_every_limit_must_allow_it(conn: Connection) -> None:
    both = [(2, HOUR), (3, DAY)]
    taken = [limits.take(conn, "answer:1", both, NOW + hours * HOUR) for hours in (0, 0.1, 0.2, 2, 3, 25)]
    assert taken == [True, True, False, True, False, True]


def test_a_shorter_window_slides_within_a_longer_one(conn: Connection) -> None:
    both = [(1, HOUR), (9, DAY)]
    assert [limits.take(conn, "answer:1", both, NOW + minutes * HOUR / 60) for minutes in (0, 59, 60)] == [
        True,
        False,
        True,
    ]


def test_keys_do_not_disturb_each_other(conn: Connection) -> None:
    assert limits.take(conn, "answer:1", [(1, HOUR)], NOW)
    assert limits.take(conn, "answer:2", [(1, HOUR)], NOW)


def test_old_uses_of_a_key_are_forgotten(conn: Connection) -> None:
    for days in range(5):
        limits.take(conn, "answer:1", [(9, HOUR), (9, DAY)], NOW + days * DAY)
    assert conn.scalar(select(func.count()).select_from(limit_use)) == 1


@pytest.mark.parametrize("engine", ["postgresql"], indirect=True)
def test_hosts_that_ask_at_once_get_no_more_than_the_limit(database: Engine) -> None:
    taken = []

    def ask() -> None:
        for _ in range(10):
            with database.begin() as conn:
                taken.append(limits.take(conn, "answer:1", [(7, HOUR)], NOW))

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert taken.count(True) == 7
