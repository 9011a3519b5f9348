"""Fixtures for the tests of every room."""

import gc
import os
import sys
from collections.abc import Generator
from typing import Any

import pytest
from argon2 import PasswordHasher
from xdist.scheduler import WorkStealingScheduling

from modemd.store import passwords
from tests.databases import (
    VARIABLE,
    conn,
    database,
    engine,
    postgresql,
    postgresql_server,
    second_of_two,
    sqlite_template,
)
from tests.notified import systemd
from tests.simulated_bank import simulated_bank

# Where the environment forbids to keep compiled code, as many containers do, each worker and each process that tests
# start would compile everything anew.
sys.dont_write_bytecode = False
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

__all__ = [
    "conn",
    "database",
    "engine",
    "postgresql",
    "postgresql_server",
    "second_of_two",
    "simulated_bank",
    "sqlite_template",
    "systemd",
]


def pytest_report_header() -> str | None:
    return None if os.environ.get(VARIABLE) else f"tests on PostgreSQL are skipped: set {VARIABLE}"


@pytest.fixture(autouse=True)
def cheap_passwords(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hash in no time; what the real one costs is a test of its own."""
    monkeypatch.setattr(passwords, "_hasher", PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_collection() -> Generator[None, object, object]:
    """Nothing of what thousands of tests consist of is garbage: look for none in it, now or while they run."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.enable()


LONG = ("tests/test_wheel.py", "tests/flow/test_kill.py", "tests/store/test_outbox_machine.py")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the longest, so that none is left alone at the end."""
    items.sort(key=lambda item: not item.nodeid.startswith(LONG))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> WorkStealingScheduling:
    """Who has nothing left takes over from the others: the tests of some folders take a hundred times as long."""
    return WorkStealingScheduling(config, log)
