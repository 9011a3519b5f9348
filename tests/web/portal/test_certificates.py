"""The door of the КЕП, as the application sees it; tests/flow/test_nginx.py sees it through the proxy."""

from urllib.parse import parse_qs, quote, urlsplit

import pytest
from werkzeug.test import TestResponse

from tests.service.authority import EIK, NOW, YEAR, Authority, Profile
from tests.web.portal.conftest import COMPANY, PERSON, PROXY_SECRET, Customer, RunningPortal


def headers(pem: str, **other: str) -> dict[str, str]:
    good = {"X-Client-Verify": "SUCCESS", "X-Client-Certificate": quote(pem), "X-Modemd-Proxy": PROXY_SECRET}
    return {name: value for name, value in {**good, **other}.items() if value}


def begin(visitor: Customer) -> str:
    """The nonce with which the browser is sent to the certificates' host."""
    where = urlsplit(visitor.post("/portal/kep").headers["Location"])
    assert where.netloc == "kep.example"
    return parse_qs(where.query)["nonce"][0]


def show(portal: RunningPortal, nonce: str, sent: dict[str, str], address: str = "127.0.0.1") -> TestResponse:
    """What the proxy passes on from the certificates' host, where this browser has no cookies."""
    environ = {"REMOTE_ADDR": address}
    return portal.app.test_client().get(f"/portal/kep/open?nonce={nonce}", headers=sent, environ_overrides=environ)


def ticket(shown: TestResponse) -> str:
    """What takes the nonce's place on the way back to the portal's host."""
    where = urlsplit(shown.headers["Location"])
    assert (where.netloc, where.path) == ("portal.example", "/portal/kep/enter")
    return parse_qs(where.query)["ticket"][0]


def enter(visitor: Customer, ticket: str) -> TestResponse:
    return visitor.get(f"/portal/kep/enter?ticket={ticket}")


@pytest.mark.parametrize(
    ("profile", "customers"),
    [(Profile(), [PERSON]), (Profile(egn=None, eik=EIK), [COMPANY]), (Profile(eik=EIK), [PERSON, COMPANY])],
)
def test_a_certificate_signs_its_holder_in(
    portal: RunningPortal, authority: Authority, profile: Profile, customers: list[str]
) -> None:
    visitor = portal.client()
    nonce = begin(visitor)
    shown = show(portal, nonce, headers(authority.issue(profile).pem))
    assert enter(visitor, ticket(shown)).headers["Location"] == "/portal/"
    page = visitor.page("/portal/")
    assert all(number in page for number in customers)


@pytest.mark.parametrize(
    "spoiled",
    [
        pytest.param({"X-Modemd-Proxy": ""}, id="without the secret"),
        pytest.param({"X-Modemd-Proxy": "q" * 64}, id="with another secret"),
        pytest.param({"X-Client-Verify": "NONE"}, id="no certificate shown"),
        pytest.param({"X-Client-Verify": "FAILED:unable to verify"}, id="the proxy could not verify it"),
        pytest.param({"X-Client-Certificate": ""}, id="no certificate handed over"),
        pytest.param({"X-Client-Certificate": "garbage"}, id="garbage"),
    ],
)
def test_headers_that_are_not_the_proxy_s_open_nothing(
    portal: RunningPortal, authority: Authority, spoiled: dict[str, str]
) -> None:
    visitor = portal.client()
    nonce = begin(visitor)
    assert show(portal, nonce, headers(authority.issue().pem, **spoiled)).status_code == 403
    assert enter(visitor, nonce).status_code == 403
    assert visitor.get("/portal/").headers["Location"] == "/portal/sign-in"


@pytest.mark.parametrize("secret", ["", "p" * 31])
def test_a_secret_that_is_none_opens_nothing(portal: RunningPortal, authority: Authority, secret: str) -> None:
    """A file that was left empty must not let in whoever sends an empty header."""
    assert portal.settings.portal.proxy_secret_file is not None
    portal.settings.portal.proxy_secret_file.write_text(secret)
    nonce = begin(portal.client())
    sent = {**headers(authority.issue().pem), "X-Modemd-Proxy": secret}
    assert show(portal, nonce, sent).status_code == 403


def test_the_right_headers_from_another_address_open_nothing(portal: RunningPortal, authority: Authority) -> None:
    nonce = begin(portal.client())
    assert show(portal, nonce, headers(authority.issue().pem), address="203.0.113.9").status_code == 403


@pytest.mark.parametrize(
    "profile",
    [
        pytest.param(Profile(end=NOW, begin=NOW - YEAR), id="expired"),
        pytest.param(Profile(statements=None), id="not qualified"),
        pytest.param(Profile(egn="8001010008"), id="no customer"),
    ],
)
def test_a_certificate_that_is_not_good_opens_nothing(
    portal: RunningPortal, authority: Authority, profile: Profile
) -> None:
    nonce = begin(portal.client())
    assert show(portal, nonce, headers(authority.issue(profile).pem)).status_code == 403


def test_a_nonce_is_good_once_and_for_its_own_browser(portal: RunningPortal, authority: Authority) -> None:
    visitor, thief = portal.client(), portal.client()
    nonce, _ = begin(visitor), begin(thief)
    sent = headers(authority.issue().pem)
    shown = show(portal, nonce, sent)
    assert show(portal, nonce, sent).status_code == 403
    assert enter(thief, ticket(shown)).status_code == 403
    assert enter(visitor, nonce).status_code == 403
    assert enter(visitor, ticket(shown)).status_code == 303
    assert enter(visitor, ticket(shown)).status_code == 403


def test_nothing_personal_is_logged(
    portal: RunningPortal, authority: Authority, caplog: pytest.LogCaptureFixture
) -> None:
    nonce = begin(portal.client())
    show(portal, nonce, headers(authority.issue(Profile(egn="8001010008")).pem))
    assert "its holder is no customer" in caplog.text
    assert "8001010008" not in caplog.text
    assert nonce not in caplog.text


def test_without_its_settings_there_is_no_such_door(
    portal: RunningPortal, authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    visitor = portal.client()
    monkeypatch.setattr(type(portal.settings.portal), "has_kep", False)
    assert visitor.post("/portal/kep").status_code == 404
    assert show(portal, "x", headers(authority.issue().pem)).status_code == 404


def test_the_browser_may_follow_the_form_to_the_certificates_host_and_to_no_other(portal: RunningPortal) -> None:
    policy = portal.client().get("/portal/sign-in").headers["Content-Security-Policy"]
    assert "form-action 'self' https://kep.example;" in policy + ";"
