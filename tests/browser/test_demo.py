"""The panel of the real demo: a real daemon on the simulated bank answers the phone that the browser shows."""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect
from sqlalchemy import select

from modemd.service import accounts
from modemd.sim.control import ControlClient
from modemd.store import database
from modemd.store.schema import host
from tests.browser.phones import digits, wait_for

pytestmark = pytest.mark.long

PIN = "4711"
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


def signed_in(demo: dict[str, Any], chromium: Browser) -> Page:
    """In a window of its own."""
    page = chromium.new_context().new_page()
    page.goto(demo["url"])
    page.get_by_label("Име").fill(demo["user"])
    page.get_by_label("Парола").fill(demo["password"])
    page.get_by_role("button", name="Вход").click()
    return page


def test_a_phone_in_the_panel_texts_smetka_and_the_bill_arrives(demo: dict[str, Any], chromium: Browser) -> None:
    page = signed_in(demo, chromium)
    expect(page.get_by_text("2 модема са готови")).to_be_visible(timeout=20_000)
    page.get_by_role("link", name="Телефон").click()
    page.get_by_role("link", name="+359888000104").click()
    page.get_by_label("Текст").fill("СМЕТКА")
    page.get_by_role("button", name="Изпрати").click()
    expect(page.get_by_text("44,20 EUR")).to_be_visible(timeout=30_000)
    page.get_by_role("link", name="Модеми").click()
    expect(page.get_by_text("44,20 EUR")).to_be_visible(timeout=20_000)
    page.context.close()


def test_a_sim_that_asks_for_a_pin_gets_it_in_the_panel(demo: dict[str, Any], chromium: Browser) -> None:
    bank = ControlClient(Path(demo["bank"]))
    page = signed_in(demo, chromium)
    page.get_by_role("link", name="gsm1").click()
    bank.fault("all", f"sim-pin:pin={PIN}")
    page.get_by_role("button", name="Започни отначало").click()
    expect(page.get_by_text("SIM картата иска PIN, а такъв не е зададен.").first).to_be_visible(timeout=20_000)
    page.get_by_role("link", name="Въведете PIN кода ѝ").click()
    page.get_by_label("Нов PIN", exact=True).fill(PIN)
    page.get_by_label("Новият PIN отново").fill("4712")
    page.get_by_label("Прочетох този PIN в договора").check()
    page.get_by_role("button", name="Запази PIN кода").click()
    expect(page.get_by_text("Двата PIN кода са различни.")).to_be_visible()
    page.get_by_label("Нов PIN", exact=True).fill(PIN)
    page.get_by_label("Новият PIN отново").fill(PIN)
    page.get_by_label("Прочетох този PIN в договора").check()
    wish = page.get_by_role("listitem").filter(has_text="Нов PIN")
    with paused_daemon(demo):
        page.get_by_role("button", name="Запази PIN кода").click()
        expect(wish.get_by_text("чака", exact=True)).to_be_visible()
    expect(wish.get_by_text("изпълнено", exact=True)).to_be_visible(timeout=20_000)
    expect(wish.get_by_text("готов", exact=True)).to_be_visible()
    page.context.close()


@contextmanager
def paused_daemon(demo: dict[str, Any]) -> Iterator[None]:
    """For a moment it does nothing, so that a wish can be seen to wait."""
    engine = database.connect(f"sqlite:///{Path(demo['bank']).parent}/modemd.db")
    with database.reading(engine) as conn:
        pid = conn.scalars(select(host.c.pid)).one()
    engine.dispose()
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)
