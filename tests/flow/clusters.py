"""PostgreSQL servers of a test's own, which it may kill, and the way to them, which it may cut."""

import glob
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from sqlalchemy import make_url, text

from modemd.store import database

BY_MASTER = ("-A", "trust", "-U", "modemd", "--no-sync", "-E", "UTF8")
STREAMS = "SELECT count(*) FROM pg_stat_replication WHERE state = 'streaming'"
FOLLOWED = "SELECT count(*) FROM pg_stat_replication WHERE sync_state = 'sync'"


class Cluster:
    """One server."""

    def __init__(self, binaries: Path) -> None:
        self.binaries = binaries
        self.folder = Path(tempfile.mkdtemp(prefix="modemd-cluster-"))
        self._user = "nobody" if os.geteuid() == 0 else None  # the server refuses root
        if self._user is not None:
            shutil.chown(self.folder, self._user)
        self._data = self.folder / "data"
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port: int = free.getsockname()[1]
        self.url = f"postgresql+psycopg://modemd@127.0.0.1:{self.port}/postgres"

    def make(self) -> None:
        """With nothing in it."""
        self._run("initdb", "-D", self._data, *BY_MASTER)
        self.start()

    def follow(self, primary: "Cluster") -> None:
        """Become a standby of it, from a copy of what it holds by now."""
        shutil.rmtree(self._data, ignore_errors=True)
        source = f"host=127.0.0.1 port={primary.port} user=modemd application_name=standby"
        self._run("pg_basebackup", "-d", source, "-D", self._data, "-R", "-X", "stream", "-c", "fast", "--no-sync")
        self.start()

    def start(self) -> None:
        options = f"-p {self.port} -k {self.folder} -c listen_addresses=127.0.0.1 -c fsync=off"
        self._run("pg_ctl", "-D", self._data, "-l", self.folder / "log", "-o", options, "-w", "start")

    def promote(self) -> None:
        self._run("pg_ctl", "-D", self._data, "-w", "promote")

    def kill(self) -> None:
        """`kill -9` for the server and all that it has started."""
        said = (self._data / "postmaster.pid").read_text().splitlines()
        server, shared_memory = int(said[0]), said[6].split()[1]
        children = Path(f"/proc/{server}/task/{server}/children").read_text().split()
        for each in (server, *map(int, children)):
            with suppress(ProcessLookupError):
                os.kill(each, signal.SIGKILL)
        while any(Path(f"/proc/{each}").exists() for each in children):
            time.sleep(0.01)
        subprocess.run(["ipcrm", "-m", shared_memory], check=True)  # which nobody else would take away any more

    def fail(self) -> None:
        """At once, as in a crash; it comes back by its log."""
        self._stop()
        time.sleep(1.0)
        self.start()

    def close(self) -> None:
        if (self._data / "postmaster.pid").exists():
            with suppress(subprocess.CalledProcessError):  # killed before
                self._stop()
        shutil.rmtree(self.folder)

    def ask(self, question: str) -> object:
        """One statement on its own; gives the first value."""
        engine = database.connect(self.url).execution_options(isolation_level="AUTOCOMMIT")
        try:
            with engine.connect() as conn:
                result = conn.execute(text(question))
                return result.scalar() if result.returns_rows else None
        finally:
            engine.dispose()

    def _stop(self) -> None:
        self._run("pg_ctl", "-D", self._data, "-m", "immediate", "-w", "stop")

    def _run(self, program: str, *arguments: object) -> None:
        subprocess.run(
            [self.binaries / program, *map(str, arguments)],
            check=True,
            user=self._user,
            cwd=self.folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )


class Pair:
    """A primary and its synchronous standby; a URL that names both."""

    def __init__(self, binaries: Path) -> None:
        self._primary, self._standby = Cluster(binaries), Cluster(binaries)
        ports = f"{self._primary.port},{self._standby.port}"
        both = f"host=127.0.0.1,127.0.0.1&port={ports}&target_session_attrs=read-write"
        self.url = f"postgresql+psycopg://modemd@/postgres?{both}"

    def make(self) -> None:
        self._primary.make()
        self._pair()

    def fail(self) -> None:
        """The primary dies for good and its standby takes its place."""
        self._primary.kill()
        self._standby.promote()
        self._primary, self._standby = self._standby, self._primary

    def mend(self) -> None:
        """What was the primary becomes a standby of the new one, made from nothing."""
        self._primary.ask("ALTER SYSTEM RESET synchronous_standby_names")
        self._pair()

    def close(self) -> None:
        self._standby.close()
        self._primary.close()

    def _pair(self) -> None:
        """From the end of this on a COMMIT is answered when both have it."""
        self._standby.follow(self._primary)
        self._until(STREAMS)
        self._primary.ask("ALTER SYSTEM SET synchronous_standby_names = 'standby'")
        self._primary.ask("SELECT pg_reload_conf()")
        self._until(FOLLOWED)

    def _until(self, question: str) -> None:
        deadline = time.monotonic() + 30.0
        while not self._primary.ask(question):
            assert time.monotonic() < deadline, f"never true: {question}"
            time.sleep(0.05)


class Lent:
    """A database on a server that others use too: instead of a crash every connection is ended."""

    def __init__(self, url: str) -> None:
        self.url = url

    def fail(self) -> None:
        engine = database.connect(self.url)
        with engine.begin() as conn:
            ours = "datname = current_database() AND pid <> pg_backend_pid()"
            conn.execute(text(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE {ours}"))
        engine.dispose()


def binaries() -> Path | None:
    """Where the newest server's programs are, None if there are none."""
    found = sorted(glob.glob("/usr/lib/postgresql/*/bin/initdb")) or [shutil.which("initdb")]
    return None if found[-1] is None else Path(found[-1]).parent


@contextmanager
def server(lent: str) -> Iterator[Cluster | Lent]:
    """A server of one's own where its programs are, else the database `lent`."""
    found = binaries()
    if found is None:
        yield Lent(lent)
        return
    cluster = Cluster(found)
    try:
        cluster.make()
        yield cluster
    finally:
        cluster.close()


class Cable:
    """A way to all servers that a URL names, which can be cut: a proxy on the loopback for each of them."""

    def __init__(self, url: str) -> None:
        parsed = make_url(url)
        arguments = parsed.get_dialect()().create_connect_args(parsed)[1]
        names, numbers = (str(arguments[key]).split(",") for key in ("host", "port"))
        self._ends: set[socket.socket] = set()
        self._whole = True
        self._listening: list[socket.socket] = []
        for server in zip(names, map(int, numbers), strict=True):
            self._listening.append(listening := socket.create_server(("127.0.0.1", 0)))
            threading.Thread(target=self._accept, args=(listening, server), daemon=True).start()
        ports = ",".join(str(each.getsockname()[1]) for each in self._listening)
        here = {"host": ",".join("127.0.0.1" for _ in self._listening), "port": ports}
        parsed = parsed._replace(host=None, port=None).update_query_dict(here)
        self.url = parsed.render_as_string(hide_password=False)

    def cut(self) -> None:
        self._whole = False
        for end in list(self._ends):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def mend(self) -> None:
        self._whole = True

    def close(self) -> None:
        self.cut()
        for each in self._listening:
            each.close()

    def _accept(self, listening: socket.socket, server: tuple[str, int]) -> None:
        with suppress(OSError):  # closed
            while True:
                here, _ = listening.accept()
                try:
                    if not self._whole:
                        raise ConnectionError
                    there = socket.create_connection(server)
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
