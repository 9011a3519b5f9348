"""The panel of the real demo: a real daemon on the simulated bank answers the phone that the browser shows."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, expect


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
