"""Machines of their own, on which modemd is installed as README tells it."""

import fcntl
import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path

import pytest

from modemd.setup import steps
from tests.setup import booted
from tests.setup.booted import ROOT, BootedMachine

Boot = Callable[[], BootedMachine]
MODEMD = steps.SHIPPED_PROGRAM
SERVICES = ("modemd.service", "modemd-web.service", "modemd-backup.timer")


def install_line() -> str:
    """README's, with its question answered."""
    (line,) = re.findall(r"^    sudo sh -c '(.*)'$", (ROOT / "README.md").read_text(encoding="utf-8"), re.MULTILINE)
    return f"{line} --yes"


@pytest.fixture(scope="session")
def layer(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Iterator[Path]:
    """An installed machine, as a file: made once for all the workers of a run, taken away by the last of them."""
    if why := booted.missing():
        pytest.skip(why)
    base = tmp_path_factory.getbasetemp()
    shared = base if worker_id == "master" else base.parent
    made = shared / "installed.tar"
    mine = shared / f"installed.user-{worker_id}"
    with alone(shared):
        mine.touch()
        if not made.exists():
            with closing(BootedMachine(base / "machine")) as machine:
                said = machine.shell(install_line(), online=True)
                assert re.search(r"as admin with the one-time password \S{19}\n", said), said
                machine.until_active(*SERVICES)
                machine.run("systemctl", "stop", *SERVICES)
                machine.keep(made)
    yield made
    with alone(shared):
        mine.unlink()
        if not list(shared.glob("installed.user-*")):
            made.unlink()


@contextmanager
def alone(shared: Path) -> Iterator[None]:
    """While no other worker of this run is here."""
    with (shared / "installed.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


@pytest.fixture
def boot(layer: Path, tmp_path: Path) -> Iterator[Boot]:
    """Boot a machine that modemd was installed on."""
    with ExitStack() as stack:
        yield lambda: stack.enter_context(closing(BootedMachine(tmp_path / "machine", layer)))


@pytest.fixture
def machine(boot: Boot) -> BootedMachine:
    """One whose services have started with it."""
    booted = boot()
    booted.until_active(*SERVICES)
    return booted


def give_modems(machine: BootedMachine) -> None:
    """A simulated bank whose ports belong to the daemon's user, in place of real modems."""
    machine.run(
        *("systemd-run", "--unit=bank", "--uid=modemd", "-p", "RuntimeDirectory=bank"),
        *(MODEMD, "sim", "--dir", "/run/bank", "--modems", "2"),
    )
    machine.until(lambda: any(entry["MESSAGE"] == "ready" for entry in machine.said("bank.service")))
    settings = machine.path(steps.SETTINGS)
    settings.write_text(settings.read_text().replace("# [bank]\n", '[bank]\nports = ["/run/bank/modem*"]\n'))
    machine.run("systemctl", "restart", "modemd", "modemd-web")
    machine.until(lambda: machine.shown("modemd", "StatusText") == "2 of 2 modems ready")
