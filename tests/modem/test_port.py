import asyncio
import contextlib
import fcntl
import os
import pty
import subprocess
import sys
import tty
from collections.abc import Iterator
from pathlib import Path

import pytest

from modemd.errors import NotAModem, PortBusy, PortClosed, PortForbidden, PortGone, PortMissing
from modemd.modem import port as ports
from modemd.modem.port import Port, open_port


class Ear:
    def __init__(self) -> None:
        self.heard = b""
        self.gone: list[PortGone] = []

    def bytes_received(self, data: bytes) -> None:
        self.heard += data

    def port_gone(self, error: PortGone) -> None:
        self.gone.append(error)


@pytest.fixture
def terminal() -> Iterator[tuple[int, str]]:
    """A pseudo-terminal: our end, and the name of the other."""
    master, slave = pty.openpty()
    tty.setraw(slave)
    yield master, os.ttyname(slave)
    for fd in (master, slave):
        try:
            os.close(fd)
        except OSError:
            assert fd == master  # a test hung up


async def opened(path: str, ear: Ear) -> Port:
    return await open_port(path, 115200, ear)


async def test_bytes_go_both_ways_unchanged(terminal: tuple[int, str]) -> None:
    master, path = terminal
    ear = Ear()
    port = await opened(path, ear)
    every = bytes(range(256))
    port.write(every)
    await asyncio.sleep(0.1)
    assert os.read(master, 1000) == every
    os.write(master, every)
    await asyncio.sleep(0.1)
    assert ear.heard == every
    await port.close()


async def test_a_port_that_takes_no_more_does_not_block_and_gets_the_rest_later(terminal: tuple[int, str]) -> None:
    master, path = terminal
    port = await opened(path, Ear())
    data = os.urandom(100_000)
    port.write(data[:70_000])
    port.write(data[70_000:])
    taken = b""
    os.set_blocking(master, False)
    while len(taken) < len(data):
        await asyncio.sleep(0.001)
        with contextlib.suppress(BlockingIOError):
            taken += os.read(master, 65536)
    assert taken == data
    await port.close()


async def test_a_hang_up_is_told_once(terminal: tuple[int, str]) -> None:
    master, path = terminal
    ear = Ear()
    port = await opened(path, ear)
    os.close(master)
    await asyncio.sleep(0.2)
    port.write(b"AT\r")
    await asyncio.sleep(0.2)
    assert len(ear.gone) == 1
    assert not port.open
    await port.close()


async def test_a_write_into_a_port_that_has_hung_up_tells_it_and_does_not_raise(terminal: tuple[int, str]) -> None:
    master, path = terminal
    ear = Ear()
    port = await opened(path, ear)
    port.pause()
    os.close(master)
    port.write(b"AT\r")
    await asyncio.sleep(0.1)
    assert len(ear.gone) == 1
    await port.close()


async def test_a_closed_port_may_be_opened_again_at_once(terminal: tuple[int, str]) -> None:
    _, path = terminal
    for _ in range(3):
        port = await opened(path, Ear())
        await port.close()


async def test_a_paused_port_is_not_read(terminal: tuple[int, str]) -> None:
    master, path = terminal
    ear = Ear()
    port = await opened(path, ear)
    port.pause()
    os.write(master, b"OK\r\n")
    await asyncio.sleep(0.1)
    assert ear.heard == b""
    port.resume()
    await asyncio.sleep(0.1)
    assert ear.heard == b"OK\r\n"
    await port.close()


async def test_a_port_that_does_not_exist(tmp_path: Path) -> None:
    with pytest.raises(PortMissing, match="does not exist"):
        await opened(str(tmp_path / "ttyUSB9"), Ear())


async def test_a_port_in_use_names_the_program_that_holds_it(terminal: tuple[int, str]) -> None:
    _, path = terminal
    holding = "import fcntl, sys; f = open(sys.argv[1], 'rb', 0); fcntl.flock(f, fcntl.LOCK_EX); print(1, flush=True)"
    with subprocess.Popen(
        [sys.executable, "-c", holding + "; sys.stdin.read()", path], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as holder:
        assert holder.stdout is not None
        holder.stdout.readline()
        with pytest.raises(PortBusy, match=f"python.*process {holder.pid}"):
            await opened(path, Ear())
        holder.communicate()


async def test_an_open_port_is_ours_alone(terminal: tuple[int, str]) -> None:
    _, path = terminal
    port = await opened(path, Ear())
    with open(path, "rb", 0) as other, pytest.raises(BlockingIOError):
        fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)
    await port.close()


@pytest.mark.parametrize("kind", ["file", "folder"])
async def test_what_is_no_terminal_is_no_modem(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "modem"
    if kind == "file":
        path.write_text("AT")
    else:
        path.mkdir()
    with pytest.raises(NotAModem):
        await opened(str(path), Ear())


def test_what_the_system_says_is_put_into_words() -> None:
    assert isinstance(ports._in_words("/dev/x", OSError(13, "Permission denied")), PortForbidden)
    assert isinstance(ports._in_words("/dev/x", OSError(16, "busy")), PortBusy)
    assert isinstance(ports._in_words("/dev/x", OSError(6, "No such device or address")), PortGone)
    other = ports._in_words("/dev/x", OSError(24, "Too many open files"))
    assert type(other) is PortClosed
    assert "Too many open files" in str(other)


async def test_a_cancelled_opening_leaves_no_open_port(
    terminal: tuple[int, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    _, path = terminal
    opening = asyncio.create_task(opened(path, Ear()))
    await asyncio.sleep(0)
    opening.cancel()
    with pytest.raises(asyncio.CancelledError):
        await opening
    await asyncio.sleep(0.2)
    port = await opened(path, Ear())
    await port.close()


async def test_a_port_that_talks_without_end_is_read_at_a_bounded_rate(
    terminal: tuple[int, str],
) -> None:
    master, path = terminal
    ear = Ear()
    port = await opened(path, ear)
    os.set_blocking(master, False)
    loop = asyncio.get_running_loop()
    read_at: list[tuple[float, int]] = []

    def talk() -> None:
        with contextlib.suppress(BlockingIOError):
            os.write(master, b"x" * 65536)
        read_at.append((loop.time(), len(ear.heard)))

    loop.add_writer(master, talk)
    began = loop.time()
    while len(ear.heard) < ports.BURST + ports.RATE:
        await asyncio.sleep(0.001)
    loop.remove_writer(master)
    assert all(heard <= ports.BURST + (at - began) * ports.RATE + ports.READ_SIZE for at, heard in read_at)
    await port.close()


async def test_what_a_stuck_port_does_not_take_is_kept_within_bounds(terminal: tuple[int, str]) -> None:
    _, path = terminal
    port = await opened(path, Ear())
    for _ in range(1000):
        port.write(b"AT\r" * 1000)
    assert len(port._unwritten) <= ports.MOST_UNWRITTEN
    await port.close()
