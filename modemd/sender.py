"""One line's sending: what is claimed for it waits here, most urgent first, and at most one part is in the air.

outbox.claim -> take -> mark_sending, COMMIT ┐
                        modem prepares its prompt ┴-> Ctrl-Z -> +CMGS -> sent | refused | in doubt
"""

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta

from sqlalchemy import Connection

from modemd.config import ANSWERS, Limits, Settings
from modemd.errors import (
    Because,
    CommandRefused,
    LeavesLater,
    ModemdError,
    NoLongerTrue,
    NotAPhone,
    NotSent,
    SendInDoubt,
    TextError,
    VerbFailed,
)
from modemd.held import Held, encoded
from modemd.messages import OutgoingSms
from modemd.modem.lifecycle import State
from modemd.modem.way import Way
from modemd.quota import Quota
from modemd.stagger import Stagger
from modemd.store import outbox
from modemd.store.ledger import Ledger
from modemd.store.switch import Allowed

log = logging.getLogger(__name__)

AHEAD_SECONDS = 0.4  # what is claimed ahead keeps the line busy for this long: several ticks
LAST = 9  # the priority that leaves last
MOST_AHEAD = 256  # messages; what a kill sends back to the queue
SOON_SECONDS = 0.5  # what is held is gone by then, and the next claim brings what is urgent
CLAIM_TICK = 0.1  # s; lines that still hold something claim at the same ticks: one transaction for all of them
FIRST_RETRY = timedelta(seconds=30)  # after a refusal that may pass; doubled each time
PAUSE_SECONDS = 1.0  # after an error of ours, so that one that stays does not fill the log
Mark = Callable[[Connection, Sequence[outbox.Sending], datetime, str], Sequence[None]]
HOLD_SECONDS = 0.5  # bulk waits this long at most for the answer to a question that has just come in


class Sender:
    """Sends through the modem that holds one line's SIM what it claims for that line."""

    def __init__(
        self,
        modem: Way,
        line_id: int,
        quota: Quota,
        ledger: Ledger,
        settings: Settings,
        now: Callable[[], datetime],
        marks: Mapping[str, Mark] | None = None,
        stagger: Stagger | None = None,
    ) -> None:
        """`marks`: by kind, what marks a part in place of `outbox.turn` and may still say no (rule 10).

        `stagger`: shared with the host's other lines.
        """
        self.modem = modem
        self.line_id = line_id
        self._quota = quota
        self._ledger = ledger
        self._settings = settings
        self._host = settings.daemon.name
        self._lease = timedelta(seconds=settings.daemon.lease_seconds)
        self._now = now
        self._marks = marks or {}
        self._stagger = stagger or Stagger()
        self._bulk_share = 1.0  # of the line's time
        self._bulk_from = 0.0  # on the loop's clock
        self._held: list[Held] = []
        self._claiming = asyncio.Lock()
        self._nothing_up_to = -1  # the queue holds nothing for us of this priority or a more urgent one
        self._look = asyncio.Event()
        self._woken = asyncio.Event()
        self._answering = 0
        self._calm = asyncio.Event()
        self._calm.set()
        self._allowed = Allowed.ALL
        self._prefers: tuple[str, ...] = ()
        self._leaves: tuple[str, ...] = ()
        self._answers_up_to = max(getattr(settings.kinds, kind).priority for kind in ANSWERS)
        self._seconds_a_part = 1.0
        self._took = 0.0  # s that the last part took; 0.0: there was none
        self._next_reference: int | None = None
        self._stopping = False

    # from the gateway

    def queue_changed(self) -> None:
        """There may be something to claim, or something more urgent than what is held."""
        self._nothing_up_to = -1
        self._look.set()

    def modem_changed(self) -> None:
        """The modem's state has changed: begin again, or give everything back."""
        if self.modem.state is not State.READY:
            self._give_back_all()
        self._woken.set()
        self.queue_changed()

    def allow(self, allowed: Allowed) -> None:
        """The switch has moved (rule 13)."""
        if allowed is not self._allowed:
            self._allowed = allowed
            self._woken.set()
            self.queue_changed()

    def limit(self, limits: Limits) -> None:
        """The line may send so much from now on."""
        if limits != self._quota.limits:
            self._quota.limits = limits
            self._woken.set()
            self.queue_changed()

    def prefer(self, prefers: tuple[str, ...], leaves: tuple[str, ...]) -> None:
        """Leave recipients that begin with one of `leaves`, and not of `prefers`, to other lines."""
        if (prefers, leaves) != (self._prefers, self._leaves):
            self._prefers, self._leaves = prefers, leaves
            self.queue_changed()

    def slow_bulk(self, share: float) -> None:
        """Bulk takes this share of the line's time; the rest of it the line is free for answers."""
        self._bulk_share = share

    def may_send(self) -> bool:
        """Whether any message at all could leave through the line now."""
        return self._permitted(self._now()) is Allowed.ALL

    def question_came(self) -> None:
        """Bulk waits a moment: the answer to what has just come in shall go first."""
        self._answering += 1
        self._calm.clear()

    def question_settled(self) -> None:
        self._answering -= 1
        if self._answering == 0:
            self._calm.set()

    def want_answer(self) -> outbox.Want | None:
        """What to claim together with an answer that is being written; None: nothing could leave now."""
        now = self._now()
        permitted = self._permitted(now)
        if permitted is Allowed.NONE:
            return None
        return outbox.Want(self.line_id, 1, self._settings.kinds.reply.priority, permitted is Allowed.ANSWERS)

    def take(self, claims: Sequence[outbox.Claim]) -> None:
        """Hold what was claimed for this line."""
        for claim in claims:
            self._take(claim)

    async def _claim_now(self) -> None:
        """Claim what there is for this line; returns when it is here."""
        async with self._claiming:
            while (want := self._want()) is not None:
                self._nothing_up_to = want.max_priority  # unless the queue changes while we ask
                claims = await self._ledger.batch(outbox.claim, want, self._host, self._lease)
                self.take(claims)
                if len(claims) == want.count:
                    self._nothing_up_to = -1

    # its two pumps

    async def run(self) -> None:
        """Claim and send until `stop`, whatever goes wrong; then return once nothing is in the air."""
        claiming = asyncio.get_running_loop().create_task(self._claim(), name=f"claim {self.modem.name}")
        try:
            while not self._stopping:
                try:
                    await self._send_next()
                except Exception:
                    log.exception("%s: sending goes on in %s s", self.modem.name, PAUSE_SECONDS)
                    await asyncio.sleep(PAUSE_SECONDS)
        finally:
            claiming.cancel()
            await asyncio.gather(claiming, return_exceptions=True)

    async def _send_next(self) -> None:
        held = await self._next()
        if held is None:
            return
        part = held.parts[0]
        try:
            await self._send(held)
        except Exception:
            log.exception("%s: message %s", self.modem.name, held.claim.message_id)
            self._drop(held)
            # Each on its own, after the mark: if that is on the disk, the part may be on its way.
            await self._ledger.do(outbox.doubt, [part.part_id], self._now())
            await self._ledger.do(outbox.release, [held.claim.message_id], self._now(), self._host)

    def stop(self) -> None:
        """Begin nothing more and give back what is only claimed; `run` returns when what is in the air is settled."""
        self._stopping = True
        self._give_back_all()
        self._woken.set()

    async def _claim(self) -> None:
        while True:
            await self._look.wait()
            if self._held:
                await asyncio.sleep(CLAIM_TICK - asyncio.get_running_loop().time() % CLAIM_TICK)
            self._look.clear()
            try:
                await self._claim_now()
            except Exception:
                log.exception("%s: claiming failed; tried again in a while", self.modem.name)

    def _permitted(self, now: datetime) -> Allowed:
        """What may leave at this moment: by the modem, the switch, and what is left of the quota."""
        if self._stopping or self.modem.state is not State.READY or self._allowed is Allowed.NONE:
            return Allowed.NONE
        everything = self._allowed is Allowed.ALL and not self.modem.answers_only
        if everything and self._quota.free_at(now, answer=False) <= now:
            return Allowed.ALL
        return Allowed.ANSWERS if self._quota.free_at(now, answer=True) <= now else Allowed.NONE

    def _want(self) -> outbox.Want | None:
        """What this line could take now; while it has more than half, only what is more urgent than what it holds."""
        now = self._now()
        permitted = self._permitted(now)
        if permitted is Allowed.NONE:
            return None
        full = 1 + self._ahead()
        room = full - len(self._held)
        most = LAST if 2 * room >= full else self._held[-1].claim.priority - 1
        if most < LAST and self._seconds_a_part * len(self._held) < SOON_SECONDS:
            return None
        answers = permitted is Allowed.ANSWERS
        if answers:
            most = min(most, self._answers_up_to)
        if most <= self._nothing_up_to:
            return None
        return outbox.Want(
            self.line_id,
            max(room, 1),
            most,
            answers,
            prefers=self._prefers,
            leaves=self._leaves,
            burden=self._quota.burden(now),
        )

    def _take(self, claim: outbox.Claim) -> None:
        """Hold a message claimed for this line; when that is one too many, the least urgent returns to the queue."""
        only_to = self._settings.daemon.only_to
        if only_to and claim.recipient not in only_to:  # rule 13
            skip = outbox.Skip(claim.message_id, Because("[daemon] only_to does not name this number"))
            self._ledger.post(outbox.skip, skip)
            return
        if not self._held:
            self._bulk_from = max(self._bulk_from, self._stagger.start_at())
        try:
            self._held.append(encoded(claim, self._now()))
        except (NotAPhone, TextError) as error:
            self._ledger.post(outbox.skip, outbox.Skip(claim.message_id, str(error)))
            return
        self._held.sort(key=lambda held: held.urgency)
        if self._stopping or self.modem.state is not State.READY:
            self._give_back_all()
        elif len(self._held) > 1 + self._ahead() and not self._held[-1].begun:
            self._give_back([self._held[-1]])
        self._woken.set()

    async def _next(self) -> Held | None:
        """The most urgent message that may leave now; None when stopping."""
        while not self._stopping:
            self._woken.clear()
            permitted = self._permitted(self._now())
            if permitted is not Allowed.ALL:
                await self._return([held for held in self._held if not permitted.permits(held.claim.kind)])
            if not self._held:
                await self._sleep(self._until_free())
                continue
            if (rest := self._rest()) > 0:
                await self._pause(rest)
                continue
            await self._let_answers_pass()
            if self._held and self._permitted(self._now()).permits(self._held[0].claim.kind):
                return self._held[0]
        return None

    def _rest(self) -> float:
        """Seconds that the line is still left free for answers, or until its turn comes."""
        if self._held[0].claim.priority <= self._answers_up_to:
            return 0.0
        return self._bulk_from - asyncio.get_running_loop().time()

    def _until_free(self) -> float | None:
        """Seconds until the quota lets something more leave; None when it is not the quota that we wait for."""
        now = self._now()
        free = (self._quota.free_at(now, answer=answer) for answer in (False, True))
        return min(((at - now).total_seconds() for at in free if at > now), default=None)

    async def _sleep(self, seconds: float | None) -> None:
        try:
            await asyncio.wait_for(self._woken.wait(), seconds)
        except TimeoutError:
            self.queue_changed()

    async def _pause(self, seconds: float) -> None:
        """Wait until woken, or for so many seconds; a timer alone costs less than `wait_for`."""
        timer = asyncio.get_running_loop().call_later(seconds, self._woken.set)
        await self._woken.wait()
        timer.cancel()

    async def _let_answers_pass(self) -> None:
        """Bulk waits a moment for the answers to what the modem has announced, or has brought in already."""
        if self._held[0].claim.priority > 0 and (self.modem.has_messages or not self._calm.is_set()):
            try:
                async with asyncio.timeout(HOLD_SECONDS):
                    await self.modem.messages_taken_in()
                    await self._calm.wait()
            except TimeoutError:
                log.debug("%s: the answer is not there yet, bulk goes on", self.modem.name)

    async def _send(self, held: Held) -> None:
        part = held.parts[0]
        held.begun = True
        # The ledger keeps the order: when this mark is on the disk, so is what became of the part before (rule 11).
        mark = self._marks.get(held.claim.kind, outbox.turn)
        sending = outbox.Sending(part.part_id, self.line_id, self._next_reference, part.message_id)
        committed = self._ledger.batch(mark, sending, self._host)
        began = asyncio.get_running_loop().time()
        try:
            reference = await self.modem.send(part, committed)
        except NotSent as error:
            await self._not_sent(held, part, committed, error)
        except CommandRefused as error:
            self._drop(held)
            if await self._is_marked(held, committed):
                self._refused(held, part, error)
        except SendInDoubt as error:
            log.warning("message %s: in doubt: %s", held.claim.message_id, error)
            self._ledger.post(outbox.doubt, part.part_id)
            self._quota.count(self._now())
            self._drop(held)
        else:
            await self._sent(held, part, reference, asyncio.get_running_loop().time() - began)

    async def _sent(self, held: Held, part: OutgoingSms, reference: int, took: float) -> None:
        def write() -> asyncio.Future[None]:
            ended = outbox.Sent(part.part_id, reference, part.message_id, self.line_id)
            written = self._ledger.batch(outbox.turn, ended, self._host)
            written.add_done_callback(_log_failure)
            return written

        if held.claim.priority > self._answers_up_to:
            # It waits, so that it is on the disk together with the mark of the next part, which comes right after it.
            await self._stagger.turn(took, self._took or took, write)
            self._bulk_from = asyncio.get_running_loop().time() + took * (1 / self._bulk_share - 1)
        else:
            write()
        self._ledger.later(outbox.follow_up, part.part_id)
        self._next_reference = (reference + 1) % 256
        self._seconds_a_part += 0.2 * (took - self._seconds_a_part)
        self._took = took
        self._quota.count(self._now())
        held.parts.popleft()
        if not held.parts:
            self._drop(held)

    async def _not_sent(
        self, held: Held, part: OutgoingSms, committed: asyncio.Future[None], error: ModemdError
    ) -> None:
        log.info("message %s: not sent: %s", held.claim.message_id, error)
        self._drop(held)
        if await self._is_marked(held, committed):
            await self._ledger.batch(outbox.not_sent, part.part_id)
            self.queue_changed()

    async def _is_marked(self, held: Held, committed: asyncio.Future[None]) -> bool:
        """Whether the part's mark is on the disk. If not, the message goes where the database says."""
        try:
            await committed
        except (NoLongerTrue, LeavesLater) as verdict:
            end = outbox.skip if isinstance(verdict, NoLongerTrue) else outbox.cancel
            self._ledger.post(end, outbox.Skip(held.claim.message_id, verdict.reason))
            return False
        except VerbFailed:  # cancelled or taken back meanwhile, or the switch forbids it
            self._ledger.post(outbox.release, held.claim.message_id, self._host)
            return False
        return True

    def _refused(self, held: Held, part: OutgoingSms, error: CommandRefused) -> None:
        most = getattr(self._settings.kinds, held.claim.kind).max_attempts
        log.warning("message %s: %s", held.claim.message_id, error)
        retry_at = self._now() + FIRST_RETRY * 2**held.claim.attempts
        refused = outbox.Refused(part.part_id, str(error), error.permanent, retry_at, most)
        if error.permanent:  # it stays the line's; what is tried again counts then
            self._quota.count(self._now())
        self._ledger.post(outbox.refused, refused)

    # small things

    def _ahead(self) -> int:
        return min(MOST_AHEAD, max(1, round(AHEAD_SECONDS / max(self._seconds_a_part, 0.001))))

    def _drop(self, held: Held) -> None:
        if held in self._held:
            self._held.remove(held)
        self._look.set()

    def _give_back_all(self) -> None:
        self._give_back([held for held in self._held if not held.begun])

    async def _return(self, returned: list[Held]) -> None:
        """Give back what may not leave now, when nothing is in the air: also what has begun."""
        self._give_back([held for held in returned if not held.begun])
        if begun := [held for held in returned if held.begun]:
            # On its own in the round, it cannot overtake what became of the part before.
            ids = [held.claim.message_id for held in begun]
            await self._ledger.do(outbox.release, ids, self._now(), self._host)
            self._held = [held for held in self._held if held not in begun]
            self._nothing_up_to = -1

    def _give_back(self, returned: list[Held]) -> None:
        for held in returned:
            self._held.remove(held)
            self._ledger.post(outbox.release, held.claim.message_id, self._host)
            self._nothing_up_to = -1


def _log_failure(written: asyncio.Future[None]) -> None:
    if error := written.exception():
        log.error("a part that was sent could not be written down", exc_info=error)
