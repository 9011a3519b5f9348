"""The message storages of a modem and its SIM, each with so many slots (27.005, 2.2)."""

import heapq
from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum
from typing import Protocol


class Status(IntEnum):
    """The state of a stored message (27.005, 3.1, PDU mode)."""

    UNREAD = 0
    READ = 1
    UNSENT = 2
    SENT = 3


@dataclass(slots=True)
class Stored:
    pdu: str  # upper-case hex with SMSC prefix
    length: int  # octets without it
    status: Status

    def mark_read(self) -> None:
        if self.status is Status.UNREAD:
            self.status = Status.READ


class Storage(Protocol):
    size: int

    def put(self, message: Stored) -> int | None:
        """Store it in the lowest free slot: the slot's index, or None when the storage is full."""
        ...

    def get(self, index: int) -> Stored | None: ...

    def delete(self, index: int) -> bool:
        """Whether there was something to delete."""
        ...

    def items(self) -> Iterator[tuple[int, Stored]]: ...

    def __len__(self) -> int: ...


class Slots:
    """One storage; indices count from `first`."""

    def __init__(self, size: int, first: int = 1) -> None:
        self.size = size
        self._stored: dict[int, Stored] = {}
        self._free = list(range(first, first + size))

    def put(self, message: Stored) -> int | None:
        if not self._free:
            return None
        index = heapq.heappop(self._free)
        self._stored[index] = message
        return index

    def get(self, index: int) -> Stored | None:
        return self._stored.get(index)

    def delete(self, index: int) -> bool:
        if self._stored.pop(index, None) is None:
            return False
        heapq.heappush(self._free, index)
        return True

    def items(self) -> Iterator[tuple[int, Stored]]:
        yield from sorted(self._stored.items())

    def __len__(self) -> int:
        return len(self._stored)


class Combined:
    """Two storages as one, "MT": the second one's indices follow those of the first."""

    def __init__(self, first: Slots, second: Slots, first_slot: int = 1) -> None:
        self._first = first
        self._last = first_slot + first.size - 1  # slot of the first one
        self._second = second
        self.size = first.size + second.size

    def put(self, message: Stored) -> int | None:
        index = self._first.put(message)
        if index is None and (index := self._second.put(message)) is not None:
            index += self._first.size
        return index

    def get(self, index: int) -> Stored | None:
        part, inner = self._locate(index)
        return part.get(inner)

    def delete(self, index: int) -> bool:
        part, inner = self._locate(index)
        return part.delete(inner)

    def items(self) -> Iterator[tuple[int, Stored]]:
        yield from self._first.items()
        for index, message in self._second.items():
            yield index + self._first.size, message

    def __len__(self) -> int:
        return len(self._first) + len(self._second)

    def _locate(self, index: int) -> tuple[Slots, int]:
        if index <= self._last:
            return self._first, index
        return self._second, index - self._first.size


def build(slots: dict[str, int], *, has_mt: bool, first_slot: int = 1) -> dict[str, Storage]:
    """The storages of a model by name."""
    plain = {name: Slots(size, first_slot) for name, size in slots.items()}
    storages: dict[str, Storage] = dict(plain)
    if has_mt:
        storages["MT"] = Combined(plain["ME"], plain["SM"], first_slot)
    return storages
