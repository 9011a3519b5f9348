"""The customer centre with nothing but a keyboard: from the operator's first page to the first bill on the phone."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from modemd.demo import EGN
from modemd.sim.control import ControlClient
from modemd.store import database, staff
from tests.browser.phones import digits, wait_for
from tests.panels import PASSWORD

CUSTOMER, UNTOLD = "300000000001", "300000000006"
NUMBER = "+359888000177"
SECONDS_A_KEY = 0.3  # 40 words, or 200 keys, a minute: a clerk who looks at the document while he types
SECONDS_A_PAGE = 3.0  # to see what a new page says, and for the customer to look at his phone
MOST_SECONDS = 60.0
PAINTED = "new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))"


class Keyboard:
    """A person's ten fingers; counts how long they took."""

    def __init__(self, page: Page) -> None:
        self._page = page
        self.seconds = 0.0

    def type(self, keys: str) -> None:
        self._page.keyboard.type(keys, delay=SECONDS_A_KEY * 1000)
        self.seconds += len(keys) * SECONDS_A_KEY

    def press(self, key: str, times: int = 1) -> None:
        for _ in range(times):
            self._page.keyboard.press(key, delay=SECONDS_A_KEY * 1000)
        self.seconds += times * SECONDS_A_KEY

    def enter(self) -> None:
        """What leads to a new page."""
        with self._page.expect_navigation():
            self.press("Enter")
        self._page.evaluate(PAINTED)  # Chromium drops keys before that; nobody is so quick
        self.seconds += SECONDS_A_PAGE

    @property
    def at(self) -> str:
        """What the keys go to: the words of a button, the name of a field."""
        return str(
            self._page.evaluate("document.activeElement.name || document.activeElement.textContent.trim() || 'page'")
        )


@pytest.fixture
def operator(demo: dict[str, Any], chromium: Browser) -> Any:
    """Signed in at the desk, on his first page."""
    engine = database.connect(f"sqlite:///{Path(demo['bank']).parent}/modemd.db")
    with database.writing(engine) as conn:
        staff.set_password(conn, "elena", PASSWORD, "operator", datetime.now(UTC))
    engine.dispose()
    window = chromium.new_context(locale="bg-BG")
    page = window.new_page()
    page.goto(demo["url"])
    page.get_by_label("Име").fill("elena")
    page.get_by_label("Парола").fill(PASSWORD)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Клиенти")).to_be_visible()
    page.evaluate(PAINTED)
    yield page
    window.close()


@pytest.mark.long
def test_a_customer_is_registered_at_the_desk_within_a_minute(demo: dict[str, Any], operator: Page) -> None:
    keys, phones = Keyboard(operator), ControlClient(Path(demo["bank"]))
    assert keys.at == "term"
    keys.type(CUSTOMER)
    keys.enter()
    assert keys.at == "Регистрация на място"
    keys.enter()
    assert keys.at == "number"
    keys.type(EGN[CUSTOMER])
    keys.enter()
    expect(operator.get_by_text("Документът съвпада")).to_be_visible()
    assert keys.at == "phone"
    keys.type("0888000177")
    for _ in range(2):  # the bill and the notice; no outages
        keys.press("Tab")
        assert keys.at == "services"
        keys.press("Space")
    keys.press("Tab", 3)
    assert keys.at == "Изпрати кода"
    keys.enter()
    assert keys.at == "code"
    expect(operator.get_by_text("Титуляр съм или съм упълномощен")).to_be_visible()
    keys.type(digits(phones, NUMBER))
    keys.enter()
    expect(operator.get_by_text("Телефонът е регистриран")).to_be_visible()
    assert keys.at == "Дай потребителско име и парола"
    keys.enter()
    expect(operator.locator("code.password")).to_have_count(2)
    phones.text(NUMBER, "smetka")
    assert CUSTOMER[-4:] in wait_for(phones, NUMBER, lambda text: "smetka za" in text)
    assert keys.seconds < MOST_SECONDS


@pytest.mark.long
def test_the_page_to_be_printed_has_what_the_customer_needs_and_nothing_else(operator: Page) -> None:
    keys = Keyboard(operator)
    keys.type(UNTOLD)
    keys.enter()
    keys.enter()
    assert keys.at == "Видях документа: на клиента е"
    keys.enter()
    operator.get_by_role("button", name="Дай потребителско име и парола").focus()
    keys.enter()
    name, password = operator.locator("code.password").all_text_contents()
    operator.emulate_media(media="print")
    printed = operator.locator("body").inner_text()
    for wanted in (UNTOLD, name, password, "170077", "070010010"):
        assert wanted in printed
    for unwanted in ("elena", "English", "Изход", "Ctrl+P", "Следващ клиент"):
        assert unwanted not in printed
