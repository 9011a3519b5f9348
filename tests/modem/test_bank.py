import asyncio
import os
from pathlib import Path

import pytest

from modemd.modem import discovery
from modemd.modem.bank import HANGS_SECONDS
from modemd.modem.lifecycle import State
from modemd.modem.session import LOOK_SECONDS
from tests.modem.bench import a_part, done, running
from tests.modem.scripted_modem import ScriptedModem


async def test_every_port_that_matches_is_a_modem_also_one_that_comes_later(tmp_path: Path) -> None:
    first, other = ScriptedModem(tmp_path), ScriptedModem(tmp_path, "other")
    async with running(str(tmp_path / "modem*")) as bank:
        await bank.state(first.path, State.READY)
        second = ScriptedModem(tmp_path, "modem01")
        await bank.state(second.path, State.READY)
        assert set(bank.modems) == {first.path, second.path}
    for peer in (first, second, other):
        peer.hang_up()


async def test_a_port_that_goes_is_absent_and_one_that_returns_is_the_same_modem(tmp_path: Path) -> None:
    peer = ScriptedModem(tmp_path)
    async with running(str(tmp_path / "modem*")) as bank:
        await bank.state(peer.path, State.READY)
        modem = bank.modems[peer.path]
        peer.hang_up()
        await bank.state(peer.path, State.ABSENT)
        await asyncio.sleep(5)
        peer.plug_in()
        await bank.state(peer.path, State.READY)
        assert bank.modems[peer.path] is modem
    peer.hang_up()


async def test_a_link_that_points_elsewhere_is_another_port(tmp_path: Path) -> None:
    peer, other = ScriptedModem(tmp_path), ScriptedModem(tmp_path, "other")
    async with running(str(tmp_path / "modem*")) as bank:
        await bank.state(peer.path, State.READY)
        os.unlink(peer.path)
        os.symlink(os.readlink(other.path), peer.path)
        await other.until("AT.CMGF=0")
        await bank.state(peer.path, State.READY)
        assert await bank.modems[peer.path].send(a_part(), done()) == 1
        assert a_part().pdu in other.heard
    peer.hang_up()
    other.hang_up()


async def test_a_dead_modem_and_one_that_never_stops_talking_delay_no_other(tmp_path: Path) -> None:
    dead, noisy, good = (ScriptedModem(tmp_path, f"modem{number}") for number in range(3))
    dead.deaf = True

    def talk() -> None:
        if noisy.master >= 0:
            if not noisy._unsaid:
                noisy.say(b"\r\n^RSSI:17\r\n" * 300)
            asyncio.get_running_loop().call_later(0.002, talk)

    async with running(str(tmp_path / "modem*")) as bank:
        await bank.state(good.path, State.READY)
        talk()
        loop = asyncio.get_running_loop()
        slowest = 0.0
        for number in range(20):
            before = loop.time()
            await bank.modems[good.path].send(a_part(number), done())
            slowest = max(slowest, loop.time() - before)
        assert slowest < 1
        assert bank.modems[dead.path].state is not State.READY
    for peer in (dead, noisy, good):
        peer.hang_up()


async def test_a_port_that_is_named_and_does_not_exist_is_said_to_be_missing(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    port = str(tmp_path / "ttyUSB9")
    async with running(port) as bank:
        await asyncio.sleep(3)
        assert bank.modems[port].state is State.ABSENT
        assert "Plug the modem in" in (bank.modems[port].reason or "")
    assert "ttyUSB9 does not exist" in caplog.text


async def test_a_stop_lets_go_of_every_port(tmp_path: Path) -> None:
    peer = ScriptedModem(tmp_path)
    async with running(str(tmp_path / "modem*")) as bank:
        await bank.state(peer.path, State.READY)
        await bank.stop()
        async with running(str(tmp_path / "modem*")) as second:
            await second.state(peer.path, State.READY)
    peer.hang_up()


# discovery


def test_one_port_under_two_names_counts_once(tmp_path: Path) -> None:
    (tmp_path / "ttyUSB0").touch()
    (tmp_path / "usb-1.2").symlink_to(tmp_path / "ttyUSB0")
    found = discovery.matching([str(tmp_path / "usb-*"), str(tmp_path / "tty*")])
    assert found == {str(tmp_path / "usb-1.2"): str(tmp_path / "ttyUSB0")}


def test_folders_and_dead_links_are_no_ports(tmp_path: Path) -> None:
    (tmp_path / "modem0").mkdir()
    (tmp_path / "modem1").symlink_to(tmp_path / "gone")
    assert discovery.matching([str(tmp_path / "modem*")]) == {}


async def test_where_there_is_no_udev_ports_are_found_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def nothing() -> None:
        raise ImportError("No library named udev")

    monkeypatch.setattr(discovery.pyudev, "Context", nothing)
    changes = discovery.watch([str(tmp_path / "modem*")])
    first = asyncio.create_task(anext(changes))
    await asyncio.sleep(2)
    (tmp_path / "modem0").touch()
    assert await first == ([], [str(tmp_path / "modem0")])
    (tmp_path / "modem0").unlink()
    assert await anext(changes) == ([str(tmp_path / "modem0")], [])
    await changes.aclose()


async def test_a_modem_that_works_and_is_looked_at_no_more_hangs(tmp_path: Path) -> None:
    peer = ScriptedModem(tmp_path)
    async with running(str(tmp_path / "modem*")) as bank:
        assert bank.status() == "0 of 0 modems ready"
        await bank.state(peer.path, State.READY)
        assert (bank.hangs(), bank.status()) == (None, "1 of 1 modems ready")
        condition = bank.modems[peer.path].condition
        assert condition.looked_at is not None
        condition.looked_at -= HANGS_SECONDS + 1
        assert bank.hangs() == f"the pump of {peer.path} hangs for more than 600 s"
        await asyncio.sleep(LOOK_SECONDS + 5)
        assert bank.hangs() is None
    peer.hang_up()


async def test_a_modem_whose_pump_is_dead_hangs(tmp_path: Path) -> None:
    peer = ScriptedModem(tmp_path)
    async with running(str(tmp_path / "modem*")) as bank:
        await bank.state(peer.path, State.READY)
        bank._lives[peer.path].cancel()
        await asyncio.wait([bank._lives[peer.path]])
        assert bank.hangs() == f"the pump of {peer.path} is dead"
    peer.hang_up()
