"""A service that is killed with `kill -9` again and again, and what must be true of its messages afterwards."""

import random
import time
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from modemd.store import database, outbox
from modemd.store.schema import MessageState
from tests.flow.running import RunningService

SETTLE_SECONDS = 120.0  # a bound
_ASKS = 3  # phones that text the service in each cycle
_OPEN = (MessageState.QUEUED, MessageState.SENDING, MessageState.IN_DOUBT)
_FATES = {MessageState.SENT, MessageState.DELIVERED, MessageState.HELD, MessageState.FAILED, MessageState.EXPIRED}


class Killing:
    """Cycles of start, traffic and kill, all drawn from one seed."""

    def __init__(self, make: Callable[..., RunningService], kills: int, messages: int) -> None:
        """Up to `messages` are queued before each start, fewer if the cycles before have left a backlog."""
        self.seed = random.SystemRandom().randrange(2**32)
        print(f"seed {self.seed}")
        self.chance = random.Random(self.seed)
        self._kills = kills
        self._messages = messages
        self._sent = 0
        self.service = make(
            modems=3,
            bank_options=("--send-seconds", "0.03", "--report-seconds", "0.3", "--seed", str(self.seed)),
            settings="""
            kinds.manual.in_doubt_seconds = 4
            kinds.manual.max_attempts = 1000
            kinds.reply.in_doubt_seconds = 4
            kinds.reply.max_attempts = 1000
            """,
        )
        pin = self.service.folder / "pin"  # for the fault sim-pin
        pin.write_text("1234\n", encoding="ascii")
        with self.service.config.open("a", encoding="utf-8") as config:
            config.write(f'\nbank.pin_file = "{pin}"\n')
        self._askers = {f"+35988{number:07}": [f"3{number:011}"] for number in range(_ASKS * kills)}

    def run(self, disturb: Callable[[int], None] = lambda _cycle: None) -> None:
        """All cycles, `disturb(cycle)` in the midst of each; then a daemon in peace until nothing is open."""
        self.service.start_bank()
        self.service.give_customers(self._askers)
        waiting = list(self._askers)
        for cycle in range(self._kills):
            self._enqueue()
            self.service.start_daemon()
            for _ in range(_ASKS):
                self.service.phones.text(waiting.pop(), "smetka")
            if self.chance.random() < 0.7:  # the others are killed while they start
                size = self.service.log.stat().st_size
                self.service.until(lambda size=size: self._submitted_after(size))
            disturb(cycle)
            time.sleep(self.chance.uniform(0.0, 1.2))  # the instant of the kill is what is random here
            self.service.kill_daemon()
        self.service.phones.fault("all", "none")
        self.service.start_daemon()
        self.service.until(self._settled, SETTLE_SECONDS)

    def check(self) -> None:
        """Nothing is lost, nothing went out twice, every question has one answer."""
        outgoing = [row for row in self.service.messages(direction="mt") if row.number not in _STRANGERS]
        incoming = [row for row in self.service.messages(direction="mo") if row.number not in _STRANGERS]
        parts = Counter((event["to"], event["text"]) for event in self.service.submitted())
        by_state = Counter(row.state for row in outgoing)
        print(f"seed {self.seed}, {self._kills} kills: {len(parts)} parts submitted, {dict(by_state)}")
        assert [twice for twice, times in parts.items() if times > 1 and twice[0] not in _STRANGERS] == []
        assert set(by_state) <= _FATES
        for row in outgoing:
            assert (row.number, row.text) in parts or row.state == MessageState.HELD, f"{row.id} is lost: {row.state}"
        assert by_state[MessageState.HELD] <= self._kills * 3
        assert Counter(row.number for row in incoming) == Counter(list(self._askers))
        assert Counter(row.number for row in outgoing if row.kind == "reply") == Counter(list(self._askers))
        assert len(outgoing) == self._sent + len(self._askers)

    def _submitted_after(self, size: int) -> bool:
        """Whether the network has taken a part since its log was so long; the whole log would be long to read."""
        with self.service.log.open("rb") as log:
            log.seek(size)
            return b'"event": "submit"' in log.read()

    def _enqueue(self) -> None:
        now = datetime.now(UTC)
        backlog = len(self.service.messages(direction="mt", state=MessageState.QUEUED))
        numbers = range(self._sent, self._sent + max(0, self._messages - backlog))
        composed = [
            outbox.NewMessage("manual", f"+35987{number:07}", f"message {number}", 1, 5, now + timedelta(hours=2))
            for number in numbers
        ]
        with self.service.engine() as engine, database.writing(engine) as connection:
            outbox.enqueue(connection, composed, now)
        self._sent += len(numbers)

    def _settled(self) -> bool:
        if self.service.messages(direction="mo", state="new"):  # first, for what answers one comes after it
            return False
        return not any(self.service.messages(direction="mt", state=state) for state in _OPEN)


_STRANGERS = {"+358889000019"}  # who sent the old messages with which the fault sim-full fills a SIM
