"""One modem's life: open, start, serve, recover; and `send`, which is what it is for."""

import asyncio
import logging
import os
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from typing import Any, Protocol

from modemd.at import commands, urc
from modemd.at.commands import Registration
from modemd.at.urc import Urc
from modemd.config import Settings
from modemd.errors import CommandRefused, CommandTimeout, ModemError, NotAModem, NotSent, PortGone, PortMissing
from modemd.messages import OutgoingSms, ReceivedSms, StatusReport
from modemd.modem.channel import Channel
from modemd.modem.incoming import Inbound
from modemd.modem.lifecycle import SENDING, Lifecycle, State
from modemd.modem.models import Model
from modemd.modem.pin import PinEntry
from modemd.modem.recovery import LONGEST_PAUSE_SECONDS, Backoff, bring_back
from modemd.modem.startup import Identity, Startup
from modemd.modem.transcript import Transcript, TranscriptFiles

log = logging.getLogger(__name__)

LOOK_SECONDS = 60.0  # between two looks at signal and registration; it also notices a modem that died while idle
SEARCH_SECONDS = 5.0  # the same while it is in no network
LOOK_PAUSE_SECONDS = 1.0  # however often the modem says that something has changed
OPERATOR_LOOKS = 10  # the operator is asked for at every tenth look


class Gateway(Protocol):
    """What the modems need from above. `…_received` returns only when what it was given is committed."""

    async def identified(self, modem: "Modem") -> None:
        """Its identity is known: give it `line_id` and `line_name`. Raises ModemError to refuse it."""

    async def pin_may_be_tried(self, sim: str, pin: str) -> bool:
        """Whether this PIN was never tried on this SIM; True only when the attempt is committed (rule 7)."""
        ...

    async def pin_accepted(self, sim: str, pin: str) -> None:
        """The SIM took the PIN: it may be entered again after the next power cut."""

    async def sms_received(self, modem: "Modem", received: Sequence[ReceivedSms]) -> None: ...

    async def status_reports_received(self, modem: "Modem", reports: Sequence[StatusReport]) -> None: ...

    async def stored_deleted(self, modem: "Modem", received: Sequence[ReceivedSms]) -> None: ...

    def late_result(self, modem: "Modem", part_id: int, outcome: int | ModemError) -> None:
        """The TP-MR or the refusal of a part came after `send` had raised SendInDoubt."""

    def modem_changed(self, modem: "Modem") -> None:
        """State, reason, operator, registration or signal changed. Cheap, not a coroutine."""


class Modem:
    """One port that matches [bank] ports, whatever becomes of it."""

    def __init__(self, port: str, settings: Settings, gateway: Gateway, now: Callable[[], datetime]) -> None:
        self.port = port
        self._settings = settings
        self._gateway = gateway
        self._now = now
        self._life = Lifecycle(now, self._changed)
        self._identity = Identity()
        self.operator: str | None = None
        self.signal_dbm: int | None = None
        self.registration: str | None = None
        self.line_id: int | None = None
        self.line_name: str | None = None
        self._transcript = Transcript()
        self._transcripts = TranscriptFiles(settings.daemon.data / "transcripts")
        self._channel: Channel | None = None  # None: nothing can be sent
        self._woken = asyncio.Event()
        self._look_at = 0.0
        self._looks = 0
        self._restarted = False  # the modem has told that it started anew
        self._hung_up_in_the_air = False

    @property
    def name(self) -> str:
        return self.line_name or os.path.basename(self.port)

    @property
    def state(self) -> State:
        return self._life.state

    @property
    def state_since(self) -> datetime:
        return self._life.since

    @property
    def reason(self) -> str | None:
        return self._life.reason

    @property
    def imei(self) -> str | None:
        return self._identity.imei

    @property
    def iccid(self) -> str | None:
        return self._identity.iccid

    @property
    def imsi(self) -> str | None:
        return self._identity.imsi

    @property
    def manufacturer(self) -> str | None:
        return self._identity.manufacturer

    @property
    def model(self) -> str | None:
        return self._identity.model

    @property
    def firmware(self) -> str | None:
        return self._identity.firmware

    # sending

    async def send(self, part: OutgoingSms, committed: Awaitable[object]) -> int:
        """Send one part; gives TP-MR. Ctrl-Z is written when the prompt is there and `committed` is done (rule 2).

        Raises NotSent: nothing went out (`committed` may be done all the same). CommandRefused: modem or network said
        no. SendInDoubt: Ctrl-Z was written, and its answer did not come.
        """
        channel = self._channel
        if channel is None or self.state not in SENDING:
            raise NotSent(port=self.port, reason=f"the modem is {self.state}")
        try:
            return await channel.submit(part, committed)
        except CommandRefused:
            self._look_soon()  # the network may be gone
            raise

    @property
    def has_messages(self) -> bool:
        """Whether it has announced messages that are not yet committed."""
        return self._channel is not None and not self._inbound.taken_in.is_set()

    async def messages_taken_in(self) -> None:
        """Return when it has no such messages."""
        if self._channel is not None:
            await self._inbound.taken_in.wait()

    # life

    async def run(self) -> None:
        """Live until cancelled, whatever the modem does."""
        backoff = Backoff()
        while True:
            pause = LONGEST_PAUSE_SECONDS
            try:
                await self._live(backoff)
            except ModemError as error:
                self._failed(error)
                await self._keep_transcript()
                pause = LONGEST_PAUSE_SECONDS if error.permanent else backoff.pause()
            except Exception as error:
                log.exception("%s: given up for now", self.name)
                self._move(State.QUARANTINED, f"an error in modemd: {error}")
                await self._keep_transcript()
                pause = backoff.pause()
            await asyncio.sleep(pause)

    async def stop(self) -> None:
        """Wait for what is being said to it; begin nothing new."""
        channel, self._channel = self._channel, None
        if channel is not None:
            async with channel.hold():
                log.debug("%s: at rest", self.name)

    def absent(self, reason: str) -> None:
        """The port is gone; `run` has been cancelled."""
        self._move(State.ABSENT, reason)

    def _failed(self, error: ModemError) -> None:
        reason = self._in_short(error)
        if reason != self.reason:
            log.warning("%s", error)
        if isinstance(error, PortGone | PortMissing):
            state = State.ABSENT
        elif isinstance(error, NotAModem | CommandTimeout):
            state = State.SILENT
        else:
            state = State.QUARANTINED
        self._move(state, reason)

    def _in_short(self, error: ModemError) -> str:
        """The error without the port, which everyone who reads it sees beside it."""
        return str(error).removeprefix(f"{self.port}: ").removesuffix(".")

    async def _keep_transcript(self) -> None:
        """Keep the last of the dialogue as a file, if the modem has failed and not just been unplugged."""
        if self.state is State.ABSENT and not self._hung_up_in_the_air:
            return
        facts = {
            "port": os.path.basename(self.port),
            "manufacturer": self.manufacturer,
            "model": self.model,
            "firmware": self.firmware,
        }
        path = await self._transcripts.keep(self.name, self._transcript, self._now(), self.reason or "", facts)
        if path is not None:
            log.info("%s: what was said last is in %s", self.name, path)

    async def _live(self, backoff: Backoff) -> None:
        """From opening the port to losing it. Raises ModemError when it comes to an end."""
        bank = self._settings.bank
        channel = Channel(
            self.port,
            bank.command_timeout,
            bank.send_timeout,
            self._transcript,
            urc_received=self._urc_received,
            late_result=self._late_result,
            silence_heard=self._silence_heard,
        )
        self._inbound = Inbound(channel, self, self._now)
        if self.state is State.ABSENT:
            self._move(State.STARTING)
        try:
            await channel.open(bank.baud_rate)
            startup = Startup(channel)
            model = await self._start(channel, startup)
            backoff.reset()
            self._channel = channel
            await self._look(startup)
            await self._serve(channel, startup, model)
        finally:
            self._hung_up_in_the_air = channel.gone.done() and channel.sending
            self._channel = None
            await channel.close()

    async def _start(self, channel: Channel, startup: Startup) -> Model:
        await startup.attention()
        if self.state is not State.STARTING:
            self._move(State.STARTING)
        self._restarted = False
        found, model = await startup.identity()
        self._identity = found
        pin = PinEntry(self._gateway.pin_may_be_tried, self._gateway.pin_accepted, self._settings)
        await startup.sim(found, model, lambda: pin.enter(channel, model, found))
        await self._gateway.identified(self)
        self._inbound.begin(await startup.messaging(model))
        return model

    async def _serve(self, channel: Channel, startup: Startup, model: Model) -> None:
        tasks = [
            asyncio.create_task(self._inbound.run(), name=f"read {self.name}"),
            asyncio.create_task(self._inbound.run_direct(), name=f"commit {self.name}"),
            asyncio.create_task(self._watch(channel, startup, model), name=f"watch {self.name}"),
        ]
        try:
            ends: list[asyncio.Future[Any]] = [*tasks, channel.gone]
            await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
            if channel.gone.done():
                raise channel.gone.result()
            for task in tasks:
                if task.done():
                    task.result()
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _watch(self, channel: Channel, startup: Startup, model: Model) -> None:
        """Look now and then, and bring the modem back when it has fallen silent."""
        loop = asyncio.get_running_loop()
        while True:
            try:
                if self.state is State.SILENT:
                    await self._recover(channel, startup)
                elif self._restarted:
                    self._restarted = False
                    self._inbound.begin(await startup.messaging(model))
                elif loop.time() >= self._look_at:
                    await self._look(startup)
                else:
                    await self._sleep(self._look_at - loop.time())
            except CommandTimeout:
                if self.state is not State.SILENT:
                    raise

    async def _sleep(self, seconds: float) -> None:
        self._woken.clear()
        try:
            async with asyncio.timeout(seconds):
                await self._woken.wait()
        except TimeoutError:
            return

    async def _recover(self, channel: Channel, startup: Startup) -> None:
        self._move(State.RECOVERING, self.reason)
        await self._keep_transcript()
        await bring_back(channel)
        self._inbound.sweep_in(0)  # what it announced meanwhile may be lost
        await self._look(startup)

    # what it is like

    async def _look(self, startup: Startup) -> None:
        self.signal_dbm = await startup.optional(commands.SIGNAL)
        registration = await _registration(startup)
        if self._looks % OPERATOR_LOOKS == 0 or self.operator is None:
            self.operator = await startup.optional(commands.OPERATOR)
        self._looks += 1
        self.registration = registration.word if registration is not None else None
        registered = registration is None or registration.registered  # one that does not tell is believed to be
        self._look_at = asyncio.get_running_loop().time() + (LOOK_SECONDS if registered else SEARCH_SECONDS)
        if self.state in (State.SILENT, State.QUARANTINED):
            return
        reason = None if registered else f"in no network ({self.registration})"
        self._move(State.READY if registered else State.UNREGISTERED, reason)
        self._changed()

    def _look_soon(self) -> None:
        self._look_at = min(self._look_at, asyncio.get_running_loop().time() + LOOK_PAUSE_SECONDS)
        self._woken.set()

    def _move(self, state: State, reason: str | None = None) -> None:
        self._life.move(self.name, state, reason)

    def _changed(self) -> None:
        self._gateway.modem_changed(self)

    # what the channel tells

    def _urc_received(self, event: Urc) -> None:
        if self._inbound.urc_received(event):
            return
        if urc.tells_restart(event):
            self._restarted = True
            self._woken.set()
        elif event.name == "+CREG":
            self._look_soon()
        else:
            log.debug("%s: %s", self.name, event.name)

    def _late_result(self, part_id: int, outcome: int | ModemError) -> None:
        self._gateway.late_result(self, part_id, outcome)

    def _silence_heard(self, error: CommandTimeout) -> None:
        if self.state in SENDING:
            self._move(State.SILENT, self._in_short(error))
            self._woken.set()

    # what Inbound hands over

    async def sms_received(self, received: Sequence[ReceivedSms]) -> None:
        await self._gateway.sms_received(self, received)

    async def status_reports_received(self, reports: Sequence[StatusReport]) -> None:
        await self._gateway.status_reports_received(self, reports)

    async def stored_deleted(self, received: Sequence[ReceivedSms]) -> None:
        await self._gateway.stored_deleted(self, received)


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
