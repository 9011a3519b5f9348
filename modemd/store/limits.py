"""How often something may happen: rows and one rule, so that it holds over processes, hosts and restarts."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import Connection


def take(conn: Connection, key: str, limits: Sequence[tuple[int, timedelta]], now: datetime) -> bool:
    """Count one use of `key` if it stays within every (count, period), over a sliding window; else count nothing and say False."""
    raise NotImplementedError
