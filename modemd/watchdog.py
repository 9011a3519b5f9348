"""systemd's watchdog, fed only while the bank really works, and the line that `systemctl status` shows.

That the event loop turns is shown by this pump itself. The others are asked what hangs: the ledger for its thread, the
gateway for its housekeeping and the lines' senders, the bank for its modems. A database that does not answer is no
reason to starve: a restart would not bring it back, and whatever waits for it is well.
"""

import asyncio
import logging
import os
from collections.abc import Callable, Sequence

from modemd.store.ledger import Ledger

log = logging.getLogger(__name__)

USUAL_SECONDS = 20.0  # between two meals where systemd does not say how often it wants to hear of us
TO_SPARE = 3  # times in WatchdogSec: one that comes late is no harm
Check = Callable[[], str | None]


class Watchdog:
    def __init__(
        self, ledger: Ledger, hangs: Sequence[Check], status: Callable[[], str], notify: Callable[[str], None]
    ) -> None:
        """`hangs`: each says in ASCII what hangs, None if all is well. `notify`: sd_notify(3)."""
        self._ledger = ledger
        self._hangs = hangs
        self._status = status
        self._notify = notify
        self._said: str | None = None

    async def run(self) -> None:
        """Feed it until cancelled."""
        while True:
            self.look()
            await asyncio.sleep(seconds())

    def look(self) -> None:
        """Feed it, or say once why not."""
        hanging = self._hanging()
        if hanging != self._said:
            self._said = hanging
            log.log(logging.ERROR if hanging else logging.INFO, "%s", hanging or "nothing hangs any more")
        if hanging is None:
            struggle = "the database does not answer; " if self._ledger.struggles else ""
            self._notify(f"WATCHDOG=1\nSTATUS={struggle}{self._status()}")
        else:
            self._notify(f"STATUS={hanging}: the watchdog is not fed")

    def _hanging(self) -> str | None:
        stuck = self._ledger.hangs()
        if stuck is not None or self._ledger.struggles:
            return stuck
        return next(filter(None, (check() for check in self._hangs)), None)


def seconds() -> float:
    """Between two meals, as systemd wants it (sd_watchdog_enabled(3))."""
    given = os.environ.get("WATCHDOG_USEC", "")
    for_us = os.environ.get("WATCHDOG_PID", str(os.getpid())) == str(os.getpid())
    return int(given) / 1_000_000 / TO_SPARE if given.isdecimal() and int(given) and for_us else USUAL_SECONDS
