"""Which queued messages come next for which line: found through partial indexes, whatever the length of the queue."""

import json
from collections import defaultdict, deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, bindparam, select, text

from modemd.config import ANSWERS
from modemd.store.schema import ANY_LINE, ONE_LINE, message


@dataclass(frozen=True, slots=True)
class Want:
    """What a line could take: up to `count` messages of priority 0 … max_priority."""

    line_id: int
    count: int
    max_priority: int = 9
    answers: bool = False  # only the kinds that somebody is waiting for
    prefers: tuple[str, ...] = ()  # recipients that begin so
    leaves: tuple[str, ...] = ()  # those that other lines prefer, which could send now
    burden: tuple[float, int] = (0.0, 0)  # of wants that come together, the least burdened line is served first

    def takes(self, row: Row[Any]) -> bool:
        return bool(row.priority <= self.max_priority and (not self.answers or row.kind in ANSWERS))

    def leaves_to_others(self, row: Row[Any]) -> bool:
        return bool(row.recipient.startswith(self.leaves) and not row.recipient.startswith(self.prefers))


_NAMES = ("id", "line_id", "priority", "kind", "recipient", "text", "parts", "expires_at", "attempts")
POOL = (
    select(*(message.c[name] for name in _NAMES))
    .where(text(ANY_LINE), message.c.priority <= bindparam("max_priority"))
    .order_by(message.c.priority, message.c.id)
    .limit(bindparam("most"))
    .with_for_update(skip_locked=True)
)


def _pinned(sql: str) -> Any:
    return text(sql.format(names=", ".join(f"message.{name}" for name in _NAMES), one_line=ONE_LINE)).columns(
        *(message.c[name] for name in _NAMES)
    )


# The first `most` of each line: a limit for each group, which the two databases spell differently.
PINNED = {
    "sqlite": _pinned(
        "SELECT {names} FROM json_each(:lines) AS wanting JOIN message ON message.id IN ("
        "SELECT id FROM message WHERE line_id = wanting.value AND {one_line} ORDER BY priority, id LIMIT :most)"
        " ORDER BY message.priority, message.id"
    ),
    "postgresql": _pinned(
        "SELECT found.* FROM jsonb_array_elements_text(CAST(:lines AS jsonb)) AS wanting(line) CROSS JOIN LATERAL ("
        "SELECT {names} FROM message WHERE line_id = CAST(wanting.line AS bigint) AND {one_line}"
        " ORDER BY priority, id LIMIT :most FOR UPDATE SKIP LOCKED) AS found ORDER BY priority, id"
    ),
}


def pool(conn: Connection, wants: Sequence[Want], most: int) -> Sequence[Row[Any]]:
    """The first messages that any line may send."""
    limits = {"max_priority": max(want.max_priority for want in wants), "most": most}
    return conn.execute(POOL, limits).all()


def pinned(conn: Connection, wants: Sequence[Want], most: int) -> Sequence[Row[Any]]:
    """The first messages that must leave through one of the wanting lines, for each line."""
    lines = json.dumps([want.line_id for want in wants])
    return conn.execute(PINNED[conn.dialect.name], {"lines": lines, "most": most}).all()


def deal(
    wants: Sequence[Want], pool: Iterable[Row[Any]], pinned: Iterable[Row[Any]], *, more: bool = False
) -> list[list[Row[Any]]]:
    """Give every want its best message in turn, until it has `count` or nothing is left; one list per want.

    The line that has used the least of its quotas comes first. `more`: the pool goes on behind these.
    """
    common = deque(pool)
    own: defaultdict[int, deque[Row[Any]]] = defaultdict(deque)
    for row in pinned:
        own[row.line_id].append(row)
    dealt: list[list[Row[Any]]] = [[] for _ in wants]
    in_turn = sorted(zip(wants, dealt, strict=True), key=lambda pair: pair[0].burden)
    for _ in range(max(want.count for want in wants)):
        for want, given in in_turn:
            if len(given) == want.count:
                continue
            first = (_first(own[want.line_id], want), _of_pool(common, want, more))
            best = min((row for row in first if row is not None), key=_urgency, default=None)
            if best is not None:
                given.append(best)
                (own[want.line_id] if best is first[0] else common).remove(best)
    return dealt


def _first(queue: deque[Row[Any]], want: Want) -> Row[Any] | None:
    return queue[0] if queue and want.takes(queue[0]) else None


def _of_pool(common: deque[Row[Any]], want: Want, more: bool) -> Row[Any] | None:
    """The first that no other line prefers; where those wait in great number, the last of them rather than none."""
    if not want.leaves:
        return _first(common, want)
    for row in common:
        if want.takes(row) and not want.leaves_to_others(row):
            return row
    return common[-1] if more and common and want.takes(common[-1]) else None


def _urgency(row: Row[Any]) -> tuple[int, int]:
    return row.priority, row.id
