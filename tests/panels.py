"""The panel over a database of its own, with invented modems and messages, at a time that tests move."""

import re
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import Connection, Engine
from werkzeug.test import TestResponse

from modemd.config import Database, Settings, Web
from modemd.errors import SimulatorError
from modemd.messages import ReceivedSms
from modemd.store import database, inbox, lines, modems, outbox, staff
from modemd.store.lines import Sim
from modemd.store.modems import ModemRow
from modemd.store.outbox import NewMessage, Sending, Sent, Want
from modemd.store.schema import InboxState
from tests import compiled
from web.app import create_app
from web.panel import EXTENSION

NOW = datetime(2026, 11, 23, 8, 42, 7, tzinfo=UTC)  # 10:42:07 in Sofia
HOST = "gsm-host-1"
PASSWORD = "correct horse battery"
PHONES = ("+359888000101", "+359888000102", "+359888000103")
BILL = "Elektrohold: smetka za klient ***0001: 37,91 EUR, srok 09.12.2026. Danni kam 23.11.2026 10:00. Info 070010010"


@dataclass
class FakePhones:
    """A network at the panel's edge: what is texted is remembered, `answer` is what comes back."""

    answer: str | None = BILL
    silent: bool = False
    said: dict[str, list[dict[str, Any]]] = field(default_factory=dict)

    def numbers(self) -> Sequence[str]:
        self._check()
        return PHONES

    def text(self, number: str, text: str) -> None:
        self._check()
        self._add(number, "sent", text)
        if self.answer is not None:
            self.receive(number, self.answer)

    def receive(self, number: str, text: str) -> None:
        self._add(number, "received", text)

    def conversation(self, number: str) -> Sequence[Mapping[str, Any]]:
        self._check()
        return list(self.said.get(number, ()))

    def _add(self, number: str, direction: str, text: str) -> None:
        one = {"direction": direction, "text": text, "at": NOW.isoformat(), "peer": "+359889000001"}
        self.said.setdefault(number, []).append(one)

    def _check(self) -> None:
        if self.silent:
            raise SimulatorError(dir="/run/bank", reason="it does not run")


class RunningPanel:
    """The app, and hands to fill its database. `now` is the time of everything."""

    def __init__(self, folder: Path, template: Path, **web: Any) -> None:
        path = folder / "panel.db"
        shutil.copy(template, path)
        key = folder / "secret_key"
        key.write_text("0123456789abcdef" * 4)
        self.now = NOW
        self.phones = FakePhones()
        self.settings = Settings(database=Database(url=f"sqlite:///{path}"), web=Web(secret_key_file=key, **web))
        self.app: Flask = create_app(self.settings, phones=self.phones, now=lambda: self.now)
        self.app.testing = True
        compiled.share(self.app)
        self.engine: Engine = self.app.extensions[EXTENSION].engine
        self._references = 0

    def close(self) -> None:
        self.engine.dispose()

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        with database.writing(self.engine) as conn:
            yield conn

    # people

    def add_person(self, name: str = "elena", role: str = "admin") -> None:
        with self.writing() as conn:
            staff.set_password(conn, name, PASSWORD, role, self.now)

    def add_new_person(self, name: str = "elena", role: str = "technician") -> str:
        """One who has a one-time password, which is returned."""
        with self.writing() as conn:
            return staff.add(conn, name, role, self.now)

    # the bank

    def start_daemon(self) -> None:
        with self.writing() as conn:
            lines.host_started(conn, HOST, "first", 4711, self.now)

    def add_modem(self, number: int, state: str = "ready", *, adopt: bool = True, **columns: Any) -> int:
        """Put a modem with a SIM of its own into the bank; returns the line."""
        port = f"/dev/modemd/usb-1.{number}"
        name = columns.pop("name", None)
        with self.writing() as conn:
            row = lines.identify(
                conn, Sim(f"89359010000000{number:05}", None), HOST, port, self.now, adopt=adopt, name=name
            )
            columns = {"operator": "A1 BG", "signal_dbm": -71, "state_since": self.now, **columns}
            modems.save(conn, [ModemRow(HOST, port, row.id, state, **columns)], self.now)
        return row.id

    # messages

    def receive(self, line_id: int, text: str, number: str | None = "+359881234567", **columns: Any) -> int:
        """A text comes in; returns its id."""
        self._references += 1
        sms = ReceivedSms(f"00{self._references:06x}", "SM", 1, self.now, number, True, text, **columns)
        with self.writing() as conn:
            (recorded,) = inbox.record(conn, line_id, [sms], self.now)
        assert recorded.inbox_id is not None
        return recorded.inbox_id

    def answer(self, inbox_id: int, state: str = "done", kind: str = "bill") -> None:
        with self.writing() as conn:
            inbox.done(conn, inbox_id, InboxState(state), kind, self.now)

    def queue(self, text: str = BILL, kind: str = "reply", recipient: str = "+359881234567", **columns: Any) -> int:
        new = NewMessage(kind, recipient, text, 1, 5, self.now + timedelta(days=2), **columns)
        with self.writing() as conn:
            return outbox.enqueue(conn, [new], self.now)[0]

    def send(self, line_id: int, text: str = BILL, kind: str = "reply", **columns: Any) -> None:
        """Queue a message and let the network take it through this line."""
        self.queue(text, kind, line_id=line_id, **columns)
        with self.writing() as conn:
            ((claim,),) = outbox.claim(conn, [Want(line_id, 1)], self.now, HOST, timedelta(seconds=30))
            part = claim.open_parts[0].id
            outbox.mark_sending(conn, [Sending(part, line_id)], self.now, HOST)
            outbox.sent(conn, [Sent(part, 7)], self.now)
            outbox.follow_up(conn, [part], self.now)

    # the way in

    def client(self) -> "Visitor":
        return Visitor(self.app.test_client())

    def signed_in(self, role: str = "admin", name: str = "elena") -> "Visitor":
        self.add_person(name, role)
        visitor = self.client()
        assert visitor.sign_in(name, PASSWORD).status_code == 302
        return visitor


class Visitor:
    """A browser without JavaScript: keeps cookies, and sends the token of the last page with every form."""

    def __init__(self, client: FlaskClient) -> None:
        self.client = client

    def get(self, path: str, **more: Any) -> TestResponse:
        return self.client.get(path, **more)

    def page(self, path: str) -> str:
        response = self.get(path)
        assert response.status_code == 200, (path, response.status_code)
        return response.text

    def post(self, path: str, fields: Mapping[str, str] | None = None, *, form_at: str = "/sign-in") -> TestResponse:
        return self.client.post(path, data={**(fields or {}), "csrf_token": self.token(form_at)})

    def sign_in(self, name: str, password: str) -> TestResponse:
        return self.post("/sign-in", {"name": name, "password": password})

    def token(self, path: str) -> str:
        page = self.client.get(path, follow_redirects=True).text
        found = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', page)
        assert found, f"no form on {path}"
        return found[1]
