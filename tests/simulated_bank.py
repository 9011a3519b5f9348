"""A simulated bank in a process of its own, for tests that drive it through its ports."""

import json
import os
import signal
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from modemd.sim.control import ControlClient
from tests import forked

PATIENCE = 20.0  # s; a bound on what never comes, not a measure


class SimulatedBank:
    """The process, its folder, and hands to use its phones (`client`)."""

    def __init__(self, folder: Path, *options: object, modems: int = 1) -> None:
        self.folder = folder
        self.log = folder.with_name(f"{folder.name}.jsonl")
        self.client = ControlClient(folder)
        printed = Path(tempfile.mkdtemp(dir=folder.parent))  # another bank may have had this folder before
        out, err = printed / "out", printed / "err"
        out.touch()
        command = ("sim", "--dir", folder, "--modems", modems, "--log", self.log, *options)
        self.process = forked.start(*command, stdout=out, stderr=err)
        deadline = time.monotonic() + PATIENCE
        while out.read_text(encoding="utf-8") != "ready\n":
            assert self.process.exitcode is None, err.read_text(encoding="utf-8")
            assert time.monotonic() < deadline, "the bank is not ready"
            time.sleep(0.02)

    def port(self, index: int = 0) -> str:
        return str(self.folder / f"modem{index:02}")

    def events(self, kind: str | None = None) -> list[dict[str, Any]]:
        """What the network has seen, the oldest first."""
        events = [json.loads(line) for line in self.log.read_text(encoding="utf-8").splitlines()]
        return [event for event in events if kind in (None, event["event"])]

    def stop(self, number: int = signal.SIGTERM) -> int | None:
        """End it with a signal; its exit status, None if it goes on."""
        if self.process.pid is not None and self.process.exitcode is None:
            os.kill(self.process.pid, number)
        self.process.join(PATIENCE)
        return self.process.exitcode


@pytest.fixture
def simulated_bank(tmp_path: Path) -> Iterator[Callable[..., SimulatedBank]]:
    """Start a bank: `simulated_bank("--pin", "1234", modems=2)`; it ends with the test."""
    banks: list[SimulatedBank] = []

    def start(*options: object, modems: int = 1) -> SimulatedBank:
        banks.append(SimulatedBank(tmp_path / f"bank{len(banks)}", *options, modems=modems))
        return banks[-1]

    yield start
    for bank in banks:
        bank.stop()
