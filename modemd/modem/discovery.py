"""Which ports match [bank] ports, as they come and go: looked for every second, and at once where udev tells."""

import asyncio
import glob
import logging
import os
from collections.abc import AsyncIterator, Sequence
from typing import NamedTuple

import pyudev

log = logging.getLogger(__name__)

LOOK_SECONDS = 1.0


class Change(NamedTuple):
    """Ports that went and ports that came, in the order of their names."""

    gone: list[str]
    come: list[str]


def matching(patterns: Sequence[str]) -> dict[str, str]:
    """The ports that exist now: name -> what it is a link to. One that matches under two names counts once."""
    found: dict[str, str] = {}
    taken: set[str] = set()
    for pattern in patterns:
        for path in sorted(glob.glob(pattern)):
            real = os.path.realpath(path)
            if real not in taken and os.path.exists(real) and not os.path.isdir(real):
                taken.add(real)
                found[path] = real
    return found


def literal(patterns: Sequence[str]) -> list[str]:
    """The patterns that name one port, whether it exists or not."""
    return [pattern for pattern in patterns if not glob.has_magic(pattern)]


async def watch(patterns: Sequence[str]) -> AsyncIterator[Change]:
    """Give a Change whenever there is one; the first gives all ports that exist. Ends when it is cancelled."""
    known: dict[str, str] = {}
    async with _UdevHint() as hint:
        while True:
            now = matching(patterns)
            gone = [path for path in known if now.get(path) != known[path]]
            come = [path for path in now if known.get(path) != now[path]]
            known = now
            if gone or come:
                yield Change(gone, come)
            await hint.wait(LOOK_SECONDS)


class _UdevHint:
    """Wakes up early when udev has made or removed a serial port. Where there is no udev, time alone wakes."""

    def __init__(self) -> None:
        self._monitor: pyudev.Monitor | None = None
        self._event = asyncio.Event()

    async def __aenter__(self) -> "_UdevHint":
        try:
            self._monitor = pyudev.Monitor.from_netlink(pyudev.Context())
            self._monitor.filter_by("tty")
            self._monitor.start()
            asyncio.get_running_loop().add_reader(self._monitor.fileno(), self._heard)
        except (ImportError, OSError) as error:
            log.info("no udev (%s): ports are looked for every %s s", error, LOOK_SECONDS)
            self._monitor = None
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._monitor is not None:
            asyncio.get_running_loop().remove_reader(self._monitor.fileno())

    def _heard(self) -> None:
        if self._monitor is not None:
            while self._monitor.poll(timeout=0) is not None:
                self._event.set()

    async def wait(self, seconds: float) -> None:
        self._event.clear()
        try:
            async with asyncio.timeout(seconds):
                await self._event.wait()
        except TimeoutError:
            return
