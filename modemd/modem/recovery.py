"""The ladder from a silent modem back to a working one: which rung comes next, for how long, how often, what it did.

One rung after another, each gentler than the next. A rung has helped when the modem is ready within its time. When all
have failed, or have been tried too often of late, the modem rests, longer each time.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Collection
from dataclasses import dataclass
from enum import StrEnum

from modemd.errors import CommandTimeout
from modemd.modem.channel import Channel

log = logging.getLogger(__name__)

FIRST_PAUSE_SECONDS = 1.0
LONGEST_PAUSE_SECONDS = 60.0
ROUNDS = 3  # of AT without an answer, before the port is opened anew
FIRST_REST_SECONDS = 60.0
LONGEST_REST_SECONDS = 3600.0
STEADY_SECONDS = 600.0  # a modem that has worked for so long begins at the bottom again
HOUR = 3600.0


class Rung(StrEnum):
    """From the bottom."""

    RESYNC = "resync"  # ESC, then AT until it is in step
    REOPEN = "reopen"  # close the port and open it again
    SOFT_RESET = "soft reset"  # AT+CFUN=1,1 (27.007, 8.2)
    VENDOR_RESET = "vendor reset"
    USB = "usb"  # take the device from its driver and give it back
    POWER = "hub power"


@dataclass(frozen=True, slots=True)
class Budget:
    seconds: float  # until the modem has to be ready, or the rung has failed
    an_hour: int  # times


BUDGETS = {
    Rung.RESYNC: Budget(90.0, 60),
    Rung.REOPEN: Budget(20.0, 20),
    Rung.SOFT_RESET: Budget(90.0, 4),
    Rung.VENDOR_RESET: Budget(90.0, 4),
    Rung.USB: Budget(90.0, 3),
    Rung.POWER: Budget(120.0, 2),
}


class Backoff:
    """A pause that doubles with each failure."""

    def __init__(self, first: float = FIRST_PAUSE_SECONDS, longest: float = LONGEST_PAUSE_SECONDS) -> None:
        self._first = first
        self._longest = longest
        self._next = first

    def reset(self) -> None:
        self._next = self._first

    @property
    def calm(self) -> bool:
        """Whether failures have not followed each other for long."""
        return self._next <= 8 * self._first

    def pause(self) -> float:
        """Seconds to wait before the next try."""
        pause = self._next
        self._next = min(self._longest, 2 * pause)
        return pause


class Ladder:
    """Where one modem stands on the ladder. It only keeps account: `rescue.py` does what a rung means."""

    def __init__(self, clock: Callable[[], float], tried: Callable[[Rung, bool, float], None]) -> None:
        """`clock` in seconds; `tried(rung, helped, seconds)` is called when a rung's outcome is known."""
        self._clock = clock
        self._tried = tried
        self._last: Rung | None = None
        self._began = 0.0
        self._uses: dict[Rung, deque[float]] = {rung: deque() for rung in Rung}
        self._rests = Backoff(FIRST_REST_SECONDS, LONGEST_REST_SECONDS)
        self._worked_at: float | None = None
        self.under_way: Rung | None = None

    def seconds_left(self) -> float:
        """Of the rung under way."""
        if self.under_way is None:
            return 0.0
        return max(0.0, self._began + BUDGETS[self.under_way].seconds - self._clock())

    def begin(self, rung: Rung) -> None:
        """Step onto a rung."""
        now = self._clock()
        if self._worked_at is not None and now - self._worked_at > STEADY_SECONDS:
            self._rests.reset()
        self._worked_at = None
        self.under_way = self._last = rung
        self._began = now
        self._uses[rung].append(now)

    def failed(self) -> None:
        """The rung under way has not helped."""
        self._end(False)

    def climb(self, possible: Collection[Rung]) -> Rung | None:
        """Step onto the next rung above the last one that is possible and not used up; None: there is none, rest."""
        self.failed()
        rungs = list(Rung)
        start = 0 if self._last is None else rungs.index(self._last) + 1
        for rung in rungs[start:]:
            if rung in possible and self._has_budget(rung):
                self.begin(rung)
                return rung
        self._last = None
        return None

    def worked(self) -> None:
        """The modem is ready."""
        self._end(True)
        self._last = None
        if self._worked_at is None:
            self._worked_at = self._clock()

    def rest(self) -> float:
        """Seconds to leave the modem alone, longer each time."""
        return self._rests.pause()

    def _has_budget(self, rung: Rung) -> bool:
        uses = self._uses[rung]
        while uses and uses[0] <= self._clock() - HOUR:
            uses.popleft()
        return len(uses) < BUDGETS[rung].an_hour

    def _end(self, helped: bool) -> None:
        if self.under_way is not None:
            rung, self.under_way = self.under_way, None
            self._tried(rung, helped, self._clock() - self._began)


async def bring_back(channel: Channel) -> None:
    """Bring a silent modem back into step. The port stays open meanwhile: a late +CMGS still settles its message.

    Raises CommandTimeout after ROUNDS without an answer; PortGone.
    """
    backoff = Backoff()
    for remaining in reversed(range(ROUNDS)):
        try:
            await channel.synchronise()
        except CommandTimeout as error:
            log.debug("%s", error)
            if not remaining:
                raise
        else:
            return
        await asyncio.sleep(backoff.pause())
