"""Foreign programs from Debian, and what each must do with the simulated bank: send 50 messages and receive 20."""

import os
import shutil
import signal
import socket
import subprocess
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from tests.simulated_bank import PATIENCE, SimulatedBank

SECONDS = 90.0  # a bound on a whole exchange; the slowest program takes 15 s on an idle machine
MODEMS = 5  # every program waits a second or two between messages, on each modem
OUTGOING = {f"+3598770{n:05}": f"message {n} Сметка €" if n % 2 else f"message {n} [x]€" for n in range(50)}
INCOMING = {f"+3598881{n:05}": f"smetka {n} Ж" if n % 2 else f"smetka {n}" for n in range(20)}


def installed(program: str, package: str) -> str:
    """The program's path; without it the test is skipped, and fails where everything must be installed."""
    path = shutil.which(program, path=f"{os.environ['PATH']}:/usr/sbin")
    if path is not None:
        return path
    hint = f"{program} is not installed: apt-get install {package}"
    if os.environ.get("CI"):
        pytest.fail(hint)
    pytest.skip(hint)


@contextmanager
def running(log: Path, *command: object, ready: Callable[[], object] = lambda: True) -> Iterator[None]:
    """The program and what it starts, until the end of the block; `ready` says when it can be used."""
    with log.open("wb") as output:
        process = subprocess.Popen(
            list(map(str, command)),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            env={**os.environ, "LC_ALL": "C.UTF-8"},
        )
    try:
        until(lambda: process.poll() is not None or ready(), PATIENCE)
        assert process.poll() is None, log.read_text(encoding="utf-8", errors="replace")[-4000:]
        yield
    finally:
        _end(process)


def _end(process: subprocess.Popen[bytes]) -> None:
    """End the whole session: these programs fork, and do not always end their children."""
    process.terminate()
    with suppress(subprocess.TimeoutExpired):
        process.wait(timeout=2.0)
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def until(true: Callable[[], object], seconds: float = SECONDS) -> None:
    """Wait for something, no longer than so many seconds."""
    deadline = time.monotonic() + seconds
    while not true() and time.monotonic() < deadline:
        time.sleep(0.1)


def receive(bank: SimulatedBank, received: Callable[[], Sequence[tuple[str, str]]]) -> None:
    """Text the service from 20 phones: `received()`, what the program has got by now, is in the end all of them."""
    for number, text in INCOMING.items():
        bank.client.text(number, text)
    until(lambda: len(received()) >= len(INCOMING))
    assert Counter(received()) == Counter(INCOMING.items())


def see_sent(bank: SimulatedBank) -> None:
    """Wait until all 50 phones show their message, each once."""
    until(lambda: len(bank.events("phone")) >= len(OUTGOING))
    shown = [(event["number"], event["text"]) for event in bank.events("phone")]
    assert Counter(shown) == Counter(OUTGOING.items())


def free_ports(count: int) -> list[int]:
    """That nobody listens on yet."""
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports


def answers(port: int) -> bool:
    """Whether somebody listens there."""
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True
