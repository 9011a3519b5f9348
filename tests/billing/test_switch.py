"""Whoever asks while an import runs, is killed or meets another one sees the old data or the new, never a mixture."""

import multiprocessing
import signal
import threading
import time
from pathlib import Path

import pytest
from sqlalchemy import Engine, func, select, update
from sqlalchemy.exc import OperationalError

from modemd.billing import generations, importing
from modemd.errors import FileRefused
from modemd.store import database as opening
from modemd.store.schema import import_file, open_item
from tests.billing.office import DATA_AT, Office, hours, items

OLD = {f"{300000000000 + number}": 1000 for number in range(1, 41)}
NEW = {f"{300000000000 + number}": 1100 for number in range(1, 41)}


@pytest.fixture(autouse=True)
def small_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importing, "ROWS_AT_ONCE", 7)
    monkeypatch.setattr(generations, "_PURGED_AT_ONCE", 5)


@pytest.mark.parametrize("mode", ["FULL", "DELTA"])
def test_a_question_in_the_middle_gets_the_old_answer(office: Office, mode: str) -> None:
    office.take(items(40, amount="10,00"))
    seen: list[dict[str, int]] = []
    office.on_progress = lambda: seen.append(office.current())
    office.take(items(40, seq=2, mode=mode, amount="11,00"))
    assert seen == [OLD] * 6
    assert office.current() == NEW


def test_every_question_asked_meanwhile_gets_the_old_answer_or_the_new(office: Office) -> None:
    office.take(items(40, amount="10,00"))
    answers: list[dict[str, int]] = []
    done = threading.Event()

    def ask() -> None:
        while not done.is_set():
            answers.append(office.current())

    asking = threading.Thread(target=ask)
    asking.start()
    try:
        for seq, amount in enumerate(["11,00", "10,00"] * 4, start=2):
            office.take(items(40, seq=seq, amount=amount))
    finally:
        done.set()
        asking.join()
    assert len(answers) > 8
    assert all(answer in (OLD, NEW) for answer in answers)


def test_the_daemon_can_write_between_any_two_steps(office: Office) -> None:
    """No step of the load leaves a transaction open."""

    def write() -> None:
        with opening.writing(office.engine) as conn:
            conn.execute(update(import_file).where(import_file.c.id == 0).values(reason="x"))

    office.on_progress = write
    office.take(items(40))
    assert len(office.current()) == 40


def import_in_a_process(url: str, path: Path, folder: Path, rows: int, reached: Path) -> None:
    """Import until so many rows are loaded, then wait for the end."""

    def hold(done: int, of: int) -> None:
        if done >= rows:
            reached.touch()
            signal.pause()

    importing.ROWS_AT_ONCE = 7
    importing.import_file(opening.connect(url), path, DATA_AT, reject_folder=folder, progress=hold)


@pytest.mark.parametrize("rows", [7, 21, 40])
def test_kill_in_the_middle_leaves_the_old_data_and_the_file_can_be_taken_again(
    local_office: Office, tmp_path: Path, rows: int
) -> None:
    office = local_office
    office.take(items(40, amount="10,00"))
    path, reached = office.put(items(40, seq=2, amount="11,00")), tmp_path / "reached"
    arguments = (office.engine.url.render_as_string(), path, office.reject_folder, rows, reached)
    child = multiprocessing.get_context("spawn").Process(target=import_in_a_process, args=arguments)
    child.start()
    while not reached.exists() and child.is_alive():
        time.sleep(0.01)
    child.kill()
    child.join()
    child.close()
    assert office.stored() == 40 + rows
    assert office.current() == OLD
    office.take(path)
    assert office.current() == NEW


def interrupted(office: Office, path: Path, after: int = 2) -> None:
    """Import, and end like a killed process after some steps."""
    steps = iter(range(after))

    def stop() -> None:
        if next(steps, None) is None:
            raise KeyboardInterrupt

    office.on_progress = stop
    with pytest.raises(KeyboardInterrupt):
        office.take(path)
    office.on_progress = lambda: None


def test_what_an_interrupted_import_left_is_purged_when_it_is_an_hour_old(office: Office) -> None:
    office.take(items(40, amount="10,00"))
    interrupted(office, office.put(items(40, seq=2, amount="11,00")))
    assert (office.current(), office.stored()) == (OLD, 61)
    office.now += hours(0.5)
    office.take(items(40, seq=2, amount="11,00"))
    assert (office.current(), office.stored()) == (NEW, 61)
    office.now += hours(1)
    office.take(items(40, seq=3, amount="11,00"))
    assert (office.current(), office.stored()) == (NEW, 40)
    assert office.noted() == [(1, "imported"), (2, "refused"), (2, "imported"), (3, "imported")]


def test_the_same_file_imported_twice_at_once_is_imported_once(office: Office) -> None:
    path = office.put(items(40, seq=2, amount="11,00"))
    office.take(items(40, amount="10,00"))

    def another() -> None:
        office.on_progress = lambda: None
        assert not office.take(path).repeated

    office.on_progress = another
    assert office.take(path).repeated
    assert (office.current(), office.stored()) == (NEW, 40)
    assert office.noted() == [(1, "imported"), (2, "refused"), (2, "imported")]


def test_two_files_with_one_number_at_once_are_not_both_imported(office: Office) -> None:
    office.take(items(40, amount="10,00"))

    def another() -> None:
        office.on_progress = lambda: None
        office.take(items(40, seq=2, amount="11,00"))

    office.on_progress = another
    with pytest.raises(FileRefused, match="its sequence is 2 and 3 follows"):
        office.take(items(40, seq=2, amount="9,00"))
    assert (office.current(), office.stored()) == (NEW, 40)


def test_an_import_that_was_given_up_does_not_switch_even_with_all_its_rows(office: Office) -> None:
    office.take(items(40, amount="10,00"))

    def give_up() -> None:
        with office.engine.begin() as conn:
            conn.execute(update(import_file).where(import_file.c.state == "loading").values(state="refused"))

    office.on_progress = give_up
    with pytest.raises(FileRefused, match="import it again"):
        office.take(items(40, seq=2, amount="11,00"))
    assert (office.current(), office.stored()) == (OLD, 40)


def test_an_import_that_was_given_up_by_another_one_does_not_switch(office: Office) -> None:
    office.take(items(40, amount="10,00"))
    slow = office.put(items(40, seq=2, amount="9,00"))

    def another() -> None:
        office.on_progress = lambda: None
        office.now += hours(2)
        with office.engine.begin() as conn:  # a file of another source, so that the sequence has no say
            conn.execute(update(import_file).where(import_file.c.seq == 1).values(source="other"))
        office.take([line.replace("sap", "other") for line in items(40, seq=2, amount="11,00")])

    office.on_progress = another
    with pytest.raises(FileRefused, match="given up by another one; import it again"):
        office.take(slow)
    assert (office.current(), office.stored()) == (NEW, 40)


def test_rows_that_vanish_while_they_are_loaded_are_noticed(office: Office) -> None:
    office.take(items(40, amount="10,00"))

    def vanish() -> None:
        with office.engine.begin() as conn:
            newest = conn.scalar(select(func.max(import_file.c.id)))
            conn.execute(open_item.delete().where(open_item.c.generation == newest))

    office.on_progress = vanish
    with pytest.raises(FileRefused, match="import it again"):
        office.take(items(40, seq=2, amount="11,00"))
    assert (office.current(), office.stored()) == (OLD, 40)


def test_a_purge_that_fails_leaves_the_file_imported(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    def locked(engine: Engine, *_: object) -> None:
        raise OperationalError("DELETE", {}, Exception("database is locked"))

    office.take(items(40, amount="10,00"))
    monkeypatch.setattr(generations, "purge", locked)
    office.take(items(40, seq=2, amount="11,00"))
    assert (office.current(), office.stored()) == (NEW, 80)
    monkeypatch.undo()
    office.take(items(40, seq=3, amount="11,00"))
    assert office.stored() == 40
