"""One time that a modem's port is open: start it, read what comes in, look at it now and then, hang up on callers."""

import asyncio
import logging
from collections.abc import Callable
from datetime import datetime
from typing import Any, Protocol

from modemd.at import commands, urc
from modemd.at.urc import Urc
from modemd.config import Settings
from modemd.errors import CommandRefused, CommandTimeout, ModemError
from modemd.messages import AlertKind
from modemd.modem.channel import Channel
from modemd.modem.condition import Condition, Look
from modemd.modem.handover import Handler
from modemd.modem.incoming import Inbound
from modemd.modem.lifecycle import State
from modemd.modem.models import Model
from modemd.modem.pin import PinEntry
from modemd.modem.recovery import bring_back
from modemd.modem.startup import Identity, Startup
from modemd.modem.transcript import Transcript
from modemd.modem.ussd import Ussd

log = logging.getLogger(__name__)

LOOK_SECONDS = 60.0  # between two looks at signal and registration; it also notices a modem that died while idle
SEARCH_SECONDS = 5.0  # the same while it is in no network
LOOK_PAUSE_SECONDS = 1.0  # however often the modem says that something has changed
SAME_CALL_SECONDS = 10.0  # a phone rings every 5 s


class Owner(Handler, Protocol):
    """The modem whose session it is."""

    @property
    def port(self) -> str: ...

    @property
    def name(self) -> str: ...

    @property
    def state(self) -> State: ...

    async def attentive(self) -> None:
        """It answers AT."""

    async def identified(self, found: Identity, model: Model) -> None:
        """Who it is, as far as it says so before its PIN. Raises ModemError to refuse it."""

    async def lined(self) -> None:
        """Its SIM works and has told who it is."""

    async def pin_may_be_tried(self, sim: str, pin: str) -> bool: ...

    async def pin_accepted(self, sim: str, pin: str) -> None: ...

    async def recovering(self) -> None:
        """It is being brought back into step."""

    def looked(self) -> None:
        """Its condition is known anew."""

    def silent(self, error: CommandTimeout) -> None: ...

    def late_result(self, part_id: int, outcome: int | ModemError) -> None: ...

    def call_hung_up(self) -> None: ...

    def alert(self, kind: AlertKind, text: str | None) -> None: ...


class Session:
    """Made for one opening of the port; `run` does all of it."""

    def __init__(
        self,
        owner: Owner,
        settings: Settings,
        condition: Condition,
        transcript: Transcript,
        now: Callable[[], datetime],
    ) -> None:
        bank = settings.bank
        self._owner = owner
        self._settings = settings
        self._condition = condition
        self.channel = Channel(
            owner.port,
            bank.command_timeout,
            bank.send_timeout,
            transcript,
            urc_received=self._urc_received,
            late_result=owner.late_result,
            silence_heard=self._silence_heard,
        )
        self._startup = Startup(self.channel)
        self._look = Look(self._startup, condition, now, owner.alert)
        self.inbound = Inbound(self.channel, owner, now)
        self.ussd = Ussd(self.channel)
        self._loop = asyncio.get_running_loop()
        self._woken = asyncio.Event()
        self._look_at = 0.0
        self._restarted = False  # the modem has told that it started anew
        self._found = Identity()
        self._ringing = False
        self._rang_at = float("-inf")
        self.started = False

    async def run(self) -> None:
        """From opening the port to losing it. Raises ModemError when it comes to an end."""
        try:
            await self.channel.open(self._settings.bank.baud_rate)
            model = await self._start()
            self.started = True
            await self._take_look()
            await self._serve(model)
        finally:
            await self.channel.close()

    def look_soon(self) -> None:
        self._look_at = min(self._look_at, self._loop.time() + LOOK_PAUSE_SECONDS)
        self._woken.set()

    async def _start(self) -> Model:
        await self._startup.attention()
        await self._owner.attentive()
        self._restarted = False
        found, model = await self._startup.identity()
        self._found = found
        await self._owner.identified(found, model)
        pin = PinEntry(self._owner.pin_may_be_tried, self._owner.pin_accepted, self._settings)
        await self._startup.sim(found, model, lambda: pin.enter(self.channel, model, found))
        await self._owner.lined()
        self.inbound.begin(await self._startup.messaging(model))
        return model

    async def _serve(self, model: Model) -> None:
        name = self._owner.name
        tasks = [
            asyncio.create_task(self.inbound.run(), name=f"read {name}"),
            asyncio.create_task(self.inbound.run_direct(), name=f"commit {name}"),
            asyncio.create_task(self._watch(model), name=f"watch {name}"),
        ]
        gone = self.channel.gone
        try:
            ends: list[asyncio.Future[Any]] = [*tasks, gone]
            await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
            if gone.done():
                raise gone.result()
            for task in tasks:
                if task.done():
                    task.result()
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _watch(self, model: Model) -> None:
        """Look now and then, and bring the modem back when it has fallen silent."""
        while True:
            try:
                if self._owner.state is State.SILENT:
                    await self._recover()
                elif self._ringing:
                    await self._hang_up()
                elif self._restarted:
                    self._restarted = False
                    self.inbound.begin(await self._startup.messaging(model))
                elif self._loop.time() >= self._look_at:
                    await self._take_look()
                else:
                    await self._sleep(self._look_at - self._loop.time())
            except CommandTimeout:
                if self._owner.state is not State.SILENT:
                    raise

    async def _sleep(self, seconds: float) -> None:
        self._woken.clear()
        try:
            async with asyncio.timeout(seconds):
                await self._woken.wait()
        except TimeoutError:
            return

    async def _recover(self) -> None:
        await self._owner.recovering()
        await bring_back(self.channel)
        self.inbound.sweep_in(0)  # what it announced meanwhile may be lost
        await self._take_look()

    async def _take_look(self) -> None:
        await self._look.take()
        if self._look.sim_in_question:
            await self._startup.same_sim(self._found)
        self._look_at = self._loop.time() + (LOOK_SECONDS if self._condition.registered else SEARCH_SECONDS)
        self._owner.looked()

    async def _hang_up(self) -> None:
        """Nobody talks to a modem: it would only keep the line busy."""
        self._ringing = False
        for command in (commands.HANG_UP, commands.HANG_UP_OLD):
            try:
                await self.channel.ask(command, urgent=True)
                break
            except CommandRefused as error:
                log.debug("%s", error)

    # what the channel tells

    def _urc_received(self, event: Urc) -> None:
        if self.inbound.urc_received(event) or self.ussd.urc_received(event):
            return
        if urc.tells_restart(event):
            self._restarted = True
            self._woken.set()
        elif urc.tells_call(event):
            self._rung()
        elif event.name in ("+CREG", "+CGREG", "+CEREG"):
            self.look_soon()
        else:
            log.debug("%s: %s", self._owner.name, event.name)

    def _rung(self) -> None:
        if self._loop.time() - self._rang_at > SAME_CALL_SECONDS:
            self._owner.call_hung_up()
        self._rang_at = self._loop.time()
        self._ringing = True
        self._woken.set()

    def _silence_heard(self, error: CommandTimeout) -> None:
        self._owner.silent(error)
        self._woken.set()
