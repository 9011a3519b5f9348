"""Rule 11: `kill -9` at any instant loses no message and sends none twice, in both directions."""

import random
import time
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from sqlalchemy import Connection

from modemd.store import database, outbox
from modemd.store.schema import MessageState
from tests.flow.running import RunningService

KILLS = 24
FATES = {MessageState.SENT, MessageState.DELIVERED, MessageState.HELD}


def test_kill_at_any_instant_loses_nothing_and_repeats_nothing(service: Callable[..., RunningService]) -> None:
    seed = random.SystemRandom().randrange(2**32)
    print(f"seed {seed}")
    chance = random.Random(seed)
    running = service(
        modems=3,
        bank_options=("--send-seconds", "0.03", "--report-seconds", "0.3", "--seed", str(seed)),
        settings="kinds.manual.in_doubt_seconds = 4\nkinds.reply.in_doubt_seconds = 4",
    )
    running.start_bank()
    askers = {f"+35988811{number:04}": [f"3{number:011}"] for number in range(3 * KILLS)}
    running.give_customers(askers)
    with running.engine() as engine, database.writing(engine) as connection:
        _enqueue(connection, 40 * KILLS)
    waiting = list(askers)
    for _ in range(KILLS):
        running.start_daemon()
        for _ in range(3):
            running.phones.text(waiting.pop(), "smetka")
        time.sleep(chance.uniform(0.6, 2.2))  # the instant of the kill is what is random here
        running.kill_daemon()
    running.start_daemon()
    running.until(lambda: _settled(running), 90)

    parts = Counter((event["to"], event["text"]) for event in running.submitted())
    assert [twice for twice, times in parts.items() if times > 1] == []
    held = {row.id for row in running.messages(direction="mt", state="held")}
    by_state = Counter(row.state for row in running.messages(direction="mt"))
    assert len(held) <= KILLS * running.modems
    assert set(by_state) <= FATES
    for row in running.messages(direction="mt"):
        assert (row.number, row.text) in parts or row.id in held, f"lost: {row.id} is {row.state}"
    assert Counter(row.number for row in running.messages(direction="mo")) == Counter(list(askers))
    replies = Counter(row.number for row in running.messages(direction="mt") if row.kind == "reply")
    assert replies == Counter(list(askers))
    print(f"{KILLS} kills: {len(parts)} parts submitted, {dict(by_state)}")


def _enqueue(connection: Connection, count: int) -> None:
    now = datetime.now(UTC)
    composed = [
        outbox.NewMessage("manual", f"+35987{number:07}", f"message {number}", 1, 5, now + timedelta(hours=1))
        for number in range(count)
    ]
    outbox.enqueue(connection, composed, now)


def _settled(running: RunningService) -> bool:
    open_states = ("queued", "sending", "in_doubt")
    answered = all(row.state != "new" for row in running.messages(direction="mo"))
    return answered and not any(row.state in open_states for row in running.messages(direction="mt"))
