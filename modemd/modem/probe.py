"""One look at a port that no daemon has: what stands in the way of using it. No PIN is entered, nothing is sent."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from modemd.at import commands
from modemd.at.commands import Fill
from modemd.config import Bank
from modemd.errors import ModemError, PinRequired
from modemd.modem.channel import Channel
from modemd.modem.condition import Condition, Look
from modemd.modem.startup import Startup
from modemd.modem.sticks import ports_of_modems
from modemd.modem.transcript import Transcript
from modemd.modem.usb import SYSFS


@dataclass(frozen=True, slots=True)
class Probed:
    """What a port has told. `error`: why no more could be learnt."""

    port: str
    condition: Condition
    model: str | None = None
    service_centre: str | None = None  # "" where the SIM has none; None where the modem does not tell
    error: ModemError | None = None


async def probe_all(ports: Sequence[str], bank: Bank, sysfs: Path = SYSFS) -> list[Probed]:
    """Look at all of them at once, of a stick at its modem's port alone; none takes longer than a minute or so."""
    return await asyncio.gather(*(probe(port, bank) for port in await ports_of_modems(ports, bank, sysfs)))


async def probe(port: str, bank: Bank) -> Probed:
    """Never raises ModemError: it is part of what was found."""
    channel = Channel(
        port,
        bank.command_timeout,
        bank.send_timeout,
        Transcript(),
        urc_received=lambda _urc: None,
        late_result=lambda _part, _outcome: None,
        silence_heard=lambda _error: None,
    )
    condition = Condition()
    startup = Startup(channel)
    model = None

    async def refuse_pin() -> None:
        raise PinRequired(port=port)

    try:
        await channel.open(bank.baud_rate)
        await startup.attention()
        found, row = await startup.identity()
        model = " ".join(filter(None, (found.manufacturer, found.model))) or None
        await startup.sim(found, row, refuse_pin)
        await Look(startup, condition, lambda: datetime.now(UTC), lambda _kind, _text: None).take()
        service_centre = await startup.optional(commands.SERVICE_CENTRE)
        fills: dict[str, Fill] | None = await startup.optional(commands.STORAGE_STATE)
        condition.fill(fills.values() if fills else ())
    except ModemError as error:
        return Probed(port, condition, model, error=error)
    finally:
        await channel.close()
    return Probed(port, condition, model, service_centre)
