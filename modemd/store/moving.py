"""The whole database into another one, from SQLite to PostgreSQL or back: `modemd db copy`."""

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import (
    Boolean,
    Column,
    Connection,
    Date,
    DateTime,
    Engine,
    Float,
    Integer,
    Table,
    Text,
    case,
    func,
    select,
    type_coerce,
)

from modemd.errors import CopyDiffers, DaemonRuns, TargetNotEmpty
from modemd.store import database, glance, loading, switch
from modemd.store.schema import metadata
from modemd.store.switch import Allowed
from modemd.store.tables.kept import KeptReason

AT_ONCE = 2_000  # rows in memory
DIGITS = 3  # that sums of floats are compared by: they are added in another order

Sums = Mapping[str, tuple[Any, ...]]  # by table


def copy(source: Engine, target: Engine, now: datetime, progress: Callable[[int, int], None]) -> int:
    """Copy everything into the target, which is made if it has no tables yet; how many rows. All or nothing.

    Counts and sums of both are compared before the commit. Afterwards the switch of the source forbids all sending:
    what waits there would leave a second time. `progress(done, total)` counts rows.

    Raises TargetNotEmpty, DaemonRuns where one still works on the source, CopyDiffers, and what `upgrade` raises.
    """
    database.check_revision(source)
    with database.reading(source) as old:
        running = [daemon.name for daemon in glance.daemons(old, now) if daemon.running]
        if running:
            raise DaemonRuns(names=", ".join(running))
        database.upgrade(target)
        with database.writing(target) as new:
            rows = _fill(old, new, progress)
    with database.writing(source) as old:
        switch.allow(old, Allowed.NONE, now)
    return rows


def _fill(old: Connection, new: Connection, progress: Callable[[int, int], None]) -> int:
    tables = metadata.sorted_tables
    found = loading.first_with_rows(new, tables)
    if found is not None:
        raise TargetNotEmpty(url=database.shown(new.engine.url), table=found)
    total = sum(old.scalar(select(func.count()).select_from(table)) or 0 for table in tables)
    done = 0

    def counted(rows: Iterator[Any]) -> Iterator[Any]:
        nonlocal done
        for row in rows:
            done += 1
            if done % AT_ONCE == 0:
                progress(done, total)
            yield row

    with loading.bare(new, tables):
        for table in tables:
            rows = old.execution_options(yield_per=AT_ONCE).execute(select(*map(_as_kept, table.c)))
            loading.load(new, table, table.c.keys(), counted(iter(rows)))
    before, after = sums(old), sums(new)
    for table in tables:
        if before[table.name] != after[table.name]:
            raise CopyDiffers(table=table.name, before=before[table.name], after=after[table.name])
    progress(total, total)
    return total


def _as_kept(column: Column[Any]) -> Any:
    """A reason with its sentence and facts, not only its words."""
    return type_coerce(column, Text) if isinstance(column.type, KeptReason) else column


def sums(conn: Connection) -> Sums:
    """For each table: how many rows, and a figure for each column that tells whether its values are the same."""
    return {table.name: _of_table(conn, table) for table in metadata.sorted_tables}


def _of_table(conn: Connection, table: Table) -> tuple[Any, ...]:
    columns = [column for each in table.c for column in _figures(each)]
    row = conn.execute(select(func.count(), *columns).select_from(table)).one()
    return tuple(round(value, DIGITS) if isinstance(value, float) else _plain(value) for value in row)


def _figures(column: Any) -> list[Any]:
    """Numbers are added, texts and octets measured, of times the first and the last are taken; NULLs are counted."""
    if isinstance(column.type, Boolean):
        return [func.count(column), func.sum(case((column, 1), else_=0))]
    if isinstance(column.type, Integer | Float):
        return [func.count(column), func.sum(column)]
    if isinstance(column.type, DateTime | Date):
        return [func.count(column), func.min(column), func.max(column)]
    return [func.count(column), func.sum(func.length(column))]


def _plain(value: Any) -> Any:
    """PostgreSQL adds big integers up to a Decimal."""
    return value if value is None or isinstance(value, str) or hasattr(value, "isoformat") else int(value)
