"""A real daemon on a simulated bank, each a process of its own, and hands to use them as people do."""

import json
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

from sqlalchemy import Engine

from modemd.billing import files, importing
from modemd.config import SOFIA
from modemd.service import subscriptions
from modemd.sim.control import ControlClient
from modemd.store import database, lines, listing
from tests import forked

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
    ) -> None:
        self.folder = folder
        self.bank = folder / "bank"
        self.log = folder / "network.jsonl"
        self.config = folder / "modemd.toml"
        self.modems = modems
        self.database_url = database_url or f"sqlite:///{folder}/modemd.db"
        self.phones = ControlClient(self.bank)
        self._bank_options = bank_options
        self._processes: dict[str, BaseProcess] = {}
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
        options = ("--dir", self.bank, "--modems", self.modems, "--log", self.log, *self._bank_options)
        self._start("sim", *options)
        self.until(lambda: "ready\n" in (self.folder / "sim.out").read_text(encoding="utf-8"))

    def start_daemon(self) -> None:
        self._start("run", "-c", self.config)

    def kill_daemon(self) -> None:
        daemon = self._processes.pop("run")
        daemon.kill()
        daemon.join()

    def stop_daemon(self) -> int | None:
        daemon = self._processes.pop("run")
        daemon.terminate()
        daemon.join(PATIENCE)
        return daemon.exitcode

    def wait_until_ready(self, modems: int | None = None) -> None:
        wanted = self.modems if modems is None else modems
        self.until(lambda: sum(modem.state == "ready" for modem in self.overview()) == wanted)

    def close(self) -> None:
        for process in reversed(self._processes.values()):
            process.terminate()
        for process in self._processes.values():
            process.join(PATIENCE)
            process.kill()
            process.join()

    def said(self, command: str) -> str:
        """What a process wrote to stderr."""
        return (self.folder / f"{command}.log").read_text(encoding="utf-8")

    def run(self, *arguments: object, stdin: str = "") -> subprocess.CompletedProcess[str]:
        """One command, to its end."""
        return forked.run(*arguments, stdin=stdin, timeout=PATIENCE)

    def _start(self, command: str, *arguments: object) -> None:
        out, err = self.folder / f"{command}.out", self.folder / f"{command}.log"
        out.touch()
        self._processes[command] = forked.start(command, *arguments, stdout=out, stderr=err)

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
                assert process.exitcode is None, f"{command} ended:\n{self.said(command)[-4000:]}"
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
