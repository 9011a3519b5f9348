"""A port and its dialogue: one command at a time, each with its time limit, and back into step after a time-out."""

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from modemd.at import commands
from modemd.at.commands import Command, Replies
from modemd.at.dialogue import ESCAPE, Answer, Dialogue, DialogueState, Event, LateResult, Prompted, Stray
from modemd.at.results import Final
from modemd.at.urc import Urc
from modemd.errors import CommandRefused, CommandTimeout, ModemError, NotSent, PortGone, SendInDoubt
from modemd.messages import OutgoingSms
from modemd.modem.port import Port, open_port
from modemd.modem.transcript import Transcript
from modemd.modem.turn import Turn

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

log = logging.getLogger(__name__)

T = TypeVar("T")

QUIET_SECONDS = 0.3  # no byte for this long: the modem has said all it had to say
CHATTER_ROUNDS = 10  # of QUIET_SECONDS, for a modem that never stops talking
ATTEMPTS = 5  # AT written this often before the modem counts as silent
FIRST_ATTEMPT_SECONDS = 0.5  # for the answer to the first AT; doubled for each further one up to command_timeout
REST_SECONDS = 0.5  # after an answer to Ctrl-Z; in a campaign the next part is under way by then
MORE_TIME = 10  # times that a command's limit begins anew while its answer keeps coming


@dataclass(slots=True)
class _Patience:
    """With which the answer to a command is waited for."""

    command: Command[Any]
    seconds: float
    lines: int = 0  # of the answer, when time was up last
    times: int = MORE_TIME  # that it may begin anew


class Channel:
    """What is said to one modem, and what it says. Made by `open_channel`."""

    def __init__(
        self,
        path: str,
        command_seconds: float,
        send_seconds: float,
        transcript: Transcript,
        *,
        urc_received: Callable[[Urc], None],
        late_result: Callable[[int, int | ModemError], None],
        silence_heard: Callable[[CommandTimeout], None],
    ) -> None:
        """`silence_heard` is called at each time-out, before the one who waited hears of it."""
        self.path = path
        self._command_seconds = command_seconds
        self._send_seconds = send_seconds
        self._transcript = transcript
        self._urc_received = urc_received
        self._late_result = late_result
        self._silence_heard = silence_heard
        self._loop = asyncio.get_running_loop()
        self._dialogue = Dialogue()
        self._turn = Turn()
        self._waiting: asyncio.Future[Any] | None = None
        self._patience: _Patience | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._deadline = 0.0  # of what is waited for, in the loop's time
        self._strays: deque[Stray] = deque(maxlen=64)  # what came while out of step
        self._heard = 0  # how often the modem has said anything
        self._has_fence = True
        self._rests_from = float("-inf")
        self._cut_short: Replies = ()  # the lines of an answer whose end never came
        self._port: Port | None = None
        self.gone: asyncio.Future[PortGone] = self._loop.create_future()

    async def open(self, baud_rate: int) -> None:
        """Raises what `open_port` raises. Nothing is in step yet: call `synchronise`."""
        self._port = await open_port(self.path, baud_rate, self)
        self._dialogue.abandon()

    async def close(self) -> None:
        if self._port is not None:
            await self._port.close()
            self._end(PortGone(port=self.path))

    def pause(self) -> None:
        if self._port is not None:
            self._port.pause()

    def resume(self) -> None:
        if self._port is not None:
            self._port.resume()

    @property
    def in_step(self) -> bool:
        return self._dialogue.state is not DialogueState.DESYNCED

    @property
    def sending(self) -> bool:
        """Whether a part is under way, or was a moment ago."""
        return self._loop.time() < self._rests_from

    @property
    def rests_from(self) -> float:
        """When the modem is at rest unless a next part comes, in the loop's time; inf while one is under way."""
        return self._rests_from

    @asynccontextmanager
    async def hold(self, *, urgent: bool = True) -> "AsyncIterator[None]":
        """Wait for the turn and keep it: nobody else speaks meanwhile."""
        await self._turn.take(urgent=urgent)
        try:
            yield
        finally:
            self._turn.give()

    # commands

    async def ask(self, command: Command[T], *, urgent: bool = False, holding: bool = False) -> T:
        """Say the command when its turn comes, and give its parsed answer. `holding`: the caller holds the turn.

        Raises CommandRefused, CommandTimeout, PortGone.
        """
        if not holding:
            async with self.hold(urgent=urgent):
                return await self.ask(command, holding=True)
        if not self.in_step:
            await self._synchronise()
        self._begin(command)
        answer: Answer = await self._answer(command, command.seconds or self._command_seconds)
        if not answer.final.ok:
            raise self._refused(str(command), answer.final)
        return command.parse(answer.replies)

    async def submit(self, part: OutgoingSms, committed: Awaitable[object]) -> int:
        """Send one part; gives TP-MR. `committed` is awaited between the prompt and the PDU (rule 2).

        Raises NotSent, CommandRefused, SendInDoubt.
        """
        command = commands.submit(part.length, self._send_seconds)
        await self._turn.take(urgent=False)
        try:
            try:
                refusal = await self._prompt(command, part)
            except (CommandTimeout, PortGone) as error:
                raise NotSent(port=self.path, reason=str(error)) from error
            if refusal is not None:
                raise self._refused("AT+CMGS", refusal)
            await self._commit(committed)
            if self.gone.done():
                raise NotSent(port=self.path, reason="the modem hung up")
            if self._dialogue.state is not DialogueState.WAITING_PROMPT:
                raise NotSent(port=self.path, reason="the modem left its prompt")
            return await self._hand_over(command, part)
        finally:
            self._rests_from = min(self._rests_from, self._loop.time() + REST_SECONDS)
            self._turn.give()

    async def _prompt(self, command: Command[int | None], part: OutgoingSms) -> Final | None:
        """Ask for the prompt. None: it is there."""
        if not self.in_step:
            await self._synchronise()
        self._begin(command, part.part_id)
        event = await self._answer(command, self._command_seconds)
        return event.final if isinstance(event, Answer) else None

    async def _commit(self, committed: Awaitable[object]) -> None:
        try:
            await committed
        except asyncio.CancelledError:
            self._give_up()
            raise
        except Exception as error:  # whatever kept it from the disk: without that nothing may be sent
            self._give_up()
            raise NotSent(port=self.path, reason=f"not committed: {error}") from error

    async def _hand_over(self, command: Command[int | None], part: OutgoingSms) -> int:
        self._write(self._dialogue.body(part.pdu))
        self._rests_from = float("inf")
        replies: Replies = ()
        try:
            answer = await self._answer(command, self._send_seconds)
            if not answer.final.ok:
                raise self._refused("AT+CMGS", answer.final)
            replies, doubt = answer.replies, "the modem said OK without a reference"
        except (CommandTimeout, PortGone) as error:
            replies, doubt = self._cut_short, str(error)  # its +CMGS may have come, and only the OK was lost
        reference = command.parse(replies)
        if reference is None:
            raise SendInDoubt(port=self.path, reason=doubt)
        return reference

    def _refused(self, command: str, final: Final) -> CommandRefused:
        return CommandRefused(
            port=self.path,
            command=command,
            result=str(final),
            advice=final.cause,
            permanent=final.cause.permanent,
            result_code=None if final.code is None else f"{final.family}{final.code}",
        )

    # back into step

    async def synchronise(self) -> None:
        """ESC, then AT until quiet, dropping what comes (rule 5). Raises CommandTimeout, PortGone."""
        async with self.hold():
            if not self.in_step:
                await self._synchronise()

    async def _synchronise(self) -> None:
        self._write(ESCAPE)
        for attempt in range(ATTEMPTS):
            self._say_out_of_step(commands.ATTENTION)
            stray = await self._stray(min(self._command_seconds, FIRST_ATTEMPT_SECONDS * 2**attempt))
            if stray is None or not await self._quiet() or not stray.final.ok:
                continue
            if not self._has_fence or await self._fence():
                self._dialogue.resume()
                return
        silence = CommandTimeout(
            port=self.path, command="AT", seconds=f"{ATTEMPTS} attempts of {self._command_seconds:g}"
        )
        self._silence_heard(silence)
        raise silence

    async def _fence(self) -> bool:
        """Ask what only this question is answered by; what comes before it is an answer to something older.

        False: no answer at all. An emulator that says nothing to what it does not know, or OK to everything, gets no
        fence again.
        """
        self._say_out_of_step(commands.FENCE)
        deadline = self._loop.time() + self._command_seconds
        answered = False
        while (stray := await self._stray(deadline - self._loop.time())) is not None:
            answered = True
            if not stray.final.ok or commands.FENCE.parse(stray.replies):
                return True
        self._has_fence = False
        return answered

    def _say_out_of_step(self, command: Command[Any]) -> None:
        self._strays.clear()
        self._begin(command)

    async def _stray(self, seconds: float) -> Stray | None:
        """The next final result, whatever it answers; None when none comes."""
        if not self._strays:
            waiting = self._waiting = self._loop.create_future()
            try:
                async with asyncio.timeout(seconds):
                    await waiting
            except TimeoutError:
                return None
            finally:
                self._waiting = None
        return self._strays.popleft()

    async def _quiet(self) -> bool:
        """Wait until the modem has nothing more to say; True even for one that never stops chattering."""
        for _ in range(CHATTER_ROUNDS):
            heard = self._heard
            await asyncio.sleep(QUIET_SECONDS)
            if heard == self._heard:
                break
        return not self.gone.done()

    # waiting

    def _begin(self, command: Command[Any], part_id: int | None = None) -> None:
        if self.gone.done():  # in the midst of a command, which the dialogue still waits for
            raise PortGone(port=self.path)
        self._write(self._dialogue.ask(command, part_id=part_id))

    def _write(self, data: bytes) -> None:
        if self.gone.done() or self._port is None:
            raise PortGone(port=self.path)
        self._say(data, self._port)

    def _say(self, data: bytes, port: Port) -> None:
        self._transcript.said(data)
        port.write(data)

    async def _answer(self, command: Command[Any], seconds: float) -> Any:
        """Answer, or Prompted. Out of step afterwards when it raises CommandTimeout or is cancelled."""
        waiting = self._waiting = self._loop.create_future()
        self._patience = _Patience(command, seconds)
        self._wait_until(self._loop.time() + seconds)
        try:
            return await waiting
        except asyncio.CancelledError:
            self._give_up()
            raise
        finally:
            self._waiting = self._patience = None

    def _wait_until(self, deadline: float) -> None:
        """Have `_time_is_up` called then. A timer that rings before stays: to cancel one for each answer costs more."""
        self._deadline = deadline
        if self._timer is not None:
            if self._timer.when() <= deadline:
                return
            self._timer.cancel()
        self._timer = self._loop.call_at(deadline, self._ring)

    def _ring(self) -> None:
        self._timer = None
        if self._patience is None:
            return
        if self._loop.time() < self._deadline:
            self._wait_until(self._deadline)
        else:
            self._time_is_up(self._patience)

    def _time_is_up(self, patience: "_Patience") -> None:
        waiting, had = self._waiting, len(self._dialogue.replies)
        if waiting is None or waiting.done():
            return
        if had > patience.lines and patience.times:  # a long listing on a slow line
            patience.lines, patience.times = had, patience.times - 1
            self._wait_until(self._loop.time() + patience.seconds)
            return
        self._give_up()
        error = CommandTimeout(port=self.path, command=patience.command, seconds=f"{patience.seconds:g}")
        self._silence_heard(error)
        waiting.set_exception(error)

    def _give_up(self) -> None:
        self._cut_short = tuple(self._dialogue.replies)
        escape = self._dialogue.abandon()
        if self._port is not None:
            self._say(escape, self._port)

    # what the port says

    def bytes_received(self, data: bytes) -> None:
        self._heard += 1
        self._transcript.heard(data)
        events = self._dialogue.receive(data)
        for event in events:
            self._take(event)
        if self._port is not None and any(isinstance(event, Prompted) and not event.expected for event in events):
            self._say(ESCAPE, self._port)  # it would take our next command for a text; once, however many there are

    def port_gone(self, error: PortGone) -> None:
        self._transcript.hung_up()
        self._end(error)

    def _end(self, error: PortGone) -> None:
        if self.gone.done():
            return
        self.gone.set_result(error)
        if self._timer is not None:
            self._timer.cancel()
        self._cut_short = tuple(self._dialogue.replies)
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_exception(error)

    def _take(self, event: Event) -> None:
        if isinstance(event, Urc):
            self._urc_received(event)
        elif isinstance(event, Answer) or (isinstance(event, Prompted) and event.expected):
            self._wake(event)
        elif isinstance(event, Stray):
            self._strays.append(event)
            if not self.in_step:
                self._wake(None)
        elif isinstance(event, LateResult):
            outcome = event.outcome
            known = self._refused("AT+CMGS", outcome) if isinstance(outcome, Final) else outcome
            self._late_result(event.part_id, known)

    def _wake(self, result: Answer | Prompted | None) -> None:
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_result(result)
