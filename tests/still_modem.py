"""The loop-back of the tests: a way out that is nothing but what a test says of it, for the rooms above `modem`."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from datetime import UTC, datetime
from typing import Any

from modemd.messages import OutgoingSms
from modemd.modem.facts import Facts
from modemd.modem.lifecycle import State
from modemd.modem.startup import Identity

Behaviour = Callable[[OutgoingSms, Awaitable[object]], Coroutine[Any, Any, int]]


class StillModem(Facts):
    """Implements `modem.way.Way`.

    `send` does what `behave` does; by default it keeps the message's id in `sent` and gives a TP-MR.
    """

    def __init__(self, port: str, iccid: str | None = None, imei: str | None = None) -> None:
        super().__init__(port)
        self.state = State.READY
        self.state_since = datetime.now(UTC)
        self.reason: str | None = None
        self.sent: list[int] = []
        self.announced = asyncio.Event()
        self.behave: Behaviour = self.answer_at_once
        self.tell(iccid, imei)

    def tell(self, iccid: str | None, imei: str | None = None) -> None:
        self._identity = self._known_as = Identity(imei=imei, iccid=iccid)

    @property
    def has_messages(self) -> bool:
        return self.announced.is_set()

    async def messages_taken_in(self) -> None:
        while self.announced.is_set():
            await asyncio.sleep(0.001)

    async def send(self, part: OutgoingSms, committed: Awaitable[object]) -> int:
        return await self.behave(part, committed)

    async def answer_at_once(self, part: OutgoingSms, committed: Awaitable[object]) -> int:
        await committed
        self.sent.append(part.message_id)
        return len(self.sent) % 256
