"""What the panel needs to start, and what it shows when something is wrong."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from modemd.config import Settings, Web
from modemd.errors import SettingsError
from tests.panels import RunningPanel
from web.app import create_app


@pytest.mark.parametrize("key", [None, "", "\n", "x" * 31, " " * 40])
def test_the_panel_refuses_to_start_without_a_good_secret_key(tmp_path: Path, key: str | None) -> None:
    path = tmp_path / "secret_key"
    if key is not None:
        path.write_text(key)
    with pytest.raises(SettingsError, match=r"secrets\.token_hex"):
        create_app(Settings(web=Web(secret_key_file=path)))


def test_without_a_secret_key_setting_it_says_which_and_how(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"secret_key_file is not set; make one with: \(umask 077"):
        create_app(Settings())


def test_the_key_is_read_without_the_line_end_around_it(make_panel: Callable[..., RunningPanel]) -> None:
    assert make_panel().app.secret_key == "0123456789abcdef" * 4


def test_there_is_no_phone_without_a_simulated_network(panel: RunningPanel, tmp_path: Path) -> None:
    app = create_app(panel.settings)
    assert not [rule for rule in app.url_map.iter_rules() if rule.endpoint.startswith("phone.")]


def test_a_page_that_does_not_exist_says_so_in_bulgarian(panel: RunningPanel) -> None:
    response = panel.signed_in().get("/nowhere")
    assert response.status_code == 404
    assert "Няма такава страница" in response.text


def test_without_its_database_the_panel_says_so(panel: RunningPanel) -> None:
    visitor = panel.signed_in()
    panel.engine.dispose()
    os.truncate(panel.settings.database.url.removeprefix("sqlite:///"), 0)
    response = visitor.get("/")
    assert response.status_code == 503
    assert "Няма връзка с базата данни" in response.text


def test_a_fault_of_ours_shows_no_inside(panel: RunningPanel, monkeypatch: pytest.MonkeyPatch) -> None:
    visitor = panel.signed_in()
    panel.app.testing = False
    monkeypatch.setitem(panel.app.view_functions, "bank.page", lambda: 1 / 0)
    response = visitor.get("/")
    assert response.status_code == 500
    assert "Нещо тук се обърка" in response.text
    assert "division" not in response.text


def test_headers_allow_nothing_inline_and_nothing_from_elsewhere(panel: RunningPanel) -> None:
    headers = panel.client().get("/sign-in").headers
    policy = dict(part.strip().split(" ", 1) for part in headers["Content-Security-Policy"].split(";"))
    assert policy["default-src"] == "'none'"
    assert policy["script-src"] == policy["style-src"] == policy["connect-src"] == policy["form-action"] == "'self'"
    assert policy["frame-ancestors"] == policy["base-uri"] == "'none'"
    assert "unsafe" not in headers["Content-Security-Policy"]
    assert headers["X-Frame-Options"] == "DENY"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("path", ["/", "/phone/", "/password", "/sign-in", "/nowhere"])
def test_no_page_has_inline_script_or_style_or_anything_from_elsewhere(panel: RunningPanel, path: str) -> None:
    visitor = panel.client() if path == "/sign-in" else panel.signed_in()
    text = visitor.get(path).text
    assert "<html" in text
    for inline in ("<script>", "<style", ' style="', " onclick=", "javascript:", "http://", "https://", 'src="//'):
        assert inline not in text, inline


def test_the_session_cookie_is_out_of_reach_of_scripts_and_other_sites(panel: RunningPanel) -> None:
    cookie = panel.client().get("/sign-in").headers["Set-Cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
    assert "Secure" not in cookie


def test_with_force_https_plain_http_is_redirected_and_cookies_are_secure(
    make_panel: Callable[..., RunningPanel],
) -> None:
    client = make_panel(force_https=True).client()
    redirected = client.get("/sign-in")
    assert redirected.status_code == 302
    assert redirected.headers["Location"].startswith("https://")
    page = client.get("/sign-in", base_url="https://panel.example")
    assert "Secure" in page.headers["Set-Cookie"]
    assert "Strict-Transport-Security" in page.headers
