"""Modems of no known make, which refuse whatever they need not know, share one IMEI, and echo what they hear."""

import json
import os
import threading
import tty
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from modemd.pdu.address import Address
from modemd.pdu.deliver import Deliver
from modemd.pdu.submit import Submit
from tests.flow.running import RunningService

ASKER = "+359888111001"
OTHER = "+359888111002"


class PlainModem:
    """The least that 27.005 lets a program send and receive with, in PDU mode."""

    def __init__(self, link: Path, tells: dict[str, str]) -> None:
        self.sent: list[Submit] = []
        self.stored: dict[int, str] = {}
        self._controller, self._port = os.openpty()
        tty.setraw(self._port)
        link.parent.mkdir(exist_ok=True)
        link.symlink_to(os.ttyname(self._port))
        self._prompted = False
        self._answers: dict[str, Callable[[str], str]] = {
            "AT": lambda _: "OK",
            "AT+CMGF=0": lambda _: "OK",
            "AT+CGSN": lambda _: "356938035643809\r\n\r\nOK",
            **{command: lambda _, told=told: f"{told}\r\n\r\nOK" for command, told in tells.items()},
            "AT+CNMI=2,1": lambda _: "OK",
            "AT+CMGR=": self._read,
            "AT+CMGD=": self._delete,
        }
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def receive(self, pdu: bytes) -> None:
        index = len(self.stored) + 1
        self.stored[index] = pdu.hex().upper()
        self._say(f'+CMTI: "SM",{index}')

    def close(self) -> None:
        os.close(self._port)
        self._thread.join(5)
        os.close(self._controller)

    def _serve(self) -> None:
        heard = b""
        while True:
            try:
                some = os.read(self._controller, 4096)
            except OSError:  # the other end is closed
                return
            heard += some
            while ends := [at for at in (heard.find(b"\r"), heard.find(b"\x1a"), heard.find(b"\x1b")) if at >= 0]:
                end = min(ends)
                line, by, heard = heard[:end], heard[end : end + 1], heard[end + 1 :]
                os.write(self._controller, line + by)  # echo
                self._heard(line.decode("latin-1").strip(), by)

    def _heard(self, line: str, by: bytes) -> None:
        if by == b"\x1b":
            self._prompted = False
        elif by == b"\x1a":
            self._prompted = False
            self.sent.append(Submit.decode(bytes.fromhex(line)))
            self._say(f"+CMGS: {len(self.sent)}\r\n\r\nOK")
        elif line.startswith("AT+CMGS="):
            self._prompted = True
            os.write(self._controller, b"\r\n> ")
        elif line:
            known = [
                start for start in self._answers if line == start or (start.endswith("=") and line.startswith(start))
            ]
            self._say(self._answers[known[0]](line) if known else "ERROR")

    def _read(self, line: str) -> str:
        pdu = self.stored.get(int(line.partition("=")[2]))
        return "+CMS ERROR: 321" if pdu is None else f"+CMGR: 0,,{len(pdu) // 2 - 1}\r\n{pdu}\r\n\r\nOK"

    def _delete(self, line: str) -> str:
        self.stored.pop(int(line.partition("=")[2].split(",")[0]), None)
        return "OK"

    def _say(self, text: str) -> None:
        os.write(self._controller, f"\r\n{text}\r\n".encode())


@pytest.fixture
def plain(
    service: Callable[..., RunningService], request: pytest.FixtureRequest
) -> Iterator[tuple[RunningService, list[PlainModem]]]:
    running = service()
    tells = getattr(request, "param", {})
    modems = [PlainModem(running.bank / f"modem{number}", tells) for number in range(2)]
    running.give_customers({ASKER: ["300000000001"]})
    running.start_daemon()
    running.wait_until_ready(2)
    yield running, modems
    running.stop_daemon()
    for modem in modems:
        modem.close()


def question(text: str) -> bytes:
    return Deliver(smsc=None, number=Address.parse(ASKER), dcs=0, text=text, timestamp=None).encode()


def test_a_plain_modem_sends_receives_and_answers(plain: tuple[RunningService, list[PlainModem]]) -> None:
    running, modems = plain
    assert running.run("send", "-c", running.config, OTHER, "hello", "--wait").returncode == 0
    modems[1].receive(question("smetka"))
    running.until(lambda: any(submit.number.number == ASKER for submit in modems[1].sent))
    assert "37,91 EUR" in (modems[1].sent[-1].text or "")
    running.until(lambda: not modems[1].stored)
    assert sum(len(modem.sent) for modem in modems) == 2


@pytest.mark.parametrize(
    "plain", [{}, {"AT+CCID": "8935901000000000012"}, {"AT+CIMI": "284011234567890"}], indirect=True, ids=str
)
def test_modems_that_tell_the_same_identity_are_two_lines_also_after_a_restart(
    plain: tuple[RunningService, list[PlainModem]],
) -> None:
    running, _ = plain
    before = {modem.port: modem.line_id for modem in running.overview()}
    assert len(set(before.values())) == 2
    running.kill_daemon()
    running.start_daemon()
    running.wait_until_ready(2)
    assert {modem.port: modem.line_id for modem in running.overview()} == before


def test_two_ports_of_one_stick_are_one_modem_and_status_says_which_and_why(
    service: Callable[..., RunningService],
) -> None:
    running = service()
    stick = [PlainModem(running.bank / f"modem-if0{number}", {}) for number in range(2)]
    running.start_daemon()
    running.wait_until_ready(1)
    status = running.run("status", "-c", running.config, "--json")
    (modem,) = json.loads(status.stdout)["modems"]
    assert [(port["port"], port["chosen"], port["why"]) for port in modem["ports"]] == [
        (str(running.bank / "modem-if00"), True, "answers AT"),
        (str(running.bank / "modem-if01"), False, "answers AT and announces nothing"),
    ]
    assert "modem-if01 is left alone: answers AT and announces nothing" in "".join(
        running.run("status", "-c", running.config).stdout.splitlines()
    )
    assert running.run("send", "-c", running.config, OTHER, "hello", "--wait").returncode == 0
    assert [len(port.sent) for port in stick] == [1, 0]
    running.stop_daemon()
    for port in stick:
        port.close()
