"""The door of the КЕП in a real Chromium with a certificate: from the first page to the first bill on the phone."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from socketserver import BaseRequestHandler, ThreadingTCPServer
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from modemd.demo import EGN
from modemd.sim.control import ControlClient
from modemd.store import database
from modemd.store.schema import customer
from tests.browser.phones import digits, wait_for
from tests.portal_site import KEP, PORTAL, Site
from tests.service.authority import EIK, Authority, Profile

PERSON, COMPANY = "300000000001", "300000000006"
NUMBER = "+359888000177"


class Names(BaseRequestHandler):
    """Stands for the name service: whatever host a browser asks this proxy for is this machine."""

    def handle(self) -> None:
        asked = self.request.recv(4096)
        _, port = asked.split()[1].rsplit(b":", 1)
        with socket.create_connection(("127.0.0.1", int(port))) as other:
            self.request.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
            back = threading.Thread(target=_pass_on, args=(other, self.request))
            back.start()
            _pass_on(self.request, other)
            back.join()


def _pass_on(source: socket.socket, target: socket.socket) -> None:
    try:
        while octets := source.recv(65536):
            target.sendall(octets)
        target.shutdown(socket.SHUT_WR)
    except OSError:
        return  # one of them has gone


@pytest.fixture
def names() -> Iterator[str]:
    with ThreadingTCPServer(("127.0.0.1", 0), Names) as server:
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        thread.join()


@pytest.fixture
def site(demo: dict[str, Any], tmp_path: Path) -> Iterator[Site]:
    """nginx and a portal of its own over the demo's database, where one customer is a company now."""
    folder = Path(demo["bank"]).parent
    engine = database.connect(f"sqlite:///{folder}/modemd.db")
    with database.writing(engine) as conn:
        company = customer.update().where(customer.c.customer_no == COMPANY)
        conn.execute(company.values({"class": "B", "identity": EIK}))
    engine.dispose()
    (tmp_path / "site").mkdir()
    running = Site(tmp_path / "site", folder / "modemd.db", folder / "identity_key", Authority(tmp_path / "authority"))
    yield running
    running.close()


@contextmanager
def window(chromium: Browser, site: Site, names: str, profile: Profile) -> Iterator[Page]:
    """A browser on a phone with this certificate in it."""
    certificate, key = site.authority.issue(profile).write(site.folder, "client")
    opened = chromium.new_context(
        locale="bg-BG",
        viewport={"width": 375, "height": 800},
        ignore_https_errors=True,
        proxy={"server": names},
        client_certificates=[
            {"origin": f"https://{KEP}:{site.port}", "certPath": str(certificate), "keyPath": str(key)}
        ],
    )
    yield opened.new_page()
    opened.close()


@pytest.mark.long
@pytest.mark.parametrize(
    ("profile", "number"),
    [
        pytest.param(Profile(egn=EGN[PERSON]), PERSON, id="a person"),
        pytest.param(Profile(egn=None, eik=EIK), COMPANY, id="a company"),
    ],
)
def test_with_a_certificate_a_phone_is_registered_and_gets_its_bill(
    demo: dict[str, Any], site: Site, names: str, chromium: Browser, profile: Profile, number: str
) -> None:
    phones = ControlClient(Path(demo["bank"]))
    with window(chromium, site, names, profile) as page:
        page.goto(f"https://{PORTAL}:{site.port}/")
        page.get_by_role("button", name="Вход с електронен подпис").click()
        expect(page.get_by_text(number)).to_be_visible()
        assert page.url == f"https://{PORTAL}:{site.port}/portal/"
        page.get_by_role("link", name="Регистриране на телефон").click()
        page.get_by_label("Мобилен телефон").fill("0888 000 177")
        page.get_by_label("Проверка на сметка").check()
        expect(page.get_by_text("Титуляр съм или съм упълномощен")).to_be_visible()
        page.get_by_role("button", name="Съгласен съм").click()
        page.get_by_label("Код от съобщението").fill(digits(phones, NUMBER))
        page.get_by_role("button", name="Регистриране").click()
        expect(page.get_by_role("heading", name=NUMBER)).to_be_visible()
    phones.text(NUMBER, "smetka")
    assert number[-4:] in wait_for(phones, NUMBER, lambda text: "smetka za" in text)


@pytest.mark.long
def test_a_certificate_of_nobody_s_is_refused_on_a_page_that_says_what_to_do(
    site: Site, names: str, chromium: Browser
) -> None:
    with window(chromium, site, names, Profile(egn="8001010008")) as page:
        page.goto(f"https://{PORTAL}:{site.port}/")
        page.get_by_role("button", name="Вход с електронен подпис").click()
        expect(page.get_by_text("Няма клиент с този ЕГН или ЕИК")).to_be_visible()
        page.wait_for_load_state()
        assert page.evaluate("[...document.styleSheets].map(each => each.cssRules.length > 0)") == [True, True]
        page.get_by_role("link", name="Започнете отново").click()
        expect(page.get_by_role("button", name="Вход", exact=True)).to_be_visible()
