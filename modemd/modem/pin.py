"""Rule 7: a PIN is tried once per SIM and PIN value, never with one try left, and never logged.

Three wrong PINs lock a SIM, and ten wrong PUKs destroy it: a daemon that tries again after every restart does both.
"""

from collections.abc import Awaitable, Callable
from pathlib import Path

from modemd.at import commands
from modemd.config import Settings
from modemd.errors import CommandRefused, CommandTimeout, PinNotTried, PinRequired, PinWrong
from modemd.modem.channel import Channel
from modemd.modem.models import GENERIC, Model
from modemd.modem.startup import Identity


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
        pin = _read_pin(channel.path, (own and own.pin_file) or self._settings.bank.pin_file)
        left = await _tries_left(channel, model)
        if left is not None and left <= 1:
            raise PinNotTried(port=channel.path, reason=f"tries left: {left}; enter it in a phone")
        sim = found.iccid or found.imei or channel.path  # what is known of it before its PIN
        if not await self._may_be_tried(sim, pin):
            reason = "it was tried on this SIM before; enter it in a phone, or put another one into the file"
            raise PinNotTried(port=channel.path, reason=reason)
        try:
            await channel.ask(commands.enter_pin(pin))
        except CommandRefused:
            raise PinWrong(port=channel.path) from None
        await self._accepted(sim, pin)


def _read_pin(port: str, path: Path | None) -> str:
    if path is None:
        raise PinRequired(port=port)
    try:
        text = path.read_text(encoding="ascii")
    except OSError as error:
        raise PinNotTried(port=port, reason=f"{path} cannot be read: {error.strerror}") from error
    except UnicodeDecodeError:
        text = ""
    pin = (text.split() or [""])[-1]  # the last line that is not empty
    if not (pin.isdecimal() and 4 <= len(pin) <= 8):  # 3GPP TS 31.101, 9.5.1
        raise PinNotTried(port=port, reason=f"{path} does not hold a PIN of 4 to 8 digits")
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
