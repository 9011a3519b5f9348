"""From a silent modem back to a working one: into step again, and if that does not help, close and open the port."""

import asyncio
import logging

from modemd.errors import CommandTimeout
from modemd.modem.channel import Channel

log = logging.getLogger(__name__)

FIRST_PAUSE_SECONDS = 1.0
LONGEST_PAUSE_SECONDS = 60.0
ROUNDS = 3  # of AT without an answer, before the port is opened anew


class Backoff:
    """A pause that doubles with each failure."""

    def __init__(self, first: float = FIRST_PAUSE_SECONDS, longest: float = LONGEST_PAUSE_SECONDS) -> None:
        self._first = first
        self._longest = longest
        self._next = first

    def reset(self) -> None:
        self._next = self._first

    def pause(self) -> float:
        """Seconds to wait before the next try."""
        pause = self._next
        self._next = min(self._longest, 2 * pause)
        return pause


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
