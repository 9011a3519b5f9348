"""Who may speak to a modem next."""

import asyncio
from collections import deque


class Turn:
    """The right to speak: first come, first served; the urgent ones before the others."""

    def __init__(self) -> None:
        self._taken = False
        self._urgent: deque[asyncio.Future[None]] = deque()
        self._usual: deque[asyncio.Future[None]] = deque()

    @property
    def taken(self) -> bool:
        return self._taken

    async def take(self, *, urgent: bool) -> None:
        if not self._taken:
            self._taken = True
            return
        waiting = asyncio.get_running_loop().create_future()
        queue = self._urgent if urgent else self._usual
        queue.append(waiting)
        try:
            await waiting
        except asyncio.CancelledError:
            if waiting.done() and not waiting.cancelled():
                self.give()  # it was handed to us in the same moment
            elif waiting in queue:  # not where the turn has passed it by since it was cancelled
                queue.remove(waiting)
            raise

    def give(self) -> None:
        """Hand the turn to the next in line."""
        for queue in (self._urgent, self._usual):
            while queue:
                waiting = queue.popleft()
                if not waiting.done():
                    waiting.set_result(None)
                    return
        self._taken = False
