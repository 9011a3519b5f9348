"""A real daemon on a simulated bank, each a process of its own, and hands to use them as people do."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import Engine

from modemd.billing import files, importing
from modemd.config import SOFIA
from modemd.service import subscriptions
from modemd.sim.control import ControlClient
from modemd.store import database, lines, listing

PATIENCE = 40.0  # s; a bound on what never comes, not a measure


class RunningService:
    def __init__(
        self,
        folder: Path,
        *,
        modems: int = 2,
        settings: str = "",
        bank_options: tuple[str, ...] = (),
        database_url: str | None = None,
        forked: bool = False,
    ) -> None:
        """`forked`: daemons come out of a nursery, which costs less than to start each from nothing."""
        self.folder = folder
        self.bank = folder / "bank"
        self.log = folder / "network.jsonl"
        self.config = folder / "modemd.toml"
        self.modems = modems
        self.database_url = database_url or f"sqlite:///{folder}/modemd.db"
        self.phones = ControlClient(self.bank)
        self._bank_options = bank_options
        self._processes: dict[str, subprocess.Popen[str]] = {}
        self._forked = forked
        self._child: int | None = None  # the forked daemon
        self._engine: Engine | None = None
        self.config.write_text(
            f"""
            database.url = "{self.database_url}"
            bank.ports = ["{self.bank}/modem*"]
            bank.per_minute = 0
            bank.per_day = 0
            daemon.name = "test-host"
            daemon.data = "{folder}"
            {settings}
            """
        )

    # processes

    def start_bank(self) -> None:
        bank = self._start(
            "sim",
            "--dir",
            self.bank,
            "--modems",
            self.modems,
            "--log",
            self.log,
            *self._bank_options,
            stdout=subprocess.PIPE,
        )
        assert bank.stdout is not None
        assert bank.stdout.readline().strip() == "ready", self.said("sim")

    def start_daemon(self) -> None:
        if not self._forked:
            self._start("run", "-c", self.config)
            return
        if "nursery" not in self._processes:
            arguments = [sys.executable, "-m", "tests.flow.nursery", str(self.config), str(self.folder / "run.log")]
            self._processes["nursery"] = subprocess.Popen(
                arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parents[2]
            )
        nursery = self._processes["nursery"]
        assert nursery.stdin is not None
        assert nursery.stdout is not None
        nursery.stdin.write("\n")
        nursery.stdin.flush()
        self._child = int(nursery.stdout.readline())

    def kill_daemon(self) -> None:
        if self._child is not None:
            self._end_child(signal.SIGKILL)
            return
        daemon = self._processes.pop("run")
        daemon.kill()
        daemon.wait()

    def _end_child(self, number: signal.Signals) -> None:
        """The nursery takes no notice of its children's ends: they are gone when they cannot be signalled any more."""
        child, self._child = self._child, None
        with contextlib.suppress(ProcessLookupError):
            while child is not None:
                os.kill(child, number)
                time.sleep(0.01)

    def stop_daemon(self) -> int:
        daemon = self._processes.pop("run")
        daemon.terminate()
        return daemon.wait(timeout=PATIENCE)

    def wait_until_ready(self, modems: int | None = None) -> None:
        wanted = self.modems if modems is None else modems
        self.until(lambda: sum(modem.state == "ready" for modem in self.overview()) == wanted)

    def close(self) -> None:
        self._end_child(signal.SIGTERM)
        for process in reversed(list(self._processes.values())):
            process.terminate()
        for process in self._processes.values():
            try:
                process.wait(timeout=PATIENCE)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            for stream in (process.stdin, process.stdout):
                if stream is not None:
                    stream.close()

    def said(self, command: str) -> str:
        """What a process wrote to stderr."""
        return (self.folder / f"{command}.log").read_text(encoding="utf-8")

    def run(self, *arguments: object, stdin: str | None = None) -> subprocess.CompletedProcess[str]:
        """One command, to its end."""
        return subprocess.run(
            [sys.executable, "-m", "modemd", *map(str, arguments)],
            input=stdin,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
        )

    def _start(self, command: str, *arguments: object, stdout: int = subprocess.DEVNULL) -> subprocess.Popen[str]:
        with (self.folder / f"{command}.log").open("a", encoding="utf-8") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "modemd", command, *map(str, arguments)], stdout=stdout, stderr=log, text=True
            )
        self._processes[command] = process
        return process

    # what is in the database, and what the network has seen

    @contextmanager
    def engine(self) -> Iterator[Engine]:
        """The database, opened for the test's own looks at it; each of them ends with no connection open."""
        if self._engine is None:
            self._engine = database.connect(self.database_url)
            database.prepare(self._engine)
        try:
            yield self._engine
        finally:
            self._engine.dispose()

    def overview(self) -> list[lines.ModemOverview]:
        with self.engine() as engine, database.reading(engine) as connection:
            return lines.overview(connection, datetime.now(UTC) - timedelta(days=1))

    def messages(self, **filters: Any) -> list[listing.Listed]:
        with self.engine() as engine, database.reading(engine) as connection:
            return listing.find(connection, limit=None, **filters)

    def submitted(self) -> list[dict[str, Any]]:
        """The parts that the network took, in order."""
        return [event for event in self.network_events() if event["event"] == "submit"]

    def network_events(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.log.read_text(encoding="utf-8").splitlines()]

    def until(self, true: Callable[[], object], seconds: float = PATIENCE) -> None:
        deadline = time.monotonic() + seconds
        while not true():
            assert time.monotonic() < deadline, f"it never came; the daemon said:\n{self.said('run')[-4000:]}"
            for command, process in self._processes.items():
                assert process.poll() is None, f"{command} ended:\n{self.said(command)[-4000:]}"
            time.sleep(0.05)

    def answer_to(self, phone: str, text: str) -> str:
        """Text the service from a phone and wait for what comes back."""
        before = len(self.phones.phone(phone))
        self.phones.text(phone, text)
        self.until(lambda: len(self.phones.phone(phone)) > before)
        return str(self.phones.phone(phone)[before]["text"])

    # customers

    def give_customers(self, phones: dict[str, list[str]], cents: int = 3791, due_in: int = 15) -> None:
        """Import customers with one open invoice each and tie phones to them."""
        now = datetime.now(UTC)
        due = now.astimezone(SOFIA).date() + timedelta(days=due_in)
        numbers = sorted({number for customers in phones.values() for number in customers})
        customers = [dict(zip(CUSTOMER_COLUMNS, (n, "", "H", "", "bg-Latn", "1"), strict=True)) for n in numbers]
        amount = f"{cents // 100},{cents % 100:02}"
        items = [
            {
                "customer_no": number,
                "itn": "",
                "invoice_no": f"{480000000 + index:010}",
                "invoice_date": (due - timedelta(days=14)).isoformat(),
                "due_date": due.isoformat(),
                "cutoff_date": (due + timedelta(days=14)).isoformat(),
                "amount_total": amount,
                "amount_open": amount,
                "currency": "EUR",
                "status": "OPEN",
                "level": "0",
                "class": "H",
                "flags": "",
            }
            for index, number in enumerate(numbers, start=1)
        ]
        with self.engine() as engine:
            for kind, rows in (("CUSTOMERS", customers), ("OPENITEMS", items)):
                path = files.write(self.folder / "billing", kind, "test", 1, "FULL", now, rows)
                importing.import_file(engine, path, now, reject_folder=self.folder / "reject")
            with database.writing(engine) as connection:
                for phone, tied in phones.items():
                    subscriptions.register(connection, phone, tied, ["bill", "reminder", "outage"], "bg-Latn", now)


CUSTOMER_COLUMNS = ("customer_no", "itn", "class", "identity", "language", "active")
