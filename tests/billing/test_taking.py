"""The process that takes files: it does as it is told, says when it fails, and breaks off without a trace."""

import hashlib
import os
import threading
from pathlib import Path

from modemd.billing import taking
from modemd.billing.taking import Order
from tests.billing.office import Office, items


def put(data: Path, name: str = "a.csv", lines: list[str] | None = None) -> None:
    (data / "in").mkdir(parents=True, exist_ok=True)
    path = data / "in" / name
    path.write_text("\n".join([*(lines or items(3)), ""]))
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    path.with_name(name + ".sha256").write_text(f"{digest}  {name}\n")


def order(office: Office, data: Path) -> Order:
    for folder in ("in", "archive", "reject", "out"):
        (data / folder).mkdir(parents=True, exist_ok=True)
    url = office.engine.url.set(drivername="sqlite").render_as_string(hide_password=False)
    return Order(url, str(data), "gsm-host-1", 30)


def test_a_process_takes_what_is_there(local_office: Office, tmp_path: Path) -> None:
    put(tmp_path)
    assert taking.run(order(local_office, tmp_path), threading.Event()) == 0
    assert (tmp_path / "archive" / "a.csv").exists()
    assert len(local_office.current()) == 3


def test_a_process_that_cannot_move_files_says_so(local_office: Office, tmp_path: Path) -> None:
    given = order(local_office, tmp_path)
    put(tmp_path)
    os.rmdir(tmp_path / "archive")
    (tmp_path / "archive").write_text("in the way")
    assert taking.run(given, threading.Event()) == 1


def test_what_is_broken_off_leaves_the_file_and_no_row(local_office: Office, tmp_path: Path) -> None:
    given = order(local_office, tmp_path)
    put(tmp_path)
    stopping = threading.Event()
    stopping.set()
    assert taking.take(given, stopping) == 0
    assert (tmp_path / "in" / "a.csv").exists()
    assert (local_office.current(), local_office.stored()) == ({}, 0)
    assert taking.take(given, threading.Event()) == 1


def test_a_process_ends_when_the_daemon_stops(local_office: Office, tmp_path: Path) -> None:
    put(tmp_path)
    stopping = threading.Event()
    stopping.set()
    taking.run(order(local_office, tmp_path), stopping)
    assert local_office.stored() in (0, 3)
