"""The whole service on one machine with no hardware: a simulated bank, the daemon and the panel as child processes."""

import contextlib
import ctypes
import json
import secrets
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from sqlalchemy import Engine

from modemd import config
from modemd.billing import files, importing
from modemd.config import SOFIA
from modemd.errors import DemoFailed
from modemd.service import identities, subscriptions
from modemd.sim.control import ControlClient
from modemd.store import database, lines, staff

USER = "demo"
START_SECONDS = 60.0
ANSWER_SECONDS = 30.0
LAST_WORDS = 5  # lines of a child's log

# Invented: phone, language, customers; each customer: open invoices as (days until due, cents).
CUSTOMERS: dict[str, list[tuple[int, int]]] = {
    "300000000001": [(15, 3791)],
    "300000000002": [(15, 2514)],
    "300000000003": [(-9, 11240)],
    "300000000004": [],
    "300000000005": [(-9, 4420)],
    "300000000006": [(8, 8999)],
}
PHONES: dict[str, tuple[config.Language, list[str]]] = {
    "+359888000101": ("bg-Latn", ["300000000001"]),
    "+359888000102": ("bg-Latn", ["300000000002", "300000000003", "300000000004"]),
    "+359888000103": ("bg-Latn", ["300000000004"]),
    "+359888000104": ("bg-Cyrl", ["300000000005"]),
    "+359888000105": ("en", ["300000000006"]),
}
STRANGER = "+359888000199"  # not registered
EGN = {  # of people who would have been born in 1875: nobody's; of the last customer billing has told none
    "300000000001": "7521010014",
    "300000000002": "7521010020",
    "300000000003": "7521010035",
    "300000000004": "7521010040",
    "300000000005": "7521010056",
}


@dataclass(frozen=True)
class Exchange:
    phone: str
    question: str
    answer: str
    line: str  # the number that answered
    seconds: float


class Demo:
    """A folder with settings, database, invented customers and logs, and three processes that use it."""

    def __init__(self, folder: Path, modems: int, port: int) -> None:
        self.folder = folder.resolve()
        self.bank = self.folder / "bank"
        self.settings_path = self.folder / "modemd.toml"
        self.password = secrets.token_urlsafe(9)
        self.url = ""
        self._modems = modems
        self._port = port
        self._children: list[tuple[str, subprocess.Popen[str]]] = []

    def prepare(self) -> None:
        """Write the settings, create the database and import the customers through the real import."""
        self.folder.mkdir(parents=True, exist_ok=True)
        for key in ("secret_key", "identity_key"):
            if not (file := self.folder / key).exists():
                file.touch(mode=0o600)
                file.write_text(secrets.token_hex(32))
        self.settings_path.write_text(self._settings(), encoding="utf-8")
        engine = self._engine()
        database.prepare(engine)
        now = datetime.now(UTC)
        if not importing.has_data(engine):
            self._import_customers(engine, now)
        with engine.begin() as connection:
            staff.set_password(connection, USER, self.password, staff.Role.ADMIN, now)
        engine.dispose()

    def start(self, say: Callable[[str], None]) -> None:
        """Start the three processes and wait until every modem is ready. Raises DemoFailed."""
        say("the simulated bank")
        self._spawn("sim", "sim", "--dir", str(self.bank), "--modems", str(self._modems), answer="ready")
        say("the daemon")
        self._spawn("run", "run", "-c", str(self.settings_path))
        say("the panel")
        self.url = self._spawn("web", "web", "-c", str(self.settings_path), answer="http")
        say(f"{self._modems} modems to get ready")
        self._wait_for_modems()

    def text(self, phone: str, question: str) -> Exchange:
        """Text the service from a simulated phone and wait for the answer."""
        client = ControlClient(self.bank)
        before = len(client.phone(phone))
        began = time.monotonic()
        client.text(phone, question)
        while time.monotonic() - began < ANSWER_SECONDS:
            received = client.phone(phone)
            if len(received) > before:
                answer = received[before]
                return Exchange(phone, question, answer["text"], answer["from"], time.monotonic() - began)
            self._check_children()
            time.sleep(0.05)
        raise self._failure(f"no answer came within {ANSWER_SECONDS:.0f} s", "run")

    def wait(self) -> None:
        """Return only by an exception: a child that ended, or the signal that ends the demo."""
        while True:
            self._check_children()
            time.sleep(0.5)

    def stop(self) -> None:
        """End the children, the newest first; each gets the time to finish what is in the air."""
        for _, child in reversed(self._children):
            child.terminate()
            try:
                child.wait(timeout=20)
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait()
            if child.stdout is not None:
                child.stdout.close()
        self._children.clear()

    def _engine(self) -> Engine:
        return database.connect(config.load(self.settings_path).database.url)

    def _settings(self) -> str:
        quoted = json.dumps  # a TOML basic string is a JSON string
        return f"""[database]
url = {quoted(f"sqlite:///{self.folder / 'modemd.db'}")}

[bank]
ports = [{quoted(str(self.bank / "modem*"))}]
per_minute = 0

[daemon]
name = "demo"
data = {quoted(str(self.folder))}

[service]
identity_key_file = {quoted(str(self.folder / "identity_key"))}

[web]
port = {self._port}
secret_key_file = {quoted(str(self.folder / "secret_key"))}
serve = ["panel", "portal"]
simulated_bank = {quoted(str(self.bank))}
"""

    def _import_customers(self, engine: Engine, now: datetime) -> None:
        today = now.astimezone(SOFIA).date()
        incoming = self.folder / "billing"
        key = identities.key(config.load(self.settings_path).service)
        customers = [
            customer(number, identities.of_person(EGN[number], key) if number in EGN else "") for number in CUSTOMERS
        ]
        items = [
            open_item(number, index, today + timedelta(days=due), cents)
            for index, (number, invoices) in enumerate(CUSTOMERS.items(), start=1)
            for due, cents in invoices
        ]
        for kind, rows in (("CUSTOMERS", customers), ("OPENITEMS", items)):
            path = files.write(incoming, kind, "demo", 1, "FULL", now, rows)
            importing.import_file(engine, path, now, reject_folder=self.folder / "reject")
        with engine.begin() as connection:
            for phone, (language, numbers) in PHONES.items():
                subscriptions.register(connection, phone, numbers, ["bill", "reminder", "outage"], language, now)

    def _spawn(self, name: str, *arguments: str, answer: str | None = None) -> str:
        log = (self.folder / f"{name}.log").open("w", encoding="utf-8")
        with log:
            child = subprocess.Popen(
                [sys.executable, "-m", "modemd", *arguments],
                stdout=subprocess.PIPE if answer else log,
                stderr=log,
                stdin=subprocess.DEVNULL,
                text=True,
                start_new_session=True,  # Ctrl-C is for us; we end them in order
                preexec_fn=die_with_parent,
            )
        self._children.append((name, child))
        while answer and child.stdout is not None:
            line = child.stdout.readline()
            if line.startswith(answer):
                return line.strip()
            if not line:
                self._check_children()
                raise self._failure(f"modemd {name} said nothing", name)
        return ""

    def _wait_for_modems(self) -> None:
        engine = self._engine()
        deadline = time.monotonic() + START_SECONDS
        with contextlib.closing(engine.connect()) as connection:
            while time.monotonic() < deadline:
                ready = [m for m in lines.overview(connection, datetime.now(UTC)) if m.state == "ready"]
                connection.rollback()
                if len(ready) >= self._modems:
                    engine.dispose()
                    return
                self._check_children()
                time.sleep(0.1)
        raise self._failure("the modems did not get ready", "run")

    def _check_children(self) -> None:
        for name, child in self._children:
            if child.poll() is not None:
                raise self._failure(f"modemd {name} ended with status {child.returncode}", name)

    def _failure(self, reason: str, name: str) -> DemoFailed:
        said = (self.folder / f"{name}.log").read_text(encoding="utf-8", errors="replace").splitlines()
        return DemoFailed(reason=reason, said=" | ".join(said[-LAST_WORDS:]) or "none")


def customer(customer_no: str, identity: str = "") -> dict[str, str]:
    """A row of CUSTOMERS."""
    return {
        "customer_no": customer_no,
        "itn": "",
        "class": "H",
        "identity": identity,
        "language": "bg-Latn",
        "active": "1",
    }


def open_item(customer_no: str, index: int, due: date, cents: int) -> dict[str, str]:
    """A row of OPENITEMS; `index` makes its invoice number."""
    amount = f"{cents // 100},{cents % 100:02}"
    return {
        "customer_no": customer_no,
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


def die_with_parent() -> None:
    """Linux: should the parent be killed, its children end too (prctl(2), PR_SET_PDEATHSIG = 1)."""
    ctypes.CDLL(None).prctl(1, signal.SIGTERM)
