"""How a modem is: network, signal, storage, clock. Looked at now and then, and what is wrong with it said aloud."""

import asyncio
from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from modemd.at import commands
from modemd.at.commands import Fill, Registration
from modemd.config import SOFIA
from modemd.messages import AlertKind
from modemd.modem.startup import Startup

RARE_LOOKS = 10  # operator, clock and SIM are asked for at every tenth look
FULL_SHARE = 0.8  # of a storage: from here on it is alarming, for it is emptied all the time
CLOCK_SECONDS = 120  # that the clocks may differ: the network's has whole minutes in some places
FIRST_YEAR = 2024  # a modem that says less has never heard of the time

Alert = Callable[[AlertKind, str | None], None]


@dataclass(slots=True)
class Condition:
    """What the last look has found; None what the modem does not tell."""

    operator: str | None = None
    registration: str | None = None
    registered: bool = True
    signal_dbm: int | None = None
    storage_used: int | None = None
    storage_total: int | None = None
    clock_offset: int | None = None  # s that the network's clock is ahead of ours
    looked_at: float | None = None  # in the loop's time

    def fill(self, fills: Collection[Fill]) -> str | None:
        """Take in how full the storages are; what is alarming about it."""
        fullest = max(fills, key=lambda fill: fill.used / (fill.total or 1), default=None)
        if fullest is None:
            return None
        self.storage_used, self.storage_total = fullest
        if fullest.used < FULL_SHARE * fullest.total:
            return None
        return f"{fullest.used} of {fullest.total} places for messages are taken, though they are emptied all the time"


class Look:
    """Looks at one modem from its start to its end."""

    def __init__(self, startup: Startup, condition: Condition, now: Callable[[], datetime], alert: Alert) -> None:
        self._startup = startup
        self._condition = condition
        self._now = now
        self._alert = alert
        self._looks = 0
        self.sim_in_question = False  # the network is gone, or was: so may be the SIM

    async def take(self) -> None:
        """One look. Raises CommandTimeout when the modem has fallen silent; PortGone."""
        condition = self._condition
        condition.signal_dbm = await self._startup.optional(commands.SIGNAL)
        registration = await _registration(self._startup)
        condition.registration = registration.word if registration is not None else None
        before = condition.registered
        condition.registered = registration is None or registration.registered  # one that does not tell is believed
        rare = self._looks % RARE_LOOKS == 0
        self.sim_in_question = self._looks > 0 and (rare or not (before and condition.registered))
        if rare or condition.operator is None:
            condition.operator = await self._startup.optional(commands.OPERATOR)
        if rare:
            await self._look_at_clock()
        self._looks += 1
        condition.looked_at = asyncio.get_running_loop().time()

    async def _look_at_clock(self) -> None:
        if self._looks == 0:
            await self._startup.optional(commands.NETWORK_TIME)
        told = await self._startup.optional(commands.CLOCK)
        if told is not None and told.year >= FIRST_YEAR:
            self.network_time(told)

    def network_time(self, told: datetime) -> None:
        """Compare a time that the network has just given with ours."""
        now = self._now()
        ahead = round((told - now).total_seconds())
        zone = round((now.astimezone(SOFIA).utcoffset() or timedelta()).total_seconds())
        offset = min((ahead, ahead - zone, ahead + zone), key=abs)  # some give local time as UTC, some the reverse
        offset = offset if abs(offset) <= CLOCK_SECONDS else ahead
        self._condition.clock_offset = offset
        words = f"the network's clock and this machine's differ by {abs(offset)} s; check its time service (NTP)"
        self._alert(AlertKind.CLOCK_OFF, words if abs(offset) > CLOCK_SECONDS else None)


async def _registration(startup: Startup) -> Registration | None:
    """The best of what the modem says: in LTE alone, +CREG may know of no network. None: it does not tell."""
    best: Registration | None = None
    for command in (commands.REGISTRATION, commands.EPS_REGISTRATION, commands.PACKET_REGISTRATION):
        found = await startup.optional(command)
        if found is not None and (best is None or found.registered):
            best = found
        if best is None or best.registered:
            break
    return best
