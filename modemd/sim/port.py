"""A modem's port: a pseudo-terminal whose name is a link in the bank's folder."""

import asyncio
import contextlib
import os
import tty
from collections.abc import Callable
from pathlib import Path

_BACKLOG_LIMIT = 65536  # bytes that nobody reads; a real modem's buffer is smaller


class Port:
    """The modem's end of a pseudo-terminal.

    Like a USB modem it knows nothing of programs that come and go: the other end stays open here, so that the death of
    a program is no hang-up. What the modem says meanwhile waits in the kernel until a program reads or flushes it; what
    does not fit is lost.
    """

    def __init__(self, link: Path, received: Callable[[bytes], None]) -> None:
        """Make the pseudo-terminal and its link; `received` is called in the running event loop."""
        self.link = link
        self._received = received
        self._loop = asyncio.get_running_loop()
        self._master, self._slave = os.openpty()
        tty.setraw(self._slave)
        os.set_blocking(self._master, False)
        self._backlog = bytearray()
        self._point_link()
        self._loop.add_reader(self._master, self._readable)

    def write(self, data: bytes) -> None:
        """Send to the program; never blocks."""
        if self._backlog:
            if len(self._backlog) + len(data) <= _BACKLOG_LIMIT:
                self._backlog += data
            return
        try:
            written = os.write(self._master, data)
        except BlockingIOError:
            written = 0
        if written < len(data):
            self._backlog += data[written:]
            self._loop.add_writer(self._master, self._writable)

    def close(self) -> None:
        """Hang up: programs read end of file, and the link is gone."""
        self._loop.remove_reader(self._master)
        self._loop.remove_writer(self._master)
        os.close(self._slave)
        os.close(self._master)
        with contextlib.suppress(FileNotFoundError):
            self.link.unlink()

    def _point_link(self) -> None:
        """In one step, so that nobody finds a link that points nowhere."""
        fresh = self.link.with_name(f".{self.link.name}.new")
        fresh.unlink(missing_ok=True)
        fresh.symlink_to(os.ttyname(self._slave))
        fresh.replace(self.link)

    def _readable(self) -> None:
        try:
            data = os.read(self._master, 65536)
        except BlockingIOError:
            return
        self._received(data)

    def _writable(self) -> None:
        try:
            written = os.write(self._master, self._backlog)
        except BlockingIOError:
            return
        del self._backlog[:written]
        if not self._backlog:
            self._loop.remove_writer(self._master)
