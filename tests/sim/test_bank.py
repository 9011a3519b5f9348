"""Ports and control socket of a bank that runs as a process of its own."""

import os
import select
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import serial

from modemd.errors import SimulatorError
from modemd.pdu.submit import encode_message
from modemd.sim.control import ControlClient, SimulatedPhones
from tests import forked
from tests.simulated_bank import PATIENCE, SimulatedBank

StartBank = Callable[..., SimulatedBank]
OpenPort = Callable[[str], serial.Serial]


@pytest.fixture
def open_port() -> Iterator[OpenPort]:
    ports: list[serial.Serial] = []

    def open_port(name: str) -> serial.Serial:
        ports.append(serial.Serial(name, 115200, timeout=PATIENCE, exclusive=True))
        return ports[-1]

    yield open_port
    for port in ports:
        port.close()


def ask(port: serial.Serial, command: str) -> list[str]:
    port.write(command.encode() + b"\r")
    said = b""
    while not said.endswith((b"OK\r\n", b"ERROR\r\n")):
        octet = port.read(1)
        assert octet, said
        said += octet
    return [line for line in said.decode().split("\r\n") if line]


def ask_for_ever(port: serial.Serial) -> None:
    while True:
        ask(port, "AT")


def until(true: Callable[[], object]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def modemd(*arguments: object) -> subprocess.CompletedProcess[str]:
    return forked.run(*arguments, timeout=PATIENCE)


def test_every_port_of_the_largest_bank_is_a_modem_of_its_own(simulated_bank: StartBank, open_port: OpenPort) -> None:
    bank = simulated_bank(modems=64)
    modems = bank.client.modems()
    assert [modem["name"] for modem in modems] == [f"modem{index:02}" for index in range(64)]
    for index in (0, 31, 63):
        port = open_port(bank.port(index))
        ask(port, "ATE0")
        assert ask(port, "AT+CGSN") == [modems[index]["imei"], "OK"]


def test_a_port_is_opened_by_one_program_at_a_time(simulated_bank: StartBank, open_port: OpenPort) -> None:
    bank = simulated_bank()
    first = open_port(bank.port())
    with pytest.raises(serial.SerialException):
        open_port(bank.port())
    first.close()
    assert ask(open_port(bank.port()), "ATE0")[-1] == "OK"


def test_a_modem_outlives_its_program_and_its_open_prompt(simulated_bank: StartBank, open_port: OpenPort) -> None:
    bank = simulated_bank()
    port = open_port(bank.port())
    ask(port, "ATE0")
    ask(port, "AT+CNMI=2,1,0,2,0")
    port.write(b"AT+CMGS=20\r")
    assert port.read_until(b"> ").endswith(b"> ")
    port.close()
    bank.client.text("0888000101", "smetka")
    port = open_port(bank.port())
    port.write(b"\x1b")
    assert port.read_until(b"OK\r\n").endswith(b"OK\r\n")
    assert ask(port, "AT+CNMI?") == ["+CNMI: 2,1,0,2,0", "OK"]
    assert ask(port, "AT+CMGL=4")[0].startswith("+CMGL: 1,0,,")


def test_unplugging_hangs_up_and_the_modem_comes_back_where_it_is_told(
    simulated_bank: StartBank, open_port: OpenPort
) -> None:
    bank = simulated_bank(modems=2)
    port = open_port(bank.port())
    ask(port, "ATE0")
    bank.client.fault("modem00", "unplug:seconds=0.2,port=modem77")
    with pytest.raises((serial.SerialException, OSError)):
        ask_for_ever(port)
    assert not Path(bank.port()).is_symlink()
    assert bank.client.modems()[0]["port"] in (None, str(bank.folder / "modem77"))
    until((bank.folder / "modem77").is_symlink)
    assert ask(open_port(str(bank.folder / "modem77")), "ATE0")[-1] == "OK"
    assert ask(open_port(bank.port(1)), "ATE0")[-1] == "OK"


def test_a_modem_does_not_come_back_in_the_place_of_another(simulated_bank: StartBank) -> None:
    bank = simulated_bank(modems=2)
    other = os.readlink(bank.port(1))
    bank.client.fault("modem00", "unplug:seconds=0,port=modem01")
    until(lambda: bank.client.modems()[0]["port"] == bank.port(0))
    assert os.readlink(bank.port(1)) == other


def test_a_modem_that_nobody_reads_holds_up_no_other(simulated_bank: StartBank, open_port: OpenPort) -> None:
    bank = simulated_bank(modems=2)
    flooded, other = open_port(bank.port(0)), open_port(bank.port(1))
    before = memory(bank.process.pid)
    bank.client.fault("modem00", f"urc-storm:per_second=40000,seconds=1,line={'x' * 1000}")
    slowest = 0.0
    end = time.monotonic() + 1.5
    while (began := time.monotonic()) < end:
        assert ask(other, "AT")[-1] == "OK"
        slowest = max(slowest, time.monotonic() - began)
    assert slowest < 1.0
    assert memory(bank.process.pid) - before < 16_000
    assert flooded.in_waiting > 0


def memory(pid: int) -> int:
    """KiB in RAM."""
    status = Path(f"/proc/{pid}/status").read_text()
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS"))


def test_answers_and_bodies_larger_than_the_line_come_whole(simulated_bank: StartBank, open_port: OpenPort) -> None:
    bank = simulated_bank()
    for number in range(50):
        bank.client.text("0888000101", f"{number} " + "x" * 150)
    port = open_port(bank.port())
    ask(port, "ATE0")
    said = ask(port, "AT+CMGL=4")
    assert len(said) == 101
    assert sum(map(len, said)) > 16_384


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_bank_that_is_told_to_stop_leaves_nothing_behind(simulated_bank: StartBank, number: int) -> None:
    bank = simulated_bank(modems=3)
    connection = socket.socket(socket.AF_UNIX)
    with connection:
        connection.connect(str(bank.folder / "control"))
        connection.sendall(b'{"do":"phones"}\n')
        assert connection.recv(100)
        assert bank.stop(number) == 0
    assert list(bank.folder.iterdir()) == []


def test_a_bank_that_was_killed_is_no_obstacle_to_the_next(simulated_bank: StartBank, open_port: OpenPort) -> None:
    bank = simulated_bank(modems=2)
    bank.stop(signal.SIGKILL)
    assert Path(bank.port(1)).is_symlink()
    again = SimulatedBank(bank.folder, modems=1)
    try:
        assert ask(open_port(again.port()), "ATE0")[-1] == "OK"
        assert not Path(bank.port(1)).is_symlink()
    finally:
        again.stop()


def test_two_banks_in_one_folder_are_refused_and_the_first_goes_on(simulated_bank: StartBank) -> None:
    bank = simulated_bank()
    second = modemd("sim", "--dir", bank.folder, "--modems", 1)
    assert (second.returncode, second.stdout) == (1, "")
    assert "another simulated bank is running there" in second.stderr
    assert bank.client.text("0888000101", "smetka") == "modem00"


def test_the_folder_may_have_a_name_longer_than_a_socket_address(tmp_path: Path) -> None:
    folder = tmp_path / ("x" * 120)
    bank = SimulatedBank(folder)
    try:
        assert bank.client.text("0888000101", "smetka") == "modem00"
    finally:
        assert bank.stop() == 0


# orders


def test_a_nonsense_order_is_answered_and_the_next_one_carried_out(simulated_bank: StartBank) -> None:
    bank = simulated_bank()
    with socket.socket(socket.AF_UNIX) as connection, connection.makefile("rwb") as stream:
        connection.settimeout(PATIENCE)
        connection.connect(str(bank.folder / "control"))
        for order in (b"hello", b"[]", b'{"do":"explode"}', b'{"do":"text","nonsense":1}', b'{"do":"phones"}'):
            stream.write(order + b"\n")
            stream.flush()
            answer = stream.readline()
            assert (b'"result": []' in answer) if b"phones" in order else (b'"error"' in answer)


@pytest.mark.parametrize(
    ("order", "hint"),
    [
        (lambda client: client.fault("modem09", "silence"), "there is no modem 'modem09'"),
        (lambda client: client.fault("modem00", "flood"), "there is no fault 'flood'"),
        (lambda client: client.text("0888000101", ""), "it is empty"),
        (lambda client: client.text("0888000101", "smetka", "modem09"), "there is no modem 'modem09'"),
    ],
)
def test_an_order_that_cannot_be_carried_out_says_why(
    simulated_bank: StartBank, order: Callable[[ControlClient], object], hint: str
) -> None:
    with pytest.raises(SimulatorError, match=hint):
        order(simulated_bank().client)


def test_a_bank_that_does_not_run_is_an_error(tmp_path: Path) -> None:
    for folder in (tmp_path, tmp_path / "nowhere"):
        with pytest.raises(SimulatorError, match="it does not run"):
            ControlClient(folder).phones()


def test_faults_can_be_given_to_all_and_cleared(simulated_bank: StartBank, open_port: OpenPort) -> None:
    bank = simulated_bank(modems=2)
    bank.client.fault("all", "silence")
    ports = [open_port(bank.port(index)) for index in range(2)]
    for port in ports:
        port.write(b"AT\r")
    assert select.select([port.fileno() for port in ports], [], [], 0.2) == ([], [], [])
    bank.client.fault("all", "none")
    assert [ask(port, "AT")[-1] for port in ports] == ["OK", "OK"]


def test_the_panels_phones_text_and_show(simulated_bank: StartBank) -> None:
    bank = simulated_bank(modems=2)
    phones = SimulatedPhones(bank.folder, ["+359888000109"])
    phones.text("0888000101", "smetka")
    phones.text("170077", "from a short code")
    assert phones.numbers() == ["+359888000109", "+359888000101", "170077"]
    (said,) = phones.conversation("0888000101")
    number = bank.client.modems()[0]["number"]
    assert (said["direction"], said["peer"], said["text"]) == ("sent", number, "smetka")


# the commands


def test_the_commands_text_from_a_phone_and_show_what_it_got(simulated_bank: StartBank, open_port: OpenPort) -> None:
    bank = simulated_bank(modems=2)
    texted = modemd("sim-text", "--dir", bank.folder, "0888000101", "smetka", "--modem", "modem01")
    assert (texted.returncode, texted.stdout) == (0, "")
    port = open_port(bank.port(1))
    ask(port, "ATE0")
    assert ask(port, "AT+CMGL=4")[0].startswith("+CMGL: 1,0,,")
    part = encode_message("0888000101", "hello")[0]
    port.write(f"AT+CMGS={part.length}\r".encode())
    port.read_until(b"> ")
    port.write(part.pdu.encode() + b"\x1a")
    assert b"+CMGS: " in port.read_until(b"OK\r\n")
    shown = modemd("sim-phone", "--dir", bank.folder, "+359888000101", "--json")
    assert shown.stdout.startswith('{"from": "+359889000001", "text": "hello", "at": "20')
    assert modemd("sim-phone", "--dir", bank.folder, "0888000101").stdout.endswith("  +359889000001: hello\n")


def test_the_commands_say_what_they_cannot_do(simulated_bank: StartBank, tmp_path: Path) -> None:
    bank = simulated_bank()
    assert modemd("sim-fault", "--dir", bank.folder, "modem00", "silence:seconds=1").returncode == 0
    refused = modemd("sim-fault", "--dir", bank.folder, "modem00", "nonsense")
    assert (refused.returncode, refused.stderr.count("\n")) == (1, 1)
    assert "there is no fault 'nonsense', only answer-late" in refused.stderr
    assert modemd("sim-phone", "--dir", tmp_path / "nowhere", "0888000101").returncode == 1
    assert modemd("sim", "--dir", tmp_path / "x", "--modems", 65).returncode == 2
