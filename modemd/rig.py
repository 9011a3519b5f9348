"""What `modemd bench` measures: a simulated bank and its daemons, processes on a database of their own."""

import contextlib
import json
import os
import subprocess
import sys
import time
import uuid
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import Engine, func, make_url, select, text
from sqlalchemy.exc import DBAPIError

from modemd.billing import files, importing
from modemd.config import SOFIA
from modemd.demo import customer, die_with_parent, open_item
from modemd.errors import BenchFailed, DatabaseUnreachable
from modemd.service import subscriptions
from modemd.sim.control import ControlClient
from modemd.store import database, lines, outbox, switch
from modemd.store.schema import MessageState, message
from modemd.store.switch import Allowed

START_SECONDS = 60.0
STOP_SECONDS = 20.0
LAST_WORDS = 5  # lines of a child's log
ENQUEUED_AT_ONCE = 10_000
TICKS = os.sysconf("SC_CLK_TCK")
TEXT = "Napomnyane: smetka {number:010} za 37,91 EUR e s prosrochen srok. Za spravka: 0700 10 010. Hvala!"
SETTINGS = """database.url = {url}
bank.ports = {ports}
bank.per_minute = 0
bank.per_day = 0
daemon.name = {name}
daemon.data = {data}
"""


@dataclass(frozen=True, slots=True)
class Usage:
    """What the daemons have used so far."""

    cpu_seconds: float  # all together
    peak_bytes: int  # the one that needs most


class Rig:
    """A folder, a bank, and daemons that share its modems. The folder must not exist or be empty."""

    def __init__(self, folder: Path, url: str | None, modems: int, hosts: int = 1) -> None:
        """`url`: PostgreSQL, where a schema is made and dropped; None: SQLite in the folder."""
        self._folder = folder
        self._modems = modems
        self._server = url
        self._name = f"bench_{uuid.uuid4().hex[:12]}"
        self._url = f"sqlite:///{folder / 'modemd.db'}" if url is None else _in_schema(url, self._name)
        self._hosts = [f"host-{number}" for number in range(hosts)]
        self._children: dict[str, subprocess.Popen[str]] = {}
        self._queued = 0
        self.engine: Engine = database.connect(self._url)
        self.bank = ControlClient(folder / "bank")

    @contextlib.contextmanager
    def prepared(self) -> Iterator[None]:
        """Make the settings and the database; at the end, end the children and drop what was made on a server."""
        self._folder.mkdir(parents=True, exist_ok=True)
        for number, host in enumerate(self._hosts):
            self._write_settings(host, range(number, self._modems, len(self._hosts)))
        self._administer(f"CREATE SCHEMA {self._name}")
        try:
            database.upgrade(self.engine)
            yield
        finally:
            self._stop()
            self.engine.dispose()
            self._administer(f"DROP SCHEMA IF EXISTS {self._name} CASCADE")

    def start(self, send_seconds: float, jitter: float, report_seconds: float) -> None:
        """Start bank and daemon and wait until every modem is ready. Raises BenchFailed."""
        bank = self._spawn(
            "sim",
            *("--dir", str(self._folder / "bank"), "--modems", str(self._modems)),
            *("--send-seconds", str(send_seconds), "--send-jitter", str(jitter)),
            *("--report-seconds", str(report_seconds)),
        )
        if bank.stdout is None or bank.stdout.readline().strip() != "ready":
            raise self._failure("the simulated bank did not start", "sim")
        for host in self._hosts:
            self._spawn("run", "-c", str(self._folder / host / "modemd.toml"), log=host)
        deadline = time.monotonic() + START_SECONDS
        while not self._all_ready():
            if time.monotonic() > deadline:
                raise self._failure("the modems did not get ready", self._hosts[0])
            time.sleep(0.1)

    def register(self, phones: Sequence[str]) -> None:
        """Give every phone a customer with one open invoice, through the real import."""
        now = datetime.now(UTC)
        due = now.astimezone(SOFIA).date() + timedelta(days=10)
        numbers = [f"3{index:011}" for index in range(len(phones))]
        items = [open_item(number, index, due, 3791) for index, number in enumerate(numbers)]
        for kind, rows in (("CUSTOMERS", [customer(number) for number in numbers]), ("OPENITEMS", items)):
            path = files.write(self._folder / "billing", kind, "bench", 1, "FULL", now, rows)
            importing.import_file(self.engine, path, now, reject_folder=self._folder / "reject")
        with database.writing(self.engine) as conn:
            for phone, number in zip(phones, numbers, strict=True):
                subscriptions.register(conn, phone, [number], ["bill"], "bg-Latn", now)

    def enqueue(self, count: int) -> None:
        """Queue so many SMS of one part, each to a phone of its own, in one transaction."""
        now = datetime.now(UTC)
        expires_at = now + timedelta(days=1)
        with database.writing(self.engine) as conn:
            for start in range(0, count, ENQUEUED_AT_ONCE):
                numbers = range(self._queued + start, self._queued + min(start + ENQUEUED_AT_ONCE, count))
                batch = [
                    outbox.NewMessage("manual", f"+35987{each:07}", TEXT.format(number=each), 1, 5, expires_at)
                    for each in numbers
                ]
                outbox.enqueue(conn, batch, now)
        self._queued += count

    def allow(self, allowed: Allowed) -> None:
        """Move the switch that stops all sending."""
        with database.writing(self.engine) as conn:
            switch.allow(conn, allowed, datetime.now(UTC))

    def waiting(self) -> int:
        """Messages that the database does not yet know to have left."""
        unsent = (MessageState.QUEUED, MessageState.SENDING)
        with database.reading(self.engine) as conn:
            return conn.scalar(select(func.count()).where(message.c.state.in_(unsent))) or 0

    def usage(self) -> Usage:
        """What the daemons have used since their start, with all their threads."""
        each = [self._usage(host) for host in self._hosts]
        return Usage(sum(usage.cpu_seconds for usage in each), max(usage.peak_bytes for usage in each))

    def _usage(self, host: str) -> Usage:
        """Of one of them (proc(5))."""
        process = Path("/proc", str(self._children[host].pid))
        times = process.joinpath("stat").read_text(encoding="utf-8").rpartition(")")[2].split()
        status = dict(
            line.split(":", 1) for line in process.joinpath("status").read_text(encoding="utf-8").splitlines()
        )
        return Usage((int(times[11]) + int(times[12])) / TICKS, int(status["VmHWM"].split()[0]) * 1024)

    def check(self) -> None:
        """Raises BenchFailed if a child has ended."""
        for name, child in self._children.items():
            if child.poll() is not None:
                raise self._failure(f"modemd {name} ended with status {child.returncode}", name)

    def _all_ready(self) -> bool:
        self.check()
        with database.reading(self.engine) as conn:
            modems = lines.overview(conn, datetime.now(UTC))
        return sum(modem.state == "ready" for modem in modems) == self._modems

    def _write_settings(self, host: str, modems: Iterable[int]) -> None:
        """A TOML string or list of strings is one of JSON."""
        data = self._folder / host
        data.mkdir()
        values = {
            "url": self._url,
            "ports": [f"{self._folder}/bank/modem{number:02}" for number in modems],
            "name": f"{self._name}-{host}",
            "data": str(data),
        }
        settings = SETTINGS.format(**{name: json.dumps(value) for name, value in values.items()})
        (data / "modemd.toml").write_text(settings, encoding="utf-8")

    def _spawn(self, command: str, *arguments: str, log: str | None = None) -> subprocess.Popen[str]:
        """`log`: what the child is called, if not as the command."""
        name = log or command
        with (self._folder / f"{name}.log").open("w", encoding="utf-8") as said:
            child = subprocess.Popen(
                [sys.executable, "-m", "modemd", "--log-level", "warning", command, *arguments],
                stdout=subprocess.PIPE,
                stderr=said,
                stdin=subprocess.DEVNULL,
                text=True,
                start_new_session=True,  # Ctrl-C is for us; we end them in order
                preexec_fn=die_with_parent,
            )
        self._children[name] = child
        return child

    def _stop(self) -> None:
        for child in reversed(self._children.values()):
            child.terminate()
            try:
                child.wait(timeout=STOP_SECONDS)
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait()
            if child.stdout is not None:
                child.stdout.close()
        self._children.clear()

    def _administer(self, statement: str) -> None:
        if self._server is None:
            return
        engine = database.connect(self._server)
        try:
            with engine.begin() as conn:
                conn.execute(text(statement))
        except DBAPIError as error:
            raise DatabaseUnreachable(url=database.shown(engine.url), reason=str(error.orig).strip()) from error
        finally:
            engine.dispose()

    def _failure(self, reason: str, name: str) -> BenchFailed:
        said = (self._folder / f"{name}.log").read_text(encoding="utf-8", errors="replace").splitlines()
        return BenchFailed(reason=reason, said=" | ".join(said[-LAST_WORDS:]) or "none")


def _in_schema(url: str, schema: str) -> str:
    """The URL with a search path that names this schema alone (libpq's `options`)."""
    parsed = make_url(url).update_query_dict({"options": f"-csearch_path={schema}"})
    return parsed.render_as_string(hide_password=False)
