"""Whatever a modem says in whatever order: no answer is given to the wrong question, and no URC is lost (rules 4, 5).

The machine plays a modem that answers its questions in their order, each with a tag of its own, says URCs and noise in
between, sits at a prompt, and whose bytes arrive cut anywhere and as late as it likes; and us, who ask, give up, and
come back into step by a fence as `Channel` does.
"""

import re
from collections import deque
from dataclasses import dataclass, field

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

from modemd.at import commands
from modemd.at.commands import Command, Replies
from modemd.at.dialogue import CTRL_Z, ESCAPE, Answer, Dialogue, DialogueState, LateResult, Prompted, Stray
from modemd.at.urc import Urc

OWN = re.compile(rb"\+TAG\d*: .*")
FINALS = (b"OK", b"OK", b"ERROR", b"+CME ERROR: 100")
URCS = (b'+CMTI: "ME",%d', b"^RSSI:%d", b'+CDSI: "SR",%d', b"+CREG: %d")
ANSWERS = ("+TAG", "+CMEE", "+CMGS", "+CME ERROR")  # what an answer that nobody waits for any more looks like
NOISE = st.binary(max_size=6).map(lambda data: bytes(0x80 | octet for octet in data) + b"\r\n")
ESCAPED, BODY_SECONDS = b"OK", 60.0


def _last(replies: Replies) -> bytes | None:
    return replies[-1].line if replies else None


@dataclass
class Question:
    """One thing that we have written, as the modem sees it."""

    tag: int
    part_id: int | None = None  # it is an AT+CMGS
    fence: bool = False
    body: bool = False  # its PDU has come
    answered: bool = False
    reference: int = 0


@dataclass
class Peer:
    """The modem: what it still has to answer, and what of its words is still on the wire."""

    echo: bool
    questions: deque[Question] = field(default_factory=deque)
    wire: bytes = b""
    prompting: Question | None = None
    urcs: deque[bytes] = field(default_factory=deque)  # said, and not yet heard
    said: int = 0

    def say(self, *lines: bytes) -> None:
        self.wire += b"".join(b"\r\n" + line + b"\r\n" for line in lines)


class TalkMachine(RuleBasedStateMachine):
    @initialize(echo=st.booleans())
    def meet(self, echo: bool) -> None:
        self.dialogue = Dialogue()
        self.peer = Peer(echo)
        self.tags = 0
        self.waiting: Question | None = None  # what we believe to be asking
        self.given_up: dict[int, Question] = {}  # parts by their id, after Ctrl-Z
        self.fenced = self.fence_is_out = False  # it has been answered, or not yet
        self.unasked_prompt = False

    # we

    def _write(self, data: bytes, question: Question | None = None) -> None:
        """The modem reads at once: what comes at its prompt is a text, up to Ctrl-Z or ESC."""
        if self.peer.prompting is not None:
            if data == ESCAPE:
                self.peer.prompting = None
                self.peer.say(ESCAPED)
            elif data.endswith(CTRL_Z) and question is not None and question is self.peer.prompting:
                question.body, self.peer.prompting = True, None
                self.peer.questions.appendleft(question)
            elif question is not None and question.fence:
                self.fence_is_out = False  # swallowed as a text
            return
        if question is not None:
            if self.peer.echo:
                self.peer.wire += data
            self.peer.questions.append(question)

    def _ask(self, command: Command[object], question: Question) -> None:
        data = self.dialogue.ask(command, part_id=question.part_id)
        self._write(data, question)

    def _new(self, **fields: object) -> Question:
        self.tags += 1
        return Question(self.tags, **fields)  # type: ignore[arg-type]

    @precondition(lambda self: self.dialogue.state is DialogueState.IDLE)
    @rule()
    def ask(self) -> None:
        self.waiting = self._new()
        self._ask(Command(f"AT+TAG{self.waiting.tag}?", _last, OWN), self.waiting)

    @precondition(lambda self: self.dialogue.state is DialogueState.IDLE)
    @rule(length=st.integers(10, 30))
    def ask_for_a_prompt(self, length: int) -> None:
        self.waiting = self._new(part_id=1000 + self.tags)
        self.pdu = "00" + "5A" * length
        self._ask(commands.submit(length, BODY_SECONDS), self.waiting)

    @precondition(lambda self: self.dialogue.state in (DialogueState.WAITING_RESULT, DialogueState.WAITING_PROMPT))
    @rule()
    def give_up(self) -> None:
        assert self.waiting is not None
        if self.waiting.body and self.waiting.part_id is not None:
            self.given_up = {self.waiting.part_id: self.waiting}
        escape = self.dialogue.abandon()
        self.waiting, self.fenced = None, False
        assert escape == ESCAPE
        self._write(escape)

    @precondition(lambda self: self.dialogue.state is DialogueState.DESYNCED and not self.fence_is_out)
    @rule(fence=st.booleans())
    def ask_out_of_step(self, fence: bool) -> None:
        """AT as often as it takes, then the fence, and nothing more until that is answered."""
        self._write(ESCAPE)
        self.fenced, self.fence_is_out = False, fence
        self._ask(commands.FENCE if fence else commands.ATTENTION, self._new(fence=fence))

    @precondition(lambda self: self.dialogue.state is DialogueState.DESYNCED and self.fenced)
    @rule()
    def come_back_into_step(self) -> None:
        self.dialogue.resume()

    # the modem

    @precondition(lambda self: self.peer.questions and self.peer.prompting is None)
    @rule(final=st.sampled_from(FINALS), lines=st.integers(0, 2), accept=st.booleans())
    def modem_answers(self, final: bytes, lines: int, accept: bool) -> None:
        question = self.peer.questions.popleft()
        if question.fence:
            self.peer.say(b"+CMEE: 1", b"OK")
        elif question.part_id is None:
            self.peer.say(*[b"+TAG%d: %d" % (question.tag, each) for each in range(lines)], final)
        elif not question.body and accept:
            self.peer.prompting = question
            self.peer.wire += b"\r\n> "
        elif not question.body:
            self.peer.say(b"+CMS ERROR: 500")
        elif accept:
            question.answered, question.reference = True, (question.tag * 7) % 256
            self.peer.say(b"+CMGS: %d" % question.reference)
            self.modem_chatters(0)
            self.peer.say(b"OK")
        else:
            question.answered, question.reference = True, -1
            self.peer.say(b"+CMS ERROR: 38")

    @precondition(lambda self: self.peer.prompting is None)
    @rule(depth=st.integers(0, 2))
    def modem_chatters(self, depth: int) -> None:
        """One line; or a header, its PDU, and one line between; or two headers, the inner one's PDU first."""
        self.peer.said += 1
        short, long = (b"00%0*d" % (length, self.peer.said) for length in (46, 60))
        line = URCS[self.peer.said % len(URCS)] % self.peer.said
        headers = [b"+CMT: ,%d" % (len(short) // 2 - 1), b"+CDS: %d" % (len(long) // 2 - 1)]
        said, heard = (
            ([line], [line]),
            ([headers[0], line, short], [line, short]),
            ([*headers, long, short], [long, short]),
        )[depth]
        self.peer.say(*said)
        self.peer.urcs += heard

    @rule(noise=NOISE)
    def line_is_noisy(self, noise: bytes) -> None:
        self.peer.wire += noise

    # the wire

    @precondition(lambda self: self.peer.wire)
    @rule(octets=st.one_of(st.integers(1, 12), st.just(1 << 20)))
    def bytes_arrive(self, octets: int) -> None:
        data, self.peer.wire = self.peer.wire[:octets], self.peer.wire[octets:]
        for event in self.dialogue.receive(data):
            self._hear(event)
        if self.unasked_prompt:
            self.unasked_prompt = False
            self._write(ESCAPE)

    def _hear(self, event: object) -> None:
        if isinstance(event, Urc) and event.name.startswith(ANSWERS):
            assert self.dialogue.state is DialogueState.DESYNCED
        elif isinstance(event, Urc):
            assert self.peer.urcs, f"{event} was never said"
            assert (event.pdu or event.line) == self.peer.urcs.popleft()
        elif isinstance(event, Prompted):
            if event.expected:
                assert self.waiting is not None
                assert self.waiting is self.peer.prompting
                self._write(self.dialogue.body(self.pdu), self.waiting)
            else:
                self.unasked_prompt = True
        elif isinstance(event, Answer):
            assert self.waiting is not None
            self._judge(self.waiting, event)
            self.waiting = None
        elif isinstance(event, LateResult):
            question = self.given_up.pop(event.part_id)
            outcome = event.outcome if isinstance(event.outcome, int) else -1
            assert outcome == question.reference
        elif isinstance(event, Stray):
            assert self.dialogue.state is DialogueState.DESYNCED, "a final result in step answers a question of ours"
            if commands.FENCE.parse(event.replies):  # what was written before it is answered
                assert not any(question.answered for question in self.given_up.values())
                self.fenced, self.fence_is_out = True, False

    def _judge(self, question: Question, answer: Answer) -> None:
        tags = {int(line.split(b":")[0][4:]) for line, _ in answer.replies if line.startswith(b"+TAG")}
        assert tags <= {question.tag}
        references = [line for line, _ in answer.replies if line.startswith(b"+CMGS:")]
        if question.body and answer.final.ok:
            assert references == [b"+CMGS: %d" % question.reference]
        else:
            assert not references

    @invariant()
    def what_is_kept_is_bounded(self) -> None:
        if hasattr(self, "dialogue"):
            assert len(self.dialogue._headers) < 64

    def teardown(self) -> None:
        """In the end everything arrives, and no URC is lost."""
        if not hasattr(self, "dialogue"):
            return
        for _ in range(10):
            if self.peer.wire:
                self.bytes_arrive(1 << 20)
        assert not self.peer.urcs


@pytest.mark.parametrize("examples", [25, pytest.param(100, marks=pytest.mark.long)])
def test_rules_4_and_5_hold_in_every_order_of_events(examples: int) -> None:
    limits = settings(max_examples=examples, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    run_state_machine_as_test(TalkMachine, settings=limits)
