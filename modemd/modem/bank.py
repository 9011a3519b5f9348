"""The modems we have: one for each port that matches [bank] ports, each living its own life."""

import asyncio
import logging
from collections.abc import Callable
from datetime import UTC, datetime

from modemd.config import Settings
from modemd.errors import PortGone, PortMissing
from modemd.modem import discovery
from modemd.modem.modem import Gateway, Modem

log = logging.getLogger(__name__)

STOP_SECONDS = 5.0  # for what the modems are being told; what is in the air the gateway has waited for


def _utc_now() -> datetime:
    return datetime.now(UTC)


class Bank:
    """Starts a Modem when its port appears and ends it when the port is gone. No modem waits for another."""

    def __init__(self, settings: Settings, gateway: Gateway, now: Callable[[], datetime] = _utc_now) -> None:
        self._settings = settings
        self._gateway = gateway
        self._now = now
        self._lives: dict[str, asyncio.Task[None]] = {}
        self.modems: dict[str, Modem] = {}

    async def run(self) -> None:
        """Until cancelled: follow the ports as they come and go."""
        patterns = self._settings.bank.ports
        for port in discovery.literal(patterns):
            modem = self._modem(port)
            if not discovery.matching((port,)):
                modem.absent(str(PortMissing(port=port)))
                log.warning("%s", modem.reason)
        if not discovery.matching(patterns):
            log.warning("no port matches [bank] ports = %s; new ones are picked up as they appear", list(patterns))
        try:
            async for change in discovery.watch(patterns):
                for port in change.gone:
                    self._lives[port].cancel()
                    self.modems[port].absent(str(PortGone(port=port)))
                for port in change.come:
                    life = _live(self._modem(port), self._lives.get(port))
                    self._lives[port] = asyncio.create_task(life, name=f"modem {port}")
        finally:
            await self._end()

    async def stop(self) -> None:
        """Let every modem end what it is being told, then let go of all ports."""
        async with asyncio.TaskGroup() as tasks:
            for modem in self.modems.values():
                tasks.create_task(_rest(modem))
        await self._end()

    def _modem(self, port: str) -> Modem:
        if port not in self.modems:
            self.modems[port] = Modem(port, self._settings, self._gateway, self._now)
        return self.modems[port]

    async def _end(self) -> None:
        for life in self._lives.values():
            life.cancel()
        await asyncio.gather(*self._lives.values(), return_exceptions=True)


async def _live(modem: Modem, before: asyncio.Task[None] | None) -> None:
    """Run the modem when its last life has let go of the port."""
    if before is not None:
        await asyncio.wait([before])
    await modem.run()


async def _rest(modem: Modem) -> None:
    try:
        async with asyncio.timeout(STOP_SECONDS):
            await modem.stop()
    except TimeoutError:
        log.warning("%s: still busy; let go of all the same", modem.name)
