"""Revocation lists are fetched, and only a better one takes the place of the one that is there."""

import threading
from collections.abc import Iterator
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from modemd import config, revocation
from modemd.cli.main import cli
from modemd.doctor import Finding, Level, Patient, _revocation_lists
from modemd.errors import CertificateRefused, ListRefused, SettingsError
from modemd.revocation import Renewed, renew
from modemd.service import kep, trust
from tests.service.authority import EGN, NOW, Authority, Profile, list_part

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


class Publisher:
    """An issuer's web server: what stands at each path, or where it sends those who ask."""

    def __init__(self) -> None:
        self.lists: dict[str, bytes] = {}
        self.moved: dict[str, str] = {}
        self.asked: list[str] = []
        publisher = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                publisher.asked.append(self.path)
                if self.path in publisher.moved:
                    self.send_response(302)
                    self.send_header("Location", publisher.moved[self.path])
                    self.end_headers()
                elif self.path in publisher.lists:
                    self.send_response(200)
                    self.end_headers()
                    self.wfile.write(publisher.lists[self.path])
                else:
                    self.send_error(404)

            def log_message(self, *arguments: object) -> None:
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = False  # the end waits for them
        self._thread = threading.Thread(target=self._server.serve_forever)
        self._thread.start()

    def url(self, path: str = "/ca.crl", host: str = "127.0.0.1") -> str:
        return f"http://{host}:{self._server.server_port}{path}"

    def close(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


@pytest.fixture
def publisher(monkeypatch: pytest.MonkeyPatch) -> Iterator[Publisher]:
    for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"):
        monkeypatch.delenv(name, raising=False)
    running = Publisher()
    yield running
    running.close()


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    """With no list in its folder yet."""
    made = Authority(tmp_path / "authority")
    (made.folder / "crl" / "test.crl").unlink()
    return made


def files(authority: Authority) -> list[bytes]:
    """What is in the folder, other than what is being written included."""
    return [file.read_bytes() for file in (authority.folder / "crl").iterdir()]


# what is taken


def test_a_list_is_fetched_and_lets_its_issuer_s_people_in(publisher: Publisher, authority: Authority) -> None:
    issued, revoked = authority.issue(), authority.issue()
    with pytest.raises(CertificateRefused, match="missing"):
        kep.holder(issued.pem, authority.trust, NOW)
    publisher.lists["/ca.crl"] = authority.crl(revoked)
    assert renew(publisher.url(), authority.trust, NOW) == Renewed("Test Qualified CA", True, NOW + DAY)
    assert kep.holder(issued.pem, authority.trust, NOW).egn == EGN
    with pytest.raises(CertificateRefused, match="revoked"):
        kep.holder(revoked.pem, authority.trust, NOW)


def test_a_newer_list_takes_the_place_and_the_same_one_is_left(publisher: Publisher, authority: Authority) -> None:
    publisher.lists["/ca.crl"] = authority.crl()
    renew(publisher.url(), authority.trust, NOW)
    assert not renew(publisher.url(), authority.trust, NOW).is_new
    publisher.lists["/ca.crl"] = newer = authority.crl(at=NOW)
    assert renew(publisher.url(), authority.trust, NOW).is_new
    assert files(authority) == [newer]


def test_a_list_in_pem_is_taken_too(publisher: Publisher, authority: Authority) -> None:
    from cryptography.hazmat.primitives.serialization import Encoding

    publisher.lists["/ca.crl"] = trust.load(authority.crl()).public_bytes(Encoding.PEM)
    assert renew(publisher.url(), authority.trust, NOW).is_new


def test_what_is_broken_in_its_place_is_replaced(publisher: Publisher, authority: Authority) -> None:
    publisher.lists["/ca.crl"] = good = authority.crl()
    place = authority.folder / "crl" / revocation.file_name(trust.load(good), authority.certificate)
    for broken in (b"", b"garbage", Authority(authority.folder / "other").crl(at=NOW)):
        place.write_bytes(broken)
        renew(publisher.url(), authority.trust, NOW)
        assert files(authority) == [good]


def test_parts_of_one_issuer_stand_beside_one_another(publisher: Publisher, authority: Authority) -> None:
    from cryptography.x509 import UniformResourceIdentifier

    for path in ("/1.crl", "/2.crl"):
        name = UniformResourceIdentifier(publisher.url(path))
        publisher.lists[path] = authority.crl(extension=list_part(full_name=[name]))
        renew(publisher.url(path), authority.trust, NOW)
    assert len(files(authority)) == 2
    kep.holder(authority.issue(Profile(list_at=publisher.url("/2.crl"))).pem, authority.trust, NOW)


# what is not


@pytest.fixture
def good(publisher: Publisher, authority: Authority) -> bytes:
    """The list that is there."""
    publisher.lists["/ca.crl"] = authority.crl()
    renew(publisher.url(), authority.trust, NOW)
    return publisher.lists["/ca.crl"]


def refused(publisher: Publisher, authority: Authority, path: str = "/ca.crl") -> str:
    with pytest.raises(ListRefused) as error:
        renew(publisher.url(path), authority.trust, NOW)
    return str(error.value)


@pytest.mark.parametrize(
    ("spoiled", "reason"),
    [
        ({"at": NOW - 2 * HOUR}, "older"),
        ({"at": NOW - 2 * DAY, "until": NOW - DAY}, "stale"),
        ({"at": NOW + HOUR}, "stale"),
        ({"extension": list_part(only_contains_ca_certs=True)}, "part of a list"),
    ],
)
def test_a_list_that_is_no_better_is_refused_and_the_good_one_stays(
    publisher: Publisher, authority: Authority, good: bytes, spoiled: dict[str, object], reason: str
) -> None:
    publisher.lists["/ca.crl"] = authority.crl(**spoiled)  # type: ignore[arg-type]
    assert reason in refused(publisher, authority)
    assert files(authority) == [good]


def test_another_s_list_is_refused_also_in_the_issuer_s_name(
    publisher: Publisher, authority: Authority, good: bytes
) -> None:
    forger = Authority(authority.folder / "forger")
    for forged in (forger.crl(at=NOW), authority.crl(at=NOW, key=forger.key)):
        publisher.lists["/ca.crl"] = forged
        assert "none of the issuers has signed it" in refused(publisher, authority)
    assert files(authority) == [good]


@pytest.mark.parametrize("octets", [b"", b"<html>", b"-----BEGIN X509 CRL-----"])
def test_what_is_no_list_is_refused(publisher: Publisher, authority: Authority, good: bytes, octets: bytes) -> None:
    publisher.lists["/ca.crl"] = octets
    assert "it is no revocation list" in refused(publisher, authority)
    assert files(authority) == [good]


def test_a_damaged_list_is_refused(publisher: Publisher, authority: Authority, good: bytes) -> None:
    newer = bytearray(authority.crl(at=NOW))
    newer[len(newer) // 2] ^= 1
    publisher.lists["/ca.crl"] = bytes(newer)
    refused(publisher, authority)
    publisher.lists["/ca.crl"] = authority.crl(at=NOW)[:-1]
    refused(publisher, authority)
    assert files(authority) == [good]


def test_one_that_cannot_be_put_in_place_leaves_nothing_behind(
    publisher: Publisher, authority: Authority, good: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*arguments: object) -> None:
        raise OSError("disk full")

    publisher.lists["/ca.crl"] = authority.crl(at=NOW)
    monkeypatch.setattr(revocation.os, "fsync", fail)
    with pytest.raises(OSError, match="disk full"):
        renew(publisher.url(), authority.trust, NOW)
    assert files(authority) == [good]


# the way there


def test_what_is_not_there_is_said(publisher: Publisher, authority: Authority) -> None:
    assert "404" in refused(publisher, authority, "/nowhere.crl")
    publisher.close()
    publisher.close = lambda: None  # type: ignore[method-assign]
    assert "cannot be fetched" in refused(publisher, authority)


def test_a_list_without_end_is_not_read_to_the_end(
    publisher: Publisher, authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    publisher.lists["/ca.crl"] = authority.crl()
    monkeypatch.setattr(revocation, "MOST_OCTETS", 100)
    assert "longer than" in refused(publisher, authority)


def test_a_list_that_drips_in_is_not_waited_for(
    publisher: Publisher, authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    publisher.lists["/ca.crl"] = authority.crl()
    monkeypatch.setattr(revocation, "MOST_SECONDS", -1.0)
    assert "takes longer than" in refused(publisher, authority)


def test_a_list_that_has_moved_on_its_host_is_followed(publisher: Publisher, authority: Authority) -> None:
    publisher.lists["/new.crl"] = authority.crl()
    publisher.moved["/ca.crl"] = "/new.crl"
    assert renew(publisher.url(), authority.trust, NOW).is_new


@pytest.mark.parametrize(
    "where", ["http://localhost:{port}/new.crl", "file:///etc/hostname", "ftp://127.0.0.1/new.crl"]
)
def test_nothing_leads_to_another_host_or_into_the_machine(
    publisher: Publisher, authority: Authority, where: str
) -> None:
    publisher.lists["/new.crl"] = authority.crl()
    publisher.moved["/ca.crl"] = where.format(port=publisher.url().split(":")[2].split("/")[0])
    said = refused(publisher, authority)
    assert "another host" in said or "not allowed" in said
    assert publisher.asked == ["/ca.crl"]
    assert files(authority) == []


def test_a_list_that_moves_for_ever_is_given_up(publisher: Publisher, authority: Authority) -> None:
    publisher.moved["/ca.crl"] = "/ca.crl"
    refused(publisher, authority)
    assert len(publisher.asked) <= 1 + revocation.MOST_REDIRECTS


@pytest.mark.parametrize(
    "url", ["file:///etc/passwd", "ftp://crl.example.bg/x", "crl.example.bg", "http://", "http://me:pw@crl.example.bg/"]
)
def test_an_address_that_is_none_of_the_web_is_no_setting(tmp_path: Path, url: str) -> None:
    (tmp_path / "modemd.toml").write_text(f'[portal]\nkep_crl_urls = ["{url}"]\n')
    with pytest.raises(SettingsError, match="kep_crl_urls"):
        config.load(tmp_path / "modemd.toml")


# the command, and the doctor


def command(authority: Authority, *urls: str) -> Result:
    path = authority.folder / "modemd.toml"
    quoted = ", ".join(f'"{url}"' for url in urls)
    path.write_text(
        f"""
        [portal]
        kep_issuers_file = "{authority.issuers_file}"
        kep_crl_folder = "{authority.folder}/crl"
        kep_crl_urls = [{quoted}]
        """
    )
    return CliRunner().invoke(cli, ["kep", "crl", "-c", str(path)])


def test_the_command_fetches_all_and_one_that_fails_keeps_no_other_back(
    publisher: Publisher, authority: Authority
) -> None:
    publisher.lists["/ca.crl"] = authority.crl()
    done = command(authority, publisher.url("/nowhere.crl"), publisher.url())
    assert done.exit_code == 1
    assert "nowhere.crl was not taken" in done.stderr
    assert "Test Qualified CA: new, good until" in done.stdout
    assert len(files(authority)) == 1
    again = command(authority, publisher.url())
    assert again.exit_code == 0
    assert "as before" in again.stdout


def test_without_addresses_the_command_says_so(authority: Authority) -> None:
    assert isinstance(command(authority).exception, SettingsError)


def examined(authority: Authority, after: timedelta = timedelta()) -> list[Finding]:
    portal = config.Portal(kep_issuers_file=authority.issuers_file, kep_crl_folder=authority.folder / "crl")
    return list(_revocation_lists(Patient(config.Settings(portal=portal), NOW + after)))


def test_the_doctor_says_how_long_each_list_is_good(authority: Authority) -> None:
    (missing,) = examined(authority)
    assert missing.level is Level.ERROR
    assert "Test Qualified CA" in missing.subject
    authority.publish()
    levels = [examined(authority, after)[0].level for after in (timedelta(), DAY - 2 * HOUR, DAY)]
    assert levels == [Level.FINE, Level.WARNING, Level.ERROR]


def test_the_doctor_asks_no_list_of_who_only_issued_an_issuer(authority: Authority) -> None:
    below = Authority(authority.folder / "below", name="Below")
    chained = authority.issue(Profile(is_issuer=True, subject_of=below))
    authority.issuers_file.write_text(authority.issuers_file.read_text() + chained.pem)
    assert [finding.subject for finding in examined(authority)] == ["КЕП of Below"]


def test_the_doctor_misses_issuers_that_cannot_be_read(authority: Authority) -> None:
    authority.issuers_file.unlink()
    (finding,) = examined(authority)
    assert finding.level is Level.ERROR
    assert "cannot be read" in finding.what
    assert list(_revocation_lists(Patient(config.Settings(), NOW))) == []
