"""Simulated modems and a network on a clock that a test moves."""

import heapq
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from random import Random
from typing import Any

from modemd.pdu import tpdu
from modemd.pdu.submit import encode_message
from modemd.sim import faults, identity, models
from modemd.sim.journal import Journal
from modemd.sim.modem import Modem
from modemd.sim.network import Network

START = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)


class Call:
    def __init__(self, callback: Callable[[], object]) -> None:
        self.callback: Callable[[], object] | None = callback

    def cancel(self) -> None:
        self.callback = None


class ManualClock:
    def __init__(self) -> None:
        self._now = 0.0
        self._order = count()
        self._calls: list[tuple[float, int, Call]] = []

    def now(self) -> datetime:
        return START + timedelta(seconds=self._now)

    def seconds(self) -> float:
        return self._now

    def call_later(self, seconds: float, callback: Callable[[], object]) -> Call:
        call = Call(callback)
        heapq.heappush(self._calls, (self._now + seconds, next(self._order), call))
        return call

    def advance(self, seconds: float) -> None:
        """Let time pass, with everything that falls due in it."""
        end = self._now + seconds
        while self._calls and self._calls[0][0] <= end:
            self._now, _, call = heapq.heappop(self._calls)
            if call.callback is not None:
                call.callback()
        self._now = end


class Bench:
    """One modem with a program in front of it; more on demand."""

    def __init__(self, journal: Path | None = None, report_seconds: float = 1.0, **options: Any) -> None:
        self.clock = ManualClock()
        self.network = Network(self.clock, report_seconds=report_seconds, journal=Journal(journal))
        self.hang_ups: list[tuple[float, str]] = []
        self._out: dict[str, bytearray] = {}
        self.modem = self.add(**options)

    def add(self, model: str = "generic", **options: Any) -> Modem:
        """Another modem on the same network."""
        index = len(self._out)
        name = f"modem{index:02}"
        self._out[name] = bytearray()
        modem = Modem(
            name,
            identity.invent(1, index),
            models.find(model),
            self.network,
            self.clock,
            Random(index),
            hang_up=lambda seconds, port: self._hang_up(modem, seconds, port),
            **options,
        )
        modem.connect(self._out[name].extend)
        return modem

    def _hang_up(self, modem: Modem, seconds: float, port: str) -> None:
        self.hang_ups.append((seconds, port))
        modem.power_off()

    def come_back(self, modem: Modem | None = None) -> None:
        """Plug a modem in again after it hung up, and let it find the network."""
        modem = modem or self.modem
        modem.connect(self._out[modem.name].extend)
        modem.power_on()
        self.clock.advance(1.0)

    def heard(self, modem: Modem | None = None) -> bytes:
        """What the modem has said since last asked."""
        out = self._out[(modem or self.modem).name]
        said = bytes(out)
        out.clear()
        return said

    def type(self, data: bytes, modem: Modem | None = None) -> bytes:
        """Write bytes to the modem; what it says at once."""
        (modem or self.modem).received(data)
        return self.heard(modem)

    def ask(self, command: str, modem: Modem | None = None) -> list[str]:
        """One command line; the lines of the answer that are not empty."""
        return lines(self.type(command.encode() + b"\r", modem))

    def set_up(self, cnmi: str = "2,1,0,2,0") -> None:
        """As a program does that wants to hear of messages and reports."""
        for command in ("ATE0", "AT+CMEE=1", f"AT+CNMI={cnmi}"):
            self.modem.received(command.encode() + b"\r")
        self.heard()

    def send(self, to: str, text: str, *, status_report: bool = True) -> list[str]:
        """Send every part of a text; the lines that came after the Ctrl-Z of the last."""
        for part in encode_message(to, text, status_report=status_report):
            self.type(f"AT+CMGS={part.length}\r".encode())
            said = self.type(part.pdu.encode() + b"\x1a")
        return lines(said)

    def fault(self, text: str) -> None:
        self.modem.faults.add(faults.parse(text))

    def stored(self, storage: str = "SM") -> list[Any]:
        """The PDUs in a storage, decoded, in the order of their slots."""
        return [tpdu.decode(bytes.fromhex(s.pdu)) for _, s in self.modem.messaging.storages[storage].items()]

    def shown(self, number: str) -> list[tuple[str, str]]:
        return [(shown.sender, shown.text) for shown in self.network.received(number)]


def lines(said: bytes) -> list[str]:
    return [line for line in said.decode("latin-1").split("\r\n") if line.strip("\r")]
