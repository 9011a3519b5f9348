"""One line's sending: what is claimed for it waits here, most urgent first, and at most one part is in the air.

outbox.claim -> take -> mark_sending, COMMIT ┐
                        modem prepares its prompt ┴-> Ctrl-Z -> +CMGS -> sent | refused | in doubt
"""

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from modemd.config import SOFIA, Settings
from modemd.errors import CommandRefused, ModemdError, NotSent, SendInDoubt, VerbFailed
from modemd.messages import OutgoingSms
from modemd.modem.lifecycle import State
from modemd.modem.modem import Modem
from modemd.pdu import submit
from modemd.store import outbox
from modemd.store.ledger import Ledger

log = logging.getLogger(__name__)

AHEAD_SECONDS = 0.1  # what is claimed ahead keeps the line busy for this long: several commits' time
MOST_AHEAD = 16  # messages; what a kill sends back to the queue
HOLD_SECONDS = 0.5  # bulk waits this long at most for the answer to a question that has just come in


@dataclass
class Held:
    """A claimed message, encoded, with the parts that still have to leave."""

    claim: outbox.Claim
    parts: deque[OutgoingSms]
    begun: bool = False
    urgency: tuple[int, int] = field(init=False)

    def __post_init__(self) -> None:
        self.urgency = (self.claim.priority, self.claim.message_id)


class Quota:
    """Parts a minute and a day for one SIM (0 = no limit), counted from what the outbox says was sent."""

    def __init__(self, per_minute: int, per_day: int, sent: Sequence[datetime]) -> None:
        """`sent`: when the parts since midnight (Sofia) left, oldest first."""
        self.per_minute = per_minute
        self.per_day = per_day
        self._sent = deque(sent)

    def count(self, now: datetime) -> None:
        if self.per_minute or self.per_day:
            self._sent.append(now)

    def free_at(self, now: datetime) -> datetime:
        """The earliest moment at which the next part may leave."""
        midnight = now.astimezone(SOFIA).replace(hour=0, minute=0, second=0, microsecond=0)
        while self._sent and self._sent[0] < midnight:
            self._sent.popleft()
        if self.per_day and len(self._sent) >= self.per_day:
            return midnight + timedelta(days=1)
        if self.per_minute and len(self._sent) >= self.per_minute:
            return max(now, self._sent[-self.per_minute] + timedelta(minutes=1))
        return now


class Sender:
    """Sends what is claimed for one line through the modem that holds its SIM."""

    def __init__(
        self,
        modem: Modem,
        line_id: int,
        quota: Quota,
        ledger: Ledger,
        settings: Settings,
        now: Callable[[], datetime],
        on_room: Callable[[], None],
    ) -> None:
        """`on_room` is called when the line could take another message."""
        self.modem = modem
        self.line_id = line_id
        self._quota = quota
        self._ledger = ledger
        self._settings = settings
        self._now = now
        self._on_room = on_room
        self._held: list[Held] = []
        self._woken = asyncio.Event()
        self._answering = 0
        self._calm = asyncio.Event()
        self._calm.set()
        self._recorded: Awaitable[object] | None = None  # what became of the part before, on its way to the disk
        self._seconds_a_part = 1.0
        self._stopping = False
        self.in_the_air = False

    # what the dispatcher asks and gives

    def want(self) -> outbox.Want | None:
        """What this line could take now; when it is full, only what is more urgent than what it holds."""
        if self._stopping or self.modem.state is not State.READY or self._wait_for_quota() > 0:
            return None
        room = 1 + self._ahead() - len(self._held)
        if room > 0:
            return outbox.Want(self.line_id, room)
        least = max(held.urgency for held in self._held)[0]
        return outbox.Want(self.line_id, 1, least - 1) if least > 0 else None

    def take(self, claim: outbox.Claim) -> None:
        """Hold a message claimed for this line; when that is one too many, the least urgent returns to the queue."""
        self._held.append(Held(claim, deque(self._encode(claim))))
        self._held.sort(key=lambda held: held.urgency)
        waiting = [held for held in self._held if not held.begun]
        if len(self._held) > 1 + self._ahead() and waiting:
            self._give_back([waiting[-1]])
        self._woken.set()

    def wake(self) -> None:
        """The modem's state has changed: begin again, or give everything back."""
        if self.modem.state is not State.READY:
            self._give_back([held for held in self._held if not held.begun])
        self._woken.set()

    def question_came(self) -> None:
        """Bulk waits a moment: the answer to what has just been announced shall go first."""
        self._answering += 1
        self._calm.clear()

    def question_settled(self) -> None:
        self._answering -= 1
        if self._answering == 0:
            self._calm.set()

    # the pump

    async def run(self) -> None:
        """Send until cancelled. A broken part is logged and never stops the line."""
        while not self._stopping:
            held = await self._next()
            try:
                await self._send(held)
            except Exception:
                log.exception("%s: part of message %s", self.modem.name, held.claim.message_id)
                self._drop(held)

    async def stop(self) -> None:
        """Begin nothing more and give back what is only claimed; what is in the air goes on in `run`."""
        self._stopping = True
        self._give_back([held for held in self._held if not held.begun])
        self._woken.set()

    async def _next(self) -> Held:
        while True:
            self._woken.clear()
            if self._held and self.modem.state is State.READY and not self._stopping:
                pause = self._wait_for_quota()
                if pause == 0:
                    await self._let_answers_pass()
                    if self._held and self.modem.state is State.READY:
                        return self._held[0]
                    continue
                self._give_back([held for held in self._held if not held.begun])
                await self._sleep(pause)
            else:
                await self._sleep(None)

    async def _sleep(self, seconds: float | None) -> None:
        try:
            await asyncio.wait_for(self._woken.wait(), seconds)
        except TimeoutError:
            self._on_room()

    async def _let_answers_pass(self) -> None:
        if not self._calm.is_set() and self._held[0].claim.priority > 0:
            try:
                await asyncio.wait_for(self._calm.wait(), HOLD_SECONDS)
            except TimeoutError:
                log.debug("%s: the answer is not there yet, bulk goes on", self.modem.name)

    async def _send(self, held: Held) -> None:
        part = held.parts[0]
        held.begun = True
        marked = self._ledger.batch(outbox.mark_sending, outbox.Sending(part.part_id, self.line_id, self._now()))
        committed = asyncio.ensure_future(self._both(marked, self._recorded))
        began = asyncio.get_running_loop().time()
        self.in_the_air = True
        try:
            reference = await self.modem.send(part, committed)
        except NotSent as error:
            await self._not_sent(held, part, committed, error)
        except CommandRefused as error:
            self._recorded = self._refused(held, part, error)
            self._drop(held)
        except SendInDoubt as error:
            log.warning("message %s: in doubt: %s", held.claim.message_id, error)
            self._recorded = self._ledger.batch(outbox.doubt, outbox.Doubt(part.part_id, self._now()))
            self._drop(held)
        else:
            self._recorded = self._ledger.batch(outbox.sent, outbox.Sent(part.part_id, reference, self._now()))
            self._seconds_a_part += 0.2 * (asyncio.get_running_loop().time() - began - self._seconds_a_part)
            self._quota.count(self._now())
            held.parts.popleft()
            if not held.parts:
                self._drop(held)
        finally:
            self.in_the_air = False

    @staticmethod
    async def _both(marked: Awaitable[object], recorded: Awaitable[object] | None) -> None:
        """Rule 2, and that at most one part a line is in doubt: the fate of the part before is on the disk too."""
        await marked
        if recorded is not None:
            await recorded

    async def _not_sent(
        self, held: Held, part: OutgoingSms, committed: asyncio.Future[None], error: ModemdError
    ) -> None:
        log.info("message %s: not sent: %s", held.claim.message_id, error)
        self._drop(held)
        try:
            await committed
        except VerbFailed:
            return  # it was not marked: cancelled or taken back meanwhile
        await self._ledger.batch(outbox.not_sent, outbox.NotSentPart(part.part_id, self._now()))

    def _refused(self, held: Held, part: OutgoingSms, error: CommandRefused) -> Awaitable[object]:
        now = self._now()
        kind = getattr(self._settings.kinds, held.claim.kind)
        final = error.permanent or held.claim.attempts + 1 >= kind.max_attempts
        log.warning("message %s: %s: %s", held.claim.message_id, "failed" if final else "tried again later", error)
        retry_at = None if final else now + timedelta(seconds=30 * 2**held.claim.attempts)
        return self._ledger.batch(outbox.refused, outbox.Refused(part.part_id, str(error), retry_at, now))

    # small things

    def _encode(self, claim: outbox.Claim) -> list[OutgoingSms]:
        validity = max(claim.expires_at - self._now(), timedelta(minutes=5))
        encoded = submit.encode_message(
            claim.recipient, claim.text, concat_reference=claim.message_id % 256, validity=validity
        )
        return [
            OutgoingSms(
                part_id,
                claim.message_id,
                claim.kind,
                claim.priority,
                encoded[number - 1].length,
                encoded[number - 1].pdu,
            )
            for part_id, number in claim.open_parts
        ]

    def _ahead(self) -> int:
        return min(MOST_AHEAD, max(1, round(AHEAD_SECONDS / max(self._seconds_a_part, 0.001))))

    def _wait_for_quota(self) -> float:
        now = self._now()
        return (self._quota.free_at(now) - now).total_seconds()

    def _drop(self, held: Held) -> None:
        if held in self._held:
            self._held.remove(held)
        self._on_room()

    def _give_back(self, returned: list[Held]) -> None:
        if returned:
            self._held = [held for held in self._held if held not in returned]
            self._ledger.post(outbox.release, [held.claim.message_id for held in returned])
