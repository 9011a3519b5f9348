"""Moves campaigns on while the daemon runs: hands over portions, takes back what the window has closed for."""

import asyncio
import logging
from collections.abc import Callable
from datetime import datetime

from modemd.config import Settings
from modemd.service import handover
from modemd.store.ledger import Ledger

log = logging.getLogger(__name__)

BUSY_SECONDS = 1.0  # between two looks while a campaign runs
IDLE_SECONDS = 60.0  # while none does; what people start is told by the database


class Campaigns:
    def __init__(self, settings: Settings, ledger: Ledger, now: Callable[[], datetime]) -> None:
        self._settings = settings
        self._ledger = ledger
        self._now = now
        self._woken = asyncio.Event()

    def look(self) -> None:
        """The database has changed: one may have been started."""
        self._woken.set()

    async def run(self) -> None:
        """Move them on until cancelled."""
        while True:
            pause = IDLE_SECONDS
            self._woken.clear()
            try:
                if await self._ledger.do(handover.tick, self._settings, self._now()):
                    pause = BUSY_SECONDS
            except Exception:
                log.exception("campaigns do not move; tried again in %s s", BUSY_SECONDS)
                pause = BUSY_SECONDS
            if pause == BUSY_SECONDS:
                await asyncio.sleep(pause)  # its own messages change the database all the time
                continue
            try:
                await asyncio.wait_for(self._woken.wait(), pause)
                await asyncio.sleep(BUSY_SECONDS)
            except TimeoutError:
                continue
