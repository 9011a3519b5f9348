"""Ports, PINs, files and databases that are not as they should be: a clear message, and the other modems go on."""

import fcntl
import os
import tty
from collections.abc import Callable, Iterator
from datetime import UTC, datetime

import pytest
import serial

from modemd.billing import files
from modemd.store import database
from tests.flow.running import CUSTOMER_COLUMNS, RunningService

PHONE = "+359888111001"
WRONG, RIGHT = "4321", "1234"


@pytest.fixture
def mute_port() -> Iterator[str]:
    """A port that takes everything and never says a word."""
    controller, port = os.openpty()
    tty.setraw(port)
    yield os.ttyname(port)
    os.close(controller)
    os.close(port)


def reason_of(running: RunningService, port: str) -> str | None:
    return next((modem.reason for modem in running.overview() if modem.port == port), None)


def tries_left(port: str) -> int:
    """Ask the SIM itself, as any terminal program would."""
    with serial.Serial(port, timeout=2) as line:
        line.write(b"AT+CPINR\r")
        answer = line.read_until(b"OK")
    return int(answer.split(b"SIM PIN,")[1].split(b",")[0])


def test_ports_that_are_missing_busy_or_mute_are_named_and_the_other_modem_works(
    service: Callable[..., RunningService], mute_port: str
) -> None:
    running = service(modems=2)
    missing, busy = str(running.folder / "ttyNONE"), str(running.bank / "modem01")
    running.config.write_text(
        running.config.read_text().replace(
            f'["{running.bank}/modem*"]', f'["{missing}", "{mute_port}", "{running.bank}/modem*"]'
        )
        + "\nbank.command_timeout = 0.5\n"
    )
    running.start_bank()
    with open(busy, "rb") as held:
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        running.start_daemon()
        running.wait_until_ready(1)
        assert running.run("send", "-c", running.config, PHONE, "hello", "--wait").returncode == 0
        running.until(lambda: "in use by another program" in (reason_of(running, busy) or ""))
        running.until(lambda: "does not answer AT" in (reason_of(running, mute_port) or ""))
        running.until(lambda: "does not exist" in (reason_of(running, missing) or ""))


def test_rule_7_a_wrong_pin_is_tried_once_also_after_restarts_and_never_logged(
    service: Callable[..., RunningService],
) -> None:
    running = service(modems=1, bank_options=("--pin", RIGHT))
    pin_file = running.folder / "pin"
    pin_file.write_text(WRONG + "\n")
    running.config.write_text(running.config.read_text() + f'\nbank.pin_file = "{pin_file}"\n')
    port = str(running.bank / "modem00")
    running.start_bank()
    for _ in range(3):
        running.start_daemon()
        running.until(lambda: "PIN" in (reason_of(running, port) or ""))
        assert running.stop_daemon() == 0
    assert tries_left(port) == 2
    pin_file.write_text(RIGHT + "\n")
    running.start_daemon()
    running.wait_until_ready()
    assert WRONG not in running.said("run")
    assert RIGHT not in running.said("run")


def test_a_sim_that_wants_a_pin_when_none_is_set_says_where_to_write_it(
    service: Callable[..., RunningService],
) -> None:
    running = service(modems=1, bank_options=("--pin", RIGHT))
    running.start_bank()
    running.start_daemon()
    running.until(lambda: "pin_file" in (reason_of(running, str(running.bank / "modem00")) or ""))


def test_a_database_newer_than_the_program_is_refused_and_left_alone(service: Callable[..., RunningService]) -> None:
    running = service()
    with running.engine() as engine, database.writing(engine) as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    for command in (("run",), ("status",), ("db", "upgrade")):
        refused = running.run(*command, "-c", running.config)
        assert refused.returncode == 1
        assert "newer than this program" in refused.stderr


def test_a_second_daemon_of_the_same_name_is_refused(service: Callable[..., RunningService]) -> None:
    running = service(modems=1)
    running.start_bank()
    running.start_daemon()
    running.wait_until_ready()
    second = running.run("run", "-c", running.config)
    assert second.returncode == 1
    assert "already runs" in second.stderr
    assert running.run("send", "-c", running.config, PHONE, "hello", "--wait").returncode == 0


@pytest.mark.parametrize(
    ("to", "text"), [("nobody", "x"), ("+3598", "x"), ("12", "x"), (PHONE, ""), (PHONE, "я" * 671)]
)
def test_a_message_that_cannot_be_sent_is_refused_and_not_queued(
    service: Callable[..., RunningService], to: str, text: str
) -> None:
    running = service()
    refused = running.run("send", "-c", running.config, to, text)
    assert refused.returncode == 1
    assert "Traceback" not in refused.stderr
    assert running.messages() == []


def test_a_hand_over_file_without_its_companion_is_refused(service: Callable[..., RunningService]) -> None:
    running = service()
    file = running.folder / "customers.csv"
    file.write_text("H;CUSTOMERS;1;x;1;FULL;2026-11-23T05:30:00+02:00;EUR;utf-8\nT;0;0,00\n")
    refused = running.run("import", "-c", running.config, file)
    assert refused.returncode == 1
    assert ".sha256" in refused.stderr


def test_registering_a_customer_nobody_knows_is_refused(service: Callable[..., RunningService]) -> None:
    running = service()
    running.give_customers({PHONE: ["300000000001"]})
    assert running.run("register", "-c", running.config, PHONE, "300000000009").returncode == 1
    assert running.run("register", "-c", running.config, "02 9871234", "300000000001").returncode == 1
    assert running.run("register", "-c", running.config, "0888111002", "300000000001").returncode == 0


def test_a_held_file_is_taken_in_when_a_person_has_approved_it(service: Callable[..., RunningService]) -> None:
    running = service()
    running.give_customers({f"+35988811100{n}": [f"30000000000{n}"] for n in range(1, 5)})
    rows = [dict(zip(CUSTOMER_COLUMNS, ("300000000001", "", "H", "", "bg-Latn", "1"), strict=True))]
    path = files.write(running.folder / "in", "CUSTOMERS", "test", 2, "FULL", datetime.now(UTC), rows)
    held = running.run("import", "-c", running.config, path)
    assert held.returncode == 1
    assert "held until a person approves it" in held.stderr
    assert running.run("import", "-c", running.config, "--approved", path).returncode == 0


def test_texts_that_would_need_three_parts_are_refused_when_the_daemon_starts(
    service: Callable[..., RunningService],
) -> None:
    running = service(settings=f'service.supplier = "{"Elektrosnabditel" * 12}"')
    refused = running.run("run", "-c", running.config)
    assert refused.returncode == 1
    assert "part" in refused.stderr
