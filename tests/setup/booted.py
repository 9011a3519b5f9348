"""A machine of its own for a test: booted by systemd in namespaces, thrown away at the end; see boot.sh."""

import json
import os
import re
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
BOOT = Path(__file__).with_name("boot.sh")
CHECKOUT = "/srv/modemd"  # where the machine has this checkout
PATIENCE = 90.0  # s; a bound on what never comes, not a measure
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"  # as sudo gives it
PASSED_ON = re.compile(r"PIP_\w+|https?_proxy|no_proxy", re.IGNORECASE)


def missing() -> str | None:
    """Why no machine can be booted here; None where one can."""
    if os.geteuid() != 0:
        return "only root may boot a machine in namespaces"
    tried = subprocess.run(["unshare", "--mount", "--pid", "--fork", "true"], capture_output=True, timeout=60)
    return "this machine lets nobody make namespaces" if tried.returncode else None


class BootedMachine:
    def __init__(self, folder: Path, layer: Path | None = None) -> None:
        """Boot it. `folder` is a place to mount it on; `layer`: what `keep` has kept of another one."""
        folder.mkdir()
        self.folder = folder
        self._log = (folder.parent / f"{folder.name}.log").open("w+")
        self._process = subprocess.Popen(
            ["setpriv", "--pdeathsig", "KILL", "unshare", "--mount", BOOT, folder, ROOT, *([layer] if layer else [])],
            stdin=subprocess.DEVNULL,
            stdout=self._log,
            stderr=self._log,
        )
        told = self._seen("pid")
        self.until(lambda: told.exists() and told.read_text().endswith("\n"))
        self._pid = told.read_text().strip()
        self.until(lambda: self.attempt("systemctl", "is-system-running").stdout.strip() in ("running", "degraded"))

    def _seen(self, name: str) -> Path:
        """What boot.sh has mounted in `folder`, which nobody outside its namespace sees there."""
        return Path(f"/proc/{self._process.pid}/root{self.folder}/{name}")

    def path(self, absolute: str) -> Path:
        """A file of the machine. One that is mounted there (/run, /tmp, /dev) included."""
        return Path(f"/proc/{self._pid}/root{absolute}")

    def attempt(self, *command: str, online: bool = False) -> subprocess.CompletedProcess[str]:
        """Run a program there as root, in the checkout. `online`: with this machine's network, to fetch packages."""
        spaces = ("--mount", "--pid", "--uts", "--ipc", "--cgroup", *(() if online else ("--net",)))
        given = {name: value for name, value in os.environ.items() if PASSED_ON.fullmatch(name)}
        return subprocess.run(
            ["nsenter", "--target", self._pid, *spaces, f"--wdns={CHECKOUT}", *command],
            env={"HOME": "/root", "PATH": PATH, "LANG": "C.UTF-8", "SYSTEMD_PAGER": "", **given},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=600,
        )

    def run(self, *command: str, online: bool = False) -> str:
        """What it says on stdout, when all goes well."""
        done = self.attempt(*command, online=online)
        assert done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"
        return done.stdout

    def shell(self, line: str, *, online: bool = False) -> str:
        return self.run("sh", "-c", line, online=online)

    def shown(self, unit: str, what: str) -> str:
        """One property of a unit, as `systemctl show` names it."""
        return self.run("systemctl", "show", "--value", "--timestamp=unix", "-p", what, unit).strip()

    def said(self, *units: str) -> list[dict[str, Any]]:
        """What these units have said: entries of the journal."""
        chosen = (word for unit in units for word in ("-u", unit))
        return [json.loads(line) for line in self.run("journalctl", "-o", "json", *chosen).splitlines()]

    def until(self, condition: Callable[[], Any], patience: float = PATIENCE) -> None:
        deadline = time.monotonic() + patience
        while not condition():
            assert self._process.poll() is None, f"the machine has ended: {self._output()}"
            assert time.monotonic() < deadline, self._output()
            time.sleep(0.1)

    def _output(self) -> str:
        self._log.seek(0)
        return self._log.read()

    def until_active(self, *units: str) -> None:
        for unit in units:
            active = ("systemctl", "is-active", "-q", unit)
            self.until(lambda active=active: self.attempt(*active).returncode == 0)

    def keep(self, layer: Path) -> None:
        """Put what differs from the machine it runs on into a file; stop first what writes."""
        subprocess.run(
            ["tar", "--xattrs", "--xattrs-include=*", "--sparse", "-cpf", layer, "-C", self._seen("upper"), "."],
            check=True,
            timeout=600,
        )

    def close(self) -> None:
        subprocess.run(["kill", "-KILL", self._pid], check=True, timeout=60)
        self._process.wait(PATIENCE)
        self._log.close()
        self.folder.rmdir()
