"""Lines that would begin together begin one after another.

Modems that take equally long for every part, once they answer together, do so again and again; each time they wait
until all of them have been written, and nobody has anything to do in between. Where their times vary they come apart by
themselves, and together again: there, waiting would be in vain.

So lines that have been idle set out APART, and then each has its turn when the one before it is on the disk. If many
have to wait for that all the same, say after the disk has held everybody up, they are set apart anew.
"""

import asyncio
from collections.abc import Callable

APART = 0.0024  # s at most between two lines that are set apart
ROOM = 0.75  # of the mean time between two beginnings: more is not asked for
VARY = 0.04  # of the time of a part, by which the next of the same line takes more or less: then nobody waits
BUSY = 0.5  # of the time, taken up by turns: if more, it is not the modems that set the pace, and nobody waits
CROWDED = 0.35  # of the lines find another's turn not over: if more, they are set apart
LONGEST = 0.2  # s that a line waits for its turn: the database may be away
WEIGHT = 0.02  # of one part in the mean of all
WEIGHT_OF_ONE_FOUND = 0.005  # a few rounds of all lines
SELDOM = 1.0  # s; longer intervals count as this


class Stagger:
    """When the lines of one host may begin. Times in seconds, on the event loop's clock."""

    def __init__(self) -> None:
        self._turn = asyncio.Lock()
        self._begins = float("-inf")  # the last one, perhaps still to come
        self._began = 0.0  # the turn that is on
        self._ended = float("-inf")  # the last part
        self._interval = SELDOM  # between the ends of two parts, on average
        self._varied = 0.0  # of the time of a part, on average
        self._length = 0.0  # of a turn, on average
        self._found = 0.0  # the share of lines that found another's turn not over

    def start_at(self) -> float:
        """When a line that has been idle may begin; up to now: at once."""
        self._begins = max(_now(), self._begins + self._apart())
        return self._begins

    async def turn(self, took: float, before: float, begin: Callable[[], asyncio.Future[None]]) -> None:
        """Call `begin` when the turn of a line whose part has just ended has come; it is over with what that returns.

        `took`, `before`: how long the part and the one before it took.
        """
        now = _now()
        self._interval += WEIGHT * (min(now - self._ended, SELDOM) - self._interval)
        self._varied += WEIGHT * (abs(took - before) / max(took, before) - self._varied)
        self._ended = now
        if self._varied > VARY or self._length > BUSY * self._interval:
            begin()
            return
        self._found += WEIGHT_OF_ONE_FOUND * ((now < self._begins + self._length) - self._found)
        try:
            async with asyncio.timeout(LONGEST):
                await self._turn.acquire()
        except TimeoutError:
            begin()
            return
        try:
            if self._found > CROWDED and (wait := self._begins + self._apart() - _now()) > 0:
                await asyncio.sleep(wait)
            self._began = self._begins = _now()
            begun = begin()
        except BaseException:
            self._turn.release()
            raise
        begun.add_done_callback(self._over)

    def _apart(self) -> float:
        return min(APART, ROOM * self._interval)

    def _over(self, _begun: asyncio.Future[None]) -> None:
        self._length += WEIGHT * (_now() - self._began - self._length)
        self._turn.release()


def _now() -> float:
    return asyncio.get_running_loop().time()
