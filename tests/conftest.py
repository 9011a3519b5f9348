"""Fixtures for the tests of every room."""

from databases import conn, database, engine, postgresql, postgresql_server, sqlite_template

__all__ = ["conn", "database", "engine", "postgresql", "postgresql_server", "sqlite_template"]
