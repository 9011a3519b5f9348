"""The API over a database of its own, and clients with tokens."""

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import Engine
from werkzeug.test import TestResponse

from modemd.config import Settings
from modemd.messages import ReceivedSms
from modemd.service import tokens
from modemd.service.tokens import Scope
from modemd.store import database as opening
from modemd.store import inbox, lines, listing
from modemd.store.lines import Sim
from tests.panels import NOW
from web.api.app import create_app
from web.panel import EXTENSION

PHONE = "+359888000101"


class RunningApi:
    """The app, and hands to fill its database. `now` is the time of everything."""

    def __init__(self, engine: Engine, **settings: Any) -> None:
        self.now = NOW
        url = engine.url.render_as_string(hide_password=False)
        self.settings = Settings.model_validate({"database": {"url": url}, **settings})
        self.app = create_app(self.settings, now=lambda: self.now)
        self.app.testing = False  # what goes wrong is answered, as it is in earnest
        self.app.config["PROPAGATE_EXCEPTIONS"] = False
        self.engine: Engine = self.app.extensions[EXTENSION].engine
        self._references = 0

    def token(
        self, name: str = "billing", scopes: Sequence[Scope] = tuple(Scope), days: int = 30, **limits: int
    ) -> str:
        with opening.writing(self.engine) as conn:
            return tokens.issue(conn, name, scopes, days, "elena", self.now, **limits)

    def client(self, name: str = "billing", scopes: Sequence[Scope] = tuple(Scope), **limits: int) -> "Client":
        return Client(self.app.test_client(), self.token(name, scopes, **limits))

    def outbox(self) -> list[listing.Listed]:
        with opening.reading(self.engine) as conn:
            return listing.find(conn, direction="mt", limit=None)

    def receive(self, text: str, number: str = "+359881234567") -> int | None:
        self._references += 1
        sms = ReceivedSms(f"00{self._references:06x}", "SM", 1, self.now, number, True, text)
        with opening.writing(self.engine) as conn:
            line = lines.identify(conn, Sim("8935901000000000001", None), "h", "/dev/p", self.now, adopt=True)
            return inbox.record(conn, line.id, [sms], self.now)[0].inbox_id


class Client:
    """A program with a token."""

    def __init__(self, client: FlaskClient, token: str | None) -> None:
        self.http = client
        self.token = token
        self._keys = 0

    def ask(self, method: str, path: str, **more: Any) -> TestResponse:
        headers = {"Authorization": f"Bearer {self.token}", **more.pop("headers", {})}
        return self.http.open(f"/api/v1{path}", method=method, headers=headers, **more)

    def get(self, path: str) -> TestResponse:
        return self.ask("GET", path)

    def post(self, path: str, body: Any = None, key: str | None = None) -> TestResponse:
        self._keys += 1
        return self.ask("POST", path, json=body, headers={"Idempotency-Key": key or f"key-{self._keys}"})

    def send(self, text: str = "hello", to: str = PHONE, key: str | None = None, **more: Any) -> TestResponse:
        return self.post("/messages", {"to": to, "text": text, **more}, key)


def later(now: datetime, **much: float) -> datetime:
    return now + timedelta(**much)


@pytest.fixture
def make_api(database: Engine) -> Iterator[Callable[..., RunningApi]]:
    made: list[RunningApi] = []

    def make(**settings: Any) -> RunningApi:
        made.append(RunningApi(database, **settings))
        return made[-1]

    yield make
    for each in made:
        each.engine.dispose()


@pytest.fixture
def api(make_api: Callable[..., RunningApi]) -> RunningApi:
    return make_api()
