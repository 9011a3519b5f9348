"""Several daemons on one PostgreSQL, each with modems of its own, and what befalls them: a kill, a cut, no database."""

import random
import time
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from multiprocessing.process import BaseProcess
from pathlib import Path

from modemd.store import database, outbox
from modemd.store.schema import MessageState
from tests import forked
from tests.flow.clusters import Cable, Cluster, Lent, Pair
from tests.flow.running import RunningService

EACH = 8  # modems of a host
LEASE_SECONDS = 12  # two rounds of housekeeping and a little
DOUBT_SECONDS = 5
SETTLE_SECONDS = 120.0  # a bound
OPEN = (MessageState.QUEUED, MessageState.SENDING, MessageState.IN_DOUBT)


class Host:
    """One daemon with the modems EACH * number and on."""

    def __init__(self, folder: Path, number: int, bank: Path, url: str) -> None:
        self.cable = Cable(url)
        self.name = f"host-{number}"
        self._folder = folder / self.name
        self._folder.mkdir()
        self._config = self._folder / "modemd.toml"
        self._process: BaseProcess | None = None
        ports = [f"{bank}/modem{each:02}" for each in range(EACH * number, EACH * (number + 1))]
        self._config.write_text(
            f"""
            database.url = "{self.cable.url}"
            bank.ports = {ports}
            bank.per_minute = 0
            bank.per_day = 0
            daemon.name = "{self.name}"
            daemon.data = "{self._folder}"
            daemon.lease_seconds = {LEASE_SECONDS}
            kinds.manual.in_doubt_seconds = {DOUBT_SECONDS}
            kinds.manual.max_attempts = 1000
            kinds.reply.in_doubt_seconds = {DOUBT_SECONDS}
            kinds.reply.max_attempts = 1000
            """
        )

    def start(self) -> None:
        self._process = forked.start("run", "-c", self._config, stderr=self._folder.parent / "run.log")

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.join()
            self._process = None

    def close(self) -> None:
        self.kill()
        self.cable.close()


class Hosts:
    """Three of them under load. What befalls them is drawn from a seed."""

    def __init__(self, service: RunningService, served: Cluster | Lent | Pair) -> None:
        """`service`: its bank and the eyes on the database; its own daemon is never started."""
        self.seed = random.SystemRandom().randrange(2**32)
        print(f"seed {self.seed}")
        self.chance = random.Random(self.seed)
        self.service = service
        self._server = served
        self.all = [Host(service.folder, number, service.bank, served.url) for number in range(3)]
        self._queued = 0
        self._asked = 0
        self._blows = 0

    def begin(self, askers: int) -> None:
        """Bank, customers and daemons; every modem ready."""
        self.service.start_bank()
        self.service.give_customers({_asker(each): [f"3{each:011}"] for each in range(askers)})
        for host in self.all:
            host.start()
        self.service.wait_until_ready()

    def load(self, count: int) -> None:
        """Queue so many, text each host once, and wait until some of it is on its way."""
        now = datetime.now(UTC)
        numbers = range(self._queued, self._queued + count)
        expires_at = now + timedelta(hours=2)
        batch = [outbox.NewMessage("manual", _phone(each), f"message {each}", 1, 5, expires_at) for each in numbers]
        before = self._submitted()
        with self.service.engine() as engine, database.writing(engine) as conn:
            outbox.enqueue(conn, batch, now)
        self._queued += count
        for number in range(len(self.all)):
            modem = EACH * number + self.chance.randrange(EACH)
            self.service.phones.text(_asker(self._asked), "smetka", f"modem{modem:02}")
            self._asked += 1
        self.service.until(lambda: self._submitted() >= before + count // 4)

    def lose(self, host: Host) -> None:
        """Kill a host in the midst of its work. What it had claimed goes on through the others, within the lease."""
        self._blows += 1
        time.sleep(self.chance.uniform(0, 0.3))  # the instant is what is random here
        host.kill()
        self.service.until(lambda: not self._waiting(), SETTLE_SECONDS)
        host.start()

    def cut_off(self, host: Host) -> None:
        """For longer than the lease. It comes back with claims that others have taken over."""
        self._blows += 1
        time.sleep(self.chance.uniform(0, 0.3))
        host.cable.cut()
        self.service.until(lambda: not self._waiting(), SETTLE_SECONDS)
        host.cable.mend()

    def lose_database(self) -> None:
        """It comes back by itself, or its standby takes its place."""
        self._blows += 1
        time.sleep(self.chance.uniform(0, 0.3))
        self._server.fail()

    def settle(self) -> None:
        self.service.until(self._settled, SETTLE_SECONDS)

    def check(self) -> None:
        """Nothing is lost, nothing went out twice, every question has one answer."""
        outgoing = self.service.messages(direction="mt")
        parts = Counter((event["to"], event["text"]) for event in self.service.submitted())
        by_state = Counter(row.state for row in outgoing)
        print(f"seed {self.seed}, {self._blows} blows: {len(parts)} parts submitted, {dict(by_state)}")
        assert [twice for twice, times in parts.items() if times > 1] == []
        for row in outgoing:
            assert (row.number, row.text) in parts or row.state == MessageState.HELD, f"{row.id} is lost: {row.state}"
        assert by_state[MessageState.HELD] <= self._blows * EACH * len(self.all)
        asked = Counter(_asker(each) for each in range(self._asked))
        assert Counter(row.number for row in outgoing if row.kind == "reply") == asked
        assert len(outgoing) == self._queued + self._asked

    def close(self) -> None:
        for host in self.all:
            host.close()

    def _submitted(self) -> int:
        return self.service.log.read_bytes().count(b'"event": "submit"')

    def _waiting(self) -> int:
        """Bulk that has not left: answers wait for the host that has their line."""
        queued = self.service.messages(direction="mt", state=MessageState.QUEUED)
        return sum(row.kind == "manual" for row in queued)

    def _settled(self) -> bool:
        """Nothing is open; the questions first, for what answers one comes after it."""
        questions = self.service.messages(direction="mo")
        if len(questions) < self._asked or any(row.state == "new" for row in questions):
            return False
        return not any(self.service.messages(direction="mt", state=state) for state in OPEN)


def _phone(number: int) -> str:
    return f"+35987{number:07}"


def _asker(number: int) -> str:
    return f"+35988{number:07}"


Befall = Callable[[Hosts], None]
BLOWS: tuple[Befall, ...] = (
    lambda hosts: hosts.lose(hosts.chance.choice(hosts.all)),
    lambda hosts: hosts.cut_off(hosts.chance.choice(hosts.all)),
    lambda hosts: hosts.lose_database(),
)
