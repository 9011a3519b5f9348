"""Several daemons on one PostgreSQL, each with modems of its own, and what befalls them: a kill, a cut, no database."""

import glob
import os
import random
import shutil
import socket
import subprocess
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from multiprocessing.process import BaseProcess
from pathlib import Path

from sqlalchemy import make_url, text

from modemd.store import database, outbox
from modemd.store.schema import MessageState
from tests.flow import forked
from tests.flow.running import RunningService

EACH = 8  # modems of a host
LEASE_SECONDS = 12  # two rounds of housekeeping and a little
DOUBT_SECONDS = 5
SETTLE_SECONDS = 120.0  # a bound
OPEN = (MessageState.QUEUED, MessageState.SENDING, MessageState.IN_DOUBT)


class Cluster:
    """A PostgreSQL of the test's own, which it may restart."""

    def __init__(self, binaries: Path) -> None:
        self._binaries = binaries
        self._folder = Path(tempfile.mkdtemp(prefix="modemd-cluster-"))
        self._user = "nobody" if os.geteuid() == 0 else None  # the server refuses root
        if self._user is not None:
            shutil.chown(self._folder, self._user)
        self._data = self._folder / "data"
        self._run("initdb", "-D", self._data, "-A", "trust", "-U", "modemd", "--no-sync", "-E", "UTF8")
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self._port = free.getsockname()[1]
        self._start()
        self.url = f"postgresql+psycopg://modemd@127.0.0.1:{self._port}/postgres"

    def restart(self) -> None:
        """At once, as after a crash; it comes back by its log."""
        self._run("pg_ctl", "-D", self._data, "-m", "immediate", "-w", "stop")
        time.sleep(1.0)
        self._start()

    def close(self) -> None:
        self._run("pg_ctl", "-D", self._data, "-m", "immediate", "-w", "stop")
        shutil.rmtree(self._folder)

    def _start(self) -> None:
        options = f"-p {self._port} -k {self._folder} -c listen_addresses=127.0.0.1 -c fsync=off"
        self._run("pg_ctl", "-D", self._data, "-l", self._folder / "log", "-o", options, "-w", "start")

    def _run(self, program: str, *arguments: object) -> None:
        subprocess.run(
            [self._binaries / program, *map(str, arguments)],
            check=True,
            user=self._user,
            cwd=self._folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )


class Lent:
    """A database on a server that others use too: instead of a restart every connection is ended."""

    def __init__(self, url: str) -> None:
        self.url = url

    def restart(self) -> None:
        engine = database.connect(self.url)
        with engine.begin() as conn:
            ours = "datname = current_database() AND pid <> pg_backend_pid()"
            conn.execute(text(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE {ours}"))
        engine.dispose()


@contextmanager
def server(lent: str) -> Iterator[Cluster | Lent]:
    """A cluster of one's own where there is an `initdb`, else the database `lent`."""
    found = sorted(glob.glob("/usr/lib/postgresql/*/bin/initdb")) or [shutil.which("initdb")]
    if found[-1] is None:
        yield Lent(lent)
        return
    cluster = Cluster(Path(found[-1]).parent)
    try:
        yield cluster
    finally:
        cluster.close()


class Cable:
    """A way to the server that can be cut: a proxy on the loopback."""

    def __init__(self, url: str) -> None:
        parsed = make_url(url)
        self._server = (parsed.host or "127.0.0.1", parsed.port or 5432)
        self._listening = socket.create_server(("127.0.0.1", 0))
        self._ends: set[socket.socket] = set()
        self._whole = True
        port = self._listening.getsockname()[1]
        self.url = parsed.set(host="127.0.0.1", port=port).render_as_string(hide_password=False)
        threading.Thread(target=self._accept, daemon=True).start()

    def cut(self) -> None:
        self._whole = False
        for end in list(self._ends):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def mend(self) -> None:
        self._whole = True

    def close(self) -> None:
        self.cut()
        self._listening.close()

    def _accept(self) -> None:
        with suppress(OSError):  # closed
            while True:
                here, _ = self._listening.accept()
                try:
                    if not self._whole:
                        raise ConnectionError
                    there = socket.create_connection(self._server)
                except OSError:
                    here.close()
                    continue
                self._ends |= {here, there}
                for one, other in ((here, there), (there, here)):
                    threading.Thread(target=self._carry, args=(one, other), daemon=True).start()

    def _carry(self, one: socket.socket, other: socket.socket) -> None:
        with suppress(OSError):
            while data := one.recv(65536):
                other.sendall(data)
        for end in (one, other):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
        self._ends.discard(one)
        one.close()


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

    def __init__(self, service: RunningService, served: Cluster | Lent) -> None:
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

    def restart_database(self) -> None:
        self._blows += 1
        time.sleep(self.chance.uniform(0, 0.3))
        self._server.restart()

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
    lambda hosts: hosts.restart_database(),
)
