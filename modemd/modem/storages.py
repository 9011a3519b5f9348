"""The storages of one modem: select, list, read, delete (27.005, 3.2.2, 4.1, 4.2, 3.5.4)."""

import logging

from modemd.at import commands
from modemd.at.commands import Fill, Stored
from modemd.errors import CommandRefused
from modemd.modem.channel import Channel
from modemd.modem.startup import BUSY

log = logging.getLogger(__name__)

LAST_SLOT = 255  # tried where neither a listing nor the storage's size is to be had


class StorageReader:
    """The caller holds the turn: between selecting a storage and reading in it nobody else speaks."""

    def __init__(self, channel: Channel) -> None:
        self._channel = channel
        self.selected: str | None = None
        self._fill: Fill | None = None
        self.lists = True  # False when the modem knows no AT+CMGL in PDU mode

    def forget(self) -> None:
        """The modem may have started anew: what is selected is unknown."""
        self.selected = None
        self.lists = True

    async def select(self, storage: str, *, refresh: bool = False) -> None:
        """Read and delete here from now on. `refresh` also finds out how full it is."""
        if storage == self.selected and not refresh:
            return
        try:
            self._fill = await self._channel.ask(commands.select_storage(storage), holding=True)
        except CommandRefused as error:
            _raise_if_busy(error)
            log.debug("%s", error)  # it has one storage only, or calls it otherwise
            self._fill = None
        self.selected = storage

    async def listing(self) -> list[Stored] | None:
        """All that lies in the selected storage; None when the modem cannot list."""
        if not self.lists:
            return None
        try:
            return await self._channel.ask(commands.LIST_ALL, holding=True)
        except CommandRefused as error:
            _raise_if_busy(error)
            log.debug("%s", error)
            if self._fill is not None and self._fill.used == 0:
                return []  # some refuse to list nothing
            self.lists = False
            return None

    async def occupied(self) -> list[Stored]:
        """The same slot by slot. Some modems count from 0."""
        last, used = self._fill[::-1] if self._fill is not None else (LAST_SLOT, LAST_SLOT)
        found: list[Stored] = []
        for slot in range(last + 1):
            if len(found) >= used:
                break
            if (entry := await self.read(slot)) is not None:
                found.append(entry)
        return found

    async def read(self, slot: int) -> Stored | None:
        """One entry; None for an empty slot, which most modems refuse to read."""
        try:
            return await self._channel.ask(commands.read(slot), holding=True)
        except CommandRefused as error:
            _raise_if_busy(error)
            log.debug("%s", error)
            return None

    async def delete(self, slot: int) -> bool:
        try:
            await self._channel.ask(commands.delete(slot), holding=True)
        except CommandRefused as error:
            log.warning("%s; it is on the disk, and stays in the modem for now", error)
            return False
        return True


def _raise_if_busy(error: CommandRefused) -> None:
    if error.facts["result_code"] in BUSY:
        raise error
