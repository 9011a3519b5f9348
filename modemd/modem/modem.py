"""One modem's life: sessions at its port, the ladder between them, what technicians want of it; and `send`."""

import asyncio
import logging
import math
import os
from collections.abc import Awaitable, Callable, Collection, Sequence
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from modemd.at.commands import Fill
from modemd.config import Settings
from modemd.errors import (
    CommandRefused,
    CommandTimeout,
    ModemError,
    ModemPaused,
    NotAModem,
    NotNow,
    NotSent,
    PortGone,
    PortMissing,
    PukRequired,
    SimChanged,
)
from modemd.messages import AlertKind, OutgoingSms, Reason, ReceivedSms, StatusReport
from modemd.modem import console, pin, usb
from modemd.modem.above import Gateway
from modemd.modem.facts import Facts
from modemd.modem.lifecycle import SENDING, Lifecycle, State
from modemd.modem.models import GENERIC, Model
from modemd.modem.recovery import LONGEST_PAUSE_SECONDS, Backoff, Ladder, Rung
from modemd.modem.rescue import Rescue
from modemd.modem.session import Session
from modemd.modem.startup import Identity
from modemd.modem.transcript import Transcript, TranscriptFiles, render

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

log = logging.getLogger(__name__)

RETRY_SECONDS = 2.0  # between two tries at a modem that is just starting anew
STEADY_SECONDS = 30.0  # a session as long as this was a good one: the next failure is a new one
PLUG_ANEW = "unplug it and plug it in again"
BY_TECHNICIAN = Reason("by a technician", "ByTechnician")


class Modem(Facts):
    """Implements `way.Way`. What is at one port that matches [bank] ports, whatever becomes of it."""

    def __init__(
        self,
        port: str,
        settings: Settings,
        gateway: Gateway,
        now: Callable[[], datetime],
        *,
        came_back: Callable[["Modem"], None] = lambda _modem: None,
        sysfs: Path = usb.SYSFS,
    ) -> None:
        """`came_back(self)` is called when its IMEI is known: it may be one that was lost at another port."""
        super().__init__(port)
        self._settings = settings
        self._gateway = gateway
        self._now = now
        self._came_back = came_back
        self._sysfs = sysfs
        self._life = Lifecycle(now, self._changed)
        self._model = GENERIC
        self._is_modem = False
        self._session: Session | None = None
        self._open = False  # to what is to be sent
        self._transcript = Transcript()
        self._transcripts = TranscriptFiles(settings.daemon.data / "transcripts")
        self._backoff = Backoff()
        self._plugged = asyncio.Event()
        self._plugged.set()
        self._told = asyncio.Event()  # to let go of what it is doing and begin anew
        self._idle = asyncio.Event()  # between two attempts
        self._moved = asyncio.Event()
        self._paused = False
        self._wanted: Rung | None = None  # a technician wants this one
        self.ladder = Ladder(lambda: asyncio.get_running_loop().time(), self._rung_tried)

    @property
    def state(self) -> State:
        return self._life.state

    @property
    def state_since(self) -> datetime:
        return self._life.since

    @property
    def reason(self) -> Reason | None:
        return self._life.reason

    # sending

    async def send(self, part: OutgoingSms, committed: Awaitable[object]) -> int:
        """Send one part; gives TP-MR. Ctrl-Z is written when the prompt is there and `committed` is done (rule 2).

        Raises NotSent: nothing went out (`committed` may be done all the same). CommandRefused: modem or network said
        no. SendInDoubt: Ctrl-Z was written, and its answer did not come.
        """
        session = self._session
        if session is None or not self._open or self.state not in SENDING:
            raise NotSent(port=self.port, reason=f"the modem is {self.state}")
        try:
            return await session.channel.submit(part, committed)
        except CommandRefused:
            session.look_soon()  # the network may be gone
            raise

    @property
    def has_messages(self) -> bool:
        """Whether it has announced messages that are not yet committed."""
        return self._session is not None and self._open and not self._session.inbound.taken_in.is_set()

    async def messages_taken_in(self) -> None:
        """Return when it has no such messages."""
        if self._session is not None and self._open:
            await self._session.inbound.taken_in.wait()

    async def ussd(self, code: str) -> str:
        """What the operator answers to a USSD code. Raises ModemError when he does not, or the modem cannot."""
        if self._session is None or not self._open or self.state is not State.READY:
            raise NotNow(port=self.port, state=self.state)
        return await self._session.ussd.ask(code)

    async def say(self, text: str) -> str:
        """What the modem answers to a command of the console. Raises ConsoleRefused, NotNow and what `ask` raises."""
        command = console.command(text)
        if self._session is None or not self._open or self.state not in SENDING:
            raise NotNow(port=self.port, state=self.state)
        return await self._session.channel.ask(command)

    def said_last(self) -> str:
        """The last of the dialogue as a transcript, numbers and texts masked."""
        pieces, cut = self._transcript.snapshot()
        return render(pieces, cut, self._transcript_facts())

    def take_ladder(self, other: "Modem") -> None:
        """It is the same modem, back at another port: what brought it back has helped."""
        self.ladder, other.ladder = other.ladder, self.ladder

    # what technicians want

    async def pause(self) -> None:
        """End what is in the air, let go of the port and rest until `resume`."""
        self._paused = True
        await self._begin_anew()

    async def resume(self) -> None:
        self._paused = False
        await self._begin_anew()

    async def restart(self) -> None:
        """End what is in the air, close the port and start with it anew."""
        await self._begin_anew()

    async def reset(self) -> None:
        """End what is in the air and let the modem itself start anew (AT+CFUN=1,1)."""
        self._wanted = Rung.SOFT_RESET
        await self._begin_anew()

    async def new_pin(self, code: str) -> None:
        """Keep another PIN for its SIM and start anew with it: rule 7 holds for it as for the one in the settings."""
        pin.keep(self._settings.daemon.data, self._known_as, self.port, code)
        await self._begin_anew()

    async def settled(self, seconds: float) -> State:
        """Wait until it is ready or ill, or for so many seconds; the state that it is in then."""
        passing = (State.STARTING, State.RECOVERING, State.SILENT)
        try:
            async with asyncio.timeout(seconds):
                while self.state in passing or self.ladder.under_way is not None or self._wanted is not None:
                    self._moved.clear()
                    await self._moved.wait()
        except TimeoutError:
            log.debug("%s: still %s", self.name, self.state)
        return self.state

    async def _begin_anew(self) -> None:
        async with self._at_rest():
            if self.state is not State.ABSENT:
                self._move(State.STARTING, BY_TECHNICIAN)
            self._idle.clear()
            self._told.set()
            await self._idle.wait()

    @asynccontextmanager
    async def _at_rest(self) -> "AsyncIterator[None]":
        """Begin nothing new and wait for what is being said to it."""
        self._open = False
        if self._session is None or self._session.channel.gone.done():
            yield
        else:
            async with self._session.channel.hold():
                yield

    # life

    async def run(self) -> None:
        """Live until cancelled, whatever the modem does."""
        while True:
            attempt = asyncio.create_task(self._attempt(), name=f"attempt {self.name}")
            told = asyncio.create_task(self._told.wait(), name=f"told {self.name}")
            try:
                await asyncio.wait({attempt, told}, return_when=asyncio.FIRST_COMPLETED)
            finally:
                attempt.cancel()
                told.cancel()
                await asyncio.gather(attempt, told, return_exceptions=True)
            self._told.clear()
            self._idle.set()

    async def stop(self) -> None:
        """Wait for what is being said to it; begin nothing new."""
        async with self._at_rest():
            log.debug("%s: at rest", self.name)

    def port_came(self) -> None:
        """The port is there. One that comes and goes all the time is not hurried to."""
        self._plugged.set()
        if self.ladder.under_way is None and self._backoff.calm:
            self._told.set()

    def port_went(self, reason: Reason) -> None:
        """The port is gone."""
        self._plugged.clear()
        self._move(State.ABSENT, reason)
        if self.ladder.under_way is None:
            self._told.set()

    async def _attempt(self) -> None:
        """One session, and what follows its end: a rung of the ladder, or a rest."""
        try:
            pause = await self._live()
        except Exception as error:
            log.exception("%s: given up for now", self.name)
            pause = self._backoff.pause()
            if self.state is not State.PAUSED:
                self._move(State.QUARANTINED, Reason(f"an error in modemd: {error}", "OurError"))
                await self._keep_transcript()
        await asyncio.sleep(pause)

    async def _live(self) -> float:
        """From waiting for the port to losing it; seconds to rest."""
        if self._wanted is not None:
            await self._rescue(self._wanted)
        if not await self._port_is_there():
            return await self._climb(PortGone(port=self.port))
        began = asyncio.get_running_loop().time()
        try:
            await self._open_session()
        except ModemError as error:
            self._failed(error)
            await self._keep_transcript()
            return await self._after(error, asyncio.get_running_loop().time() - began)
        return 0.0

    async def _port_is_there(self) -> bool:
        """Wait for the port: for ever or, after a reset, for as long as its rung may take."""
        try:
            async with asyncio.timeout(self.ladder.seconds_left() if self.ladder.under_way is not None else None):
                await self._plugged.wait()
        except TimeoutError:
            return False
        return True

    async def _open_session(self) -> None:
        self._identity = Identity()
        known = await self._gateway.known(self)
        self._is_modem = self._is_modem or known.is_modem
        if self._paused or known.paused:
            raise ModemPaused(port=self.port)
        self.place = usb.place_of(self.port, self._sysfs)
        if self.state in (State.ABSENT, State.PAUSED):
            self._move(State.STARTING)
        self._session = session = Session(self, self._settings, self.condition, self._transcript, self._now)
        try:
            await session.run()
        finally:
            self._open = False

    async def _after(self, error: ModemError, seconds: float) -> float:
        """What to do when a session has ended with this error; how long to rest then."""
        if seconds > STEADY_SECONDS:
            self._backoff.reset()
        if isinstance(error, ModemPaused):
            await asyncio.Event().wait()  # until told
        if isinstance(error, NotAModem | CommandTimeout):
            return await self._climb(error)
        if self.ladder.seconds_left() > 0:
            return RETRY_SECONDS  # just after a reset anything may be said
        self.ladder.failed()
        return LONGEST_PAUSE_SECONDS if error.permanent else self._backoff.pause()

    async def _climb(self, error: ModemError) -> float:
        """The next rung for a modem that is silent; seconds to rest."""
        if self.ladder.under_way is not Rung.RESYNC and self.ladder.seconds_left() > RETRY_SECONDS:
            return RETRY_SECONDS  # it may still be starting
        rescue = self._make_rescue()
        ladder = self.ladder
        while (rung := ladder.climb(rescue.possible(self._is_modem))) is not None:
            if await self._rescue(rung) or ladder is not self.ladder:
                return 0.0
        rest = ladder.rest()
        if self._plugged.is_set():
            words = f"{Reason.of(error)}; nothing has helped: {PLUG_ANEW}"
            self._move(State.QUARANTINED, Reason(words, "NothingHelped", again_at=self._in(rest)))
        else:
            self._move(State.ABSENT, Reason(f"it was reset and has not come back: {PLUG_ANEW}", "NotComeBack"))
        return rest

    async def _rescue(self, rung: Rung) -> bool:
        """Do what the rung means; True when the port is there afterwards."""
        if self._wanted is not None:
            self.ladder.begin(rung)
            self._wanted = None
        rescue = self._make_rescue()
        if self.state in (State.SILENT, State.RECOVERING):
            self._move(State.RECOVERING, self._on_rung(rung, rescue.possible(self._is_modem)))
        log.warning("%s: %s", self.name, rung)
        await rescue.do(rung)
        return await self._port_is_there()

    def _on_rung(self, rung: Rung, possible: Collection[Rung]) -> Reason:
        """Which rung of how many it is on, and until when that may take."""
        rungs = [each for each in Rung if each in possible or each in (Rung.RESYNC, rung)]
        until = self._in(self.ladder.seconds_left())
        return Reason(rung, "OnRung", rung=rung, step=rungs.index(rung) + 1, of=len(rungs), until=until)

    def _in(self, seconds: float) -> str:
        return (self._now() + timedelta(seconds=math.ceil(seconds))).isoformat(timespec="seconds")

    def _make_rescue(self) -> Rescue:
        return Rescue(self.port, self._settings.bank, self._model, self.place, self._transcript)

    def _failed(self, error: ModemError) -> None:
        reason = Reason.of(error)
        if reason != self.reason and not isinstance(error, ModemPaused):
            log.warning("%s", error)
        if isinstance(error, ModemPaused):
            self._paused = True
            self._move(State.PAUSED, BY_TECHNICIAN)
        elif isinstance(error, PortGone | PortMissing):
            self._move(State.ABSENT, reason)
        elif isinstance(error, NotAModem | CommandTimeout):
            self._move(State.SILENT, reason)
        elif isinstance(error, SimChanged):
            self._move(State.STARTING, reason)
        else:
            self._move(State.QUARANTINED, reason)
            if isinstance(error, PukRequired):
                self.alert(AlertKind.PUK, reason)

    async def _keep_transcript(self) -> None:
        """Keep the last of the dialogue as a file, if the modem has failed and not just been unplugged."""
        in_the_air = self._session is not None and self._session.channel.sending
        if self.state is State.PAUSED or (self.state is State.ABSENT and not in_the_air):
            return
        facts = self._transcript_facts()
        path = await self._transcripts.keep(self.name, self._transcript, self._now(), self.reason or "", facts)
        if path is not None:
            log.info("%s: what was said last is in %s", self.name, path)

    def _transcript_facts(self) -> dict[str, object]:
        return {
            "port": os.path.basename(self.port),
            "manufacturer": self._known_as.manufacturer,
            "model": self._known_as.model,
            "firmware": self._known_as.firmware,
        }

    def _move(self, state: State, reason: Reason | None = None) -> None:
        self._life.move(self.name, state, reason)

    def _changed(self) -> None:
        self._moved.set()
        self._gateway.modem_changed(self)

    def _rung_tried(self, rung: Rung, helped: bool, seconds: float) -> None:
        log.warning("%s: %s %s after %.0f s", self.name, rung, "has helped" if helped else "has not helped", seconds)
        self._gateway.rung_tried(self, rung, helped, seconds)

    # what the session tells

    async def attentive(self) -> None:
        if self.state is not State.STARTING:
            self._move(State.STARTING)

    async def identified(self, found: Identity, model: Model) -> None:
        self._identity = self._known_as = found
        self._model, self._is_modem = model, True
        if (await self._gateway.known(self)).paused:
            raise ModemPaused(port=self.port)
        self._came_back(self)

    async def lined(self) -> None:
        await self._gateway.identified(self)

    async def pin_may_be_tried(self, sim: str, pin: str) -> bool:
        return await self._gateway.pin_may_be_tried(sim, pin)

    async def pin_accepted(self, sim: str, pin: str) -> None:
        await self._gateway.pin_accepted(sim, pin)

    async def recovering(self) -> None:
        self.ladder.begin(Rung.RESYNC)
        self._move(State.RECOVERING, self._on_rung(Rung.RESYNC, self._make_rescue().possible(self._is_modem)))
        await self._keep_transcript()

    def looked(self) -> None:
        if self.state in (State.SILENT, State.QUARANTINED):
            return
        self._open = True
        self.ladder.worked()
        self.alert(AlertKind.PUK, None)
        registered = self.condition.registered
        reason = None
        if not registered:
            reason = Reason(f"in no network ({self.registration})", "NoNetwork", registration=self.registration)
        self._move(State.READY if registered else State.UNREGISTERED, reason)
        self._changed()

    def silent(self, error: CommandTimeout) -> None:
        if self.state in SENDING:
            self._move(State.SILENT, Reason.of(error))

    def late_result(self, part_id: int, outcome: int | ModemError) -> None:
        self._gateway.late_result(self, part_id, outcome)

    def call_hung_up(self) -> None:
        self._gateway.call_hung_up(self)

    def alert(self, kind: AlertKind, text: str | None) -> None:
        self._gateway.alert(self, kind, text)

    # what the session's inbound hands over

    def storages_told(self, fills: Collection[Fill]) -> None:
        self.alert(AlertKind.STORAGE_FULL, self.condition.fill(fills))

    async def sms_received(self, received: Sequence[ReceivedSms]) -> None:
        await self._gateway.sms_received(self, received)

    async def status_reports_received(self, reports: Sequence[StatusReport]) -> None:
        await self._gateway.status_reports_received(self, reports)

    async def stored_deleted(self, received: Sequence[ReceivedSms]) -> None:
        await self._gateway.stored_deleted(self, received)
