"""Imported data in the database: loaded beside the old, then switched to.

The rows of a file stand under a `generation`, the id of its `import_file`. Only those of `dataset.generation` count. A
FULL file is loaded under a generation of its own in many short transactions, which keep nobody waiting, and one short
transaction makes it the current one; a DELTA file is loaded likewise and then moved into the current one. A crash at
any instant leaves the old data, and rows that count for nothing until `purge` takes them away.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, Engine, Table, func, select, text, tuple_

from modemd.billing import decisions, payments
from modemd.billing.decisions import Decision
from modemd.billing.files import HandOverFile, Header
from modemd.billing.rows import ROW_TYPES, RowType, Tally
from modemd.errors import Because, FileRefused
from modemd.store.database import reading, writing
from modemd.store.dialects import upsert
from modemd.store.schema import FileState, dataset, import_file

LOADING_AT_MOST = timedelta(hours=1)  # what has been loading for longer was killed in the middle
UNREADABLE = "?"  # the type of a file whose header cannot be believed
_PURGED_AT_ONCE = 5_000  # rows


@dataclass(frozen=True, slots=True)
class Previous:
    """What has been imported of a type before, as far as the next file must fit it."""

    seq: int | None  # the last of this source
    data_at: datetime | None  # of the last file of any source
    full: tuple[int, int] | None  # rows and open cents of the last FULL file
    repeated: bool  # this very file, by its sequence and checksum, has been imported
    held: bool  # this very file waits for a person to decide
    approved: bool  # this very file was held, and a person has said that it is right


def previous(conn: Connection, file: HandOverFile) -> Previous:
    """Look up what a file must fit."""
    header = file.header
    imported = select(import_file).where(import_file.c.type == header.type, import_file.c.state == "imported")
    of_source = imported.where(import_file.c.source == header.source).order_by(import_file.c.seq.desc()).limit(1)
    full = imported.where(import_file.c.mode == "FULL").order_by(import_file.c.id.desc()).limit(1)
    same = imported.where(
        import_file.c.source == header.source, import_file.c.seq == header.seq, import_file.c.sha256 == file.sha256
    )
    decision = decisions.of_checksum(conn, file.sha256)
    last, last_full = conn.execute(of_source).first(), conn.execute(full).first()
    return Previous(
        seq=last.seq if last else None,
        data_at=conn.scalar(select(dataset.c.data_at).where(dataset.c.type == header.type)),
        full=(last_full.rows, last_full.open_cents) if last_full else None,
        repeated=conn.execute(same.limit(1)).first() is not None,
        held=decision is Decision.WAITS,
        approved=decision is Decision.APPROVED,
    )


def note(
    conn: Connection,
    file: HandOverFile,
    tally: Tally,
    now: datetime,
    state: FileState,
    *,
    reason: str | None = None,
    full: tuple[int, int] | None = None,
    host: str | None = None,
) -> int:
    """Keep what became of a file as an `import_file` row; returns its id, the generation of its rows.

    `full` are rows and open cents of the FULL file that it is held against.
    """
    header = file.header
    facts = {
        "type": header.type,
        "source": header.source,
        "seq": header.seq,
        "mode": header.mode,
        "name": file.name,
        "sha256": file.sha256,
        "data_at": header.data_at,
        "rows": tally.rows,
        "rejected": len(tally.bad),
        "open_cents": tally.cents,
        "previous_rows": full[0] if full else None,
        "previous_cents": full[1] if full else None,
        "state": state,
        "reason": reason,
        "at": now,
        "host": host,
    }
    generation: int = conn.execute(import_file.insert().values(**facts).returning(import_file.c.id)).scalar_one()
    return generation


def note_unreadable(conn: Connection, error: FileRefused, now: datetime, host: str | None) -> None:
    """Keep that a file was refused of which not even the header can be believed."""
    facts = {
        **dict.fromkeys(("source", "mode", "sha256"), ""),
        **dict.fromkeys(("seq", "rows", "rejected", "open_cents"), 0),
        "type": UNREADABLE,
        "name": str(error.facts["name"])[:255],
        "data_at": now,
        "state": FileState.REFUSED,
        "reason": error.facts["reason"],
        "at": now,
        "host": host,
    }
    conn.execute(import_file.insert(), facts)


def refuse(conn: Connection, generation: int, reason: str) -> None:
    """A file that was being loaded is not imported after all."""
    of_it = import_file.update().where(import_file.c.id == generation, import_file.c.state == "loading")
    conn.execute(of_it.values(state="refused", reason=reason))


def add(conn: Connection, row_type: RowType, generation: int, rows: Sequence[Mapping[str, Any]]) -> None:
    """Load some rows of a generation."""
    conn.execute(row_type.table.insert(), [{"generation": generation, **row} for row in rows])


def lock(conn: Connection) -> None:
    """Let no other import switch until this transaction ends; whoever reads is not kept waiting."""
    if conn.dialect.name == "postgresql":  # a writing transaction on SQLite is alone anyway
        conn.execute(text("LOCK TABLE dataset IN SHARE ROW EXCLUSIVE MODE"))


def switch(conn: Connection, file: HandOverFile, generation: int, rows: int) -> None:
    """Make what was loaded count, in the caller's transaction: FULL takes the place of everything, DELTA joins it.

    Raises FileRefused if these rows are not all there any more: another import may have purged them.
    """
    header, row_type = file.header, ROW_TYPES[file.header.type]
    loaded = select(func.count()).select_from(row_type.table).where(row_type.table.c.generation == generation)
    of_it = import_file.update().where(import_file.c.id == generation, import_file.c.state == "loading")
    if conn.execute(of_it.values(state="imported")).rowcount != 1 or conn.scalar(loaded) != rows:
        raise file.refusal(Because("its import took too long and was given up by another one; import it again"))
    _settle_held(conn, file)
    current = generation_of(conn, header.type)
    if header.type == "OPENITEMS":
        payments.settle(conn, generation, generation_of(conn, "PAYMENTS"))
    elif header.type == "PAYMENTS" and current is not None:
        payments.keep_first_moment(conn, generation, current)
    if header.mode == "DELTA" and current is not None:
        _join(conn, row_type, generation, current)
        generation = current
    now_current = {"type": header.type, "generation": generation, "data_at": header.data_at}
    upsert(conn, dataset, [now_current], ["type"])
    if header.type == "PAYMENTS":
        payments.settle(conn, generation_of(conn, "OPENITEMS"), generation)


def _settle_held(conn: Connection, file: HandOverFile) -> None:
    """Whoever imports a held file has approved it; what was held under a number that is used up now counts no more."""
    held = import_file.update().where(
        import_file.c.type == file.header.type,
        import_file.c.source == file.header.source,
        import_file.c.seq <= file.header.seq,
        import_file.c.state.in_((FileState.HELD, FileState.APPROVED)),
    )
    conn.execute(held.where(import_file.c.sha256 == file.sha256).values(state=FileState.APPROVED))
    moot = "another file has taken its place"
    conn.execute(held.where(import_file.c.sha256 != file.sha256).values(state=FileState.REFUSED, reason=moot))


def generation_of(conn: Connection, type_: str) -> int | None:
    """The rows of a type that count; None before the first file."""
    found: int | None = conn.scalar(select(dataset.c.generation).where(dataset.c.type == type_))
    return found


def _join(conn: Connection, row_type: RowType, generation: int, current: int) -> None:
    table = row_type.table
    key = tuple_(*(table.c[name] for name in row_type.key))
    loaded = select(*(table.c[name] for name in row_type.key)).where(table.c.generation == generation)
    conn.execute(table.delete().where(table.c.generation == current, key.in_(loaded)))
    conn.execute(table.update().where(table.c.generation == generation).values(generation=current))


def purge(engine: Engine, header: Header, own: int, now: datetime) -> None:
    """Take away the generations of a type that count for nothing and are older than `own`, some rows at a time.

    What another import is loading stays, unless it began so long ago that it must have been killed.
    """
    table = ROW_TYPES[header.type].table
    with writing(engine) as conn:
        _give_up_killed(conn, header.type, now)
    with reading(engine) as conn:
        kept = set(conn.scalars(select(dataset.c.generation).where(dataset.c.type == header.type)))
        kept |= set(conn.scalars(select(import_file.c.id).where(import_file.c.state == "loading")))
    generation = _next_generation(engine, table, 0)
    while generation is not None and generation < own:
        if generation not in kept:
            discard(engine, header, generation)
        generation = _next_generation(engine, table, generation)


def discard(engine: Engine, header: Header, generation: int) -> None:
    """Take away the rows of one generation, some at a time."""
    table = ROW_TYPES[header.type].table
    of_it = table.c.generation == generation
    more = True
    while more:
        with writing(engine) as conn:
            upto = conn.scalar(
                select(table.c.customer_no).where(of_it).order_by(table.c.customer_no).offset(_PURGED_AT_ONCE).limit(1)
            )
            more = upto is not None
            some: ColumnElement[bool] = table.c.customer_no <= upto if more else of_it
            conn.execute(table.delete().where(of_it, some))


def _give_up_killed(conn: Connection, type_: str, now: datetime) -> None:
    conn.execute(
        import_file.update()
        .where(
            import_file.c.type == type_,
            import_file.c.state == "loading",
            import_file.c.at < now - LOADING_AT_MOST,
        )
        .values(state="refused", reason="the import was interrupted")
    )


def _next_generation(engine: Engine, table: Table, after: int) -> int | None:
    """The key's index gives it at once, where DISTINCT would read every row."""
    with reading(engine) as conn:
        found: int | None = conn.scalar(select(func.min(table.c.generation)).where(table.c.generation > after))
        return found
