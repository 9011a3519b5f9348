import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Connection, Engine, text, update
from sqlalchemy.exc import DBAPIError

from modemd import audit
from modemd.audit import Head
from modemd.errors import AuditBroken
from modemd.store import database as opening
from modemd.store.schema import audit as table

NOW = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)


def write(conn: Connection, count: int = 5) -> None:
    for number in range(count):
        audit.note(conn, "elena", "number.reveal", "+359888000101", f"why {number}", NOW + timedelta(seconds=number))


def without_guard(conn: Connection) -> None:
    """As somebody who owns the database can."""
    if conn.dialect.name == "postgresql":
        conn.execute(text("ALTER TABLE audit DISABLE TRIGGER audit_append_only"))
    else:
        conn.execute(text("DROP TRIGGER audit_append_only_UPDATE"))
        conn.execute(text("DROP TRIGGER audit_append_only_DELETE"))


def test_entries_are_kept_in_order_and_fit(conn: Connection) -> None:
    assert audit.verify(conn) == Head(0, audit.FIRST)
    write(conn)
    assert audit.verify(conn) == audit.head(conn)
    assert [(entry.id, entry.who, entry.detail) for entry in audit.entries(conn, 2)] == [
        (5, "elena", "why 4"),
        (4, "elena", "why 3"),
    ]
    assert [entry.id for entry in audit.entries(conn, 2, before=4)] == [3, 2]


def test_numbers_are_masked_whatever_is_handed_in(conn: Connection) -> None:
    audit.note(conn, "elena", "x", "+359888000101", "for 300000000001 and +4915112345678, invoice 0480000001", NOW)
    [entry] = audit.entries(conn, 1)
    assert entry.subject == "+35988•••101"
    assert entry.detail == "for ***0001 and +49151•••678, invoice ***0001"


@pytest.mark.parametrize("statement", ["UPDATE audit SET who = 'x'", "DELETE FROM audit WHERE id = 3"])
def test_the_database_refuses_to_alter_an_entry(conn: Connection, statement: str) -> None:
    write(conn)
    with pytest.raises(DBAPIError, match="append-only"), conn.begin_nested():
        conn.execute(text(statement))
    assert audit.verify(conn).id == 5


COLUMNS = {
    "at": NOW + timedelta(microseconds=1),
    "who": "petar",
    "action": "y",
    "subject": "z",
    "detail": "other",
    "previous": "1" * 64,
    "hash": "1" * 64,
}
TAMPERINGS: dict[str, tuple[Callable[[Connection], object], int]] = {
    **{
        column: (lambda conn, column=column: conn.execute(update(table).where(table.c.id == 3).values(  # type: ignore[misc]
            {column: COLUMNS[column]})), 3)
        for column in COLUMNS
    },
    "one taken out": (lambda conn: conn.execute(table.delete().where(table.c.id == 3)), 3),
    "the first taken out": (lambda conn: conn.execute(table.delete().where(table.c.id == 1)), 1),
    "one put before the first": (lambda conn: conn.execute(update(table).where(table.c.id == 3).values(id=-3)), 1),
}  # fmt: skip


@pytest.mark.parametrize("name", TAMPERINGS)
def test_whatever_is_altered_is_found_where_it_was_altered(conn: Connection, name: str) -> None:
    write(conn)
    without_guard(conn)
    tamper, entry = TAMPERINGS[name]
    tamper(conn)
    with pytest.raises(AuditBroken) as broken:
        audit.verify(conn)
    assert broken.value.facts["entry"] == entry


def test_an_altered_entry_with_a_new_hash_breaks_the_next_one(conn: Connection) -> None:
    write(conn)
    without_guard(conn)
    first, second, third, *_ = reversed(audit.entries(conn, 5))
    conn.execute(table.delete().where(table.c.id >= 2))
    audit.note(conn, "petar", "innocent", "", "", NOW)
    for entry in (third,):
        conn.execute(table.insert(), {name: getattr(entry, name) for name in audit.Entry.__slots__})
    with pytest.raises(AuditBroken, match="entry 3: it does not follow"):
        audit.verify(conn)
    assert (first.id, second.id) == (1, 2)


def test_an_end_that_was_cut_off_is_found_with_a_head_noted_before(conn: Connection) -> None:
    write(conn, 3)
    noted = audit.head(conn)
    write(conn, 2)
    assert audit.verify(conn, noted).id == 5
    without_guard(conn)
    conn.execute(table.delete().where(table.c.id >= 3))
    assert audit.verify(conn).id == 2
    with pytest.raises(AuditBroken, match="its end was cut off"):
        audit.verify(conn, noted)


def test_a_log_that_was_made_anew_is_found_with_a_head_noted_before(conn: Connection) -> None:
    write(conn, 3)
    noted = audit.head(conn)
    without_guard(conn)
    conn.execute(table.delete())
    for _ in range(4):
        audit.note(conn, "nobody", "nothing", "", "", NOW)
    assert audit.verify(conn).id == 4
    with pytest.raises(AuditBroken, match="the log was made anew"):
        audit.verify(conn, noted)


def test_a_transaction_that_fails_leaves_no_gap(database: Engine) -> None:
    with opening.writing(database) as conn:
        write(conn, 1)
    with database.connect() as conn, conn.begin() as transaction:
        write(conn, 2)
        transaction.rollback()
    with opening.writing(database) as conn:
        write(conn, 1)
        assert audit.verify(conn).id == 2


def test_several_that_write_at_once_make_one_chain(database: Engine) -> None:
    def work() -> None:
        for _ in range(10):
            with opening.writing(database) as conn:
                audit.note(conn, "elena", "x", "", "", NOW)

    writers = [threading.Thread(target=work) for _ in range(4)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    with opening.reading(database) as conn:
        assert audit.verify(conn).id == 40


@pytest.mark.parametrize("written", ["", "12", "12:", "x:" + "0" * 64, "12:abc"])
def test_a_head_that_is_none_is_refused(written: str) -> None:
    with pytest.raises(ValueError, match="write it as it was printed"):
        audit.parse_head(written)


def test_a_head_is_read_as_it_is_printed() -> None:
    assert audit.parse_head(f" {Head(12, 'a' * 64)}\n") == Head(12, "a" * 64)
