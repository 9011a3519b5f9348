"""Sticks that show several ports: the one that answers AT and announces is the modem's, the others are left alone."""

import asyncio
import fcntl
import os
from pathlib import Path

import pytest

from modemd import config
from modemd.modem.lifecycle import State
from modemd.modem.probe import probe_all
from modemd.modem.sticks import Seat, seat_of
from tests.modem.bench import WatchedBank, running
from tests.modem.scripted_modem import OK, ScriptedModem, line

PORTS = "*-port0"
BINARY = b"\x7e\x26\x00\x13\xff\x81>\x7e" * 40


class Stick:
    """So many ports named as udev names them; each is a ScriptedModem with the same IMEI."""

    def __init__(self, folder: Path, ports: int = 3, name: str = "usb-Invented_M1") -> None:
        self.ports = [ScriptedModem(folder, f"{name}-if{number:02x}-port0") for number in range(ports)]

    def __getitem__(self, number: int) -> ScriptedModem:
        return self.ports[number]

    def diagnosis(self, number: int, *, binary: bool) -> None:
        port = self[number]
        port.deaf = True
        if binary:
            port.say_later(0.5, BINARY)
            port.say_later(2.0, BINARY)

    def announces(self, number: int, urc: str = "^RSSI:17") -> None:
        """It speaks every second, as long as it is plugged in."""
        port = self[number]

        def speak() -> None:
            if port.master >= 0:
                port.say(line(urc))
                asyncio.get_running_loop().call_later(1.0, speak)

        asyncio.get_running_loop().call_later(1.0, speak)

    def hang_up(self) -> None:
        for port in self.ports:
            port.hang_up()

    def plug_in(self) -> None:
        for port in self.ports:
            port.plug_in()


def whys(bank: WatchedBank, peer: ScriptedModem) -> list[tuple[bool, str]]:
    return [(port.chosen, port.why) for port in bank.modems[peer.path].ports]


def nobody_has(peer: ScriptedModem) -> bool:
    port = os.open(peer.path, os.O_RDWR | os.O_NOCTTY)
    try:
        fcntl.flock(port, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    finally:
        os.close(port)
    return True


@pytest.mark.parametrize("binary", [False, True])
async def test_the_port_that_answers_and_announces_is_the_modem_and_the_others_are_left_alone(
    tmp_path: Path, binary: bool
) -> None:
    stick = Stick(tmp_path)
    stick.diagnosis(0, binary=binary)
    stick.announces(2)
    async with running(str(tmp_path / PORTS)) as bank:
        await bank.state(stick[2].path, State.READY)
        assert set(bank.modems) == {stick[2].path}
        assert whys(bank, stick[2]) == [
            (False, "does not answer AT"),
            (False, "answers AT and announces nothing"),
            (True, "answers AT and announces (^RSSI)"),
        ]
        assert nobody_has(stick[0])
        assert nobody_has(stick[1])
        assert not nobody_has(stick[2])
        assert "AT+CMGF=0" not in stick[1].heard
    stick.hang_up()


async def test_a_modem_that_was_hushed_is_let_talk_so_that_its_port_is_found(tmp_path: Path) -> None:
    stick = Stick(tmp_path, 2)
    for port in stick.ports:
        port.on(r"AT\+CGMI", line("huawei", "OK"))
        port.on(r"AT\^CURC=\d", OK)
    stick[1].on(r"AT\^CURC=1", lambda _: OK + line("^MODE:5,4"))
    async with running(str(tmp_path / PORTS)) as bank:
        await bank.state(stick[1].path, State.READY)
        assert whys(bank, stick[1])[1] == (True, "answers AT and announces (^MODE)")
        assert "AT^CURC=0" in stick[1].heard
    stick.hang_up()


async def test_of_two_ports_that_both_answer_and_say_nothing_the_usual_one_is_taken(tmp_path: Path) -> None:
    stick = Stick(tmp_path, 4)
    stick.diagnosis(0, binary=True)
    stick.diagnosis(1, binary=False)
    for port in (stick[2], stick[3]):
        port.on(r"AT\+CGMI", line("Quectel", "OK"))
        port.on(r"AT\+CGMM", line("EC25", "OK"))
    stick[1].deaf, stick[1].reactions = False, list(stick[2].reactions)  # its GPS port answers too
    async with running(str(tmp_path / PORTS)) as bank:
        await bank.state(stick[2].path, State.READY)
        assert whys(bank, stick[2])[2] == (True, "answers AT; the command port of a Quectel")
    stick.hang_up()


async def test_the_first_of_them_where_nothing_tells_them_apart(tmp_path: Path) -> None:
    stick = Stick(tmp_path, 2)
    async with running(str(tmp_path / PORTS)) as bank:
        await bank.state(stick[0].path, State.READY)
        assert whys(bank, stick[0]) == [(True, "answers AT"), (False, "answers AT and announces nothing")]
    stick.hang_up()


async def test_a_board_of_modems_on_one_device_has_a_modem_for_each_imei_and_for_those_that_are_off(
    tmp_path: Path,
) -> None:
    stick = Stick(tmp_path, 3)
    stick[1].on(r"AT\+CGSN", line("351234567890456", "OK"))
    stick[2].deaf = True
    async with running(str(tmp_path / PORTS)) as bank:
        for number in (0, 1):
            await bank.state(stick[number].path, State.READY)
        await bank.state(stick[2].path, State.SILENT)
    stick.hang_up()


async def test_ports_that_tell_no_imei_may_be_different_modems(tmp_path: Path) -> None:
    stick = Stick(tmp_path, 2)
    for port in stick.ports:
        port.on(r"AT\+CGSN", line("ERROR"))
    async with running(str(tmp_path / PORTS)) as bank:
        for port in stick.ports:
            await bank.state(port.path, State.READY)
    stick.hang_up()


async def test_a_port_in_use_by_another_program_is_said_to_be(tmp_path: Path) -> None:
    stick = Stick(tmp_path, 2)
    with open(stick[0].path, "rb") as held:
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        async with running(str(tmp_path / PORTS)) as bank:
            await bank.state(stick[1].path, State.READY)
            assert whys(bank, stick[1])[0][1].startswith("in use by another program")
    stick.hang_up()


async def test_a_stick_that_leaves_and_returns_is_probed_anew(tmp_path: Path) -> None:
    stick = Stick(tmp_path, 2)
    stick.announces(0)
    async with running(str(tmp_path / PORTS)) as bank:
        await bank.state(stick[0].path, State.READY)
        stick.hang_up()
        await bank.state(stick[0].path, State.ABSENT)
        await asyncio.sleep(3)
        stick.plug_in()
        stick.announces(1, "^HCSQ:1")
        await bank.state(stick[1].path, State.READY)
        assert bank.modems[stick[0].path].state is State.ABSENT
        assert whys(bank, stick[1])[1] == (True, "answers AT and announces (^HCSQ)")
    stick.hang_up()


async def test_a_port_that_appears_beside_a_modem_that_works_is_left_alone(tmp_path: Path) -> None:
    stick = Stick(tmp_path, 1)
    async with running(str(tmp_path / PORTS)) as bank:
        await bank.state(stick[0].path, State.READY)
        assert stick[0].heard.count("AT+CGSN") == 1  # nothing to choose: not probed
        late = ScriptedModem(tmp_path, "usb-Invented_M1-if01-port0")
        await asyncio.sleep(10)
        assert late.heard == []
        assert set(bank.modems) == {stick[0].path}
    stick.hang_up()
    late.hang_up()


async def test_a_stick_that_is_still_starting_is_looked_at_again(tmp_path: Path) -> None:
    stick = Stick(tmp_path, 2)
    for port in stick.ports:
        port.deaf = True
    async with running(str(tmp_path / PORTS)) as bank:
        await stick[1].until("AT", 7)
        stick[1].deaf = False
        await bank.state(stick[1].path, State.READY)
    stick.hang_up()


async def test_a_stick_of_which_no_port_answers_is_shown_as_a_silent_modem(tmp_path: Path) -> None:
    stick = Stick(tmp_path, 2)
    for port in stick.ports:
        port.deaf = True
    async with running(str(tmp_path / PORTS)) as bank:
        await bank.state(stick[0].path, State.SILENT)
        assert whys(bank, stick[0]) == [(True, "does not answer AT"), (False, "does not answer AT")]
    stick.hang_up()


async def test_two_sticks_side_by_side_are_two_modems(tmp_path: Path) -> None:
    sticks = [Stick(tmp_path, 2, f"usb-Invented_{name}") for name in ("one", "two")]
    async with running(str(tmp_path / PORTS)) as bank:
        for stick in sticks:
            await bank.state(stick[0].path, State.READY)
        assert len(bank.modems) == 2
    for stick in sticks:
        stick.hang_up()


async def test_one_look_without_a_daemon_looks_at_the_port_of_the_modem_alone(tmp_path: Path) -> None:
    stick, silent, alone = Stick(tmp_path), Stick(tmp_path, 2, "usb-Silent"), ScriptedModem(tmp_path, "alone")
    for port in (stick[0], *silent.ports):
        port.deaf = True
    stick.announces(2)
    ports = [port.path for port in (*stick.ports, *silent.ports, alone)]
    found = await probe_all(ports, config.Bank(), tmp_path / "nothing")
    assert [(probed.port, probed.error is None) for probed in found] == [
        (stick[2].path, True),
        (silent[0].path, False),
        (alone.path, True),
    ]
    for port in (stick, silent, alone):
        port.hang_up()


# where a port is


def a_device(sysfs: Path, ttys: list[str], vendor: str = "12d1") -> None:
    device = sysfs / "devices/usb1/1-1/1-1.2"
    device.mkdir(parents=True)
    (device / "idVendor").write_text(f"{vendor}\n")
    for interface, tty in enumerate(ttys):
        (device / f"1-1.2:1.{interface}" / tty / "tty" / tty).mkdir(parents=True)
        (sysfs / "class/tty" / tty).mkdir(parents=True)
        (sysfs / "class/tty" / tty / "device").symlink_to(device / f"1-1.2:1.{interface}" / tty)


def test_ports_of_one_usb_device_are_one_stick_whatever_they_are_called(tmp_path: Path) -> None:
    a_device(tmp_path, ["ttyUSB0", "ttyUSB1"])
    assert seat_of("/dev/ttyUSB0", tmp_path) == Seat("usb 1-1.2", 0)
    assert seat_of("/dev/ttyUSB1", tmp_path) == Seat("usb 1-1.2", 1)
    assert seat_of("/dev/ttyS0", tmp_path) is None


@pytest.mark.parametrize("vendor", ["0403", "067B", "10c4", "1a86", "9710"])
def test_each_port_of_a_serial_converter_stands_alone(tmp_path: Path, vendor: str) -> None:
    a_device(tmp_path, ["ttyUSB0", "ttyUSB1"], vendor)
    assert seat_of("/dev/ttyUSB0", tmp_path) is None


def test_a_stick_with_one_port_has_nothing_to_choose(tmp_path: Path) -> None:
    a_device(tmp_path, ["ttyUSB0"])
    assert seat_of("/dev/ttyUSB0", tmp_path) is None


@pytest.mark.parametrize(
    ("name", "seat"),
    [
        ("usb-HUAWEI_Mobile-if02-port0", Seat("usb-HUAWEI_Mobile", 2)),
        ("usb-Telit_HE910-if0a", Seat("usb-Telit_HE910", 10)),
        ("modem00.if01", Seat("modem00", 1)),
        ("path-pci-0000:00:14.0-usb-0:1.2:1.3", Seat("path-pci-0000:00:14.0-usb-0:1.2", 3)),
        ("pci-0000:00:14.0-usb-0:2:1.0-port0", Seat("pci-0000:00:14.0-usb-0:2", 0)),
        ("modem00", None),
        ("notif00", None),
    ],
)
def test_where_the_system_does_not_tell_the_name_does(tmp_path: Path, name: str, seat: Seat | None) -> None:
    assert seat_of(name, tmp_path) == seat


async def test_a_stick_known_by_sysfs_is_probed_too(tmp_path: Path) -> None:
    first, second = ScriptedModem(tmp_path, "ttyA-port0"), ScriptedModem(tmp_path, "ttyB-port0")
    first.deaf = True
    a_device(tmp_path / "sys", [Path(port.path).resolve().name for port in (first, second)])
    async with running(str(tmp_path / PORTS), sysfs=tmp_path / "sys") as bank:
        await bank.state(second.path, State.READY)
        assert set(bank.modems) == {second.path}
        assert bank.modems[second.path].place is not None
    for port in (first, second):
        port.hang_up()
