"""Each thing that `modemd doctor` finds, brought about on purpose."""

import errno
import json
import os
import shutil
import socket
import sqlite3
import threading
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import serial
from click.testing import CliRunner

from modemd import doctor
from modemd.cli.main import cli
from modemd.doctor import Finding, Level
from modemd.messages import AlertKind, Reason
from modemd.modem import startup
from modemd.modem.lifecycle import State
from modemd.store import alerts, database, lines, modems
from modemd.store.modems import ModemRow
from modemd.store.schema import dataset
from tests.simulated_bank import SimulatedBank

NOW = datetime.now(UTC)
KEY = "0123456789abcdef" * 4


class Installation:
    """A folder with everything in order but a daemon and modems; each test spoils something."""

    def __init__(self, folder: Path, template: Path) -> None:
        self.folder = folder
        self.data = folder / "data"
        self.data.mkdir()
        self.key = folder / "secret_key"
        self.key.write_text(KEY)
        self.key.chmod(0o600)
        self.proc, self.sysfs = folder / "proc", folder / "sys"
        self.config = folder / "modemd.toml"
        self.url = f"sqlite:///{self.data}/modemd.db"
        self.settings()
        shutil.copy(template, self.data / "modemd.db")

    def settings(self, more: str = "", ports: str | None = None) -> None:
        self.config.write_text(
            f"""
            database.url = "{self.url}"
            daemon.name = "here"
            daemon.data = "{self.data}"
            bank.ports = ["{ports or self.folder / "none*"}"]
            bank.command_timeout = 1.0
            web.secret_key_file = "{self.key}"
            web.port = 1
            {more}
            """
        )

    def found(self) -> dict[str, Finding]:
        """The worst finding of each subject."""
        worst: dict[str, Finding] = {}
        for each in doctor.examine(self.config, NOW, self.proc, self.sysfs):
            if each.subject not in worst or doctor.worst([each, worst[each.subject]]) is each.level:
                worst[each.subject] = each
        return worst

    def with_daemon(self, **modem: object) -> None:
        """As if a daemon lived, and had written this of its one modem."""
        facts = {"state": State.READY, "reason": None, "signal_dbm": -80, "operator": "A1 BG"} | modem
        row = dict.fromkeys(ModemRow.__dataclass_fields__) | {"host": "here", "port": "/dev/x", "state_since": NOW}
        engine = database.connect(self.url)
        with database.writing(engine) as conn:
            lines.host_started(conn, "here", "instance", os.getpid(), NOW)
            modems.save(conn, [ModemRow(**(row | facts))], NOW)
        engine.dispose()


@pytest.fixture
def installation(tmp_path: Path, sqlite_template: Path) -> Installation:
    return Installation(tmp_path, sqlite_template)


def assert_found(found: dict[str, Finding], subject: str, words: str, level: Level = Level.ERROR) -> None:
    assert words in found[subject].what, found
    assert found[subject].level is level
    assert found[subject].advice


# the machine


def test_settings_that_cannot_be_used_end_the_examination(installation: Installation) -> None:
    installation.settings("bank.per_minutes = 3")
    found = installation.found()
    assert list(found) == ["settings"]
    assert_found(found, "settings", "the nearest one is bank.per_minute")


def test_a_missing_secret_key_is_found(installation: Installation) -> None:
    installation.key.unlink()
    assert_found(installation.found(), "secret key", "is missing")


@pytest.mark.parametrize("which", ["key", "pin"])
def test_a_secret_that_everybody_may_read_is_found(installation: Installation, which: str) -> None:
    pin = installation.folder / "pin"
    pin.write_text("1234")
    installation.settings(f'bank.pin_file = "{pin}"')
    file = {"key": installation.key, "pin": pin}[which]
    file.chmod(0o644)
    assert_found(installation.found(), str(file), "everybody")


def test_a_pin_file_that_is_named_and_missing_is_found(installation: Installation) -> None:
    installation.settings(f'bank.pin_file = "{installation.folder}/pin"')
    assert_found(installation.found(), f"{installation.folder}/pin", "does not exist")


def test_a_full_disk_is_found(installation: Installation) -> None:
    installation.settings(f"alerts.disk_mib = {2**40}")
    assert_found(installation.found(), "disk", "MiB are free")


def test_a_missing_data_folder_is_found(installation: Installation) -> None:
    installation.settings(f'daemon.data = "{installation.folder}/nowhere"'.replace("daemon.data", "#"))
    installation.config.write_text(installation.config.read_text().replace(f'"{installation.data}"', '"/nowhere"'))
    assert_found(installation.found(), "/nowhere", "missing")


def test_modemmanager_is_found(installation: Installation) -> None:
    process = installation.proc / "812"
    process.mkdir(parents=True)
    (process / "comm").write_text("ModemManager\n")
    assert_found(installation.found(), "ModemManager", "may take", Level.WARNING)


@pytest.mark.parametrize(
    ("maker", "classes", "is_cd"),
    [
        ("12d1", ["08"], True),
        ("12d1", ["ff", "ff", "08"], False),
        ("046d", ["08"], False),
        ("19d2", ["08", "08"], True),
    ],
)
def test_a_stick_in_cd_mode_is_found(installation: Installation, maker: str, classes: list[str], is_cd: bool) -> None:
    stick = installation.sysfs / "bus/usb/devices/1-1.2"
    for number, each in enumerate(classes):
        (stick / f"1-1.2:1.{number}").mkdir(parents=True)
        (stick / f"1-1.2:1.{number}/bInterfaceClass").write_text(f"{each}\n")
    (stick / "idVendor").write_text(f"{maker}\n")
    found = installation.found()
    assert ("stick in 1-1.2" in found) is is_cd
    if is_cd:
        assert "usb-modeswitch" in str(found["stick in 1-1.2"].advice)


def test_a_panel_that_does_not_answer_is_found(installation: Installation) -> None:
    assert_found(installation.found(), "panel", "does not answer", Level.WARNING)


def test_a_portal_is_asked_on_its_socket(installation: Installation) -> None:
    place = installation.folder / "portal.sock"
    installation.settings(f'web.socket = "{place}"')
    assert_found(installation.found(), "panel", f"{place} does not answer", Level.WARNING)
    with socket.socket(socket.AF_UNIX) as portal:
        portal.bind(str(place))
        portal.listen()
        answer = threading.Thread(target=_answer, args=(portal,))
        answer.start()
        assert installation.found()["panel"].what == f"{place} answers"
        answer.join()


def _answer(portal: socket.socket) -> None:
    with portal.accept()[0] as connection:
        connection.recv(1000)
        connection.sendall(b"HTTP/1.0 200 OK\r\n\r\n")


# the database


def test_a_database_that_is_not_there_is_found_and_not_made(installation: Installation) -> None:
    file = installation.data / "modemd.db"
    file.unlink()
    assert_found(installation.found(), "database", "does not exist")
    assert not file.exists()


def test_a_locked_database_is_found(installation: Installation, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database, "BUSY_TIMEOUT", 0.01)
    with closing(sqlite3.connect(installation.data / "modemd.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        assert_found(installation.found(), "database", "locked")


def test_a_newer_database_is_found(installation: Installation) -> None:
    with closing(sqlite3.connect(installation.data / "modemd.db", isolation_level=None)) as conn:
        conn.execute("UPDATE alembic_version SET version_num = '9999'")
    assert_found(installation.found(), "database", "9999")


@pytest.mark.parametrize(("hours", "level"), [(35, None), (37, Level.WARNING), (49, Level.ERROR)])
def test_old_billing_data_is_found(installation: Installation, hours: int, level: Level | None) -> None:
    engine = database.connect(installation.url)
    with database.writing(engine) as conn:
        at = NOW - timedelta(hours=hours)
        conn.execute(dataset.insert(), {"type": "OPENITEMS", "generation": 1, "data_at": at})
    engine.dispose()
    found = installation.found()
    assert ("billing data" in found) is (level is not None)
    if level is not None:
        assert_found(found, "billing data", f"{hours} hours old", level)


# the modems, as a daemon tells of them


def test_with_a_daemon_its_word_counts(installation: Installation) -> None:
    installation.with_daemon()
    found = installation.found()
    assert found["daemon"].level is Level.FINE
    assert found["/dev/x"].level is Level.FINE


def test_without_a_daemon_that_is_found(installation: Installation) -> None:
    assert_found(installation.found(), "daemon", "does not run")


@pytest.mark.parametrize(
    ("told", "words", "level"),
    [
        ({"state": State.QUARANTINED, "reason": Reason("the SIM wants its PUK")}, "PUK", Level.ERROR),
        ({"state": State.UNREGISTERED}, "unregistered", Level.ERROR),
        ({"signal_dbm": -111}, "-111 dBm", Level.WARNING),
        ({"storage_used": 29, "storage_total": 30}, "29 of 30", Level.WARNING),
        ({"manufacturer": "Acme", "model": "GSM 1"}, "unverified", Level.WARNING),
    ],
)
def test_an_ill_modem_is_found(installation: Installation, told: dict[str, object], words: str, level: Level) -> None:
    installation.with_daemon(**told)
    assert_found(installation.found(), "/dev/x", words, level)


def test_a_clock_that_is_off_is_found(installation: Installation) -> None:
    installation.with_daemon(clock_offset=3600)
    assert_found(installation.found(), "clock", "3600 s")


def test_standing_alerts_are_found(installation: Installation) -> None:
    installation.with_daemon()
    engine = database.connect(installation.url)
    with database.writing(engine) as conn:
        alerts.note(conn, [alerts.Notice("here", "/dev/x", AlertKind.BALANCE_LOW, "A1 first", "0,10 are left")], NOW)
    engine.dispose()
    assert_found(installation.found(), "A1 first", "0,10 are left", Level.WARNING)


# the modems, looked at from here

ILL = {
    "modem01": ("sim-removed", "no SIM"),
    "modem02": ("sim-pin", "wants a PIN"),
    "modem03": ("sim-puk", "PUK"),
    "modem04": ("unregistered", "in no network"),
    "modem05": ("weak-signal", "-111 dBm"),
    "modem06": ("no-service-centre", "no service centre"),
    "modem07": ("sim-full", "places for messages"),
    "modem08": ("silence", "does not answer AT"),
}


@pytest.fixture
def bank(simulated_bank: Callable[..., SimulatedBank]) -> SimulatedBank:
    bank = simulated_bank("--model", "sim800", modems=10)
    for modem, (fault, _) in ILL.items():
        bank.client.fault(modem, fault)
    return bank


def test_without_a_daemon_each_port_is_asked_itself(
    installation: Installation, bank: SimulatedBank, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(startup, "BUSY_SECONDS", 0.01)
    installation.settings(ports=f"{bank.folder}/modem*")
    with serial.Serial(bank.port(9), exclusive=True):
        found = installation.found()
    assert found["modem00"].level is Level.FINE
    for modem, (_, words) in ILL.items():
        assert words in found[modem].what
        assert found[modem].level is not Level.FINE
    assert "in use by another program" in found["modem09"].what


def test_a_wrong_clock_is_found_without_a_daemon(
    installation: Installation, simulated_bank: Callable[..., SimulatedBank]
) -> None:
    bank = simulated_bank()
    bank.client.fault("modem00", "clock-off:seconds=86400")
    installation.settings(ports=bank.port())
    assert_found(installation.found(), "clock", "differ")


def test_no_port_is_found(installation: Installation) -> None:
    assert_found(installation.found(), "ports", "nothing matches")


def test_a_port_that_may_not_be_opened_is_found(installation: Installation, monkeypatch: pytest.MonkeyPatch) -> None:
    (installation.folder / "none0").touch()

    def refuse(*_arguments: object, **_options: object) -> None:
        raise serial.SerialException(errno.EACCES, "Permission denied")

    monkeypatch.setattr(serial, "Serial", refuse)
    assert_found(installation.found(), "none0", "may not be opened by this user")


# the command


def test_the_command_says_what_to_do_and_fails_where_something_is_wrong(installation: Installation) -> None:
    result = CliRunner().invoke(cli, ["doctor", "-c", str(installation.config)])
    assert result.exit_code == 1
    assert "✗ daemon: here does not run" in result.output
    assert "→ systemctl start modemd" in result.output


def test_json_has_every_finding(installation: Installation) -> None:
    result = CliRunner().invoke(cli, ["doctor", "-c", str(installation.config), "--json"])
    told = json.loads(result.stdout)
    assert told["worst"] == "error"
    assert {"level", "subject", "what", "advice"} == set(told["findings"][0])
