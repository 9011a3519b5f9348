"""Kannel itself, from Debian, sends through us as it would through another Kannel: only its send-url is ours."""

import urllib.parse
import urllib.request
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote

import pytest

from tests.flow.running import RunningService
from tests.peers.programs import answers, free_ports, installed, running, until
from tests.receivers import receiving
from tests.web.api.process import ApiProcess

TEXTS = {"+359888000101": "plain text", "+359888000102": "Сметка €", "+359888000103": "[x] & + % = ?"}


@pytest.mark.long
@pytest.mark.timeout(240)
def test_kannel_sends_through_us_and_hears_what_became_of_it(
    service: Callable[..., RunningService], tmp_path: Path
) -> None:
    bearerbox, smsbox = installed("bearerbox", "kannel"), installed("smsbox", "kannel")
    running_service = service(settings='webhooks.enabled = true\nwebhooks.allow_networks = ["127.0.0.1/32"]')
    running_service.start_bank()
    running_service.start_daemon()
    running_service.wait_until_ready()
    api = ApiProcess(tmp_path, running_service.database_url, "api.kannel = true")
    admin, bearer, http, inwards = free_ports(4)
    settings = tmp_path / "kannel.conf"
    token = api.token()
    settings.write_text(
        _SETTINGS.format(admin=admin, bearer=bearer, http=http, inwards=inwards, api=api.url, token=token)
    )
    try:
        with (
            receiving() as office,
            running(tmp_path / "bearerbox.log", bearerbox, settings, ready=lambda: answers(bearer)),
            running(tmp_path / "smsbox.log", smsbox, settings, ready=lambda: answers(http)),
        ):
            for number, text in TEXTS.items():
                _send(http, number, text, f"{office.url}/dlr?type=%d&to=%p")
            reached = {f"/dlr?type=1&to={quote(number, safe='')}" for number in TEXTS}
            until(lambda: {each.path for each in office.asked} >= reached)
            assert {each.path for each in office.asked} >= reached  # ours, in the form of Kannel's own reports:
            assert {each.path.partition("to=")[2] for each in office.asked} == {quote(each, safe="") for each in TEXTS}
    finally:
        api.kill()
    for number, text in TEXTS.items():
        assert [each["text"] for each in running_service.phones.phone(number)] == [text]


def _send(port: int, number: str, text: str, report_to: str) -> None:
    asked = {"username": "u", "password": "p", "to": number, "text": text, "charset": "UTF-8", "dlr-mask": "31"}
    asked |= {"coding": "0" if text.isascii() else "2", "dlr-url": report_to}
    address = f"http://127.0.0.1:{port}/cgi-bin/sendsms?{urllib.parse.urlencode(asked)}"
    with urllib.request.urlopen(address, timeout=10) as answer:
        assert answer.status == 202, answer.read()


_SETTINGS = """
group = core
admin-port = {admin}
admin-password = p
admin-interface = 127.0.0.1
smsbox-port = {bearer}
smsbox-interface = 127.0.0.1
box-allow-ip = 127.0.0.1

group = smsc
smsc = http
smsc-id = modemd
system-type = kannel
port = {inwards}
connect-allow-ip = 127.0.0.1
smsc-username = billing
smsc-password = {token}
send-url = "{api}/cgi-bin/sendsms"

group = smsbox
bearerbox-host = 127.0.0.1
bearerbox-port = {bearer}
sendsms-port = {http}
sendsms-interface = 127.0.0.1
global-sender = 359889000000

group = sendsms-user
username = u
password = p
concatenation = true
max-messages = 10
"""
