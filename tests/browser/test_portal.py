"""Each page of the portal at each width: nothing wider than the window, no error, no barrier, all by keyboard."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from modemd.service import confirmation, subscriptions
from modemd.store import database
from modemd.store.schema import Channel
from tests.browser.conftest import Visit, served
from tests.service.authority import Authority
from tests.web.portal.conftest import PASSWORD, PERSON, RunningPortal

pytestmark = pytest.mark.long

NUMBER = "+359888000101"
PAGES = ["/portal/", "/portal/password", "/portal/phone", "/portal/code/1", f"/portal/phone/{NUMBER}/services"]
PAGES += ["/portal/messages", "/portal/ours", "/portal/nowhere"]


@pytest.fixture(scope="module")
def portal(tmp_path_factory: pytest.TempPathFactory, sqlite_template: Path) -> Iterator[RunningPortal]:
    """With a customer who has a phone, and messages on it."""
    folder = tmp_path_factory.mktemp("portal")
    running = RunningPortal(folder, sqlite_template, Authority(folder / "authority"))
    shown = confirmation.consent_text("bg", running.settings.service)
    with database.writing(running.engine) as conn:
        services = ["bill", "reminder", "outage"]
        subscriptions.subscribe(
            conn, NUMBER, [PERSON], services, "bg-Latn", Channel.CENTRE, "elena", shown, running.now
        )
    visitor = running.signed_in()
    visitor.ask_for_code()
    yield running
    running.engine.dispose()


@pytest.fixture(scope="module")
def look(portal: RunningPortal, chromium: Browser) -> Iterator[Visit]:
    with served(portal) as url:  # type: ignore[arg-type]
        window = chromium.new_context(locale="bg-BG")
        yield Visit(portal, url, window.new_page())  # type: ignore[arg-type]
        window.close()


def looked_at(look: Visit, path: str) -> None:
    look.faults.clear()
    look.open(path)
    assert look.overflows() == []
    assert look.barriers() == []
    assert look.unreachable() == []
    assert [fault for fault in look.faults if "404" not in fault] == []


def test_the_pages_before_signing_in(look: Visit) -> None:
    looked_at(look, "/portal/sign-in")


@pytest.mark.long
def test_every_page_behind_the_sign_in(look: Visit, portal: RunningPortal) -> None:
    handed = portal.hand_out()
    look.open("/portal/sign-in")
    look.page.get_by_label("Потребителско име").fill(handed.name)
    look.page.get_by_label("Парола").fill(handed.password)
    look.page.get_by_role("button", name="Вход", exact=True).click()
    looked_at(look, "/portal/password")
    look.page.get_by_label("Нова парола", exact=True).fill(f"{PASSWORD}, newer")
    look.page.get_by_label("Новата парола отново").fill(f"{PASSWORD}, newer")
    look.page.get_by_role("button", name="Смяна на паролата").click()
    for path in PAGES:
        looked_at(look, path)
