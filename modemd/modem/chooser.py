"""Which of the ports that come and go is given to a modem: each that stands alone, and of each stick the right one."""

import asyncio
import logging
from collections.abc import Callable, Sequence
from pathlib import Path

from modemd.config import Bank
from modemd.modem.sticks import PortFound, Seat, choose, seat_of

log = logging.getLogger(__name__)

SETTLE_SECONDS = 1.0  # udev makes the ports of a stick one after another
RESTS = (2.0, 5.0, 15.0)  # s until a stick of which no port answers is looked at again: it may still be starting

Take = Callable[[str, tuple[PortFound, ...]], None]


class Chooser:
    def __init__(self, bank: Bank, sysfs: Path, take: Take) -> None:
        """`take(port, ports)` is called with each port that a modem shall have, and with all ports of its stick."""
        self._bank = bank
        self._sysfs = sysfs
        self._take = take
        self._seats: dict[str, Seat] = {}  # of the ports that are there
        self._taken: set[str] = set()
        self._choosing: dict[str, asyncio.Task[None]] = {}

    def came(self, port: str) -> None:
        seat = seat_of(port, self._sysfs)
        if seat is None:
            self._take(port, ())
            return
        self._seats[port] = seat
        self._begin(seat.stick)

    def went(self, port: str) -> None:
        seat = self._seats.pop(port, None)
        self._taken.discard(port)
        if seat is not None:
            self._begin(seat.stick)

    async def end(self) -> None:
        for task in self._choosing.values():
            task.cancel()
        await asyncio.gather(*self._choosing.values(), return_exceptions=True)

    def _begin(self, stick: str) -> None:
        """Choose anew, unless a modem has one of the stick's ports: what else it shows is left alone."""
        members = self._members(stick)
        before = self._choosing.pop(stick, None)
        if before is not None:
            before.cancel()
        if members and not self._taken & set(members):
            self._choosing[stick] = asyncio.create_task(self._choose(stick, before), name=f"choose {stick}")

    def _members(self, stick: str) -> dict[str, Seat]:
        return {port: seat for port, seat in self._seats.items() if seat.stick == stick}

    async def _choose(self, stick: str, before: asyncio.Task[None] | None) -> None:
        if before is not None:
            await asyncio.wait([before])  # until it has closed the ports
        await asyncio.sleep(SETTLE_SECONDS)
        found = await self._look(stick)
        for rest in RESTS:
            if any(port.chosen for port in found):
                break
            log.info("%s: none of its %s ports answers AT; looked at again in %s s", stick, len(found), rest)
            await asyncio.sleep(rest)
            found = await self._look(stick)
        if not any(port.chosen for port in found):  # so that it is seen, and brought back like any silent modem
            found = [port._replace(chosen=number == 0) for number, port in enumerate(found)]
        for port in found:
            log.info("%s: %s %s: %s", stick, port.port, "is taken" if port.chosen else "is left alone", port.why)
            if port.chosen:
                self._taken.add(port.port)
                self._take(port.port, tuple(found) if len(found) > 1 else ())

    async def _look(self, stick: str) -> Sequence[PortFound]:
        members = self._members(stick)
        if len(members) > 1:
            return await choose(members, self._bank)
        return [PortFound(port, True, "the only one that [bank] ports matches") for port in members]
