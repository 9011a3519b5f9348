"""Long messages: parts wait in inbox_part until all have come or it has taken too long."""

from datetime import datetime

from sqlalchemy import Connection


def give_up(conn: Connection, older_than: datetime, now: datetime) -> list[int]:
    """Long messages whose last part came before `older_than` enter the inbox as they are; returns the inbox ids."""
    raise NotImplementedError
