"""How often something may happen: rows and one rule, so that it holds over processes, hosts and restarts."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import Connection, func, select

from modemd.store.dialects import one_at_a_time
from modemd.store.schema import limit_use


def take(conn: Connection, key: str, limits: Sequence[tuple[int, timedelta]], now: datetime) -> bool:
    """Count one use of `key` if it stays within every (count, period), over a sliding window.

    Else it counts nothing and returns False.
    """
    one_at_a_time(conn, key)  # two hosts that count at once would both find the last one free
    longest = max((period for _, period in limits), default=timedelta(0))
    conn.execute(limit_use.delete().where(limit_use.c.key == key, limit_use.c.at <= now - longest))
    used = select(func.count()).select_from(limit_use).where(limit_use.c.key == key)
    for count, period in limits:
        if (conn.scalar(used.where(limit_use.c.at > now - period)) or 0) >= count:
            return False
    conn.execute(limit_use.insert(), {"key": key, "at": now})
    return True
