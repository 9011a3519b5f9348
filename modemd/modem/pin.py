"""Rule 7: a PIN is tried once per SIM and PIN value, never with one try left, and never logged.

Three wrong PINs lock a SIM, and ten wrong PUKs destroy it: a daemon that tries again after every restart does both.
"""

import os
import re
from collections.abc import Awaitable, Callable
from pathlib import Path

from modemd.at import commands
from modemd.config import Settings
from modemd.errors import (
    CommandRefused,
    CommandTimeout,
    NoPin,
    NoPinInFile,
    PinLastTry,
    PinRequired,
    PinTriedBefore,
    PinUnreadable,
    PinUnwritable,
    PinWrong,
)
from modemd.modem.channel import Channel
from modemd.modem.models import GENERIC, Model
from modemd.modem.startup import Identity

PIN = re.compile(r"[0-9]{4,8}")  # 3GPP TS 31.101, 9.5.1


class PinEntry:
    """How the PIN of the SIM in one modem gets into it."""

    def __init__(
        self,
        may_be_tried: Callable[[str, str], Awaitable[bool]],
        accepted: Callable[[str, str], Awaitable[None]],
        settings: Settings,
    ) -> None:
        """`may_be_tried(sim, pin)` returns True when the attempt is on the disk; `accepted` takes it back."""
        self._may_be_tried = may_be_tried
        self._accepted = accepted
        self._settings = settings

    async def enter(self, channel: Channel, model: Model, found: Identity) -> None:
        """Enter the PIN of the SIM. Raises PinRequired, PinNotTried, PinWrong; PortGone, CommandTimeout."""
        own = self._settings.line_of(channel.path, found.imei, found.iccid)
        kept = _kept(self._settings.daemon.data, found, channel.path)
        settings = (own and own.pin_file) or self._settings.bank.pin_file
        pin = _read_pin(channel.path, kept if kept.exists() else settings)
        left = await _tries_left(channel, model)
        if left is not None and left <= 1:
            raise PinLastTry(port=channel.path, left=left)
        sim = _sim(found, channel.path)
        if not await self._may_be_tried(sim, pin):
            raise PinTriedBefore(port=channel.path)
        try:
            await channel.ask(commands.enter_pin(pin))
        except CommandRefused:
            raise PinWrong(port=channel.path) from None
        await self._accepted(sim, pin)


def keep(data: Path, found: Identity, port: str, pin: str) -> None:
    """Keep a PIN that a technician has given for the SIM: it wins over the settings. Raises NoPin, PinUnwritable."""
    path = _kept(data, found, port)
    if not PIN.fullmatch(pin):
        raise NoPin(port=port)
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with open(descriptor, "w", encoding="ascii") as file:
            file.write(pin)
    except OSError as error:
        raise PinUnwritable(port=port, path=path, error=error.strerror) from error


def _sim(found: Identity, port: str) -> str:
    """What is known of the SIM before its PIN."""
    return found.iccid or found.imei or port


def _kept(data: Path, found: Identity, port: str) -> Path:
    return data / "pins" / re.sub(r"\W+", "_", _sim(found, port))


def _read_pin(port: str, path: Path | None) -> str:
    if path is None:
        raise PinRequired(port=port)
    try:
        text = path.read_text(encoding="ascii")
    except OSError as error:
        raise PinUnreadable(port=port, path=path, error=error.strerror) from error
    except UnicodeDecodeError:
        text = ""
    pin = (text.split() or [""])[-1]  # the last line that is not empty
    if not PIN.fullmatch(pin):
        raise NoPinInFile(port=port, path=path)
    return pin


async def _tries_left(channel: Channel, model: Model) -> int | None:
    """How many tries the SIM has left; None when the modem does not tell."""
    for command in model.pin_tries or GENERIC.pin_tries:
        try:
            left = await channel.ask(command)
        except (CommandRefused, CommandTimeout):
            continue
        if left is not None:
            return left
    return None
