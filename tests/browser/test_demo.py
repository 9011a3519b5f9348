"""The panel of the real demo: a real daemon on the simulated bank answers the phone that the browser shows."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, expect

from modemd.service import accounts
from modemd.sim.control import ControlClient
from modemd.store import database
from tests.browser.phones import digits, wait_for

pytestmark = pytest.mark.long

CUSTOMER, NUMBER = "300000000001", "+359888000177"


def test_a_customer_registers_a_phone_at_the_portal_and_gets_his_bill(demo: dict[str, Any], chromium: Browser) -> None:
    """From user name and password, as a customer centre hands them out, to the first answer on that phone."""
    folder = Path(demo["bank"]).parent
    engine = database.connect(f"sqlite:///{folder}/modemd.db")
    with database.writing(engine) as conn:
        handed = accounts.hand_out(conn, CUSTOMER, "elena", datetime.now(UTC))
    engine.dispose()
    phones = ControlClient(Path(demo["bank"]))
    window = chromium.new_context(locale="bg-BG", viewport={"width": 375, "height": 800})
    page = window.new_page()
    page.goto(f"{demo['url']}portal/")
    page.get_by_label("Потребителско име").fill(handed.name)
    page.get_by_label("Парола").fill(handed.password)
    page.get_by_role("button", name="Вход", exact=True).click()
    page.get_by_label("Нова парола", exact=True).fill("a password of my own")
    page.get_by_label("Новата парола отново").fill("a password of my own")
    page.get_by_role("button", name="Смяна на паролата").click()
    page.get_by_role("link", name="Регистриране на телефон").click()
    page.get_by_label("Мобилен телефон").fill("0888 000 177")
    page.get_by_label("Проверка на сметка").check()
    page.get_by_role("button", name="Съгласен съм").click()
    expect(page.get_by_label("Код от съобщението")).to_be_visible()
    page.get_by_label("Код от съобщението").fill(digits(phones, NUMBER))
    page.get_by_role("button", name="Регистриране").click()
    expect(page.get_by_role("heading", name=NUMBER)).to_be_visible()
    window.close()
    phones.text(NUMBER, "smetka")
    assert CUSTOMER[-4:] in wait_for(phones, NUMBER, lambda text: "smetka za" in text)


def test_a_phone_in_the_panel_texts_smetka_and_the_bill_arrives(demo: dict[str, Any], chromium: Browser) -> None:
    window = chromium.new_context()
    page = window.new_page()
    page.goto(demo["url"])
    page.get_by_label("Име").fill(demo["user"])
    page.get_by_label("Парола").fill(demo["password"])
    page.get_by_role("button", name="Вход").click()
    expect(page.get_by_text("2 модема са готови")).to_be_visible(timeout=20_000)
    page.get_by_role("link", name="Телефон").click()
    page.get_by_role("link", name="+359888000104").click()
    page.get_by_label("Текст").fill("СМЕТКА")
    page.get_by_role("button", name="Изпрати").click()
    expect(page.get_by_text("44,20 EUR")).to_be_visible(timeout=30_000)
    page.get_by_role("link", name="Модеми").click()
    expect(page.get_by_text("44,20 EUR")).to_be_visible(timeout=20_000)
    window.close()
