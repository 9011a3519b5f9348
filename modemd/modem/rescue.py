"""What each rung of the recovery ladder does to the modem at one port."""

import asyncio
import logging
from collections.abc import Collection

from modemd.at.dialogue import ESCAPE
from modemd.config import Bank
from modemd.errors import ModemError, PortGone
from modemd.modem import usb
from modemd.modem.models import Model
from modemd.modem.port import open_port
from modemd.modem.recovery import Rung
from modemd.modem.transcript import Transcript

log = logging.getLogger(__name__)

HANG_UP_SECONDS = 15.0  # from a reset command until the stick leaves the bus; one on a real serial port never does
SETTLE_SECONDS = 2.0  # from then until its port may be looked for: some show it a moment too early
REOPEN_SECONDS = 1.0


class Rescue:
    def __init__(
        self,
        port: str,
        bank: Bank,
        model: Model,
        place: usb.Place | None,
        transcript: Transcript,
    ) -> None:
        self._port = port
        self._bank = bank
        self._model = model
        self._place = place
        self._transcript = transcript

    def possible(self, is_modem: bool) -> Collection[Rung]:
        """The rungs that there are for it. What has never answered as a modem may be anything: it is only reopened."""
        rungs = {Rung.REOPEN}
        if is_modem:
            rungs.add(Rung.SOFT_RESET)
            if self._model.vendor_reset is not None:
                rungs.add(Rung.VENDOR_RESET)
            if self._place is not None and self._bank.usb_reset and usb.can_reauthorise(self._place):
                rungs.add(Rung.USB)
            if self._place is not None and self._bank.hub_power and usb.can_cycle_power():
                rungs.add(Rung.POWER)
        return rungs

    async def do(self, rung: Rung) -> None:
        """Never raises but when cancelled: whether it has helped shows at the port."""
        match rung:
            case Rung.SOFT_RESET:
                await self._say(self._model.soft_reset)
            case Rung.VENDOR_RESET if self._model.vendor_reset is not None:
                await self._say(self._model.vendor_reset)
            case Rung.USB if self._place is not None:
                await usb.reauthorise(self._place)
                await asyncio.sleep(SETTLE_SECONDS)
            case Rung.POWER if self._place is not None:
                await usb.cycle_power(self._place)
                await asyncio.sleep(SETTLE_SECONDS)
            case _:
                await asyncio.sleep(REOPEN_SECONDS)

    async def _say(self, command: str) -> None:
        """Write the command to a modem that may hear and not answer; wait until it has left the bus, if it does."""
        listener = _Listener(self._transcript)
        try:
            port = await open_port(self._port, self._bank.baud_rate, listener)
        except ModemError as error:
            log.info("%s", error)
            return
        try:
            for octets in (ESCAPE, f"{command}\r".encode("ascii")):
                self._transcript.said(octets)
                port.write(octets)
            async with asyncio.timeout(HANG_UP_SECONDS):
                await listener.gone.wait()
        except TimeoutError:
            log.debug("%s: has not hung up after %s", self._port, command)
        finally:
            await port.close()
        await asyncio.sleep(SETTLE_SECONDS)


class _Listener:
    """Hears what a port says while nobody is answered."""

    def __init__(self, transcript: Transcript) -> None:
        self._transcript = transcript
        self.gone = asyncio.Event()

    def bytes_received(self, data: bytes) -> None:
        self._transcript.heard(data)

    def port_gone(self, error: PortGone) -> None:
        self._transcript.hung_up()
        self.gone.set()
