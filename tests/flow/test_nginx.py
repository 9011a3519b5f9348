"""The portal behind a real nginx with the configuration that is shipped: who comes in with which certificate."""

import http.client
import os
import re
import shutil
import socket
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import pytest

from modemd.service import identities
from modemd.store import database
from modemd.store.schema import customer, dataset
from tests.portal_site import KEP, PATIENCE, PORTAL, SECRET, Site, trusting
from tests.service.authority import EGN, EIK, NOW, YEAR, Authority, Issued, Profile

PERSON, COMPANY, OTHER = "300000000001", "300000000002", "300000000003"
OTHER_EGN = "8032056031"
KEY = "i" * 32


class Browser:
    """Cookies for each host, and a certificate for who asks for one."""

    def __init__(self, site: Site, certificate: Issued | None = None) -> None:
        self._site = site
        self._context = trusting()
        if certificate is not None:
            files = certificate.write(site.folder, f"client{id(self)}")
            self._context.load_cert_chain(*files)
        self._cookies: dict[str, dict[str, str]] = {}

    def get(self, host: str, path: str, **headers: str) -> tuple[int, str, str]:
        """(status, where it leads, page)."""
        return self._ask("GET", host, path, None, headers)

    def post(self, host: str, path: str, body: str) -> tuple[int, str, str]:
        form = {"Content-Type": "application/x-www-form-urlencoded", "Referer": f"https://{host}:{self._site.port}/"}
        return self._ask("POST", host, path, body, form)

    def _ask(self, method: str, host: str, path: str, body: str | None, headers: dict[str, str]) -> Any:
        raw = socket.create_connection(("127.0.0.1", self._site.port), timeout=PATIENCE)
        connection = http.client.HTTPConnection(host, self._site.port)
        connection.sock = self._context.wrap_socket(raw, server_hostname=host)
        jar = self._cookies.setdefault(host, {})
        cookie = "; ".join(f"{name}={value}" for name, value in jar.items())
        try:
            connection.request(method, path, body, {"Cookie": cookie, **headers} if cookie else headers)
            answer = connection.getresponse()
            for given in answer.headers.get_all("Set-Cookie") or ():
                name, _, value = given.partition(";")[0].partition("=")
                jar[name] = value
            return answer.status, answer.headers.get("Location", ""), answer.read().decode()
        finally:
            connection.close()

    def begin(self) -> str:
        """From the sign-in page to the address on the certificates' host."""
        page = self.get(PORTAL, "/portal/sign-in")[2]
        token = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', page)
        assert token
        status, where, _ = self.post(PORTAL, "/portal/kep", f"csrf_token={token[1]}")
        assert status == 303
        assert urlsplit(where).hostname == KEP
        return where

    def follow(self, where: str) -> tuple[int, str, str]:
        address = urlsplit(where)
        return self.get(str(address.hostname), f"{address.path}?{address.query}" if address.query else address.path)

    def sign_in(self) -> tuple[int, str]:
        """(status of the certificates' host, the portal's first page or what was said instead)."""
        status, where, page = self.follow(self.begin())
        if status != 303:
            return status, page
        assert self.follow(where)[0] == 303
        return status, self.get(PORTAL, "/portal/")[2]


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, sqlite_template: Path, authority: Authority) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("site")
    shutil.copy(sqlite_template, folder / "modemd.db")
    (folder / "identity").write_text(KEY)
    fill(folder / "modemd.db")
    running = Site(folder, folder / "modemd.db", folder / "identity", authority)
    yield running
    running.close()


def fill(file: Path) -> None:
    """A person, a company, and somebody else."""
    engine = database.connect(f"sqlite:///{file}")
    names = ("customer_no", "class", "identity", "active")
    mine, other = (identities.of_person(each, KEY.encode()) for each in (EGN, OTHER_EGN))
    rows = [(PERSON, "H", mine, True), (COMPANY, "B", EIK, True), (OTHER, "H", other, True)]
    with database.writing(engine) as conn:
        conn.execute(dataset.insert(), {"type": "CUSTOMERS", "generation": 1, "data_at": NOW})
        conn.execute(customer.insert(), [{"generation": 1, **dict(zip(names, row, strict=True))} for row in rows])
    engine.dispose()


@pytest.mark.parametrize(
    ("profile", "seen", "unseen"),
    [
        pytest.param(Profile(), [PERSON], [COMPANY, OTHER], id="a person"),
        pytest.param(Profile(egn=None, eik=EIK), [COMPANY], [PERSON, OTHER], id="a company"),
        pytest.param(Profile(egn=OTHER_EGN), [OTHER], [PERSON, COMPANY], id="another person sees his own"),
    ],
)
def test_a_good_certificate_signs_in(site: Site, profile: Profile, seen: list[str], unseen: list[str]) -> None:
    status, page = Browser(site, site.authority.issue(profile)).sign_in()
    assert status == 303
    assert all(number in page for number in seen)
    assert not any(number in page for number in unseen)


def test_what_a_page_is_made_of_comes_from_either_host(site: Site) -> None:
    for host in (PORTAL, KEP):
        browser = Browser(site)
        page = browser.get(host, "/portal/sign-in" if host == PORTAL else "/portal/kep/open")[2]
        parts = re.findall(r'<link[^>]* href="([^"]+)"', page)
        assert len(parts) == 3
        assert [browser.get(host, part)[0] for part in parts] == [200] * 3


def test_without_a_certificate_nobody_comes_in(site: Site) -> None:
    assert Browser(site).sign_in()[0] == 403


@pytest.mark.parametrize(
    "profile",
    [
        pytest.param(Profile(begin=NOW - YEAR, end=NOW - timedelta(days=1)), id="expired"),
        pytest.param(Profile(begin=NOW + timedelta(days=1)), id="not yet valid"),
        pytest.param(Profile(statements=None), id="without QcStatement"),
        pytest.param(Profile(egn="7523169262"), id="a wrong check digit"),
        pytest.param(Profile(egn="8001010008"), id="nobody's"),
    ],
)
def test_a_certificate_that_is_not_good_is_refused(site: Site, profile: Profile) -> None:
    status, page = Browser(site, site.authority.issue(profile)).sign_in()
    assert status in (400, 403, 495)
    assert PERSON not in page


def test_a_self_signed_certificate_and_another_issuer_s_are_refused(site: Site, tmp_path: Path) -> None:
    other = Authority(tmp_path)
    for certificate in (Issued(other.certificate, other.key), other.issue()):
        assert Browser(site, certificate).sign_in()[0] in (400, 403, 495)


def test_a_revoked_certificate_and_a_stale_list_are_refused(site: Site) -> None:
    good, revoked = site.authority.issue(), site.authority.issue()
    site.authority.publish(revoked)
    try:
        assert Browser(site, revoked).sign_in()[0] == 403
        assert Browser(site, good).sign_in()[0] == 303
        site.authority.publish(at=NOW - timedelta(days=2), until=NOW - timedelta(days=1))
        assert Browser(site, good).sign_in()[0] == 403
    finally:
        site.authority.publish()


def test_forged_headers_open_nothing_through_nginx(site: Site) -> None:
    """On either host: nginx clears or sets what a client says of certificates."""
    forged = {
        "X-Client-Verify": "SUCCESS",
        "X-Client-Certificate": quote(site.authority.issue().pem),
        "X-Modemd-Proxy": SECRET,
    }
    browser = Browser(site)
    where = urlsplit(browser.begin())
    for host, expected in ((KEP, 403), (PORTAL, 404)):
        assert browser.get(host, f"{where.path}?{where.query}", **forged)[0] == expected


def test_forged_headers_open_nothing_past_nginx(site: Site) -> None:
    """Whoever reaches the socket itself does not know the secret."""
    where = urlsplit(Browser(site).begin())
    connection = http.client.HTTPConnection("localhost")
    connection.sock = socket.socket(socket.AF_UNIX)
    connection.sock.connect(str(site.socket))
    headers = {
        "X-Client-Verify": "SUCCESS",
        "X-Client-Certificate": quote(site.authority.issue().pem),
        "X-Forwarded-Proto": "https",
    }
    connection.request("GET", f"{where.path}?{where.query}", headers=headers)
    assert connection.getresponse().status == 403
    connection.close()


def test_a_nonce_is_good_once(site: Site) -> None:
    browser = Browser(site, site.authority.issue())
    where = browser.begin()
    status, back, _ = browser.follow(where)
    assert status == 303
    assert browser.follow(where)[0] == 403
    assert browser.follow(back)[0] == 303
    assert browser.follow(back)[0] == 403


def test_the_socket_is_for_its_user_and_group_alone(site: Site) -> None:
    assert os.stat(site.socket).st_mode & 0o007 == 0
