"""How often something may happen: rows and one rule, so that it holds over processes, hosts and restarts."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import Connection, bindparam, func, select

from modemd.store.dialects import one_at_a_time
from modemd.store.schema import limit_use

_OF_KEY = limit_use.c.key == bindparam("of_key")
_FORGET = limit_use.delete().where(_OF_KEY, limit_use.c.at <= bindparam("until"))
_USED = select(func.count()).select_from(limit_use).where(_OF_KEY, limit_use.c.at > bindparam("since"))


def take(conn: Connection, key: str, limits: Sequence[tuple[int, timedelta]], now: datetime) -> bool:
    """Count one use of `key` if it stays within every (count, period), over a sliding window.

    Else it counts nothing and returns False.
    """
    one_at_a_time(conn, key)  # two hosts that count at once would both find the last one free
    longest = max((period for _, period in limits), default=timedelta(0))
    conn.execute(_FORGET, {"of_key": key, "until": now - longest})
    for count, period in limits:
        if (conn.scalar(_USED, {"of_key": key, "since": now - period}) or 0) >= count:
            return False
    conn.execute(limit_use.insert(), {"key": key, "at": now})
    return True
