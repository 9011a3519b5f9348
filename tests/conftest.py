"""Fixtures for the tests of every room."""

from tests.databases import conn, database, engine, postgresql, postgresql_server, sqlite_template
from tests.simulated_bank import simulated_bank

__all__ = ["conn", "database", "engine", "postgresql", "postgresql_server", "simulated_bank", "sqlite_template"]
