"""gammu, from Debian, drives the simulated bank as it drives a modem."""

import os
import re
import subprocess
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.peers.programs import INCOMING, MODEMS, OUTGOING, installed, see_sent
from tests.simulated_bank import SimulatedBank

Gammu = Callable[..., str]
PHONE = "+359888000101"
SECONDS = 60.0


@pytest.fixture
def bank(simulated_bank: Callable[..., SimulatedBank]) -> SimulatedBank:
    return simulated_bank()


@pytest.fixture
def gammu(bank: SimulatedBank, tmp_path: Path) -> Gammu:
    """Run gammu on the bank's first modem; what it printed."""
    program = installed("gammu", "gammu")
    settings = tmp_path / "gammurc"
    settings.write_text(f"[gammu]\ndevice = {bank.port()}\nconnection = at115200\n")

    def run(*arguments: str) -> str:
        return _run(program, "-c", settings, *arguments)

    return run


def test_gammu_identifies_the_modem(bank: SimulatedBank, gammu: Gammu) -> None:
    shown = dict(re.findall(r"^(\w[\w ]*?)\s+: (.*)$", gammu("identify"), re.MULTILINE))
    (modem,) = bank.client.modems()
    assert (shown["Manufacturer"], shown["Firmware"], shown["IMEI"]) == ("Simulated", "1.0", modem["imei"])
    assert shown["SIM IMSI"].startswith("28401")


@pytest.mark.parametrize(
    ("options", "text"),
    [
        (("-unicode",), "Здравей от гаму"),
        (("-len", "400"), "Elektrohold: [smetka] za klient ***0001: 37,91 EUR. " * 7),
    ],
    ids=["ucs2", "long"],
)
def test_gammu_sends_and_the_phone_shows_it(
    bank: SimulatedBank, gammu: Gammu, options: tuple[str, ...], text: str
) -> None:
    said = gammu("sendsms", "TEXT", PHONE, *options, "-report", "-text", text)
    assert "OK, message reference=" in said
    (shown,) = bank.client.phone(PHONE)
    assert (shown["from"], shown["text"]) == ("+359889000000", text)


def test_gammu_reads_what_phones_have_sent_and_deletes_it(bank: SimulatedBank, gammu: Gammu) -> None:
    texts = ["smetka", "Колко е? €", "Elektrohold: smetka za klient ***0001: 37,91 EUR. " * 5]
    for text in texts:
        bank.client.text(PHONE, text)
    said = gammu("getallsms")
    assert all(text in said for text in texts[:2])
    assert said.count(f'Remote number        : "{PHONE}"') == 4
    assert "4 SMS parts in 4 SMS sequences" in said
    gammu("deleteallsms", "1")
    assert "0 SMS parts in 0 SMS sequences" in gammu("getallsms")


def test_gammu_asks_for_the_network(bank: SimulatedBank, gammu: Gammu) -> None:
    assert "home network" in gammu("networkinfo")


def test_gammu_sends_50_and_receives_20(simulated_bank: Callable[..., SimulatedBank], tmp_path: Path) -> None:
    bank = simulated_bank(modems=MODEMS)
    for number, text in INCOMING.items():
        bank.client.text(number, text)
    numbers = list(OUTGOING)

    def exchange(index: int) -> str:
        settings, batch = tmp_path / f"gammurc{index}", tmp_path / f"batch{index}"
        settings.write_text(f"[gammu]\ndevice = {bank.port(index)}\nconnection = at115200\n")
        sends = [f'sendsms TEXT {number} -unicode -text "{OUTGOING[number]}"' for number in numbers[index::MODEMS]]
        batch.write_text("\n".join([*sends, "getallsms"]) + "\n", encoding="utf-8")
        return _run(installed("gammu", "gammu"), "-c", settings, "batch", batch)

    with ThreadPoolExecutor(MODEMS) as pool:
        said = "".join(pool.map(exchange, range(MODEMS)))
    see_sent(bank)
    read = re.findall(r'^Remote number +: "(.*)"$(?:\n.+)*\n\n(.*)$', said, re.MULTILINE)
    assert Counter(read) == Counter(INCOMING.items())


def _run(*command: object) -> str:
    done = subprocess.run(
        list(map(str, command)),
        capture_output=True,
        text=True,
        timeout=SECONDS,
        env={**os.environ, "LC_ALL": "C.UTF-8"},
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout
