"""Whatever happens in whatever order: nothing is sent twice, nothing is lost, and states tell the truth.

The machine plays two lines of one host against a network that knows what it really took. Every message has a phone of
its own; modems count TP-MR up and wrap; kills come at any moment; reports come late, early, twice or never.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import Engine, Row, select

from modemd.errors import VerbFailed
from modemd.messages import StatusReport
from modemd.store import leases, lines, outbox, status_reports, upkeep
from modemd.store.lines import Sim
from modemd.store.outbox import Claim, Refused, Sending, Sent, Skip, Want
from modemd.store.parts import Work, derive
from modemd.store.schema import MessageState, message, part
from tests.store.outbox_driver import HOST, LEASE, NOW, compose, in_the_air

POLICIES = {
    "manual": upkeep.DoubtPolicy(False, timedelta(minutes=10)),
    "otp": upkeep.DoubtPolicy(True, timedelta(minutes=10)),
}
LINES = 2
FINAL = {"sent", "delivered", "undelivered"}
Parts = Sequence[Row[Any]]


@dataclass
class Air:
    """A part between Ctrl-Z and its answer."""

    part_id: int
    line: int
    taken: bool  # by the network, which we cannot know
    reference: int


@dataclass
class Taken:
    """A part as the service centre knows it."""

    recipient: str
    reference: int
    at: datetime


@dataclass
class Modem:
    reference: int = 250
    claims: list[Claim] = field(default_factory=list)
    air: Air | None = None


class OutboxMachine(RuleBasedStateMachine):
    def __init__(self, engine: Engine) -> None:
        super().__init__()
        self.conn = engine.connect()
        self.transaction = self.conn.begin()
        self.now = NOW
        self.taken: Counter[int] = Counter()  # part id -> how often the network took it
        self.accepted: list[tuple[int, Taken]] = []  # what the network could report on, with its line
        self.queued: dict[int, str] = {}  # message id -> kind
        self.cancelled: set[int] = set()  # message ids; what of it was in the air then is not
        self.modems = [Modem() for _ in range(LINES)]
        self.lines: list[int] = []
        self.to_follow_up: list[int] = []  # parts that were sent; only the daemon that runs knows of them

    @initialize()
    def adopt(self) -> None:
        for number in range(LINES):
            sim = Sim(f"89359010000000{number:05}", None)
            self.lines.append(lines.identify(self.conn, sim, HOST, f"p{number}", NOW, adopt=True).id)
        for kind in POLICIES:
            self._enqueue(2, kind, 5, None)

    @rule(
        parts=st.integers(1, 3),
        kind=st.sampled_from(list(POLICIES)),
        priority=st.integers(0, 9),
        pinned=st.sampled_from([None, 0, 1]),
    )
    def enqueue(self, parts: int, kind: str, priority: int, pinned: int | None) -> None:
        self._enqueue(parts, kind, priority, pinned)

    def _enqueue(self, parts: int, kind: str, priority: int, pinned: int | None) -> None:
        line_id = None if pinned is None else self.lines[pinned]
        recipient = f"+35988{len(self.queued):07}"
        fields = {"parts": parts, "kind": kind, "priority": priority, "line_id": line_id, "recipient": recipient}
        message_id = outbox.enqueue(self.conn, [compose(expires_at=NOW + timedelta(days=999), **fields)], self.now)[0]
        self.queued[message_id] = kind

    @rule(line=st.integers(0, LINES - 1), count=st.integers(1, 3))
    def claim(self, line: int, count: int) -> None:
        self._claim(line, count)

    def _claim(self, line: int, count: int) -> None:
        (claims,) = outbox.claim(self.conn, [Want(self.lines[line], count)], self.now, HOST, LEASE)
        self.modems[line].claims += claims

    @rule(line=st.integers(0, LINES - 1))
    def give_back(self, line: int) -> None:
        if self.modems[line].claims:
            claim = self.modems[line].claims.pop()
            outbox.release(self.conn, [claim.message_id], self.now, HOST)

    @precondition(lambda self: any(modem.air is None for modem in self.modems))
    @rule(data=st.data(), taken=st.booleans(), answer=st.sampled_from(["none yet", "unseen", "seen", "seen", "late"]))
    def send(self, data: st.DataObject, taken: bool, answer: str) -> None:
        """A line sends its next part, claiming one first if it has none."""
        line = data.draw(st.sampled_from([n for n, modem in enumerate(self.modems) if modem.air is None]))
        if not self.modems[line].claims:
            self._claim(line, 2)
        self._begin(line, taken)
        air = self.modems[line].air
        if answer in ("unseen", "late"):
            self._answer(line, seen=False)
        elif answer == "seen":
            self._answer(line, seen=True)
        if answer == "late" and air is not None and air.taken:
            self._sent(air, late=True)

    def _begin(self, line: int, taken: bool) -> None:
        modem = self.modems[line]
        if not modem.claims:
            return
        claim = modem.claims[0]
        (part_id, *rest) = claim.open_parts
        modem.claims[:1] = [replace(claim, open_parts=tuple(rest))] if rest else []
        try:
            with self.conn.begin_nested():
                outbox.mark_sending(self.conn, [Sending(part_id.id, self.lines[line])], self.now, HOST)
        except VerbFailed:
            self._forget(line, claim.message_id)
            return
        self.now += timedelta(seconds=1)
        modem.reference = (modem.reference + 1) % 256  # refused attempts use one up, too
        modem.air = Air(part_id.id, line, taken, modem.reference)
        if taken:
            self.taken[part_id.id] += 1
            self.accepted.append((self.lines[line], Taken(claim.recipient, modem.reference, self.now)))

    @precondition(lambda self: any(self.modems[line].air for line in range(LINES)))
    @rule(data=st.data(), seen=st.booleans(), permanent=st.booleans())
    def answer(self, data: st.DataObject, seen: bool, permanent: bool) -> None:
        line = data.draw(st.sampled_from([n for n, modem in enumerate(self.modems) if modem.air is not None]))
        self._answer(line, seen=seen, permanent=permanent)

    def _answer(self, line: int, *, seen: bool, permanent: bool = False) -> None:
        modem, air = self.modems[line], self.modems[line].air
        if air is None:
            return
        modem.air = None
        if not seen:
            outbox.doubt(self.conn, [air.part_id], self.now)
        elif air.taken:
            self._sent(air)
            return
        else:
            outbox.refused(self.conn, [Refused(air.part_id, "no", permanent, self.now, 3)], self.now)
        self._forget(line, self._message_of(air.part_id))

    def _sent(self, air: Air, *, late: bool = False) -> None:
        line_id = None if late else self.lines[air.line]
        outbox.sent(self.conn, [Sent(air.part_id, air.reference, line_id=line_id)], self.now)
        self.to_follow_up.append(air.part_id)

    @rule()
    def follow_up(self) -> None:
        """The daemon finds the time for it; until then every other verb sees messages that are late."""
        outbox.follow_up(self.conn, self.to_follow_up, self.now)
        self.to_follow_up = []

    @rule(line=st.integers(0, LINES - 1))
    def look_at_what_is_in_the_air(self, line: int) -> None:
        """And write it into the rows of part and message."""
        air = self.modems[line].air
        if air is not None:
            Work(self.conn, parts=[air.part_id]).write(self.now)

    @precondition(lambda self: any(modem.air for modem in self.modems))
    @rule(line=st.integers(0, LINES - 1))
    def take_back_what_is_in_the_air(self, line: int) -> None:
        """A person cancels; it is too late for the part that has begun."""
        air = self.modems[line].air
        if air is None:
            return
        message_id = self._message_of(air.part_id)
        outbox.cancel(self.conn, [Skip(message_id, "by a person")], self.now)
        self.cancelled.add(message_id)

    @rule(line=st.integers(0, LINES - 1))
    def prompt_never_came(self, line: int) -> None:
        modem = self.modems[line]
        if modem.air is not None and not modem.air.taken:
            outbox.not_sent(self.conn, [modem.air.part_id], self.now)
            self._forget(line, self._message_of(modem.air.part_id))
            modem.air = None

    def _kill(self) -> None:
        self.modems = [Modem(modem.reference) for modem in self.modems]
        self.to_follow_up = []
        leases.recover(self.conn, HOST, self.now)

    @rule(during=st.booleans())
    def kill(self, during: bool) -> None:
        """kill -9, perhaps while a part is in the air."""
        if during and self.modems[0].air is None:
            self._claim(0, 1)
            self._begin(0, taken=True)
        self._kill()

    @precondition(lambda self: self.accepted)
    @rule(data=st.data(), status=st.sampled_from([0x00, 0x20, 0x41]))
    def report(self, data: st.DataObject, status: int) -> None:
        """The centre reports on something that it took, perhaps again, perhaps before its +CMGS."""
        line_id, taken = data.draw(st.sampled_from(self.accepted))
        pdu = f"00{taken.recipient[4:]}{taken.reference:02x}{status:02x}"
        where = ("SR", 1, self.now, taken.recipient)
        report = StatusReport(pdu, *where, taken.reference, status, taken.at, self.now)
        status_reports.reported(self.conn, line_id, [report], self.now)

    @rule(minutes=st.integers(1, 20))
    def wait(self, minutes: int) -> None:
        self.now += timedelta(minutes=minutes)
        upkeep.promote_due(self.conn, self.now)
        upkeep.settle(self.conn, POLICIES, self.now)

    @invariant()
    def tables_tell_the_truth(self) -> None:
        """All rules at one look: the looks take most of the test's time."""
        parts = self._parts()
        self._states_are_derived(parts)
        self._nothing_is_sent_twice(parts)
        self._what_is_called_sent_was_taken(parts)
        self._what_is_in_the_air_is_committed_as_such(parts)

    def _states_are_derived(self, parts: Parts) -> None:
        states: dict[int, list[MessageState]] = {}
        for row in parts:
            states.setdefault(row.message_id, []).append(MessageState(row.state))
        late = {row.message_id for row in parts if row.id in self.to_follow_up}
        for row in self.conn.execute(select(message)):
            assert row.state == derive(states[row.id]) or (row.id in late and row.state in ("queued", "sending"))
            assert row.claimed_by is None or row.state in ("queued", "sending")
            assert (row.claimed_by is None) == (row.claimed_line_id is None) == (row.lease_until is None)

    def _nothing_is_sent_twice(self, parts: Parts) -> None:
        for row in parts:
            most = 2 if self.queued[row.message_id] == "otp" else 1
            assert self.taken[row.id] <= most

    def _what_is_called_sent_was_taken(self, parts: Parts) -> None:
        assert all(self.taken[row.id] for row in parts if row.state in FINAL)

    def _what_is_in_the_air_is_committed_as_such(self, parts: Parts) -> None:
        final = {row.id for row in parts if row.state in FINAL}
        for modem in self.modems:
            assert modem.air is None or modem.air.part_id in final | in_the_air(self.conn)

    def drain(self) -> None:
        """Restart, and let every line send whatever there is until nothing is left."""
        self._kill()
        self.now += timedelta(hours=1)
        for _ in range(3 * len(self.queued) + 1):
            upkeep.promote_due(self.conn, self.now)
            upkeep.settle(self.conn, POLICIES, self.now)
            for line in range(LINES):
                self._claim(line, 1)
                while self.modems[line].claims:
                    self._begin(line, taken=True)
                    self._answer(line, seen=True)

    def teardown(self) -> None:
        try:
            self.drain()
            parts = self._parts()
            for row in parts:
                taken = self.taken[row.id]
                assert not (taken and row.state in ("cancelled", "skipped"))
                left_out = row.state in ("held", "failed") or row.message_id in self.cancelled
                assert taken or left_out or self._beside_trouble(row.message_id)
            self._nothing_is_sent_twice(parts)
        finally:
            self.transaction.rollback()
            self.conn.close()

    def _beside_trouble(self, message_id: int) -> bool:
        """Parts after one that is held or failed stay where they are."""
        state = self.conn.scalar(select(message.c.state).where(message.c.id == message_id))
        return state in ("held", "failed")

    def _parts(self) -> Parts:
        return self.conn.execute(select(part).order_by(part.c.id)).all()

    def _message_of(self, part_id: int) -> int:
        return self.conn.execute(select(part.c.message_id).where(part.c.id == part_id)).scalar_one()

    def _forget(self, line: int, message_id: int) -> None:
        self.modems[line].claims = [each for each in self.modems[line].claims if each.message_id != message_id]


@pytest.mark.parametrize("examples", [20, pytest.param(100, marks=pytest.mark.long)])
def test_rule_11_no_order_of_events_loses_or_repeats_a_message(engine: Engine, examples: int) -> None:
    run_state_machine_as_test(
        lambda: OutboxMachine(engine),
        settings=settings(
            max_examples=examples if engine.dialect.name == "sqlite" else examples // 4,
            stateful_step_count=40,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
