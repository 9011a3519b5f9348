"""`modemd demo`: the whole service with nothing to set up, and nothing left behind."""

import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from tests import forked


def _demo(*arguments: object, wrapper: Sequence[str] = ()) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [*wrapper, sys.executable, "-m", "modemd", "demo", "--json", "--port", "0", *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def _processes_of(folder: Path) -> list[str]:
    """Every process that has the folder's path in its command line."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            command = path.read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            continue
        if str(folder) in command and int(path.parent.name) != os.getpid():
            found.append(command)
    return found


@pytest.fixture
def demo(tmp_path: Path) -> Iterator[tuple[subprocess.Popen[str], dict[str, Any]]]:
    process = _demo("--data", tmp_path, "--modems", 2)
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line, process.communicate()[1]
        yield process, json.loads(line)
    finally:
        if process.poll() is None:
            process.terminate()
            process.communicate(timeout=60)


def test_demo_once_shows_the_first_exchange_and_ends(tmp_path: Path) -> None:
    process = _demo("--once", "--data", tmp_path)
    out, err = process.communicate(timeout=100)
    assert process.returncode == 0, err
    shown = json.loads(out)
    assert {"url", "user", "password", "bank", "question", "answer"} <= set(shown)
    assert shown["question"] == "smetka"
    assert "***0001" in shown["answer"]
    assert "37,91 EUR" in shown["answer"]
    assert _processes_of(tmp_path) == []


def test_demo_serves_the_panel_takes_texts_from_other_phones_and_leaves_no_process_at_ctrl_c(
    demo: tuple[subprocess.Popen[str], dict[str, Any]], tmp_path: Path
) -> None:
    process, shown = demo
    with urllib.request.urlopen(shown["url"]) as page:  # follows to the sign-in
        assert page.status == 200
    forked.run("sim-text", "--dir", shown["bank"], "0888000199", "smetka", timeout=60).check_returncode()
    deadline = time.monotonic() + 60
    printed = ""
    while not printed and time.monotonic() < deadline:
        shows = forked.run("sim-phone", "--dir", shown["bank"], "+359888000199", "--json", timeout=60)
        shows.check_returncode()
        printed = shows.stdout
    assert "ne e registriran" in json.loads(printed.splitlines()[0])["text"]
    _end(process, signal.SIGINT, tmp_path)


def _end(process: subprocess.Popen[str], number: signal.Signals, folder: Path) -> None:
    assert len(_processes_of(folder)) >= 3
    process.send_signal(number)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 0, err
    assert _processes_of(folder) == []


IN_THE_BACKGROUND = ("sh", "-c", 'trap "" INT; exec "$@"', "sh")  # as a script's & starts it


@pytest.mark.long
@pytest.mark.parametrize(("number", "wrapper"), [(signal.SIGINT, IN_THE_BACKGROUND), (signal.SIGTERM, ())])
def test_ending_the_demo_leaves_no_process(tmp_path: Path, number: signal.Signals, wrapper: Sequence[str]) -> None:
    process = _demo("--data", tmp_path, "--modems", 1, wrapper=wrapper)
    assert process.stdout is not None
    json.loads(process.stdout.readline())
    _end(process, number, tmp_path)
