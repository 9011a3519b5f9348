"""How often something may happen: rows and one rule, so that it holds over processes, hosts and restarts."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import cache

from sqlalchemy import Connection, bindparam, func, select
from sqlalchemy.sql.dml import ReturningInsert

from modemd.store.dialects import one_at_a_time
from modemd.store.schema import limit_use

_OF_KEY = limit_use.c.key == bindparam("of_key")
_FORGET = limit_use.delete().where(_OF_KEY, limit_use.c.at <= bindparam("until"))


def take(conn: Connection, key: str, limits: Sequence[tuple[int, timedelta]], now: datetime) -> bool:
    """Count one use of `key` if it stays within every (count, period), over a sliding window.

    Else it counts nothing and returns False.
    """
    one_at_a_time(conn, key)  # two hosts that count at once would both find the last one free
    longest = max((period for _, period in limits), default=timedelta(0))
    conn.execute(_FORGET, {"of_key": key, "until": now - longest})
    windows = {f"since_{n}": now - period for n, (_, period) in enumerate(limits)}
    most = {f"most_{n}": count for n, (count, _) in enumerate(limits)}
    return conn.scalar(_use_within(len(limits)), {"of_key": key, "now": now, **windows, **most}) is not None


@cache
def _use_within(limits: int) -> ReturningInsert[tuple[int]]:
    """One use more, unless one of so many limits is reached; gives its id."""
    use = select(bindparam("of_key", type_=limit_use.c.key.type), bindparam("now", type_=limit_use.c.at.type))
    for n in range(limits):
        used = select(func.count()).select_from(limit_use).where(_OF_KEY, limit_use.c.at > bindparam(f"since_{n}"))
        use = use.where(used.scalar_subquery() < bindparam(f"most_{n}"))
    return limit_use.insert().from_select(["key", "at"], use).returning(limit_use.c.id)
