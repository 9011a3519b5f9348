"""One serial port: opened exclusively, read by the event loop, never blocking it. The only module that knows pyserial.

A USB driver may block in open and close for many seconds when its stick is stuck, so both happen in a thread of their
own: one stuck stick delays nobody.
"""

import asyncio
import concurrent.futures
import errno
import fcntl
import logging
import os
import stat
import termios
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Protocol, TypeVar

import serial

from modemd.errors import ModemError, NotAModem, PortBusy, PortClosed, PortForbidden, PortGone, PortMissing

log = logging.getLogger(__name__)

T = TypeVar("T")

READ_SIZE = 4096  # octets taken in one turn of the loop: even of the worst, understood in some milliseconds
BURST = 65536  # octets that may come at once: the listing of a full storage
RATE = 131072  # octets/s from then on, so that a modem that never stops talking leaves time for the others
MOST_UNWRITTEN = 131072  # octets that wait for a port that takes nothing; what comes on top is dropped
PTS_MAJORS = range(136, 144)  # Unix98 pseudo-terminals (kernel, devices.txt)


class Receiver(Protocol):
    """Who a port speaks to."""

    def bytes_received(self, data: bytes) -> None: ...

    def port_gone(self, error: PortGone) -> None:
        """The port hung up. Called once; nothing comes after it."""


class Port:
    """An open port. Made by `open_port`."""

    def __init__(self, line: serial.Serial, path: str, receiver: Receiver) -> None:
        self.path = path
        self._serial = line
        self._fd: int = line.fileno()
        self._receiver = receiver
        self._loop = asyncio.get_running_loop()
        self._unwritten = b""
        self._reading = False
        self._paused = False
        self._breath: asyncio.TimerHandle | None = None  # until then nothing is read: it has said too much
        self._allowance = float(BURST)
        self._read_at = self._loop.time()
        self._blocked = False  # the port takes no more for now; a writer waits in the loop
        self.open = True
        self.resume()

    def write(self, data: bytes) -> None:
        """Write without waiting; what the port does not take now follows when it can. After a hang-up it is dropped."""
        if self._unwritten:
            self._unwritten += data[: max(0, MOST_UNWRITTEN - len(self._unwritten))]
        elif self.open:
            self._unwritten = data
            self._flush()

    def pause(self) -> None:
        """Read nothing until `resume`: the kernel, and then the modem, keep what comes."""
        self._paused = True
        self._follow()

    def resume(self) -> None:
        self._paused = False
        self._follow()

    def _follow(self) -> None:
        """Read, or do not, as things stand."""
        wanted = self.open and not self._paused and self._breath is None
        if wanted and not self._reading:
            self._loop.add_reader(self._fd, self._read)
        elif self._reading and not wanted:
            self._loop.remove_reader(self._fd)
        self._reading = wanted

    async def close(self) -> None:
        """Let go of the port; other programs may open it at once."""
        self._stop()
        if self._serial.is_open:
            await in_thread(self._discard_and_close)

    def _discard_and_close(self) -> None:
        try:
            termios.tcflush(self._fd, termios.TCOFLUSH)  # or close waits for a stuck stick to take it
            if not _is_pseudo_terminal(self._fd):
                fcntl.ioctl(self._fd, termios.TIOCNXCL)
        except (OSError, termios.error) as error:
            log.debug("%s: %s while closing", self.path, error)
        self._serial.close()

    def _read(self) -> None:
        try:
            data = os.read(self._fd, READ_SIZE)
        except (BlockingIOError, InterruptedError):
            return
        except OSError as error:
            self._hung_up(error)
            return
        if not data:
            self._hung_up(None)
            return
        self._charge(len(data))
        self._receiver.bytes_received(data)

    def _charge(self, octets: int) -> None:
        """Take a breath when more has come than BURST and RATE allow."""
        now = self._loop.time()
        self._allowance = min(BURST, self._allowance + (now - self._read_at) * RATE) - octets
        self._read_at = now
        if self._allowance < 0:
            self._breath = self._loop.call_later(-self._allowance / RATE, self._breathed)
            self._follow()

    def _breathed(self) -> None:
        self._breath = None
        self._follow()

    def _flush(self) -> None:
        try:
            written = os.write(self._fd, self._unwritten)
        except (BlockingIOError, InterruptedError):
            written = 0
        except OSError as error:
            self._unwritten = b""
            self._loop.call_soon(self._hung_up, error)  # not from within the caller's write
            return
        self._unwritten = self._unwritten[written:]
        if self._unwritten and not self._blocked:
            self._loop.add_writer(self._fd, self._flush)
        elif self._blocked and not self._unwritten:
            self._loop.remove_writer(self._fd)
        self._blocked = bool(self._unwritten)

    def _hung_up(self, error: OSError | None) -> None:
        if self.open:
            log.debug("%s: hung up: %s", self.path, error)
            self._stop()
            self._receiver.port_gone(PortGone(port=self.path))

    def _stop(self) -> None:
        if self.open:
            self.open = False
            self._follow()
            if self._breath is not None:
                self._breath.cancel()
            self._loop.remove_writer(self._fd)
            self._unwritten = b""


async def open_port(path: str, baud_rate: int, receiver: Receiver) -> Port:
    """Open the port for us alone.

    Raises PortMissing, PortForbidden, PortBusy, NotAModem (it is no terminal) or another ModemError.
    """
    opening = asyncio.ensure_future(in_thread(lambda: _open(path, baud_rate)))
    try:
        line = await asyncio.shield(opening)
    except asyncio.CancelledError:
        opening.add_done_callback(_close_unwanted)
        raise
    return Port(line, path, receiver)


def _close_unwanted(opening: asyncio.Future[serial.Serial]) -> None:
    if not opening.cancelled() and opening.exception() is None:
        opening.result().close()


def _open(path: str, baud_rate: int) -> serial.Serial:
    try:
        # inter_byte_timeout 0 gives VMIN 1: then a read of nothing is an error, and 0 octets are a hang-up
        line = serial.Serial(path, baud_rate, exclusive=True, timeout=0, write_timeout=0, inter_byte_timeout=0.0)
    except (OSError, ValueError, termios.error) as error:
        raise _in_words(path, error) from error
    if not _is_pseudo_terminal(line.fileno()):  # there it would outlive us: the bank keeps its side open
        fcntl.ioctl(line.fileno(), termios.TIOCEXCL)
    return line


def _in_words(path: str, error: Exception) -> ModemError:
    number = getattr(error, "errno", None)
    if number == errno.ENOENT:
        return PortMissing(port=path)
    if number in (errno.EACCES, errno.EPERM):
        return PortForbidden(port=path)
    if number in (errno.EBUSY, errno.EAGAIN):
        return PortBusy(port=path, holder=_holder(path))
    if number in (errno.ENXIO, errno.EIO, errno.ENODEV):
        return PortGone(port=path)
    if number in (None, errno.ENOTTY, errno.EINVAL, errno.EISDIR):
        return NotAModem(port=path)
    return PortClosed(port=path, error=os.strerror(number))


def _holder(path: str) -> str:
    """The program that has the port open, as far as /proc lets us see."""
    real = os.path.realpath(path)
    for link in Path("/proc").glob("[0-9]*/fd/*"):
        try:
            if str(link.readlink()) == real and link.parts[2] != str(os.getpid()):
                name = Path("/proc", link.parts[2], "comm").read_text(encoding="utf-8", errors="replace").strip()
                return f"{name}, process {link.parts[2]}"
        except OSError:
            continue  # it has ended, or is not ours to look at
    return "unknown"


def _is_pseudo_terminal(fd: int) -> bool:
    status = os.fstat(fd)
    return stat.S_ISCHR(status.st_mode) and os.major(status.st_rdev) in PTS_MAJORS


async def in_thread(work: Callable[[], T]) -> T:
    """Run `work` in a thread of its own that does not hold up the end of the process."""
    future: concurrent.futures.Future[T] = concurrent.futures.Future()
    future.set_running_or_notify_cancel()

    def run() -> None:
        try:
            future.set_result(work())
        except (ModemError, OSError) as error:
            future.set_exception(error)

    threading.Thread(target=run, daemon=True, name="port").start()
    return await asyncio.wrap_future(future)
