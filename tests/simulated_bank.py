"""A simulated bank in a process of its own, for tests that drive it through its ports."""

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from modemd.sim.control import ControlClient

PATIENCE = 20.0  # s; a bound on what never comes, not a measure


class SimulatedBank:
    """The process, its folder, and hands to use its phones (`client`)."""

    def __init__(self, folder: Path, *options: object, modems: int = 1) -> None:
        self.folder = folder
        self.log = folder.with_name(f"{folder.name}.jsonl")
        self.client = ControlClient(folder)
        command = ["sim", "--dir", folder, "--modems", modems, "--log", self.log, *options]
        self.process = subprocess.Popen(
            [sys.executable, "-m", "modemd", *map(str, command)], stdout=subprocess.PIPE, text=True
        )
        assert self.process.stdout is not None
        assert self.process.stdout.readline() == "ready\n"

    def port(self, index: int = 0) -> str:
        return str(self.folder / f"modem{index:02}")

    def events(self, kind: str | None = None) -> list[dict[str, Any]]:
        """What the network has seen, the oldest first."""
        events = [json.loads(line) for line in self.log.read_text(encoding="utf-8").splitlines()]
        return [event for event in events if kind in (None, event["event"])]

    def stop(self) -> int:
        """End it; its exit status."""
        self.process.terminate()
        status = self.process.wait(timeout=PATIENCE)
        if self.process.stdout is not None:
            self.process.stdout.close()
        return status


@pytest.fixture
def simulated_bank(tmp_path: Path) -> Iterator[Callable[..., SimulatedBank]]:
    """Start a bank: `simulated_bank("--pin", "1234", modems=2)`; it ends with the test."""
    banks: list[SimulatedBank] = []

    def start(*options: object, modems: int = 1) -> SimulatedBank:
        banks.append(SimulatedBank(tmp_path / f"bank{len(banks)}", *options, modems=modems))
        return banks[-1]

    yield start
    for bank in banks:
        if bank.process.poll() is None:
            bank.stop()
