"""Each page at each width people have: nothing wider than the window, no error, no barrier, all reached by keyboard."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.browser.conftest import Visit, served
from tests.browser.furnished import furnish
from tests.panels import RunningPanel

PAGES = {
    "bank.page": "/",
    "sign_in.password": "/password",
    "phone.page": "/phone/",
    "queues.page of unread": "/messages/queue/unread",
    "customers.page": "/customers/",
    "customers.one": "/customers/300000000001",
    "desk.page": "/customers/300000000001/desk/",
    "write.page": "/write/",
    "reminders.page": "/reminders/",
    "reminders.one": "/reminders/1",
    "reminders.outage": "/reminders/outage",
    "texts.page": "/reminders/texts/",
    "texts.versions": "/reminders/texts/welcome/bg-Latn/versions",
    "files.page": "/files/",
    "reports.page": "/reports/",
    "me.page": "/me/",
    "people.page": "/people",
    "programs.page": "/programs/",
    "webhooks.page": "/webhooks/",
    "webhooks.one": "/webhooks/1",
    "people.audit": "/audit?verify=1",
    "modem.page": "/modem/1",
    "modem.console": "/modem/1/console",
    "messages.page": "/messages/",
    "messages.one": "/messages/mt/1",
    "messages.conversation": "/messages/mt/1/phone",
    "queues.page": "/messages/queue/held",
    "queues.page of failed": "/messages/queue/failed",
    "messages.is_ours": "/messages/ours",
}
PARTS = {"bank.live", "messages.live", "reminders.live", "modem.live", "modem.said", "phone.live"}  # of other pages
NOT_LOOKED_AT = {
    "static",
    "bootstrap.static",
    "modem.transcript",
    "reports.table",
    "watch.figures",
    "watch.live",
    "watch.ready",
    "sign_in.page",
    "sign_in.code",
}  # files, and what programs read; the sign-in has its own test


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory, sqlite_template: Path) -> Iterator[RunningPanel]:
    """One panel for all pages, full of everything."""
    panel = RunningPanel(tmp_path_factory.mktemp("house"), sqlite_template)
    furnish(panel)
    yield panel
    panel.close()


@pytest.fixture(scope="module")
def look(house: RunningPanel, chromium: Browser) -> Iterator[Visit]:
    """One window, signed in, for all pages."""
    with served(house) as url:
        window = chromium.new_context(locale="bg-BG")
        visit = Visit(house, url, window.new_page())
        visit.sign_in()
        yield visit
        window.close()


def test_every_page_is_looked_at(house: RunningPanel) -> None:
    gets = {rule.endpoint for rule in house.app.url_map.iter_rules() if "GET" in (rule.methods or ())}
    assert gets == {name.partition(" ")[0] for name in PAGES} | PARTS | NOT_LOOKED_AT


@pytest.mark.long
@pytest.mark.parametrize("path", PAGES.values(), ids=PAGES)
def test_a_page_fits_has_no_barrier_and_is_reached_by_keyboard(look: Visit, path: str) -> None:
    look.faults.clear()
    look.open(path)
    look.page.evaluate("document.querySelectorAll('details').forEach(each => { each.open = true; })")
    assert look.overflows() == []
    assert look.barriers() == []
    assert look.unreachable() == []
    assert look.faults == []
