"""One statement for many rows, on each database in its own way."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Connection, bindparam, select
from sqlalchemy.exc import DBAPIError

from modemd.store import pipeline
from modemd.store.bulk import MOST, UNLIKE, Bulk, run_together
from modemd.store.schema import line
from tests.store.outbox_driver import NOW

LATER = NOW + timedelta(minutes=1)
_NEW = Bulk(line.insert(), ["id", "identity", "name", "new", "adopted_at", "created_at"])
_RENAME = Bulk(line.update().where(line.c.id == bindparam("row_id"), line.c.name == bindparam("before")), ["name"])


def insert(conn: Connection, *ids: int) -> None:
    rows: list[dict[str, Any]] = [
        {"id": each, "identity": f"iccid:{each}", "name": f"gsm{each}", "new": False, "adopted_at": NOW} for each in ids
    ]
    assert _NEW.run(conn, [{**row, "created_at": NOW} for row in rows]) == len(ids)


def names(conn: Connection) -> list[str]:
    return list(conn.scalars(select(line.c.name).order_by(line.c.id)))


def test_values_come_out_as_they_went_in(conn: Connection) -> None:
    insert(conn, 1, 2)
    _RENAME.run(conn, [{"row_id": 2, "before": "gsm2", "name": "Ключ \"1\" \\ '%s' {2}"}])
    row = conn.execute(select(line).where(line.c.id == 2)).one()
    assert (row.name, row.new, row.adopted_at, row.iccid) == ("Ключ \"1\" \\ '%s' {2}", False, NOW, None)


def test_it_counts_the_rows_that_were_touched(conn: Connection) -> None:
    insert(conn, 1, 2, 3)
    rows = [{"row_id": each, "before": before, "name": "new"} for each, before in ((1, "gsm1"), (2, "gsm1"))]
    assert _RENAME.run(conn, rows) == 1
    assert run_together(conn, (_RENAME, rows), (_RENAME, [{"row_id": 3, "before": "gsm3", "name": "x"}])) == [0, 1]
    assert names(conn) == ["new", "gsm2", "x"]


@pytest.mark.parametrize("engine", ["postgresql"], indirect=True)
def test_exactly_as_many_rows_as_are_given_or_it_fails(conn: Connection) -> None:
    insert(conn, 1, 2)
    rows = [{"row_id": each, "before": f"gsm{each}", "name": "new"} for each in (1, 2)]
    pipeline.send(conn, [_RENAME.exactly(conn, rows)])
    assert names(conn) == ["new", "new"]
    with pytest.raises(DBAPIError) as unlike:
        pipeline.send(conn, [_RENAME.exactly(conn, [rows[0] | {"before": "new"}, rows[1]])])
    assert getattr(unlike.value.orig, "sqlstate", None) == UNLIKE


@pytest.mark.parametrize("count", [2, 3, 8, MOST, MOST + 1, 2 * MOST + 5])
def test_each_of_many_rows_gets_its_own_values(conn: Connection, count: int) -> None:
    """Whatever is compiled for: sizes in between, and more rows than fit one statement."""
    ids = range(1, count + 2)
    insert(conn, *ids)
    rows = [{"row_id": each, "before": f"gsm{each}", "name": f"{each} new"} for each in ids[:-1]]
    rows[1] |= {"before": "another"}
    assert _RENAME.run(conn, rows) == count - 1
    assert names(conn) == [f"gsm{each}" if each in (2, count + 1) else f"{each} new" for each in ids]


def test_a_row_of_many_may_set_null_and_what_the_statement_sets_itself(conn: Connection) -> None:
    insert(conn, 1, 2, 3)
    adopt = Bulk(line.update().where(line.c.id == bindparam("row_id")).values(new=True, imsi="284"), ["adopted_at"])
    assert adopt.run(conn, [{"row_id": 1, "adopted_at": None}, {"row_id": 2, "adopted_at": LATER}]) == 2
    rows = conn.execute(select(line.c.adopted_at, line.c.new, line.c.imsi).order_by(line.c.id)).all()
    assert [tuple(row) for row in rows] == [(None, True, "284"), (LATER, True, "284"), (NOW, False, None)]


@pytest.mark.parametrize("engine", ["postgresql"], indirect=True)
def test_a_text_that_is_too_long_for_its_column_is_refused_and_not_cut(conn: Connection) -> None:
    insert(conn, 1)
    with pytest.raises(DBAPIError), conn.begin_nested():
        _RENAME.run(conn, [{"row_id": 1, "before": "gsm1", "name": 65 * "x"}])


@pytest.mark.parametrize("engine", ["postgresql"], indirect=True)
def test_rule_12_an_error_of_what_travels_together_quotes_no_value(conn: Connection) -> None:
    insert(conn, 1)
    twice = _NEW.for_driver(
        conn, [{"id": 2, "identity": "iccid:1", "name": "2", "new": True, "adopted_at": None, "created_at": NOW}]
    )
    with pytest.raises(DBAPIError) as caught, conn.begin_nested():
        pipeline.send(conn, [twice, _RENAME.for_driver(conn, [{"row_id": 1, "before": "gsm1", "name": "never"}])])
    assert "uq_line_identity" in str(caught.value)
    assert "iccid:1" not in str(caught.value)
    assert not caught.value.connection_invalidated
    assert names(conn) == ["gsm1"]
