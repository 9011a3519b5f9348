"""systemd's end of sd_notify, for tests of what it is told."""

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.simulated_bank import PATIENCE


class Systemd:
    """The socket that systemd listens on, and what it was told."""

    def __init__(self, path: Path) -> None:
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(str(path))
        self._socket.settimeout(PATIENCE)

    def next(self) -> str:
        return self._socket.recv(4096).decode()

    def close(self) -> None:
        self._socket.close()


@pytest.fixture
def systemd(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Systemd]:
    monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
    listening = Systemd(tmp_path / "notify")
    yield listening
    listening.close()
