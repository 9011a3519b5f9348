"""`modemd setup` for real, on a machine whose first process is systemd: it installs and takes away again.

Outside the usual run, and on a machine that may be changed: `.venv/bin/python -m pytest -m systemd`.
"""

import os
import re
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from modemd.setup.machine import RUNNING_SYSTEMD

ROOT = Path(__file__).parents[2]
PROGRAM = "/opt/modemd/bin/modemd"
PATIENCE = 60.0  # s


def run(*command: str) -> str:
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, timeout=600)
    assert done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"
    return done.stdout


@pytest.fixture
def installed() -> Iterator[None]:
    """The line of README, with its question answered; everything is taken away at the end."""
    assert RUNNING_SYSTEMD.is_dir(), "systemd does not run here"
    assert os.geteuid() == 0, "only root may"
    assert not Path("/etc/modemd").exists(), "there is an installation here already, which this test would take away"
    (line,) = re.findall(r"^    sudo sh -c '(.*)'$", (ROOT / "README.md").read_text(encoding="utf-8"), re.MULTILINE)
    try:
        run("sh", "-c", f"{line} --yes")
        yield
    finally:
        run(PROGRAM, "setup", "--remove", "--purge", "--yes")
        run("rm", "-r", "/opt/modemd")


def until_active(unit: str) -> None:
    deadline = time.monotonic() + PATIENCE
    while subprocess.run(["systemctl", "is-active", "-q", unit], timeout=60).returncode:
        assert time.monotonic() < deadline, run("systemctl", "status", "--no-pager", unit)
        time.sleep(0.5)


@pytest.mark.systemd
@pytest.mark.timeout(1200)
def test_the_services_run_as_they_are_installed(installed: None) -> None:
    for unit in ("modemd.service", "modemd-web.service", "modemd-backup.timer"):
        until_active(unit)
    assert "of 0 modems ready" in run("systemctl", "show", "-p", "StatusText", "modemd.service")
    for unit, user in (("modemd.service", "modemd"), ("modemd-web.service", "modemd-web")):
        (pid,) = re.findall(r"\d+", run("systemctl", "show", "-p", "MainPID", unit))
        assert Path(f"/proc/{pid}").owner() == user
    assert '"ready":false' in run("sh", "-c", "curl -s http://127.0.0.1:8080/health/ready").replace(" ", "")
    run("systemctl", "start", "modemd-backup.service")
    assert list(Path("/var/backups/modemd").iterdir())
    before = run("systemctl", "show", "-p", "MainPID", "modemd.service")
    run(PROGRAM, "setup", "--yes")  # again, without harm
    until_active("modemd.service")
    assert run("systemctl", "show", "-p", "MainPID", "modemd.service") == before
