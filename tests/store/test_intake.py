"""A great many messages at once: all of them or none, and nobody waits while they are made ready."""

import sqlite3
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import Connection, Engine, func, select

from modemd.errors import VerbFailed
from modemd.store import database as opening
from modemd.store import intake, outbox
from modemd.store.outbox import Want
from modemd.store.schema import message, part
from tests.store.outbox_driver import HOST, LEASE, NOW, compose

DAY = timedelta(days=1)


def queued(engine: Engine) -> int:
    with opening.reading(engine) as conn:
        return conn.scalar(select(func.count()).select_from(message)) or 0


def test_they_are_as_if_queued_one_by_one(database: Engine, make_line: Callable[[Connection, int], int]) -> None:
    messages = [compose(text=str(number), parts=1 + number % 2, external_id=f"n{number}") for number in range(40)]
    messages.append(compose(text="tomorrow", not_before=NOW + DAY))
    with opening.writing(database) as conn:
        outbox.enqueue(conn, [compose(text="before")], NOW)
    ids = intake.enqueue_all(database, messages, NOW)
    with opening.writing(database) as conn:
        outbox.enqueue(conn, [compose(text="after")], NOW)
        line_id = make_line(conn, 0)
        (claims,) = outbox.claim(conn, [Want(line_id, 100)], NOW, HOST, LEASE)
        tomorrow = conn.execute(select(message).where(message.c.id == ids[-1])).one()
    texts = ["before", *map(str, range(40)), "after"]
    assert [claim.text for claim in claims] == texts
    assert [len(claim.open_parts) for claim in claims] == [1, *(1 + number % 2 for number in range(40)), 1]
    assert [claim.message_id for claim in claims[1:-1]] == ids[:-1]
    assert (tomorrow.due, tomorrow.not_before, tomorrow.expires_at) == (False, NOW + DAY, NOW + 2 * DAY)


def test_one_that_is_known_keeps_all_of_them_out(database: Engine) -> None:
    intake.enqueue_all(database, [compose(external_id="notice-1")], NOW)
    for known in (["notice-2", "notice-1"], ["notice-3", "notice-3"]):
        with pytest.raises(VerbFailed, match=known[-1]):
            intake.enqueue_all(database, [compose(external_id=each) for each in known], NOW)
    assert queued(database) == 1
    assert len(intake.enqueue_all(database, [compose(external_id="notice-2")], NOW)) == 1


def test_none_at_all_is_no_error(database: Engine) -> None:
    assert intake.enqueue_all(database, [], NOW) == []


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
def test_others_write_and_see_nothing_while_they_are_made_ready(
    database: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So a kill at that time leaves nothing behind, too."""
    put_aside = intake._put_aside
    seen: list[int] = []

    def watched(*arguments: object) -> None:
        put_aside(*arguments)  # type: ignore[arg-type]
        other = sqlite3.connect(tmp_path / "modemd.db", timeout=0, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        seen.extend(other.execute("SELECT count(*) FROM message").fetchone())
        other.execute("COMMIT")
        other.close()

    monkeypatch.setattr(intake, "_put_aside", watched)
    ids = intake.enqueue_all(database, [compose() for _ in range(5)], NOW)
    with opening.reading(database) as conn:
        parts = conn.scalar(select(func.count()).select_from(part))
    assert (seen, len(ids), parts) == ([0], 5, 5)
