"""The API as a process of its own, on a port of its own."""

import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from modemd.service import tokens
from modemd.service.tokens import Scope
from modemd.store import database


class ApiProcess:
    """`modemd web` over an SQLite file; `url` ends in no stroke."""

    def __init__(self, folder: Path, database_url: str, settings: str = "", port: int = 0) -> None:
        self.database_url = database_url
        self._config = folder / "api.toml"
        self._log = folder / "api.log"
        self._port = port
        self._settings = settings
        self.start()

    def start(self) -> None:
        """Begin, or begin again on the same port."""
        self._config.write_text(
            f'database.url = "{self.database_url}"\nweb.serve = ["api"]\nweb.port = {self._port}\n{self._settings}'
        )
        with self._log.open("a") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "modemd", "web", "-c", str(self._config)],
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
            )
        assert self.process.stdout is not None
        self.url = self.process.stdout.readline().strip().rstrip("/")
        assert self.url, self._log.read_text()
        self._port = int(self.url.rpartition(":")[2])

    @property
    def port(self) -> int:
        return self._port

    def kill(self) -> None:
        self.process.kill()
        self.process.communicate()

    def token(self, name: str = "billing", scopes: Sequence[Scope] = tuple(Scope), **limits: int) -> str:
        engine = database.connect(self.database_url)
        try:
            with database.writing(engine) as conn:
                return tokens.issue(conn, name, scopes, 30, "elena", datetime.now(UTC), **limits)
        finally:
            engine.dispose()


@contextmanager
def running_api(folder: Path, template: Path, settings: str = "") -> Iterator[ApiProcess]:
    shutil.copy(template, folder / "modemd.db")
    api = ApiProcess(folder, f"sqlite:///{folder}/modemd.db", settings)
    try:
        yield api
    finally:
        api.kill()
