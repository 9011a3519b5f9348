"""The storages of one modem: read, list, delete (27.005, 3.2.2, 3.5.4, 4.1, 4.2).

Each call holds the turn from selecting the storage to its last command, and is urgent: what came in and waits behind a
send goes before the next send.
"""

import logging
from collections.abc import Callable, Collection, Iterable, Sequence
from typing import Any, TypeVar

from modemd.at import commands
from modemd.at.commands import Command, Fill, Stored
from modemd.errors import CommandRefused, CommandTimeout
from modemd.modem.channel import Channel
from modemd.modem.startup import BUSY

log = logging.getLogger(__name__)

T = TypeVar("T")

LAST_SLOT = 255  # tried where neither a listing nor the storage's size is to be had
DELETES_A_TURN = 8  # a SIM takes 0.1 s for each, and a send may be waiting


class Storages:
    """Raises CommandRefused only for a SIM that is busy; CommandTimeout and PortGone as any command.

    What the modem refuses it does without. A command that has never got an answer is asked once.
    """

    def __init__(self, channel: Channel, told: Callable[[Collection[Fill]], None]) -> None:
        """`told` hears how full the storages in use are, whenever the modem says so of all of them."""
        self._channel = channel
        self._told = told
        self._selected: str | None = None
        self._fills: dict[str, Fill] = {}
        self._answered: set[str] = set()
        self._unknown: set[str] = set()  # commands that the modem does not know

    def forget(self) -> None:
        """The modem may have started anew: what is selected is unknown."""
        self._selected = None
        self._fills.clear()
        self._unknown.clear()

    def size(self, storage: str) -> int | None:
        """Slots of a storage that has been selected before, if the modem told."""
        fill = self._fills.get(storage)
        return fill.total if fill is not None else None

    async def occupied(self) -> list[str]:
        """Which of the storages in use hold anything, as far as the modem tells."""
        async with self._channel.hold():
            fills = await self._ask(commands.STORAGE_STATE)
            if fills is None:
                self._unknown.add(_name(commands.STORAGE_STATE))
                return []
        self._told(fills.values())
        return [storage for storage, fill in fills.items() if fill.used]

    async def read(self, storage: str, slots: Iterable[int]) -> list[Stored]:
        """What lies in these slots; empty ones are left out."""
        async with self._channel.hold():
            await self._select(storage)
            return [entry for slot in slots if (entry := await self._ask(commands.read(slot))) is not None]

    async def read_all(self, storage: str) -> list[Stored]:
        """All that lies in the storage, by a listing or, where the modem cannot list, slot by slot."""
        async with self._channel.hold():
            await self._select(storage)
            entries = await self._ask(commands.LIST_ALL)
            if entries is not None:
                return entries
            self._selected = None
            await self._select(storage)  # which says anew how full it is
            fill = self._fills.get(storage)
            if fill is not None and fill.used == 0:
                return []  # some refuse to list nothing
            self._unknown.add(_name(commands.LIST_ALL))
            return await self._slot_by_slot(fill)

    async def delete(self, storage: str, slots: Sequence[int]) -> set[int]:
        """Delete these slots; gives those that are deleted."""
        deleted = set()
        for start in range(0, len(slots), DELETES_A_TURN):
            async with self._channel.hold():
                await self._select(storage)
                for slot in slots[start : start + DELETES_A_TURN]:
                    if await self._ask(commands.delete(slot)):
                        deleted.add(slot)
                    else:
                        log.warning("%s: %s %s cannot be deleted", self._channel.path, storage, slot)
        return deleted

    async def delete_read(self, storage: str) -> bool:
        """Delete in one go all that has been read (27.005, 3.5.4, delflag 1). False: the modem cannot."""
        async with self._channel.hold():
            await self._select(storage)
            done = await self._ask(commands.DELETE_READ)
        if not done:
            self._unknown.add(_name(commands.DELETE_READ))
        return bool(done)

    async def _select(self, storage: str) -> None:
        if storage == self._selected:
            return
        fill = await self._ask(commands.select_storage(storage))  # refused: it has one storage, or calls it otherwise
        self._fills.pop(storage, None)
        if fill is not None:
            self._fills[storage] = fill
        self._selected = storage

    async def _slot_by_slot(self, fill: Fill | None) -> list[Stored]:
        used, last = fill if fill is not None else (LAST_SLOT, LAST_SLOT)
        found: list[Stored] = []
        for slot in range(last + 1):  # some count from 0
            if len(found) >= used:
                break
            if (entry := await self._ask(commands.read(slot))) is not None:
                found.append(entry)
        return found

    async def _ask(self, command: Command[T]) -> T | None:
        """The answer; None when the modem refuses (an empty slot, to most of them) or does not know the command."""
        name = _name(command)
        if name in self._unknown:
            return None
        try:
            answer = await self._channel.ask(command, holding=True)
        except CommandRefused as error:
            if error.facts["result_code"] in BUSY:
                raise
            log.debug("%s", error)
            answer = None
        except CommandTimeout:
            if name not in self._answered:
                self._unknown.add(name)
            raise
        self._answered.add(name)
        return answer


def _name(command: Command[Any]) -> str:
    """The command without what differs from call to call."""
    return command.text.split("=")[0] if command != commands.DELETE_READ else command.text
