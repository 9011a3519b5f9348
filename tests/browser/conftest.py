"""A real Chromium that looks at a real panel."""

import json
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, Request, sync_playwright
from werkzeug.serving import WSGIRequestHandler, make_server

from tests.panels import PASSWORD, RunningPanel

ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-quic",
]
WIDTHS = (375, 768, 1440)
HOW = "needs Chromium: apt-get install chromium"
AXE = Path(__file__).parent / "node_modules/axe-core/axe.min.js"
HOW_AXE = "needs axe-core: npm install --no-save --prefix tests/browser axe-core@4"
TAB_STOPS_MORE = 16  # a field for a date has several, and what scrolls has one
FOCUSABLE = "a[href], button:not([disabled]), input:not([type=hidden]):not([disabled]), select, textarea, summary"


@cache
def _axe() -> str:
    if not AXE.exists():
        if os.environ.get("CI"):
            pytest.fail(HOW_AXE)
        pytest.skip(HOW_AXE)
    return AXE.read_text(encoding="utf-8")


class QuietHandler(WSGIRequestHandler):
    def log(self, type: str, message: str, *args: object) -> None:  # werkzeug's name for it
        """Say nothing."""


class Visit:
    """One browser window on the panel. What the console says and what fails is kept in `faults`."""

    def __init__(self, panel: RunningPanel, url: str, page: Page) -> None:
        self.panel = panel
        self.url = url
        self.page = page
        self.faults: list[str] = []
        page.on("console", self._console)
        page.on("pageerror", lambda error: self.faults.append(str(error)))
        page.on("requestfailed", self._failed)

    def _console(self, message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"}:
            self.faults.append(message.text)

    def _failed(self, request: Request) -> None:
        if request.failure != "net::ERR_ABORTED":  # the page was left before its icon had come
            self.faults.append(f"{request.url}: {request.failure}")

    def open(self, path: str = "/") -> None:
        self.page.goto(self.url + path)

    def sign_in(self, name: str = "elena", role: str = "admin", path: str = "/") -> None:
        self.panel.add_person(name, role)
        self.open()
        self.page.get_by_label("Име").fill(name)
        self.page.get_by_label("Парола").fill(PASSWORD)
        self.page.get_by_role("button", name="Вход").click()
        self.page.wait_for_url(lambda url: not url.endswith("/sign-in"))
        if path != "/" or role != "admin":
            self.open(path)

    def overflows(self) -> list[int]:
        """The widths, of those people have, at which the page is wider than the window."""
        return [width for width in WIDTHS if self._is_wider_than(width)]

    def unreachable(self) -> list[str]:
        """What can be worked with on the page and is not reached by the Tab key."""
        self.page.evaluate(
            """selector => {
                document.activeElement.blur();
                const shown = [...document.querySelectorAll(selector)].filter(each => each.checkVisibility());
                window.toReach = new Set(shown);
                document.addEventListener("focusin", event => window.toReach.delete(event.target));
            }""",
            FOCUSABLE,
        )
        left = int(self.page.evaluate("window.toReach.size"))
        for _ in range(left + TAB_STOPS_MORE):
            self.page.keyboard.press("Tab")
        return list(
            self.page.evaluate("[...window.toReach].filter(each => each.isConnected).map(each => each.outerHTML)")
        )

    def barriers(self) -> list[str]:
        """What axe-core finds on the page that is serious or worse."""
        self.page.evaluate(_axe())
        found = self.page.evaluate("axe.run(document, {resultTypes: ['violations']}).then(result => result.violations)")
        return [
            f"{each['id']}: {each['nodes'][0]['html']} {each['nodes'][0]['failureSummary']}"
            for each in found
            if each["impact"] in ("serious", "critical")
        ]

    def _is_wider_than(self, width: int) -> bool:
        self.page.set_viewport_size({"width": width, "height": 800})
        return bool(self.page.evaluate("document.documentElement.scrollWidth > window.innerWidth"))


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """A browser for one module's tests: while it is there, its event loop runs, and no other can in this process."""
    program = shutil.which("chromium")
    if program is None:
        if os.environ.get("CI"):
            pytest.fail(HOW)
        pytest.skip(HOW)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture
def panel(tmp_path: Path, sqlite_template: Path) -> Iterator[RunningPanel]:
    panel = RunningPanel(tmp_path, sqlite_template)
    yield panel
    panel.close()


@contextmanager
def served(panel: RunningPanel) -> Iterator[str]:
    """The panel at an address."""
    server = make_server("127.0.0.1", 0, panel.app, threaded=True, request_handler=QuietHandler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture
def demo(tmp_path: Path) -> Iterator[dict[str, Any]]:
    """The real one, in two modems; what it says of itself."""
    command = [
        sys.executable,
        "-m",
        "modemd",
        "demo",
        "--json",
        "--port",
        "0",
        "--modems",
        "2",
        "--data",
        str(tmp_path),
    ]
    with (
        (tmp_path / "demo.log").open("w") as log,
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log) as process,
    ):
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line, (tmp_path / "demo.log").read_text()
        yield json.loads(line)
        process.terminate()


@pytest.fixture
def visit(panel: RunningPanel, chromium: Browser) -> Iterator[Visit]:
    with served(panel) as url:
        window = chromium.new_context(locale="en-GB")
        yield Visit(panel, url, window.new_page())
        window.close()
