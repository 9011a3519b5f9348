import re
import shutil
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import Engine, select
from werkzeug.test import TestResponse

from modemd.config import Database, Portal, Service, Settings, Web
from modemd.service import accounts, identities
from modemd.service.accounts import Credentials
from modemd.store import database
from modemd.store.schema import customer, dataset, message
from tests import compiled
from tests.service.authority import EGN, EIK, Authority
from web.panel import EXTENSION
from web.portal.app import create_app

PERSON, COMPANY, STRANGER = "300000000001", "300000000002", "300000000003"
IDENTITY_KEY = "i" * 32
PROXY_SECRET = "p" * 64
PASSWORD = "a password of my own"


class RunningPortal:
    """The app over a database of its own, with three customers, and a door for certificates."""

    def __init__(self, folder: Path, template: Path, authority: Authority) -> None:
        self.now = datetime.now(UTC)
        path = folder / "portal.db"
        shutil.copy(template, path)
        files = {"secret_key": "0123456789abcdef" * 4, "identity": IDENTITY_KEY, "proxy": PROXY_SECRET}
        for name, text in files.items():
            (folder / name).write_text(text)
        self.settings = Settings(
            database=Database(url=f"sqlite:///{path}"),
            web=Web(secret_key_file=folder / "secret_key"),
            service=Service(identity_key_file=folder / "identity"),
            portal=Portal(
                kep_url="https://kep.example",
                url="https://portal.example",
                kep_issuers_file=authority.issuers_file,
                kep_crl_folder=authority.folder / "crl",
                proxy_secret_file=folder / "proxy",
            ),
        )
        self.app: Flask = create_app(self.settings, now=lambda: self.now)
        self.app.testing = True
        compiled.share(self.app)
        self.engine: Engine = self.app.extensions[EXTENSION].engine
        person = identities.of_person(EGN, IDENTITY_KEY.encode())
        other = identities.of_person("8032056031", IDENTITY_KEY.encode())
        rows = [(PERSON, "H", person), (COMPANY, "B", EIK), (STRANGER, "H", other)]
        with database.writing(self.engine) as conn:
            conn.execute(dataset.insert(), {"type": "CUSTOMERS", "generation": 1, "data_at": self.now})
            for number, class_, identity in rows:
                row = {"customer_no": number, "class": class_, "identity": identity, "active": True}
                conn.execute(customer.insert(), {"generation": 1, **row})

    def hand_out(self, customer_no: str = PERSON) -> Credentials:
        with database.writing(self.engine) as conn:
            return accounts.hand_out(conn, customer_no, "elena", self.now)

    def client(self) -> "Customer":
        return Customer(self, self.app.test_client())

    def signed_in(self, customer_no: str = PERSON) -> "Customer":
        """A customer with a password of his own."""
        handed = self.hand_out(customer_no)
        visitor = self.client()
        assert visitor.sign_in(handed).headers["Location"] == "/portal/"
        visitor.post("/portal/password", {"new": PASSWORD, "again": PASSWORD})
        return visitor

    def texts(self, number: str) -> list[str]:
        """What was queued for a phone."""
        with database.reading(self.engine) as conn:
            return list(
                conn.scalars(select(message.c.text).where(message.c.recipient == number).order_by(message.c.id))
            )


class Customer:
    """A browser without JavaScript."""

    def __init__(self, portal: RunningPortal, client: FlaskClient) -> None:
        self.portal = portal
        self.client = client

    def get(self, path: str, **more: object) -> TestResponse:
        return self.client.get(path, **more)  # type: ignore[arg-type]

    def page(self, path: str) -> str:
        response = self.get(path)
        assert response.status_code == 200, (path, response.status_code, response.headers.get("Location"))
        return response.text

    def post(self, path: str, fields: Mapping[str, object] | None = None) -> TestResponse:
        page = self.client.get("/portal/sign-in", follow_redirects=True).text
        found = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', page)
        assert found
        return self.client.post(path, data={**(fields or {}), "csrf_token": found[1]})

    def sign_in(self, handed: Credentials) -> TestResponse:
        return self.post("/portal/sign-in", {"name": handed.name, "password": handed.password})

    def ask_for_code(self, phone: str = "0888 000 101", **fields: object) -> TestResponse:
        given = {"customers": [PERSON], "services": ["bill", "reminder"], "language": "bg-Latn", **fields}
        return self.post("/portal/phone", {"phone": phone, **given})

    def code(self, number: str = "+359888000101") -> str:
        found = re.search(r"kod (\d{6})", self.portal.texts(number)[-1])
        assert found
        return found[1]

    def register(self, number: str = "+359888000101", **fields: object) -> TestResponse:
        where = self.ask_for_code(number, **fields).headers["Location"]
        return self.post(where, {"code": self.code(number)})


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture
def portal(tmp_path: Path, sqlite_template: Path, authority: Authority) -> Iterator[RunningPortal]:
    running = RunningPortal(tmp_path, sqlite_template, authority)
    yield running
    running.engine.dispose()
