"""The portal behind a real nginx with the configuration that is shipped: who comes in with which certificate."""

import http.client
import os
import re
import shutil
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.x509.oid import NameOID

from modemd.service import identities
from modemd.setup import shipped
from modemd.store import database
from modemd.store.schema import customer, dataset
from tests.service.authority import EGN, EIK, NOW, YEAR, Authority, Issued, Profile

PORTAL, KEP = "portal.example.bg", "kep.example.bg"
PERSON, COMPANY, OTHER = "300000000001", "300000000002", "300000000003"
OTHER_EGN = "8032056031"
KEY, SECRET = "i" * 32, "p" * 64
PATIENCE = 30.0  # s; a bound on what never comes


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return int(taken.getsockname()[1])


class Site:
    """nginx and the portal, each a process of its own, and a browser's way to both hosts."""

    def __init__(self, folder: Path, template: Path, authority: Authority) -> None:
        self.folder = folder
        self.authority = authority
        self.port = free_port()
        self.socket = folder / "portal.sock"
        shutil.copy(template, folder / "modemd.db")
        self._fill()
        self._write_settings()
        self._write_nginx()
        self._processes: list[subprocess.Popen[bytes]] = []
        self._start(sys.executable, "-m", "modemd", "web", "-c", folder / "modemd.toml")
        self._until(self.socket.exists)
        self._start("nginx", "-p", folder, "-c", folder / "nginx.conf", "-e", "stderr")
        self._until(self._answers)

    def _start(self, *command: object) -> None:
        self._processes.append(subprocess.Popen(list(map(str, command))))

    def close(self) -> None:
        for process in self._processes:
            process.terminate()
            process.wait(timeout=PATIENCE)

    def _fill(self) -> None:
        engine = database.connect(f"sqlite:///{self.folder}/modemd.db")
        names = ("customer_no", "class", "identity", "active")
        mine, other = (identities.of_person(each, KEY.encode()) for each in (EGN, OTHER_EGN))
        rows = [(PERSON, "H", mine, True), (COMPANY, "B", EIK, True), (OTHER, "H", other, True)]
        with database.writing(engine) as conn:
            conn.execute(dataset.insert(), {"type": "CUSTOMERS", "generation": 1, "data_at": NOW})
            conn.execute(customer.insert(), [{"generation": 1, **dict(zip(names, row, strict=True))} for row in rows])
        engine.dispose()

    def _write_settings(self) -> None:
        files = {"secret_key": "0123456789abcdef" * 4, "identity": KEY, "proxy": SECRET}
        for name, text in files.items():
            (self.folder / name).write_text(text)
        (self.folder / "modemd.toml").write_text(
            f"""
            database.url = "sqlite:///{self.folder}/modemd.db"
            [service]
            identity_key_file = "{self.folder}/identity"
            [web]
            secret_key_file = "{self.folder}/secret_key"
            serve = ["portal"]
            socket = "{self.socket}"
            force_https = true
            [portal]
            url = "https://{PORTAL}:{self.port}"
            kep_url = "https://{KEP}:{self.port}"
            kep_issuers_file = "{self.authority.issuers_file}"
            kep_crl_folder = "{self.authority.folder}/crl"
            proxy_secret_file = "{self.folder}/proxy"
            """
        )

    def _write_nginx(self) -> None:
        """The shipped file with this machine's paths, inside the least that nginx wants around it."""
        for name, host in (("portal", PORTAL), ("kep", KEP), ("api", "api.example.bg")):
            server_certificate(host).write(self.folder, name)
        site = shipped.text("systemd/nginx-modemd.conf")
        moved = {
            "listen 443 ssl http2": f"listen 127.0.0.1:{self.port} ssl",
            "/run/modemd-portal/portal.sock": f"{self.socket}:",
            "/etc/modemd/tls/": f"{self.folder}/",
            "rate=10r/s": "rate=1000r/s",  # all these browsers come from one address
            "/etc/modemd/kep/issuers.pem": str(self.authority.issuers_file),
            "/etc/modemd/proxy_secret.conf": f"{self.folder}/proxy_secret.conf",
        }
        for shipped_words, here in moved.items():
            assert shipped_words in site
            site = site.replace(shipped_words, here)
        (self.folder / "proxy_secret.conf").write_text(f'proxy_set_header X-Modemd-Proxy "{SECRET}";\n')
        places = "".join(
            f"{kind}_temp_path {self.folder}/{kind};" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
        )
        (self.folder / "nginx.conf").write_text(
            f"daemon off; master_process off; pid {self.folder}/nginx.pid; error_log stderr error;"
            f" events {{}} http {{ access_log off; {places} {site} }}"
        )

    def _answers(self) -> bool:
        try:
            return bool(self.browser().get(PORTAL, "/portal/sign-in")[0] == 200)
        except OSError:
            return False

    def _until(self, true: Callable[[], bool]) -> None:
        deadline = time.monotonic() + PATIENCE
        while not true():
            assert time.monotonic() < deadline, "the portal does not answer"
            assert all(process.poll() is None for process in self._processes)
            time.sleep(0.1)

    def browser(self, certificate: Issued | None = None) -> "Browser":
        return Browser(self, certificate)


class Browser:
    """Cookies for each host, and a certificate for who asks for one."""

    def __init__(self, site: Site, certificate: Issued | None) -> None:
        self._site = site
        self._context = ssl.create_default_context()
        self._context.check_hostname = False
        self._context.verify_mode = ssl.CERT_NONE  # the hosts' own certificates are invented too
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


def server_certificate(host: str) -> Issued:
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, host)])
    builder = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
    return Issued(builder.not_valid_before(NOW - YEAR).not_valid_after(NOW + YEAR).sign(key, hashes.SHA256()), key)


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, sqlite_template: Path, authority: Authority) -> Iterator[Site]:
    running = Site(tmp_path_factory.mktemp("site"), sqlite_template, authority)
    yield running
    running.close()


@pytest.mark.parametrize(
    ("profile", "seen", "unseen"),
    [
        pytest.param(Profile(), [PERSON], [COMPANY, OTHER], id="a person"),
        pytest.param(Profile(egn=None, eik=EIK), [COMPANY], [PERSON, OTHER], id="a company"),
        pytest.param(Profile(egn=OTHER_EGN), [OTHER], [PERSON, COMPANY], id="another person sees his own"),
    ],
)
def test_a_good_certificate_signs_in(site: Site, profile: Profile, seen: list[str], unseen: list[str]) -> None:
    status, page = site.browser(site.authority.issue(profile)).sign_in()
    assert status == 303
    assert all(number in page for number in seen)
    assert not any(number in page for number in unseen)


def test_without_a_certificate_nobody_comes_in(site: Site) -> None:
    assert site.browser().sign_in()[0] == 403


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
    status, page = site.browser(site.authority.issue(profile)).sign_in()
    assert status in (400, 403, 495)
    assert PERSON not in page


def test_a_self_signed_certificate_and_another_issuer_s_are_refused(site: Site, tmp_path: Path) -> None:
    other = Authority(tmp_path)
    for certificate in (Issued(other.certificate, other.key), other.issue()):
        assert site.browser(certificate).sign_in()[0] in (400, 403, 495)


def test_a_revoked_certificate_and_a_stale_list_are_refused(site: Site) -> None:
    good, revoked = site.authority.issue(), site.authority.issue()
    site.authority.publish(revoked)
    try:
        assert site.browser(revoked).sign_in()[0] == 403
        assert site.browser(good).sign_in()[0] == 303
        site.authority.publish(at=NOW - timedelta(days=2), until=NOW - timedelta(days=1))
        assert site.browser(good).sign_in()[0] == 403
    finally:
        site.authority.publish()


def test_forged_headers_open_nothing_through_nginx(site: Site) -> None:
    """On either host: nginx clears or sets what a client says of certificates."""
    from urllib.parse import quote

    forged = {
        "X-Client-Verify": "SUCCESS",
        "X-Client-Certificate": quote(site.authority.issue().pem),
        "X-Modemd-Proxy": SECRET,
    }
    browser = site.browser()
    where = urlsplit(browser.begin())
    for host, expected in ((KEP, 403), (PORTAL, 404)):
        assert browser.get(host, f"{where.path}?{where.query}", **forged)[0] == expected


def test_forged_headers_open_nothing_past_nginx(site: Site) -> None:
    """Whoever reaches the socket itself does not know the secret."""
    from urllib.parse import quote

    where = urlsplit(site.browser().begin())
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
    browser = site.browser(site.authority.issue())
    where = browser.begin()
    status, back, _ = browser.follow(where)
    assert status == 303
    assert browser.follow(where)[0] == 403
    assert browser.follow(back)[0] == 303
    assert browser.follow(back)[0] == 403


def test_the_socket_is_for_its_user_and_group_alone(site: Site) -> None:
    assert os.stat(site.socket).st_mode & 0o007 == 0
