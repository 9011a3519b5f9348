"""The ladder: one rung after another, each with its time and its budget; then rest, longer each time."""

import asyncio
from pathlib import Path

import pytest

from modemd.modem import usb
from modemd.modem.above import Known
from modemd.modem.lifecycle import State
from modemd.modem.recovery import BUDGETS, FIRST_REST_SECONDS, LONGEST_REST_SECONDS, STEADY_SECONDS, Ladder, Rung
from modemd.modem.rescue import HANG_UP_SECONDS
from tests.modem.bench import wired
from tests.modem.scripted_modem import ScriptedModem

ALL = frozenset(Rung)


class Account:
    """A ladder on a clock of its own."""

    def __init__(self) -> None:
        self.now = 0.0
        self.tried: list[tuple[Rung, bool, float]] = []
        self.ladder = Ladder(lambda: self.now, lambda *tried: self.tried.append(tried))


def test_the_rungs_follow_each_other_from_the_bottom_and_the_possible_ones_only() -> None:
    account = Account()
    possible = ALL - {Rung.RESYNC, Rung.VENDOR_RESET}
    climbed = [account.ladder.climb(possible) for _ in range(5)]
    assert climbed == [Rung.REOPEN, Rung.SOFT_RESET, Rung.USB, Rung.POWER, None]
    assert [(rung, helped) for rung, helped, _ in account.tried] == [(rung, False) for rung in climbed[:4]]


def test_what_has_helped_is_counted_with_its_time_and_the_next_failure_begins_at_the_bottom() -> None:
    account = Account()
    account.ladder.begin(Rung.RESYNC)
    account.ladder.climb(ALL)
    account.now = 7.0
    account.ladder.worked()
    assert account.tried == [(Rung.RESYNC, False, 0.0), (Rung.REOPEN, True, 7.0)]
    assert account.ladder.climb(ALL - {Rung.RESYNC}) is Rung.REOPEN


def test_a_rung_is_tried_so_often_an_hour_and_no_oftener() -> None:
    account = Account()
    uses = 0
    while account.ladder.climb({Rung.USB}) is Rung.USB:
        account.ladder.worked()
        uses += 1
    assert uses == BUDGETS[Rung.USB].an_hour
    account.now = 3600.0
    assert account.ladder.climb({Rung.USB}) is Rung.USB


def test_it_rests_longer_each_time_until_it_has_worked_for_a_while() -> None:
    account = Account()
    rests = [account.ladder.rest() for _ in range(8)]
    assert rests[:3] == [FIRST_REST_SECONDS, 2 * FIRST_REST_SECONDS, 4 * FIRST_REST_SECONDS]
    assert rests[-1] == LONGEST_REST_SECONDS
    account.ladder.worked()
    account.ladder.begin(Rung.REOPEN)
    assert account.ladder.rest() == LONGEST_REST_SECONDS
    account.ladder.worked()
    account.now += STEADY_SECONDS / 2
    account.ladder.worked()  # it is looked at every minute
    account.now += STEADY_SECONDS / 2 + 1
    account.ladder.begin(Rung.REOPEN)
    assert account.ladder.rest() == FIRST_REST_SECONDS


def test_a_rung_has_its_time_and_no_more() -> None:
    account = Account()
    assert account.ladder.seconds_left() == 0.0
    account.ladder.begin(Rung.SOFT_RESET)
    account.now = 10.0
    assert account.ladder.seconds_left() == BUDGETS[Rung.SOFT_RESET].seconds - 10.0


# on a modem


def restarts_at(peer: ScriptedModem, command: str, after: float = 20.0) -> None:
    """It hears, says nothing, and at this command leaves the bus and comes back after a while, well."""

    def restart(_command: str) -> None:
        peer.hang_up()
        peer.deaf = False

    hear = peer._hear

    def hear_deaf(what: str, react: object) -> None:
        if what == command:
            loop = asyncio.get_running_loop()
            loop.call_soon(restart, what)
            loop.call_later(after, peer.plug_in)
        hear(what, react)  # type: ignore[arg-type]

    peer._hear = hear_deaf  # type: ignore[method-assign]


async def test_a_silent_modem_is_brought_back_by_a_soft_reset_and_its_return_is_awaited(tmp_path: Path) -> None:
    async with wired(tmp_path) as bench:
        restarts_at(bench.peer, "AT+CFUN=1,1")
        bench.peer.deaf = True
        await bench.state(State.SILENT)
        await bench.state(State.READY)
        assert bench.gateway.of("rung") == [
            (Rung.RESYNC, False),
            (Rung.REOPEN, False),
            (Rung.SOFT_RESET, True),
        ]
        assert await bench.send() == 1


async def test_a_modem_that_nothing_helps_is_quarantined_and_tried_again_ever_more_rarely(tmp_path: Path) -> None:
    async with wired(tmp_path) as bench:
        bench.peer.deaf = True
        loop = asyncio.get_running_loop()
        times = []
        for _ in range(3):
            await bench.state(State.QUARANTINED)
            times.append(loop.time())
            await bench.state(State.SILENT)
        assert "unplug it" in str(bench.gateway.reasons)
        assert times[2] - times[1] > times[1] - times[0]
        bench.peer.deaf = False
        await bench.state(State.READY)


async def test_what_has_never_answered_as_a_modem_does_is_not_reset(tmp_path: Path) -> None:
    async with wired(tmp_path, ready=False) as bench:
        bench.peer.deaf = True
        await bench.state(State.QUARANTINED)
        assert {rung for rung, _ in bench.gateway.of("rung")} == {Rung.REOPEN}
        assert "AT+CFUN=1,1" not in bench.peer.heard


async def test_one_that_was_a_modem_before_the_daemon_started_is_reset(tmp_path: Path) -> None:
    async with wired(tmp_path, ready=False) as bench:
        bench.gateway.knows = Known(is_modem=True)
        restarts_at(bench.peer, "AT+CFUN=1,1", after=HANG_UP_SECONDS + 20)
        bench.peer.deaf = True
        await bench.state(State.READY)
        assert bench.gateway.of("rung")[-1] == (Rung.SOFT_RESET, True)


# the USB


def a_stick(sysfs: Path, path: str = "1-1.2", ttys: tuple[str, ...] = ("ttyUSB0", "ttyUSB1")) -> Path:
    """A stick as the kernel shows it."""
    device = sysfs / "devices/pci0000:00/usb1/1-1" / path
    for interface, tty in enumerate(ttys):
        (device / f"{path}:1.{interface}" / tty / "tty" / tty).mkdir(parents=True)
        (sysfs / "class/tty" / tty).mkdir(parents=True)
        (sysfs / "class/tty" / tty / "device").symlink_to(device / f"{path}:1.{interface}" / tty)
    (device / "idVendor").write_text("12d1\n")
    (device / "authorized").write_text("1\n")
    return device


def test_the_place_of_a_stick_is_its_usb_path_whatever_its_ports_are_called(tmp_path: Path) -> None:
    a_stick(tmp_path)
    first, second = (usb.place_of(f"/dev/{tty}", tmp_path) for tty in ("ttyUSB0", "ttyUSB1"))
    assert first == second
    assert first is not None
    assert (first.name, first.hub, first.ports) == ("1-1.2", ("1-1", "2"), 2)
    assert usb.place_of("/dev/ttyS0", tmp_path) is None


@pytest.mark.parametrize(("path", "hub"), [("1-1", ("1", "1")), ("2-1.4.3", ("2-1.4", "3"))])
def test_the_hub_is_named_as_uhubctl_names_it(path: str, hub: tuple[str, str]) -> None:
    assert usb.Place(path, Path()).hub == hub


async def test_re_authorisation_takes_the_device_away_and_gives_it_back(tmp_path: Path) -> None:
    device = a_stick(tmp_path)
    place = usb.Place("1-1.2", device)
    assert usb.can_reauthorise(place)
    running = asyncio.create_task(usb.reauthorise(place))
    await asyncio.sleep(usb.OFF_SECONDS / 2)
    assert (device / "authorized").read_text() == "0"
    assert await running
    assert (device / "authorized").read_text() == "1"
    (device / "authorized").unlink()
    device.rename(device.with_name("gone"))
    assert not await usb.reauthorise(place)


async def test_the_hub_s_port_is_switched_by_uhubctl(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tool = tmp_path / "uhubctl"
    tool.write_text(f'#!/bin/sh\necho "$@" >> {tmp_path}/said\ntest "$2" != 9\n')
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    assert usb.can_cycle_power()
    assert await usb.cycle_power(usb.Place("1-1.2", tmp_path))
    assert not await usb.cycle_power(usb.Place("9-1", tmp_path))
    assert (tmp_path / "said").read_text().splitlines()[0] == "-l 1-1 -p 2 -a cycle -d 2"


async def test_a_silent_stick_that_no_command_helps_is_re_authorised(tmp_path: Path) -> None:
    sysfs = tmp_path / "sys"
    async with wired(tmp_path, start=False) as bench:
        device = a_stick(sysfs, ttys=(Path(bench.peer.path).resolve().name,))
        bench.modem._sysfs = sysfs
        life = asyncio.create_task(bench.modem.run())
        await bench.state(State.READY)
        assert bench.modem.place is not None
        assert bench.modem.place.name == "1-1.2"
        bench.peer.deaf = True

        async def comes_back_when_authorised() -> None:
            await bench.told("rung", 3)
            while (device / "authorized").read_text() != "0":
                await asyncio.sleep(0.5)
            bench.peer.hang_up()
            while (device / "authorized").read_text() != "1":
                await asyncio.sleep(0.5)
            bench.peer.deaf = False
            bench.peer.plug_in()

        await asyncio.gather(comes_back_when_authorised(), bench.told("rung", 4))
        assert bench.gateway.of("rung")[-1] == (Rung.USB, True)
        life.cancel()
        await asyncio.gather(life, return_exceptions=True)
