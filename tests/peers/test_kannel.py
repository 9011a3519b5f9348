"""Kannel's AT driver, from Debian, drives the simulated bank: a bearerbox with an smsbox before it."""

import threading
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from tests.peers.programs import OUTGOING, answers, free_ports, installed, receive, running, see_sent
from tests.simulated_bank import SimulatedBank

MODEMS = 10  # it waits two seconds after each message that it sends


class Office(ThreadingHTTPServer):
    """Where Kannel brings what it receives, an address for each message."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Desk)
        self.received: list[tuple[str, str]] = []


class _Desk(BaseHTTPRequestHandler):
    server: Office

    def do_GET(self) -> None:
        fields = urllib.parse.parse_qs(urllib.parse.urlsplit(self.path).query, encoding="latin-1")  # octet for octet
        text = fields["text"][0].encode("latin-1").decode(fields["charset"][0])
        self.server.received.append((fields["from"][0], text))
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def office() -> Iterator[Office]:
    with Office() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


class Kannel:
    """Its settings, and a hand to send with."""

    def __init__(self, folder: Path, bank: SimulatedBank, office: Office) -> None:
        folder.mkdir()
        self.folder = folder
        self.settings = folder / "kannel.conf"
        admin, self.bearer, self.http = free_ports(3)
        lines = "\n".join(_LINE.format(index=index, port=bank.port(index)) for index in range(MODEMS))
        ports = {"admin": admin, "bearer": self.bearer, "http": self.http, "office": office.server_port}
        self.settings.write_text(_SETTINGS.format(lines=lines, **ports))

    def send(self, number: str, text: str) -> None:
        coding = "2" if "Сметка" in text else "0"  # UCS-2, GSM 7-bit
        asked = {"username": "u", "password": "p", "to": number, "text": text, "charset": "UTF-8", "coding": coding}
        address = f"http://127.0.0.1:{self.http}/cgi-bin/sendsms?{urllib.parse.urlencode(asked)}"
        with urllib.request.urlopen(address, timeout=10) as answer:
            assert answer.status == 202, answer.read()


@pytest.mark.timeout(240)
@pytest.mark.long
def test_kannel_sends_50_and_receives_20(
    simulated_bank: Callable[..., SimulatedBank], office: Office, tmp_path: Path
) -> None:
    bearerbox, smsbox = installed("bearerbox", "kannel"), installed("smsbox", "kannel")
    bank = simulated_bank(modems=MODEMS)
    kannel = Kannel(tmp_path / "kannel", bank, office)
    with (
        running(tmp_path / "bearerbox.log", bearerbox, kannel.settings, ready=lambda: answers(kannel.bearer)),
        running(tmp_path / "smsbox.log", smsbox, kannel.settings, ready=lambda: answers(kannel.http)),
    ):
        for number, text in OUTGOING.items():
            kannel.send(number, text)
        receive(bank, lambda: office.received)
        see_sent(bank)


_LINE = """
group = smsc
smsc = at
smsc-id = line{index}
modemtype = generic
device = {port}
speed = 115200
sim-buffering = true
"""
_SETTINGS = """
group = core
admin-port = {admin}
admin-password = p
admin-interface = 127.0.0.1
smsbox-port = {bearer}
smsbox-interface = 127.0.0.1
box-allow-ip = 127.0.0.1
{lines}
group = modems
id = generic
name = Generic
init-string = "AT+CNMI=1,2,0,0,0"
sendline-sleep = 1
speed = 115200

group = smsbox
bearerbox-host = 127.0.0.1
bearerbox-port = {bearer}
sendsms-port = {http}
sendsms-interface = 127.0.0.1
global-sender = 359889000000

group = sendsms-user
username = u
password = p

group = sms-service
keyword = default
catch-all = true
max-messages = 0
get-url = "http://127.0.0.1:{office}/?from=%p&text=%a&charset=%C"
"""
