"""A transcript turned back into a modem."""

import re
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from random import Random
from typing import Final

from modemd.sim import models
from modemd.sim.clock import Clock, Timer
from modemd.sim.identity import Identity
from modemd.sim.models import Model
from modemd.sim.modem import Modem
from modemd.sim.network import Network
from modemd.sim.recording import Recording
from modemd.sim.story import ENDED, Reaction, Story

MOST_UNHEARD: Final = 4096  # octets of a line that does not end
# Settings that the simulated modem behind takes over too, so that it announces messages when it takes the word again.
_SETTING = re.compile(rb"AT(?:E|\+(?:CMEE|CNMI|CSMS|CPMS|CMGF|CREG)=)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Replay:
    """`pace`: of the recorded pauses; 1 as they were, 0.1 a tenth of them, 0 none."""

    recording: Recording
    pace: float = 1.0


def model_of(recording: Recording) -> Model:
    """The row nearest to what the transcript says of its modem; what it says by itself is in the transcript."""
    maker, model = recording.facts.get("manufacturer", ""), recording.facts.get("model", "")
    rows = [*models.MODELS.values()]
    near = [row for row in rows if row.model == model] or [row for row in rows if maker and row.manufacturer == maker]
    return replace((near or [models.find("generic")])[0], boot_lines=(), chatter=(), hush="")


class ReplayedModem(Modem):
    """Answers as the transcript has it; what the transcript knows nothing of, a simulated modem of its model answers.

    After the transcript's last line the modem stays as it was then: silent if it was silent, else a simulated one.
    """

    def __init__(
        self,
        name: str,
        identity: Identity,
        replay: Replay,
        network: Network,
        clock: Clock,
        random: Random,
        *,
        hang_up: Callable[[float, str], None],
    ) -> None:
        """`hang_up(seconds, name)` as for a Modem."""
        self._story = Story(replay.recording)
        self._pace = replay.pace
        self._heard = b""
        self._due: deque[Reaction] = deque()
        self._timer: Timer | None = None
        self._mute = False  # the simulated modem is told something that the transcript answers
        self._plugged = False
        super().__init__(name, identity, model_of(replay.recording), network, clock, random, hang_up=hang_up)
        self.settings.values["+CMEE"] = 1

    def connect(self, write: Callable[[bytes], None]) -> None:
        self._plugged = True
        super().connect(lambda data: None if self._mute else write(data))
        opening, self._story.opening = self._story.opening, []
        self._react(opening)

    def power_on(self) -> None:
        super().power_on()
        self.settings.values["+CMEE"] = 1

    def power_off(self) -> None:
        self._plugged = False
        super().power_off()

    def received(self, data: bytes) -> None:
        """Take bytes that the program wrote, cut anywhere."""
        self._heard += data
        while found := ENDED.match(self._heard):
            self._heard = self._heard[found.end() :]
            self._take(found[0])
        self._heard = self._heard[-MOST_UNHEARD:]

    def _take(self, request: bytes) -> None:
        self._hurry()
        if not self._plugged:
            return
        reactions = None if self.at_prompt else self._story.answer(request)
        if reactions is None:
            super().received(request)
            return
        if _SETTING.match(request.strip()):
            self._mute = True
            super().received(request)
            self._mute = False
        self._react(reactions)

    def _react(self, reactions: Sequence[Reaction]) -> None:
        self._due.extend(reactions)
        self._wait_for_next()

    def _wait_for_next(self) -> None:
        while self._due and not self._due[0].pause * self._pace:
            self._do(self._due.popleft())
        if self._due:
            self._timer = self.clock.call_later(self._due[0].pause * self._pace, self._next_is_due)

    def _next_is_due(self) -> None:
        self._do(self._due.popleft())
        self._wait_for_next()

    def _hurry(self) -> None:
        """A daemon that asks sooner than the recorded one hears first what that one heard before it asked."""
        if self._timer is not None:
            self._timer.cancel()
        while self._due:
            self._do(self._due.popleft())

    def _do(self, reaction: Reaction) -> None:
        if reaction.octets is not None:
            self._output.send(reaction.octets)
        else:
            self.unplug(reaction.back_after * self._pace)

    def _start_over(self) -> None:
        super()._start_over()
        if self._timer is not None:
            self._timer.cancel()
        self._due.clear()
        self._heard = b""
        self._echo = False  # what the transcript has of an echo is in it
