"""gammu-smsd, from Debian, one for each modem of the simulated bank."""

import os
import subprocess
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.peers.programs import MODEMS, OUTGOING, installed, receive, running, see_sent
from tests.simulated_bank import SimulatedBank


class Smsd:
    """A gammu-smsd with its folders."""

    def __init__(self, folder: Path, port: str) -> None:
        self.folder = folder
        self.settings = folder / "smsdrc"
        self.log = folder / "log"
        for name in ("inbox", "outbox", "sent", "error"):
            (folder / name).mkdir(parents=True)
        self.settings.write_text(
            f"""
[gammu]
device = {port}
connection = at115200
[smsd]
service = files
inboxformat = unicode
logfile = {self.log}
inboxpath = {folder}/inbox/
outboxpath = {folder}/outbox/
sentsmspath = {folder}/sent/
errorsmspath = {folder}/error/
statusfrequency = 0
"""
        )

    def send(self, number: str, text: str) -> None:
        command = [installed("gammu-smsd-inject", "gammu-smsd"), "-c", self.settings, "TEXT", number, "-unicode"]
        done = subprocess.run(
            [*command, "-text", text], capture_output=True, text=True, env={**os.environ, "LC_ALL": "C.UTF-8"}
        )
        assert done.returncode == 0, done.stderr

    def inbox(self) -> list[tuple[str, str]]:
        """The messages that it has got: number and text."""
        return [
            (path.name.split("_")[3], path.read_bytes().decode("utf-16").rstrip("\0"))  # it pads them with zeros
            for path in (self.folder / "inbox").iterdir()
            if path.stat().st_size
        ]


@pytest.mark.timeout(240)
@pytest.mark.long
def test_gammu_smsd_sends_50_and_receives_20(simulated_bank: Callable[..., SimulatedBank], tmp_path: Path) -> None:
    program = installed("gammu-smsd", "gammu-smsd")
    bank = simulated_bank(modems=MODEMS)
    daemons = [Smsd(tmp_path / f"smsd{index}", bank.port(index)) for index in range(MODEMS)]
    for turn, (number, text) in enumerate(OUTGOING.items()):
        daemons[turn % MODEMS].send(number, text)
    with ExitStack() as stack:
        for daemon in daemons:
            stack.enter_context(running(daemon.folder / "said", program, "-c", daemon.settings))
        receive(bank, lambda: [message for daemon in daemons for message in daemon.inbox()])
        see_sent(bank)
