"""What goes back to billing: each result in exactly one file, under a number of its own."""

import hashlib
from collections.abc import Iterator, Mapping
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import Connection, select

from modemd.billing import files, results
from modemd.billing.files import HandOverFile
from modemd.service import subscriptions
from modemd.store import database as opening
from modemd.store.schema import Channel, consent, export_file
from tests.billing.office import NOW, Office, people

PHONE = "+359888000101"
A, B = "300000000001", "300000000002"


def read(path: Path) -> list[Mapping[str, str]]:
    """The rows of a file that we have written, checked by its checksum and its trailer."""
    lines = path.read_text().splitlines()
    columns = lines[1].split(";")[1:]
    assert lines[-1] == f"T;{len(lines) - 3};0,00"
    companion = path.with_name(path.name + ".sha256").read_text()
    assert companion == f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.name}\n"
    return [dict(zip(columns, line.split(";")[1:], strict=True)) for line in lines[2:-1]]


@pytest.fixture
def out(office: Office) -> Path:
    office.take(people(5))
    return office.folder / "out"


def register(office: Office, *numbers: str, services: str = "bill,reminder", now: timedelta = timedelta(0)) -> None:
    with opening.writing(office.engine) as conn:
        subscriptions.subscribe(
            conn, PHONE, numbers, services.split(","), "en", Channel.CENTRE, "elena", None, NOW + now
        )


def write(office: Office, out: Path) -> list[results.Written]:
    return results.write(office.engine, out, "gsm-host-1", NOW)


def test_registrations_tell_what_has_begun_and_ended_since_the_last_file(office: Office, out: Path) -> None:
    register(office, A, B)
    [first] = write(office, out)
    assert (first.type, first.seq, first.rows, first.path.name) == (
        "REGISTRATIONS", 1, 2, "registrations-modemd-000001.csv",
    )  # fmt: skip
    begun = {
        "customer_no": A, "phone_last3": "101", "event": "BEGIN", "services": "bill,reminder", "channel": "centre",
        "at": "2026-11-23T08:00:00+02:00",
    }  # fmt: skip
    assert read(first.path) == [begun, {**begun, "customer_no": B}]
    assert write(office, out) == []
    with opening.writing(office.engine) as conn:
        subscriptions.stop(conn, PHONE, "en", NOW + timedelta(hours=1))
        subscriptions.stop(conn, "+359888000102", "en", NOW)  # nobody's: billing does not know it
    [second] = write(office, out)
    assert second.seq == 2
    assert [(row["customer_no"], row["event"], row["services"], row["channel"]) for row in read(second.path)] == [
        (A, "END", "bill,reminder", "stop"), (B, "END", "bill,reminder", "stop"),
        (A, "BEGIN", "bill", "centre"), (B, "BEGIN", "bill", "centre"),
    ]  # fmt: skip


def test_what_began_and_ended_since_the_last_file_is_told_in_that_order(office: Office, out: Path) -> None:
    register(office, A)
    with opening.writing(office.engine) as conn:
        subscriptions.end(conn, PHONE, Channel.PASSWORD, "customer", NOW + timedelta(seconds=1))
    [written] = write(office, out)
    assert [row["event"] for row in read(written.path)] == ["BEGIN", "END"]


def test_a_file_has_only_so_many_rows(office: Office, out: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(results, "MOST_ROWS", 4)
    register(office, *[f"{300000000000 + number}" for number in range(1, 6)])
    assert [(file.seq, file.rows) for file in write(office, out)] == [(1, 2), (2, 2), (3, 1)]


def test_the_frame_is_that_of_the_files_we_read(office: Office, out: Path) -> None:
    register(office, A)
    [written] = write(office, out)
    assert written.path.read_text().splitlines()[:2] == [
        "H;REGISTRATIONS;1;modemd;1;DELTA;2026-11-23T08:00:00+02:00;EUR;utf-8",
        "C;customer_no;phone_last3;event;services;channel;at",
    ]
    with pytest.raises(Exception, match="REGISTRATIONS' is none of CUSTOMERS, OPENITEMS, PAYMENTS"):
        HandOverFile(written.path)


class Crash(Exception):
    pass


def crash_before(monkeypatch: pytest.MonkeyPatch) -> None:
    def die(*arguments: object) -> Path:
        raise Crash

    monkeypatch.setattr(files, "write", die)


def crash_within(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = files.write

    def die(
        folder: Path, type_: str, source: str, seq: int, mode: files.Mode, at: object, rows: Iterator[object]
    ) -> Path:
        def some() -> Iterator[object]:
            yield next(rows)
            raise Crash

        return whole(folder, type_, source, seq, mode, at, some())  # type: ignore[arg-type]

    monkeypatch.setattr(files, "write", die)


def crash_after(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = files.write

    def die(*arguments: object) -> Path:
        whole(*arguments)  # type: ignore[arg-type]
        raise Crash

    monkeypatch.setattr(files, "write", die)


@pytest.mark.parametrize("crash", [crash_before, crash_within, crash_after])
def test_a_crash_at_any_moment_neither_loses_nor_repeats_a_result(
    office: Office, out: Path, monkeypatch: pytest.MonkeyPatch, crash: object
) -> None:
    register(office, A, B)
    with monkeypatch.context() as context:
        crash(context)  # type: ignore[operator]
        with pytest.raises(Crash):
            write(office, out)
    before = {path.name: path.read_bytes() for path in out.glob("*.csv")} if out.exists() else {}
    register(office, A, B, services="bill", now=timedelta(hours=1))
    told = [row for file in write(office, out) for row in read(file.path)]
    assert [(row["customer_no"], row["event"], row["services"]) for row in told] == [
        (A, "BEGIN", "bill,reminder"), (B, "BEGIN", "bill,reminder"),
        (A, "END", "bill,reminder"), (B, "END", "bill,reminder"), (A, "BEGIN", "bill"), (B, "BEGIN", "bill"),
    ]  # fmt: skip
    assert all((out / name).read_bytes() == content for name, content in before.items())
    assert write(office, out) == []


def test_each_host_writes_the_files_that_it_has_numbered(office: Office, out: Path, tmp_path: Path) -> None:
    register(office, A)
    with opening.writing(office.engine) as conn:
        results._claim(conn, "REGISTRATIONS", "gsm-host-2", NOW)
    register(office, B)
    assert [file.seq for file in write(office, out)] == [2]
    assert [file.seq for file in results.write(office.engine, tmp_path / "other", "gsm-host-2", NOW)] == [1]


def test_nothing_untold_makes_no_file_and_uses_no_number_up(office: Office, out: Path) -> None:
    assert write(office, out) == []
    assert not out.exists()
    with opening.reading(office.engine) as conn:
        assert rows_of(conn) == 0


def rows_of(conn: Connection) -> int:
    return len(conn.execute(select(export_file)).all())


def test_who_was_erased_is_told_no_more(office: Office, out: Path) -> None:
    register(office, A)
    with opening.writing(office.engine) as conn:
        conn.execute(consent.update().values(customer_no="p:" + "a" * 32, phone="p:" + "b" * 32))
    assert write(office, out) == []
