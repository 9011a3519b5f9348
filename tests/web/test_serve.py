"""The panel as a process: it says where it is and goes when it is told."""

import http.client
import json
import signal
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from modemd.errors import PanelNotStarted
from tests.panels import RunningPanel
from web import serve

PROGRAM = """
import sys
from pathlib import Path
from modemd import config
from web.app import create_app
from web.serve import serve
settings = config.load(Path(sys.argv[1]))
serve(create_app(settings), settings, lambda url: print(url, flush=True))
print("ended in good order", flush=True)
"""


@pytest.fixture
def start(panel: RunningPanel, tmp_path: Path) -> Iterator[Callable[..., tuple[subprocess.Popen[str], str]]]:
    """Start the panel as a process with more [web] settings; returns it and its address."""
    started: list[subprocess.Popen[str]] = []

    def start(**web: object) -> tuple[subprocess.Popen[str], str]:
        settings = tmp_path / "modemd.toml"
        more = "\n".join(f"{key} = {json.dumps(value)}" for key, value in web.items())
        key = panel.settings.web.secret_key_file
        settings.write_text(
            f"database.url = {panel.settings.database.url!r}\n[web]\nport = 0\nsecret_key_file = '{key}'\n{more}"
        )
        command = [sys.executable, "-c", PROGRAM, str(settings)]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        started.append(process)
        assert process.stdout is not None
        url = process.stdout.readline().strip()
        assert url, process.communicate()[1]
        return process, url

    yield start
    for process in started:
        process.kill()
        process.communicate()


def test_who_sends_a_request_slowly_keeps_nobody_waiting_and_is_cut_off(
    start: Callable[..., tuple[subprocess.Popen[str], str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A connection that gives an octet now and then is never silent, and would be kept for ever."""
    impatient = PROGRAM.replace("settings = ", "import web.serve; web.serve.LONGEST_WAIT = 1; settings = ")
    monkeypatch.setattr("tests.web.test_serve.PROGRAM", impatient)
    _, url = start()
    port = int(url.rstrip("/").rpartition(":")[2])
    slow = [socket.create_connection(("127.0.0.1", port)) for _ in range(3 * serve.THREADS)]
    for each in slow:
        each.sendall(b"POST / HTTP/1.1\r\nX-Slow: ")
    with urllib.request.urlopen(url) as page:
        assert page.status == 200
    assert all(map(_is_cut_off, slow))


def _is_cut_off(slow: socket.socket) -> bool:
    """Drip on until the other side has had enough."""
    slow.settimeout(0.1)
    with slow:
        for _ in range(300):
            try:
                slow.sendall(b"x")
                return slow.recv(1) == b""
            except TimeoutError:
                continue
            except OSError:
                return True
    return False


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_the_panel_in_good_order(
    start: Callable[..., tuple[subprocess.Popen[str], str]], number: signal.Signals
) -> None:
    process, url = start()
    with urllib.request.urlopen(url) as page:
        assert page.status == 200
        assert page.headers["Server"] is None
    process.send_signal(number)
    out, err = process.communicate(timeout=60)
    said = [line for line in err.splitlines() if "Task queue depth" not in line]  # waitress, on a busy machine
    assert (process.returncode, out, said) == (0, "ended in good order\n", [])


def test_port_0_takes_a_free_one_and_says_which(start: Callable[..., tuple[subprocess.Popen[str], str]]) -> None:
    (_, one), (_, other) = start(), start()
    assert one != other
    assert not one.endswith(":0/")


def test_ipv6_addresses_are_written_in_brackets(start: Callable[..., tuple[subprocess.Popen[str], str]]) -> None:
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        pytest.fail("this machine has no IPv6 on its loopback; switch it on: sysctl net.ipv6.conf.lo.disable_ipv6=0")
    _, url = start(host="::1")
    assert url.startswith("http://[::1]:")


def test_behind_a_trusted_proxy_https_is_what_the_proxy_says(
    start: Callable[..., tuple[subprocess.Popen[str], str]],
) -> None:
    _, url = start(trusted_proxy="127.0.0.1", force_https=True)
    asked = urllib.request.Request(f"{url}sign-in", headers={"X-Forwarded-Proto": "https"})
    with urllib.request.urlopen(asked) as page:
        assert page.status == 200
        assert "Secure" in page.headers["Set-Cookie"]


def test_without_a_trusted_proxy_nobodys_word_is_taken_for_https(
    start: Callable[..., tuple[subprocess.Popen[str], str]],
) -> None:
    _, url = start(force_https=True)
    connection = http.client.HTTPConnection(url.removeprefix("http://").strip("/"))
    connection.request("GET", "/sign-in", headers={"X-Forwarded-Proto": "https"})
    answer = connection.getresponse()
    assert (answer.status, answer.headers["Location"][:8]) == (302, "https://")
    connection.close()


def test_a_port_that_is_taken_is_said_before_anything_runs(panel: RunningPanel) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        web = panel.settings.web.model_copy(update={"port": taken.getsockname()[1]})
        settings = panel.settings.model_copy(update={"web": web})
        with pytest.raises(PanelNotStarted, match=r"Address already in use\. Stop what uses it"):
            serve.serve(panel.app, settings, lambda url: pytest.fail(url))


def test_a_host_that_is_none_is_said(panel: RunningPanel) -> None:
    web = panel.settings.web.model_copy(update={"host": "no.such.host.invalid"})
    with pytest.raises(PanelNotStarted, match=r"no\.such\.host\.invalid"):
        serve.serve(panel.app, panel.settings.model_copy(update={"web": web}), lambda url: pytest.fail(url))
