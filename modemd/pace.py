"""Bulk gives way when answers come late: how long questions wait is measured, and lines are left free for them.

An answer overtakes bulk at the next part boundary anyway; what is left to gain is that its line is not busy with a part
of bulk in the moment the answer is there. So bulk takes a share of a line's time, less when the target is missed.
"""

import asyncio
import logging
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from modemd.store import answers
from modemd.store.ledger import Ledger

log = logging.getLogger(__name__)

LOOK_SECONDS = 10.0
LOOKED_BACK = timedelta(minutes=5)
ENOUGH = 5  # questions; fewer say nothing
LEAST_SHARE = 1 / 8
SLOWER, FASTER = 1 / 2, 1.25
EASY = 0.7  # of the target: only below it bulk becomes faster again, so that the pace does not swing


class Pace:
    """The share of its time that a line gives to bulk."""

    def __init__(self, target: float, now: datetime) -> None:
        """`target`: seconds within which 95 of 100 questions shall have their answer; 0: none, the share stays 1."""
        self._target = target
        self._changed_at = now
        self.share = 1.0

    def since(self, now: datetime) -> datetime:
        """From when on questions count: what came before the last change says nothing about its effect."""
        return max(now - LOOKED_BACK, self._changed_at)

    def look(self, waited: Sequence[float], now: datetime) -> bool:
        """Take in how long the questions since `since` have waited; returns whether the share has changed.

        Without enough questions it changes only after the whole time looked back at, and then upwards.
        """
        if not self._target:
            return False
        before = self.share
        if len(waited) >= ENOUGH:
            slowest = percentile(waited, 95)
            if slowest > self._target:
                self.share = max(LEAST_SHARE, self.share * SLOWER)
            elif slowest < EASY * self._target:
                self.share = min(1.0, self.share * FASTER)
        elif now - self._changed_at >= LOOKED_BACK:
            self.share = min(1.0, self.share * FASTER)
        if self.share != before:
            self._changed_at = now
        return self.share != before


class Pacing:
    """Looks again and again, and tells the lines."""

    def __init__(
        self, target: float, ledger: Ledger, tell: Callable[[float], None], now: Callable[[], datetime]
    ) -> None:
        self._ledger = ledger
        self._tell = tell
        self._now = now
        self._pace = Pace(target, now())

    async def run(self) -> None:
        """Measure until cancelled."""
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            try:
                await self.look()
            except Exception:
                log.exception("how long questions wait cannot be read; tried again in %s s", LOOK_SECONDS)

    async def look(self) -> None:
        """Measure once, and tell the lines if bulk is to have another share of their time."""
        now = self._now()
        waited = await self._ledger.do(answers.waited, self._pace.since(now), now)
        if self._pace.look(waited, now):
            log.info("bulk: %.0f %% of each line's time", 100 * self._pace.share)
            self._tell(self._pace.share)


def percentile(values: Sequence[float], of_100: int) -> float:
    """The smallest value that so many of 100 do not exceed (nearest rank); at least one value."""
    ordered = sorted(values)
    return ordered[max(0, -(-len(ordered) * of_100 // 100) - 1)]
