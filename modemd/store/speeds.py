"""How fast lines have sent lately."""

from collections.abc import Sequence
from statistics import median

from sqlalchemy import Connection, select

from modemd.store.schema import part

LOOKED_AT = 50  # parts of each line


def seconds_a_part(conn: Connection, line_ids: Sequence[int]) -> dict[int, float]:
    """The median time from Ctrl-Z to +CMGS of each line's last parts; a line that has sent none is left out."""
    found = {}
    for line_id in line_ids:
        query = select(part.c.submitted_at, part.c.sent_at).where(
            part.c.line_id == line_id, part.c.submitted_at.is_not(None), part.c.sent_at.is_not(None)
        )
        rows = conn.execute(query.order_by(part.c.submitted_at.desc()).limit(LOOKED_AT)).all()
        if rows:
            found[line_id] = median((row.sent_at - row.submitted_at).total_seconds() for row in rows)
    return found
