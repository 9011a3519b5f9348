"""The storages of one modem: read, list, delete (27.005, 3.2.2, 3.5.4, 4.1, 4.2).

Each call holds the turn from selecting the storage to its last command, and is urgent: what came in and waits behind a
send goes before the next send.
"""

import logging
from collections.abc import Iterable, Sequence

from modemd.at import commands
from modemd.at.commands import Command, Fill, Stored
from modemd.errors import CommandRefused
from modemd.modem.channel import Channel
from modemd.modem.startup import BUSY

log = logging.getLogger(__name__)

LAST_SLOT = 255  # tried where neither a listing nor the storage's size is to be had
DELETES_A_TURN = 8  # a SIM takes 0.1 s for each, and a send may be waiting


class Storages:
    """Raises CommandRefused only for a SIM that is busy; CommandTimeout and PortGone as any command."""

    def __init__(self, channel: Channel) -> None:
        self._channel = channel
        self._selected: str | None = None
        self._fills: dict[str, Fill] = {}
        self._lists = True  # False when the modem knows no AT+CMGL in PDU mode
        self._deletes_read = True  # False when it knows no <delflag> of AT+CMGD

    def forget(self) -> None:
        """The modem may have started anew: what is selected is unknown."""
        self._selected = None
        self._fills.clear()
        self._lists = self._deletes_read = True

    def size(self, storage: str) -> int | None:
        """Slots of a storage that has been selected before, if the modem told."""
        fill = self._fills.get(storage)
        return fill.total if fill is not None else None

    async def read(self, storage: str, slots: Iterable[int]) -> list[Stored]:
        """What lies in these slots; empty ones are left out."""
        async with self._channel.hold():
            await self._select(storage)
            return [entry for slot in slots if (entry := await self._read(slot)) is not None]

    async def read_all(self, storage: str) -> list[Stored]:
        """All that lies in the storage, by a listing or, where the modem cannot list, slot by slot."""
        async with self._channel.hold():
            await self._select(storage)
            entries = await self._listing(storage)
            if entries is not None:
                return entries
            self._selected = None
            await self._select(storage)  # which says anew how full it is
            return await self._occupied(self._fills.get(storage))

    async def delete(self, storage: str, slots: Sequence[int]) -> set[int]:
        """Delete these slots; gives those that are deleted."""
        deleted = set()
        for start in range(0, len(slots), DELETES_A_TURN):
            async with self._channel.hold():
                await self._select(storage)
                for slot in slots[start : start + DELETES_A_TURN]:
                    if await self._accepted(commands.delete(slot)):
                        deleted.add(slot)
                    else:
                        log.warning("%s: %s %s cannot be deleted", self._channel.path, storage, slot)
        return deleted

    async def delete_read(self, storage: str) -> bool:
        """Delete in one go all that has been read (27.005, 3.5.4, delflag 1). False: the modem cannot."""
        if self._deletes_read:
            async with self._channel.hold():
                await self._select(storage)
                self._deletes_read = await self._accepted(commands.DELETE_READ)
        return self._deletes_read

    async def _select(self, storage: str) -> None:
        if storage == self._selected:
            return
        self._fills.pop(storage, None)
        try:
            fill = await self._channel.ask(commands.select_storage(storage), holding=True)
            if fill is not None:
                self._fills[storage] = fill
        except CommandRefused as error:
            _raise_if_busy(error)
            log.debug("%s", error)  # it has one storage only, or calls it otherwise
        self._selected = storage

    async def _listing(self, storage: str) -> list[Stored] | None:
        if not self._lists:
            return None
        try:
            return await self._channel.ask(commands.LIST_ALL, holding=True)
        except CommandRefused as error:
            _raise_if_busy(error)
            log.debug("%s", error)
        fill = self._fills.get(storage)
        if fill is not None and fill.used == 0:
            return []  # some refuse to list nothing
        self._lists = False
        return None

    async def _occupied(self, fill: Fill | None) -> list[Stored]:
        used, last = fill if fill is not None else (LAST_SLOT, LAST_SLOT)
        found: list[Stored] = []
        for slot in range(last + 1):  # some count from 0
            if len(found) >= used:
                break
            if (entry := await self._read(slot)) is not None:
                found.append(entry)
        return found

    async def _read(self, slot: int) -> Stored | None:
        try:
            return await self._channel.ask(commands.read(slot), holding=True)
        except CommandRefused as error:
            _raise_if_busy(error)
            log.debug("%s", error)  # an empty slot, to most modems
            return None

    async def _accepted(self, command: Command[None]) -> bool:
        try:
            await self._channel.ask(command, holding=True)
        except CommandRefused as error:
            _raise_if_busy(error)
            log.debug("%s", error)
            return False
        return True


def _raise_if_busy(error: CommandRefused) -> None:
    if error.facts["result_code"] in BUSY:
        raise error
