"""Ports that belong to one stick, and which of them is its modem's.

A stick shows two to five serial ports: one for data calls, one for commands that also announces messages, others for
diagnosis and GPS that are silent or talk binary. Only the one that answers AT and speaks unasked is of use. The others
are left alone: other programs may need them.
"""

import asyncio
import logging
import os
import re
from collections.abc import Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from typing import NamedTuple

from modemd.at import commands
from modemd.at.urc import Urc
from modemd.config import Bank
from modemd.errors import ModemError, NotAModem, PortBusy
from modemd.modem import models, usb
from modemd.modem.channel import Channel
from modemd.modem.models import GENERIC, Model
from modemd.modem.startup import Startup
from modemd.modem.transcript import Transcript

log = logging.getLogger(__name__)

ANSWER_SECONDS = 1.0  # for each AT that a port is asked
LISTEN_SECONDS = 5.0  # for a port to speak unasked, where several answer
# USB to serial converters (FTDI, Prolific, Silicon Labs, WCH, MosChip): each of their ports is a cable of its own.
CONVERTERS = frozenset({"0403", "067b", "10c4", "1a86", "9710"})

# As udev names ports in /dev/serial and /dev/modemd: usb-HUAWEI_Mobile-if02-port0, pci-0000:00:14.0-usb-0:1.2:1.2-port0
_NAME = re.compile(
    r"(?P<stick>.+)[-.]if(?P<interface>[0-9a-f]{2})(?:-port\d+)?"
    r"|(?P<place>.+-usb-.+):\d+\.(?P<number>[0-9a-f]{1,2})(?:-port\d+)?"
)
_INTERFACE = re.compile(r".*:\d+\.(\d+)")


class Seat(NamedTuple):
    """Where a port is: on which stick, and as which of its USB interfaces."""

    stick: str
    interface: int


class PortFound(NamedTuple):
    """One port of a stick, whether it is the modem's, and why."""

    port: str
    chosen: bool
    why: str


def seat_of(port: str, sysfs: Path = usb.SYSFS) -> Seat | None:
    """By the USB device or, where the system does not tell it, by the port's name. None: it stands alone."""
    place = usb.place_of(port, sysfs)
    if place is None:
        named = _NAME.fullmatch(port)
        return Seat(named["stick"] or named["place"], int(named["interface"] or named["number"], 16)) if named else None
    if place.vendor in CONVERTERS or place.ports == 1:
        return None
    device = (sysfs / "class/tty" / os.path.basename(os.path.realpath(port)) / "device").resolve()
    found = next((found for folder in (device, *device.parents) if (found := _INTERFACE.fullmatch(folder.name))), None)
    return Seat(f"usb {place.name}", int(found[1]) if found else 0)


async def choose(seats: dict[str, Seat], bank: Bank) -> list[PortFound]:
    """Probe the ports of one stick, all at once, and say of each whether it is a modem's. None chosen: none answers.

    A board with several modems on one USB device has one port chosen for each IMEI. Never raises ModemError.
    """
    async with AsyncExitStack() as stack:
        probes = [_Probe(port, seat.interface, bank) for port, seat in sorted(seats.items(), key=lambda item: item[1])]
        for probe in probes:
            stack.push_async_callback(probe.close)
        await asyncio.gather(*(probe.ask() for probe in probes))
        imeis = {probe.imei for probe in probes if probe.imei is not None}
        await asyncio.gather(*(_listen([probe for probe in probes if probe.imei == imei]) for imei in imeis))
        return _judge(probes)


async def ports_of_modems(ports: Sequence[str], bank: Bank, sysfs: Path = usb.SYSFS) -> list[str]:
    """Those of the ports that are modems', of each stick the right one; its first where none answers."""
    seats = {port: seat for port in ports if (seat := seat_of(port, sysfs)) is not None}
    sticks = [
        [port for port in seats if seats[port].stick == stick] for stick in sorted({s.stick for s in seats.values()})
    ]
    several = [stick for stick in sticks if len(stick) > 1]
    found = await asyncio.gather(*(choose({port: seats[port] for port in stick}, bank) for stick in several))
    left = {port.port for stick in found for port in stick if not port.chosen}
    silent = {stick[0].port for stick in found if not any(port.chosen for port in stick)}
    return [port for port in ports if port not in left or port in silent]


class _Probe:
    """One port that is looked at."""

    def __init__(self, port: str, interface: int, bank: Bank) -> None:
        self.port = port
        self.interface = interface
        self.answers = False
        self.imei: str | None = None
        self.model: Model = GENERIC
        self.said: str | None = None  # a URC
        self.error: ModemError | None = None
        self.spoke = asyncio.Event()
        self._bank = bank
        self._channel = Channel(
            port,
            min(bank.command_timeout, ANSWER_SECONDS),
            bank.send_timeout,
            Transcript(),
            urc_received=self._heard,
            late_result=lambda _part, _outcome: None,
            silence_heard=lambda _error: None,
        )

    async def ask(self) -> None:
        startup = Startup(self._channel)
        try:
            await self._channel.open(self._bank.baud_rate)
            await startup.attention()
            self.answers = True
            maker, model = await startup.optional(commands.MANUFACTURER), await startup.optional(commands.MODEL)
            self.model = models.model_of(maker, model)
            self.imei = await startup.optional(commands.IMEI)
        except ModemError as error:
            log.debug("%s", error)
            self.error = error

    async def provoke(self) -> None:
        """Let it talk: a command that was said before may have hushed it."""
        try:
            for command in self.model.talk:
                await Startup(self._channel).optional(command)
        except ModemError as error:
            log.debug("%s", error)

    async def close(self) -> None:
        await self._channel.close()

    def _heard(self, event: Urc) -> None:
        if self._channel.in_step:  # before, it may be the rest of an answer
            self.said = self.said or event.name
            self.spoke.set()

    @property
    def is_usual(self) -> bool:
        return self.model.command_interface == self.interface

    @property
    def rank(self) -> tuple[bool, bool, int]:
        return self.said is not None, self.is_usual, -self.interface

    @property
    def merit(self) -> str:
        """Why it is the one to take."""
        if self.said is not None:
            return f"answers AT and announces ({self.said})"
        if self.is_usual:
            return f"answers AT; the command port of a {self.model.name}"
        return "answers AT"

    @property
    def defect(self) -> str:
        """Why another one is taken."""
        if isinstance(self.error, PortBusy):
            return f"in use by another program ({self.error.facts['holder']})"
        if not self.answers:
            return "does not answer AT" if isinstance(self.error, NotAModem) else f"not to be used ({self.error})"
        if self.said is None:
            return "answers AT and announces nothing"
        return "a second port of the same modem"


async def _listen(probes: Sequence[_Probe]) -> None:
    """Wait until one of the ports of a modem speaks unasked, if it has several."""
    if len(probes) < 2:
        return
    await asyncio.gather(*(probe.provoke() for probe in probes))
    listeners = [asyncio.create_task(probe.spoke.wait()) for probe in probes]
    await asyncio.wait(listeners, timeout=LISTEN_SECONDS, return_when=asyncio.FIRST_COMPLETED)
    for listener in listeners:
        listener.cancel()
    await asyncio.gather(*listeners, return_exceptions=True)


def _judge(probes: Sequence[_Probe]) -> list[PortFound]:
    imeis = {probe.imei for probe in probes if probe.imei is not None}
    chosen = {max((p for p in probes if p.imei == imei), key=lambda probe: probe.rank).port for imei in imeis}
    if not imeis:
        chosen = {probe.port for probe in probes if probe.answers}  # nothing tells whether they are one modem
    if len(imeis) > 1:
        chosen |= {probe.port for probe in probes if probe.imei is None}  # a board of modems, some of them off
    return [
        PortFound(probe.port, probe.port in chosen, probe.merit if probe.port in chosen else probe.defect)
        for probe in probes
    ]
