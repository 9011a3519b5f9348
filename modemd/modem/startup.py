"""From an open port to a modem that is set up: who it is, its SIM, and the rows of commands it is given, each with why.

Little is asked of a modem: it must answer AT, take PDU mode, and send. Everything else that it refuses it does without.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from typing import Any, TypeVar

from modemd.at import commands
from modemd.at.commands import Command, Storages
from modemd.errors import (
    CommandRefused,
    CommandTimeout,
    NotAModem,
    PukRequired,
    SimChanged,
    SimLocked,
    SimMissing,
    StartupRefused,
)
from modemd.modem import models
from modemd.modem.channel import Channel
from modemd.modem.models import Model

log = logging.getLogger(__name__)

T = TypeVar("T")

BUSY = {"E14", "S314"}  # SIM busy, for some seconds after power-up and after the PIN
BUSY_ATTEMPTS = 20
BUSY_SECONDS = 1.0

# What AT+CPIN? would have said. A SIM that is missing or busy may only be slow: it is asked again for a while.
_PIN_STATE_OF_ERROR: dict[object, str] = {
    "E5": "PH-SIM PIN",
    "E10": "NOT INSERTED",
    "E11": "SIM PIN",
    "E12": "SIM PUK",
    "E13": "FAILURE",
    "E14": "BUSY",
    "E15": "WRONG",
    "S310": "NOT INSERTED",
    "S311": "SIM PIN",
    "S312": "PH-SIM PIN",
    "S313": "FAILURE",
    "S314": "BUSY",
    "S315": "WRONG",
    "S316": "SIM PUK",
}


@dataclass(frozen=True, slots=True)
class Row:
    """One command of the start."""

    command: Command[Any]
    required: bool
    why: str


MANNERS = (
    Row(commands.ECHO_OFF, False, "an echo costs time; the dialogue bears one that stays on"),
    Row(commands.NUMERIC_ERRORS, False, "numbers say what is wrong with SIM and network, ERROR does not"),
)

MESSAGING = (
    Row(commands.PDU_MODE, True, "PDU mode is the one mode in which every text survives"),
    Row(commands.PHASE_2_PLUS, False, "what comes straight to us is acknowledged only when it is on the disk"),
    Row(commands.REGISTRATION_URC, False, "a lost network is known at once instead of at the next look"),
    Row(commands.OPERATOR_FORMAT, False, "AT+COPS? then gives the operator's name"),
)


@dataclass(slots=True)
class Identity:
    """Who a modem says it is; None what it does not say."""

    manufacturer: str | None = None
    model: str | None = None
    firmware: str | None = None
    imei: str | None = None
    iccid: str | None = None
    imsi: str | None = None


@dataclass(frozen=True, slots=True)
class Messaging:
    """What the modem does with messages, once it is set up."""

    storages: Storages | None = None
    announces: bool = False  # +CMTI comes; otherwise the storages are looked into every few seconds
    acknowledges: bool = False  # what comes straight to us wants AT+CNMA (27.005, 3.4.4)


class Startup:
    """The steps of the start, in the order in which `Modem` takes them."""

    def __init__(self, channel: Channel) -> None:
        self._channel = channel
        self._answered: set[str] = set()
        self._ignored: set[str] = set()  # commands that have never got an answer: not asked again

    async def attention(self) -> None:
        """Raises NotAModem when nothing answers AT; PortGone."""
        try:
            await self._channel.synchronise()
        except CommandTimeout as error:
            raise NotAModem(port=self._channel.path) from error
        await self._rows(MANNERS)

    async def identity(self) -> tuple[Identity, Model]:
        """Who it is, as far as it says so before the PIN."""
        found = Identity(
            manufacturer=await self.optional(commands.MANUFACTURER),
            model=await self.optional(commands.MODEL),
            firmware=await self.optional(commands.FIRMWARE),
            imei=await self.optional(commands.IMEI),
        )
        model = models.model_of(found.manufacturer, found.model)
        found.iccid = await self._iccid(model)
        return found, model

    async def sim(self, found: Identity, model: Model, enter_pin: Callable[[], Awaitable[None]]) -> None:
        """Wait for a SIM that works, with `enter_pin` when it wants a PIN, and complete its identity.

        Raises SimMissing, PukRequired, and what `enter_pin` raises. A modem that knows no AT+CPIN? needs no PIN.
        """
        entered = False
        for _ in range(BUSY_ATTEMPTS):
            state = await self._pin_state()
            if state is None or _works(state):
                break
            if state == "SIM PIN" and not entered:
                await enter_pin()
                entered = True
            elif state == "SIM PUK":
                raise PukRequired(port=self._channel.path)
            elif state.startswith("PH-"):
                raise SimLocked(port=self._channel.path, lock=state)
            await asyncio.sleep(BUSY_SECONDS)
        else:
            raise SimMissing(port=self._channel.path)
        found.imsi = await self.optional(commands.IMSI)
        found.iccid = found.iccid or await self._iccid(model)

    async def same_sim(self, found: Identity) -> None:
        """Raises SimMissing or SimChanged when the SIM is not, or not any more, the one that was found."""
        state = await self._pin_state()
        if state == "NOT INSERTED":
            raise SimMissing(port=self._channel.path)
        imsi = await self.optional(commands.IMSI) if _works(state) and found.imsi is not None else found.imsi
        if not _works(state) or imsi not in (None, found.imsi):
            raise SimChanged(port=self._channel.path)

    async def messaging(self, model: Model) -> Messaging:
        """Set up what concerns messages. Raises StartupRefused."""
        await self._rows(tuple(Row(command, False, "quieter") for command in model.manners))
        accepted = await self._rows(MESSAGING)
        storages = await self.optional(commands.OFFERED_STORAGES)
        forms = (*model.direct_reports, *model.stored_reports, *models.NO_REPORTS)  # without "SR" into SM, if need be
        if storages is not None and "SR" in storages.reading:
            forms = (*model.stored_reports, *model.direct_reports, *models.NO_REPORTS)
        announces = await self._first_accepted(commands.notifications(form) for form in forms)
        return Messaging(storages, announces, commands.PHASE_2_PLUS in accepted)

    async def optional(self, command: Command[T]) -> T | None:
        """The answer, or None when the modem refuses or ignores the command. Raises when it has fallen silent."""
        if command.text in self._ignored:
            return None
        answer = None
        try:
            answer = await self._patiently(command)
        except CommandRefused as error:
            log.debug("%s", error)
        except CommandTimeout as error:
            log.debug("%s", error)
            await self._channel.synchronise()
            if command.text not in self._answered:
                self._ignored.add(command.text)
            return None
        self._answered.add(command.text)
        return answer

    async def _patiently(self, command: Command[T]) -> T:
        for _ in range(BUSY_ATTEMPTS):
            try:
                return await self._channel.ask(command)
            except CommandRefused as error:
                if error.facts["result_code"] not in BUSY:
                    raise
                refusal = error
            await asyncio.sleep(BUSY_SECONDS)
        raise refusal

    async def _rows(self, rows: tuple[Row, ...]) -> set[Command[Any]]:
        """Say the rows; which ones the modem accepted."""
        accepted = set()
        for row in rows:
            try:
                await self._patiently(row.command)
                accepted.add(row.command)
            except CommandRefused as error:
                if row.required:
                    result = error.facts["result"]
                    raise StartupRefused(
                        port=self._channel.path, command=row.command, result=result, why=row.why
                    ) from error
                log.debug("%s", error)
            except CommandTimeout:
                if row.required:
                    raise
                await self._channel.synchronise()
        return accepted

    async def _first_accepted(self, forms: Iterable[Command[None]]) -> bool:
        for command in forms:
            try:
                await self._patiently(command)
            except CommandRefused:
                continue
            except CommandTimeout:
                await self._channel.synchronise()
                continue
            return True
        return False

    async def _iccid(self, model: Model) -> str | None:
        known = {command.text for command in model.iccid}
        for command in (*model.iccid, *(command for command in models.GENERIC.iccid if command.text not in known)):
            if found := await self.optional(command):
                return found
        return None

    async def _pin_state(self) -> str | None:
        """What AT+CPIN? says, also where it says so by an error; None when the modem knows no PIN."""
        try:
            return await self._channel.ask(commands.PIN_STATE)
        except CommandRefused as error:
            return _PIN_STATE_OF_ERROR.get(error.facts["result_code"])
        except CommandTimeout:
            await self._channel.synchronise()
            return None


def _works(state: str | None) -> bool:
    """Whether the SIM works, by what AT+CPIN? says; None: the modem knows no PIN."""
    return state is None or state.endswith(("READY", "PIN2", "PUK2"))
