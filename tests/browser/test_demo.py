"""The panel of the real demo: a real daemon on the simulated bank answers the phone that the browser shows."""

import json
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, expect

from modemd.service import accounts
from modemd.sim.control import ControlClient
from modemd.store import database

CUSTOMER, NUMBER = "300000000001", "+359888000177"
PATIENCE = 40.0  # s; a bound on what never comes


@pytest.fixture
def demo(tmp_path: Path) -> Iterator[dict[str, Any]]:
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
    page.get_by_label("Код от съобщението").fill(_digits(phones))
    page.get_by_role("button", name="Регистриране").click()
    expect(page.get_by_role("heading", name=NUMBER)).to_be_visible()
    window.close()
    phones.text(NUMBER, "smetka")
    assert CUSTOMER[-4:] in _wait_for(phones, lambda text: "smetka za" in text)


def _digits(phones: ControlClient) -> str:
    found = re.search(r"kod (\d{6})", _wait_for(phones, lambda text: "kod" in text))
    assert found
    return found[1]


def _wait_for(phones: ControlClient, fits: Callable[[str], bool]) -> str:
    """The first text on the phone that fits."""
    deadline = time.monotonic() + PATIENCE
    while True:
        for sms in phones.phone(NUMBER):
            if fits(str(sms["text"])):
                return str(sms["text"])
        assert time.monotonic() < deadline, "it never came"
        time.sleep(0.1)


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
