"""Fixtures for the tests of every room."""

import os

from tests.databases import VARIABLE, conn, database, engine, postgresql, postgresql_server, sqlite_template
from tests.simulated_bank import simulated_bank

__all__ = ["conn", "database", "engine", "postgresql", "postgresql_server", "simulated_bank", "sqlite_template"]


def pytest_report_header() -> str | None:
    return None if os.environ.get(VARIABLE) else f"tests on PostgreSQL are skipped: set {VARIABLE}"
