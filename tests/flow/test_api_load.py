"""16 programs queue messages while panel and daemon are killed: each message leaves once.

The whole of it, 100,000 messages: pytest -m soak tests/flow/test_api_load.py -s
"""

import http.client
import json
import random
import threading
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from modemd.store.schema import MessageState
from tests.flow.running import RunningService
from tests.web.api.process import ApiProcess

CLIENTS = 16
BATCH = 25
OPEN = (MessageState.QUEUED, MessageState.SENDING, MessageState.IN_DOUBT)


class Program(threading.Thread):
    """A client that asks with the same key until it has an answer; every other wish is a batch."""

    def __init__(self, port: int, token: str, wishes: list[list[tuple[str, str]]], give_up: threading.Event) -> None:
        super().__init__()
        self._port, self._token, self._wishes, self._give_up = port, token, wishes, give_up
        self.ids: list[int] = []
        self.again = 0

    def run(self) -> None:
        for number, wish in enumerate(self._wishes):
            while not self._give_up.is_set():
                try:
                    self.ids += self._ask(f"wish-{number}", wish)
                    break
                except (OSError, http.client.HTTPException):
                    self.again += 1
                    time.sleep(0.05)

    def _ask(self, key: str, wish: list[tuple[str, str]]) -> list[int]:
        bodies = [{"to": to, "text": text} for to, text in wish]
        path, body = ("/messages", bodies[0]) if len(bodies) == 1 else ("/messages/batch", {"messages": bodies})
        headers = {"Authorization": f"Bearer {self._token}", "Idempotency-Key": key, "Content-Type": "application/json"}
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=20)
        try:
            connection.request("POST", f"/api/v1{path}", json.dumps(body), headers)
            answer = connection.getresponse()
            told = json.loads(answer.read())
        finally:
            connection.close()
        if answer.status >= 500:
            raise http.client.HTTPException(answer.status)
        assert answer.status in (200, 201), told
        return [told["id"]] if len(bodies) == 1 else [each["id"] for each in told["messages"]]


@pytest.mark.parametrize(
    ("messages", "kills"),
    [
        pytest.param(2_000, 4, marks=[pytest.mark.long, pytest.mark.timeout(280)]),
        pytest.param(100_000, 40, marks=[pytest.mark.soak, pytest.mark.timeout(7200)]),
    ],
)
def test_each_message_leaves_once_however_often_panel_and_daemon_are_killed(
    service: Callable[..., RunningService], tmp_path: Path, messages: int, kills: int
) -> None:
    seed = random.SystemRandom().randrange(2**32)
    chance = random.Random(seed)
    print(f"seed {seed}")
    running = service(
        modems=8,
        bank_options=("--send-seconds", "0.01", "--report-seconds", "0.1", "--seed", str(seed)),
        settings="kinds.api.in_doubt_seconds = 4\nkinds.api.max_attempts = 1000",
    )
    running.start_bank()
    running.start_daemon()
    api = ApiProcess(tmp_path, running.database_url)
    wanted = [(f"+35988{n:07}", f"message {n}") for n in range(messages)]
    give_up = threading.Event()
    programs = []
    for n in range(CLIENTS):
        own = wanted[n::CLIENTS]
        singles, rest = own[: len(own) // 10], own[len(own) // 10 :]
        wishes = [[each] for each in singles] + [rest[at : at + BATCH] for at in range(0, len(rest), BATCH)]
        chance.shuffle(wishes)
        programs.append(Program(api.port, api.token(f"program-{n}", per_minute=0), wishes, give_up))
    try:
        for program in programs:
            program.start()
        for _ in range(kills):
            time.sleep(chance.uniform(0.3, 1.5))  # the instant of the kill is what is random here
            if chance.random() < 0.5:
                running.kill_daemon()
                running.start_daemon()
            else:
                api.kill()
                api.start()
        for program in programs:
            program.join(3600)
        running.until(lambda: not any(running.messages(direction="mt", state=each) for each in OPEN), 3600)
    finally:
        give_up.set()
        api.kill()
    _check(running, wanted, programs, kills)


def _check(running: RunningService, wanted: list[tuple[str, str]], programs: list[Program], kills: int) -> None:
    rows = running.messages(direction="mt")
    left = Counter((each["to"], each["text"]) for each in running.submitted())
    held = {(row.number, row.text) for row in rows if row.state == MessageState.HELD}
    print(
        f"{len(rows)} queued, {sum(left.values())} left, {len(held)} held, {sum(p.again for p in programs)} asked again"
    )
    assert Counter((row.number, row.text) for row in rows) == Counter(wanted)
    assert sorted(row.id for row in rows) == sorted(id_ for program in programs for id_ in program.ids)
    assert [each for each, times in left.items() if times > 1] == []
    assert set(wanted) - set(left) <= held
    assert len(held) <= kills * running.modems
