"""What systemd hears of a daemon from its start to its end."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from modemd import config, daemon
from modemd.modem import bank
from tests.flow.running import PATIENCE, RunningService
from tests.notified import Systemd

ALL_WELL = "WATCHDOG=1\nSTATUS=1 of 1 modems ready"


@pytest.fixture
def running(
    service: Callable[..., RunningService], systemd: Systemd, monkeypatch: pytest.MonkeyPatch
) -> RunningService:
    """With a bank of one modem, and a systemd that wants to hear ten times a second."""
    monkeypatch.setenv("WATCHDOG_USEC", "300000")
    running = service(modems=1)
    running.start_bank()
    return running


def test_the_daemon_tells_systemd_when_it_is_ready_how_it_is_and_that_it_stops(
    running: RunningService, systemd: Systemd
) -> None:
    running.start_daemon()
    told = [systemd.next()]
    while not told[-1].endswith("1 of 1 modems ready"):
        told.append(systemd.next())
    assert running.stop_daemon() == 0
    while told[-1] != "STOPPING=1":
        told.append(systemd.next())
    assert told[0] == "READY=1"
    assert all(each.startswith("WATCHDOG=1\nSTATUS=") for each in told[1:-1])


def within(running: RunningService, systemd: Systemd, scene: Callable[[], Coroutine[None, None, None]]) -> None:
    """Run the daemon here, where a scene can reach into it once all is well."""

    async def whole() -> None:
        serving = asyncio.create_task(daemon.run(config.load(running.config)), name="daemon")
        await until_told(systemd, ALL_WELL)
        await scene()
        serving.cancel()
        await asyncio.gather(serving, return_exceptions=True)

    asyncio.run(whole())


async def until_told(systemd: Systemd, wanted: str) -> None:
    async with asyncio.timeout(PATIENCE):
        while await asyncio.to_thread(systemd.next) != wanted:
            pass


async def task_of(kind: str) -> asyncio.Task[Any]:
    """The task whose name begins with this word, once there is one."""
    async with asyncio.timeout(PATIENCE):
        while True:
            for task in asyncio.all_tasks():
                if task.get_name().startswith(f"{kind} "):
                    return task
            await asyncio.sleep(0.01)


@pytest.mark.parametrize(
    ("pump", "said"),
    [("modem", "the pump of {port} is dead"), ("send", "nothing sends through line 1 any more")],
)
def test_a_daemon_in_which_one_pump_is_dead_starves_its_watchdog(
    running: RunningService, systemd: Systemd, pump: str, said: str
) -> None:
    port = f"{running.bank}/modem00"

    async def scene() -> None:
        (await task_of(pump)).cancel()
        starved = f"STATUS={said.format(port=port)}: the watchdog is not fed"
        await until_told(systemd, starved)
        assert [await asyncio.to_thread(systemd.next) for _ in range(3)] == [starved] * 3

    within(running, systemd, scene)


def test_a_modem_that_hangs_starves_the_watchdog_until_it_works_again(
    running: RunningService, systemd: Systemd, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def scene() -> None:
        with monkeypatch.context() as impatient:
            impatient.setattr(bank, "HANGS_SECONDS", 0.0)  # so it counts as hanging between two looks
            await until_told(
                systemd, f"STATUS=the pump of {running.bank}/modem00 hangs for more than 0 s: the watchdog is not fed"
            )
        await until_told(systemd, ALL_WELL)

    within(running, systemd, scene)
