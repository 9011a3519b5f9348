"""The modems we have: one for each stick or port that matches [bank] ports, each living its own life."""

import asyncio
import logging
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from modemd.config import Settings
from modemd.errors import PortGone, PortMissing
from modemd.messages import Reason
from modemd.modem import discovery
from modemd.modem.above import Gateway
from modemd.modem.chooser import Chooser
from modemd.modem.lifecycle import SENDING, State
from modemd.modem.modem import Modem
from modemd.modem.sticks import PortFound
from modemd.modem.usb import SYSFS

log = logging.getLogger(__name__)

HANGS_SECONDS = 600.0  # without a look at a modem that works; one is taken every minute
STOP_SECONDS = 5.0  # for what the modems are being told; what is in the air the gateway has waited for


def _utc_now() -> datetime:
    return datetime.now(UTC)


class Bank:
    """Starts a Modem when its port appears and ends it when the port is gone. No modem waits for another."""

    def __init__(
        self,
        settings: Settings,
        gateway: Gateway,
        now: Callable[[], datetime] = _utc_now,
        sysfs: Path = SYSFS,
    ) -> None:
        self._settings = settings
        self._gateway = gateway
        self._now = now
        self._sysfs = sysfs
        self._chooser = Chooser(settings.bank, sysfs, self._port_came)
        self._lives: dict[str, asyncio.Task[None]] = {}
        self.modems: dict[str, Modem] = {}

    async def run(self) -> None:
        """Until cancelled: follow the ports as they come and go."""
        patterns = self._settings.bank.ports
        for port in discovery.literal(patterns):
            modem = self._modem(port)
            if not discovery.matching((port,)):
                modem.port_went(Reason.of(PortMissing(port=port)))
                log.warning("%s", modem.reason)
        if not discovery.matching(patterns):
            log.warning("no port matches [bank] ports = %s; new ones are picked up as they appear", list(patterns))
        try:
            async for change in discovery.watch(patterns):
                for port in change.gone:
                    self._port_went(port)
                for port in change.come:
                    self._chooser.came(port)
        finally:
            await self._end()

    def status(self) -> str:
        """How many modems are ready, in a few words."""
        ready = sum(modem.state is State.READY for modem in self.modems.values())
        return f"{ready} of {len(self.modems)} modems ready"

    def hangs(self) -> str | None:
        """What hangs of the modems: a pump that is dead, or one that works and looks at its modem no more."""
        now = asyncio.get_running_loop().time()
        for port, life in self._lives.items():
            if life.done():
                return f"the pump of {port} is dead"
            looked_at = self.modems[port].condition.looked_at
            if self.modems[port].state in SENDING and looked_at is not None and now - looked_at > HANGS_SECONDS:
                return f"the pump of {port} hangs for more than {HANGS_SECONDS:.0f} s"
        return None

    async def stop(self) -> None:
        """Let every modem end what it is being told, then let go of all ports."""
        async with asyncio.TaskGroup() as tasks:
            for modem in self.modems.values():
                tasks.create_task(_rest(modem))
        await self._end()

    def _port_went(self, port: str) -> None:
        self._chooser.went(port)
        if port in self.modems:
            self.modems[port].port_went(Reason.of(PortGone(port=port)))

    def _port_came(self, port: str, ports: tuple[PortFound, ...]) -> None:
        modem = self._modem(port)
        modem.ports = ports
        modem.port_came()
        if port not in self._lives:
            self._lives[port] = asyncio.create_task(modem.run(), name=f"modem {port}")

    def _modem(self, port: str) -> Modem:
        if port not in self.modems:
            self.modems[port] = Modem(
                port, self._settings, self._gateway, self._now, came_back=self._came_back, sysfs=self._sysfs
            )
        return self.modems[port]

    def _came_back(self, modem: Modem) -> None:
        """One that was reset at another port, and is waited for there, goes on from where it stood on its ladder."""
        for other in self.modems.values():
            lost = other is not modem and other.state is State.ABSENT and other.ladder.under_way is not None
            if lost and modem.imei is not None and other.last_imei == modem.imei:
                modem.take_ladder(other)

    async def _end(self) -> None:
        await self._chooser.end()
        for life in self._lives.values():
            life.cancel()
        await asyncio.gather(*self._lives.values(), return_exceptions=True)


async def _rest(modem: Modem) -> None:
    try:
        async with asyncio.timeout(STOP_SECONDS):
            await modem.stop()
    except TimeoutError:
        log.warning("%s: still busy; let go of all the same", modem.name)
