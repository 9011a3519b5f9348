"""A modem of ours wired to a scripted one, with a gateway that remembers what it was told."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from modemd import config
from modemd.config import Daemon, Settings
from modemd.errors import ModemError
from modemd.messages import AlertKind, OutgoingSms, ReceivedSms, StatusReport
from modemd.modem.above import Known
from modemd.modem.bank import Bank
from modemd.modem.lifecycle import State
from modemd.modem.modem import Modem
from tests.modem.scripted_modem import ScriptedModem

NOW = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)

# from +359881234567 on 2026-11-23 08:00 UTC: "smetka"
SMETKA = "00040c9153891832547600006211328000000006f37699be0e03"
SMETKA_LENGTH = len(SMETKA) // 2 - 1


class Happening:
    """Wakes those who wait for something to become true. No polling: the clock can jump."""

    def __init__(self) -> None:
        self._event = asyncio.Event()

    def __call__(self) -> None:
        self._event.set()

    async def until(self, true: Callable[[], object], seconds: float = 3600) -> None:
        async with asyncio.timeout(seconds):
            while not true():
                self._event.clear()
                await self._event.wait()


class RecordingGateway:
    """What the modem told, in order: (what, details)."""

    def __init__(self) -> None:
        self.happened = Happening()
        self.told: list[tuple[str, Any]] = []
        self.states: list[State] = []
        self.reasons: list[str | None] = []
        self.tried: set[tuple[str, str]] = set()
        self.accepted: list[tuple[str, str]] = []
        self.refuse: ModemError | None = None
        self.knows = Known()
        self.alerts: dict[AlertKind, str | None] = {}
        self.on_received: Callable[[Sequence[ReceivedSms]], None] = lambda received: None
        self.hold = asyncio.Event()  # commits wait for it
        self.hold.set()

    async def known(self, modem: Modem) -> Known:
        return self.knows

    def alert(self, modem: Modem, kind: AlertKind, text: str | None) -> None:
        if self.alerts.get(kind) != text:
            self.alerts[kind] = text
            self.happened()

    def call_hung_up(self, modem: Modem) -> None:
        self._tell("call", None)

    def rung_tried(self, modem: Modem, rung: str, helped: bool, seconds: float) -> None:
        self._tell("rung", (rung, helped))

    async def identified(self, modem: Modem) -> None:
        if self.refuse is not None:
            raise self.refuse
        modem.line_id, modem.line_name = 1, "gsm1"

    async def pin_may_be_tried(self, sim: str, pin: str) -> bool:
        new = (sim, pin) not in self.tried
        self.tried.add((sim, pin))
        return new

    async def pin_accepted(self, sim: str, pin: str) -> None:
        self.tried.discard((sim, pin))
        self.accepted.append((sim, pin))

    async def sms_received(self, modem: Modem, received: Sequence[ReceivedSms]) -> None:
        await self.hold.wait()
        self.on_received(received)
        self._tell("sms", list(received))

    async def status_reports_received(self, modem: Modem, reports: Sequence[StatusReport]) -> None:
        await self.hold.wait()
        self._tell("reports", list(reports))

    async def stored_deleted(self, modem: Modem, received: Sequence[ReceivedSms]) -> None:
        self._tell("deleted", list(received))

    def late_result(self, modem: Modem, part_id: int, outcome: int | ModemError) -> None:
        self._tell("late", (part_id, outcome))

    def modem_changed(self, modem: Modem) -> None:
        if not self.states or self.states[-1] is not modem.state:
            self.states.append(modem.state)
            self.reasons.append(modem.reason)
        self.happened()

    def _tell(self, what: str, details: Any) -> None:
        self.told.append((what, details))
        self.happened()

    def of(self, what: str) -> list[Any]:
        return [details for name, details in self.told if name == what]

    @property
    def sms(self) -> list[ReceivedSms]:
        return [sms for batch in self.of("sms") for sms in batch]

    @property
    def reports(self) -> list[StatusReport]:
        return [report for batch in self.of("reports") for report in batch]


class Bench:
    def __init__(self, peer: ScriptedModem, settings: Settings) -> None:
        self.peer = peer
        self.gateway = RecordingGateway()
        self.modem = Modem(peer.path, settings, self.gateway, lambda: NOW)

    async def until(self, true: Callable[[], object], seconds: float = 3600) -> None:
        await self.gateway.happened.until(true, seconds)

    async def state(self, *states: State) -> None:
        """Wait until the modem is in one of the states."""
        await self.until(lambda: self.modem.state in states)

    async def told(self, what: str, times: int = 1, seconds: float = 3600) -> None:
        await self.until(lambda: len(self.gateway.of(what)) >= times, seconds)

    async def send(self, part: OutgoingSms | None = None) -> int:
        return await self.modem.send(part or a_part(), done())


def a_part(part_id: int = 7) -> OutgoingSms:
    return OutgoingSms(part_id, part_id, "manual", 5, 22, "00" + f"{part_id:02x}" * 22)


def done() -> asyncio.Future[None]:
    """A commit that is already there."""
    future = asyncio.get_running_loop().create_future()
    future.set_result(None)
    return future


@asynccontextmanager
async def wired(folder: Path, *, start: bool = True, ready: bool = True, **bank: Any) -> AsyncIterator[Bench]:
    """`start=False`: the test sets the scripted modem up first and calls `asyncio.create_task(bench.modem.run())`."""
    peer = ScriptedModem(folder)
    bench = Bench(peer, Settings(bank=config.Bank(**bank), daemon=Daemon(data=folder)))
    life = asyncio.create_task(bench.modem.run()) if start else None
    try:
        if start and ready:
            await bench.state(State.READY)
            await peer.until("AT.CMGL=4", 2)  # it has looked through SM and SR
        yield bench
    finally:
        if life is not None:
            life.cancel()
            await asyncio.gather(life, return_exceptions=True)
        peer.hang_up()


@asynccontextmanager
async def living(bench: Bench) -> AsyncIterator[None]:
    """Start the modem of a bench made with `start=False`."""
    life = asyncio.create_task(bench.modem.run())
    try:
        yield
    finally:
        life.cancel()
        await asyncio.gather(life, return_exceptions=True)


class WatchedBank(Bank):
    """A bank on the ports that match, without the sysfs of this machine."""

    def __init__(self, *patterns: str, sysfs: Path = Path("/nonexistent")) -> None:
        self.gateway = RecordingGateway()
        super().__init__(Settings(bank=config.Bank(ports=patterns)), self.gateway, lambda: NOW, sysfs)

    async def state(self, port: str, state: State) -> None:
        await self.gateway.happened.until(lambda: port in self.modems and self.modems[port].state is state)


@asynccontextmanager
async def running(*patterns: str, sysfs: Path = Path("/nonexistent")) -> AsyncIterator[WatchedBank]:
    bank = WatchedBank(*patterns, sysfs=sysfs)
    life = asyncio.create_task(bank.run())
    try:
        yield bank
    finally:
        await bank.stop()
        life.cancel()
        await asyncio.gather(life, return_exceptions=True)
        await _no_port_is_being_opened()


async def _no_port_is_being_opened() -> None:
    """On a busy machine the clock jumps while a port is opened: what was cancelled meanwhile ends a moment later."""
    opening = [task for task in asyncio.all_tasks() if getattr(task.get_coro(), "__name__", "") == "in_thread"]
    if opening:
        await asyncio.wait(opening)
