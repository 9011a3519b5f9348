"""The portal as it is set up: a process of its own behind a real nginx with the configuration that is shipped."""

import http.client
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from modemd.setup import shipped
from tests.service.authority import NOW, YEAR, Authority, Issued

PORTAL, KEP = "portal.example.bg", "kep.example.bg"
SECRET = "p" * 64
PATIENCE = 30.0  # s; a bound on what never comes


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return int(taken.getsockname()[1])


class Site:
    """nginx and the portal over a database, each a process of its own; both hosts are at `port`."""

    def __init__(self, folder: Path, database: Path, identity_key: Path, authority: Authority) -> None:
        self.folder = folder
        self.authority = authority
        self.port = free_port()
        self.socket = folder / "portal.sock"
        self._write_settings(database, identity_key)
        self._write_nginx()
        self._processes: list[subprocess.Popen[bytes]] = []
        self._start(sys.executable, "-m", "modemd", "web", "-c", folder / "portal.toml")
        self._until(self.socket.exists)
        self._start("nginx", "-p", folder, "-c", folder / "nginx.conf", "-e", "stderr")
        self._until(self._answers)

    def _start(self, *command: object) -> None:
        self._processes.append(subprocess.Popen(list(map(str, command))))

    def close(self) -> None:
        for process in self._processes:
            process.terminate()
            process.wait(timeout=PATIENCE)

    def _write_settings(self, database: Path, identity_key: Path) -> None:
        files = {"portal_key": "0123456789abcdef" * 4, "proxy": SECRET}
        for name, text in files.items():
            (self.folder / name).write_text(text)
        (self.folder / "portal.toml").write_text(
            f"""
            database.url = "sqlite:///{database}"
            [service]
            identity_key_file = "{identity_key}"
            [web]
            secret_key_file = "{self.folder}/portal_key"
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
        connection = http.client.HTTPSConnection("127.0.0.1", self.port, context=trusting())
        try:
            connection.request("GET", "/portal/sign-in", headers={"Host": PORTAL})
            return connection.getresponse().status == 200
        except OSError:
            return False
        finally:
            connection.close()

    def _until(self, true: Callable[[], bool]) -> None:
        deadline = time.monotonic() + PATIENCE
        while not true():
            assert time.monotonic() < deadline, "the portal does not answer"
            assert all(process.poll() is None for process in self._processes)
            time.sleep(0.1)


def trusting() -> ssl.SSLContext:
    """The hosts' own certificates are invented too."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def server_certificate(host: str) -> Issued:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, host)])
    builder = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
    return Issued(builder.not_valid_before(NOW - YEAR).not_valid_after(NOW + YEAR).sign(key, hashes.SHA256()), key)
