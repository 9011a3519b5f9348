"""The drop folder: what is taken when, and where it ends."""

import hashlib
import multiprocessing
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from modemd.billing import decisions, dropfolder
from modemd.billing.decisions import File
from modemd.billing.dropfolder import DropFolder
from modemd.errors import ImportStopped, NotHeldFile
from modemd.messages import AlertKind
from modemd.store import database as opening
from modemd.store.schema import FileState
from tests.billing.office import Office, header, items, people


class Exchange:
    """Billing and the daemon at the two ends of a drop folder."""

    def __init__(self, office: Office) -> None:
        self.office = office
        self.data = office.folder / "data"
        self.folder = DropFolder(office.engine, self.data, "gsm-host-1")
        self.folder.prepare()

    def put(self, name: str, lines: list[str], *, companion: str | None = "{digest}  {name}\n") -> Path:
        path = self.data / "in" / name
        path.write_text("\n".join([*lines, ""]))
        if companion is not None:
            digest = hashlib.sha256(path.read_bytes()).hexdigest()
            path.with_name(name + ".sha256").write_text(companion.format(digest=digest, name=name))
        return path

    def take(self, now: datetime | None = None) -> int:
        return self.folder.take(now or datetime.now(UTC))

    def there(self) -> dict[str, list[str]]:
        """The files in each folder that is not empty."""
        found = {
            folder.name: sorted(path.name for path in folder.iterdir() if path.name != ".lock")
            for folder in self.data.iterdir()
        }
        return {name: files for name, files in found.items() if files}

    def files(self) -> list[File]:
        with opening.reading(self.office.engine) as conn:
            return decisions.files(conn)

    def decide(self, verb: object, file_id: int) -> None:
        with opening.writing(self.office.engine) as conn:
            verb(conn, file_id, "elena", self.office.now)  # type: ignore[operator]


@pytest.fixture
def exchange(office: Office) -> Exchange:
    return Exchange(office)


@pytest.fixture
def local(local_office: Office) -> Exchange:
    return Exchange(local_office)


def test_a_file_is_taken_once_its_companion_is_there(exchange: Exchange) -> None:
    path = exchange.put("a.csv", items(3), companion=None)
    assert exchange.take() == 0
    assert exchange.there() == {"in": ["a.csv"]}
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    path.with_name("a.csv.sha256").write_text(f"{digest}  a.csv\n")
    assert exchange.take() == 1
    assert exchange.there() == {"archive": ["a.csv", "a.csv.sha256"]}
    assert len(exchange.office.current()) == 3
    assert exchange.take() == 0


def test_a_companion_that_is_still_being_written_is_waited_for_and_a_bad_one_refuses(local: Exchange) -> None:
    local.put("a.csv", items(3), companion="abc")
    now = datetime.now(UTC)
    assert local.take(now) == 0
    assert local.take(now + timedelta(seconds=61)) == 1
    assert local.there() == {"reject": ["a.csv", "a.csv.reason.txt", "a.csv.sha256"]}
    assert "not as sha256sum writes it" in (local.data / "reject" / "a.csv.reason.txt").read_text()


def test_a_refused_file_goes_to_reject_with_its_reason_and_is_listed(exchange: Exchange) -> None:
    exchange.put("a.csv", [*items(3)[:-1], "T;4;113,73"])
    assert exchange.take() == 1
    assert exchange.there() == {"reject": ["a.csv", "a.csv.reason.txt", "a.csv.sha256"]}
    assert (exchange.data / "reject" / "a.csv.reason.txt").read_text() == "the trailer says 4 rows and there are 3\n"
    [file] = exchange.files()
    assert (file.name, file.state, file.reason) == (
        "a.csv", FileState.REFUSED, "the trailer says 4 rows and there are 3",
    )  # fmt: skip
    assert file.host == "gsm-host-1"


def test_a_file_whose_checksum_is_wrong_is_listed_too(exchange: Exchange) -> None:
    exchange.put("a.csv", items(3), companion="0" * 64)
    exchange.take()
    [file] = exchange.files()
    assert (file.type, file.state) == ("?", FileState.REFUSED)
    assert "its checksum is not that" in str(file.reason)


def test_bad_rows_are_in_reject_beside_the_file_in_archive(local: Exchange) -> None:
    lines = items(400)
    lines[7] = lines[7].replace(";OPEN;", ";DUE;")
    local.put("a.csv", lines)
    local.take()
    assert local.there() == {"archive": ["a.csv", "a.csv.sha256"], "reject": ["a.csv.rejected.csv"]}


def test_files_are_taken_by_type_and_sequence_whatever_their_names(local: Exchange) -> None:
    local.put("1.csv", items(3, seq=10))
    local.put("2.csv", items(3, seq=9))
    local.put("3.csv", people(3))
    assert local.take() == 3
    assert [(file.type, file.seq, file.state) for file in reversed(local.files())] == [
        ("CUSTOMERS", 1, "imported"), ("OPENITEMS", 9, "imported"), ("OPENITEMS", 10, "imported"),
    ]  # fmt: skip


@pytest.mark.parametrize("name", [".hidden.csv", "a.csv.part", "a.csv.tmp", "a.csv.filepart"])
def test_what_is_still_being_copied_is_left_alone(local: Exchange, name: str) -> None:
    local.put(name, items(3))
    assert local.take() == 0


def test_links_and_folders_are_left_alone(local: Exchange, tmp_path: Path) -> None:
    secret = tmp_path / "secret.csv"
    secret.write_text("\n".join(items(3)))
    digest = hashlib.sha256(secret.read_bytes()).hexdigest()
    (local.data / "in" / "a.csv").symlink_to(secret)
    (local.data / "in" / "a.csv.sha256").write_text(f"{digest}  a.csv\n")
    (local.data / "in" / "b.csv").mkdir()
    (local.data / "in" / "b.csv.sha256").write_text(f"{digest}  b.csv\n")
    assert local.take() == 0
    assert secret.exists()


def test_the_same_name_again_does_not_overwrite_the_archive(local: Exchange) -> None:
    for seq in (1, 2):
        local.put("a.csv", items(3, seq=seq))
        local.take()
    assert local.there() == {"archive": ["a.csv", "a.csv.2", "a.csv.2.sha256", "a.csv.sha256"]}


def test_the_very_same_file_again_is_archived_and_changes_nothing(local: Exchange) -> None:
    for name in ("a.csv", "b.csv"):
        local.put(name, items(3))
        assert local.take() == 1
    assert local.there() == {"archive": ["a.csv", "a.csv.sha256", "b.csv", "b.csv.sha256"]}
    assert [file.state for file in local.files()] == ["imported"]


# held files


def held(exchange: Exchange) -> File:
    exchange.put("a.csv", items(10))
    exchange.take()
    exchange.put("b.csv", items(20, seq=2))
    assert exchange.take() == 0
    return exchange.files()[0]


def test_a_held_file_waits_with_the_figures_that_caused_it(exchange: Exchange) -> None:
    file = held(exchange)
    assert (file.state, file.rows, file.previous_rows) == (FileState.HELD, 20, 10)
    assert (file.open_cents, file.previous_cents) == (20 * 3791, 10 * 3791)
    assert "its rows move from 10 to 20" in str(file.reason)
    assert exchange.take() == 0
    assert len(exchange.files()) == 2
    assert exchange.there() == {"archive": ["a.csv", "a.csv.sha256"], "in": ["b.csv", "b.csv.sha256"]}


def test_a_held_file_is_taken_when_a_person_approves_it(exchange: Exchange) -> None:
    file = held(exchange)
    exchange.decide(decisions.approve, file.id)
    assert exchange.take() == 1
    assert len(exchange.office.current()) == 20
    assert [(each.state, each.decided_by) for each in exchange.files()] == [
        ("imported", None), ("approved", "elena"), ("imported", None),
    ]  # fmt: skip


def test_a_held_file_goes_to_reject_when_a_person_declines_it(exchange: Exchange) -> None:
    file = held(exchange)
    exchange.decide(decisions.decline, file.id)
    assert exchange.take() == 1
    assert (exchange.data / "reject" / "b.csv.reason.txt").read_text() == "a person has declined it\n"
    assert len(exchange.office.current()) == 10
    exchange.put("c.csv", items(11, seq=2))
    exchange.take()
    assert len(exchange.office.current()) == 11


def test_only_what_is_held_can_be_decided(exchange: Exchange) -> None:
    file = held(exchange)
    exchange.decide(decisions.approve, file.id)
    for file_id, state in ((file.id, "approved"), (1, "imported"), (99, "not there")):
        with pytest.raises(NotHeldFile, match=f"file {file_id} is {state}"):
            exchange.decide(decisions.decline, file_id)


def test_approval_is_for_this_very_file(exchange: Exchange) -> None:
    file = held(exchange)
    exchange.decide(decisions.approve, file.id)
    exchange.put("b.csv", items(30, seq=2))
    assert exchange.take() == 0
    assert exchange.files()[0].state == "held"


def test_a_companion_that_names_an_approved_file_does_not_let_another_in(exchange: Exchange) -> None:
    file = held(exchange)
    exchange.decide(decisions.approve, file.id)
    exchange.put("b.csv", items(30, seq=2), companion=f"{file.sha256}  b.csv")
    exchange.take()
    assert len(exchange.office.current()) == 10
    assert "its checksum is not that" in str(exchange.files()[0].reason)


def test_another_file_under_its_number_settles_what_was_held(exchange: Exchange) -> None:
    held(exchange)
    exchange.put("c.csv", items(11, seq=2))
    exchange.take()
    assert [(file.state, file.reason) for file in exchange.files()[1:2]] == [
        ("refused", "another file has taken its place")
    ]


def test_somebody_is_told_of_what_waits_and_of_what_was_refused_last(exchange: Exchange) -> None:
    def alarms() -> dict[AlertKind, str | None]:
        with opening.reading(exchange.office.engine) as conn:
            return decisions.alarms(conn)

    assert alarms() == {AlertKind.FILE_HELD: None, AlertKind.FILE_REFUSED: None}
    file = held(exchange)
    assert alarms()[AlertKind.FILE_HELD] == "1 files from billing wait for approval"
    exchange.decide(decisions.decline, file.id)
    assert alarms()[AlertKind.FILE_HELD] is None
    assert "b.csv was refused" in str(alarms()[AlertKind.FILE_REFUSED])
    exchange.take()
    exchange.put("c.csv", items(11, seq=2))
    exchange.take()
    assert alarms()[AlertKind.FILE_REFUSED] is None


# several takers, and kills


def test_while_one_takes_another_finds_nothing_to_do(exchange: Exchange) -> None:
    other = DropFolder(exchange.office.engine, exchange.data, "gsm-host-2")
    exchange.put("a.csv", items(3))
    taken = []
    exchange.folder.take(datetime.now(UTC), lambda done, of: taken.append(other.take(datetime.now(UTC))))
    assert taken == [0]
    assert [file.host for file in exchange.files()] == ["gsm-host-1"]


def test_an_import_that_is_broken_off_leaves_the_file_for_the_next_time(exchange: Exchange) -> None:
    exchange.put("a.csv", items(3))

    def stop(done: int, of: int) -> None:
        raise ImportStopped(reason="the daemon stops")

    with pytest.raises(ImportStopped):
        exchange.folder.take(datetime.now(UTC), stop)
    assert exchange.office.stored() == 0
    assert exchange.take() == 1
    assert len(exchange.office.current()) == 3


def take_until_moved(url: str, data: Path, moves: int) -> None:
    """Take, and die in the middle of the move that comes after so many."""
    done = 0
    move = dropfolder.shutil.move

    def dying(source: Path, target: Path) -> None:
        nonlocal done
        if done == moves:
            os.kill(os.getpid(), 9)
        done += 1
        move(source, target)

    dropfolder.shutil.move = dying  # type: ignore[assignment]
    DropFolder(opening.connect(url), data, "gsm-host-1").take(datetime.now(UTC))


@pytest.mark.parametrize("moves", [0, 1])
def test_a_kill_between_import_and_archive_takes_the_file_once(local: Exchange, moves: int) -> None:
    local.put("a.csv", items(3))
    arguments = (local.office.engine.url.render_as_string(), local.data, moves)
    child = multiprocessing.get_context("spawn").Process(target=take_until_moved, args=arguments)
    child.start()
    child.join()
    assert child.exitcode == -9
    child.close()
    assert "a.csv.sha256" in local.there()["in"]
    local.take()
    assert local.there() == {"archive": ["a.csv", "a.csv.sha256"]}
    assert [file.state for file in local.files()] == ["imported"]


def test_a_folder_that_cannot_be_written_leaves_the_file_where_it_is(
    local: Exchange, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(source: Path, target: Path) -> None:
        raise OSError(28, "No space left on device")

    local.put("a.csv", items(3))
    monkeypatch.setattr(dropfolder.shutil, "move", full)
    with pytest.raises(OSError, match="No space left"):
        local.take()
    monkeypatch.undo()
    assert local.take() == 1
    assert [file.state for file in local.files()] == ["imported"]


def test_archived_files_are_not_for_everybody(local: Exchange) -> None:
    path = local.put("a.csv", items(3))
    path.chmod(0o666)
    local.take()
    assert (local.data / "archive" / "a.csv").stat().st_mode & 0o777 == 0o640


def test_a_first_line_that_is_none_is_no_fault_of_the_order(local: Exchange) -> None:
    local.put("a.csv", ["H;OPENITEMS;1;sap;\u0663;FULL"])
    local.put("b.csv", [""])
    local.put("c.csv", [header()])
    assert local.take() == 3
    assert {file.state for file in local.files()} == {"refused"}
