"""Fixtures for the tests of every room."""

from databases import conn, database, postgresql, postgresql_server, sqlite_template

__all__ = ["conn", "database", "postgresql", "postgresql_server", "sqlite_template"]
