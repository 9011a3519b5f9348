"""`modemd setup` for real: on a machine of its own that systemd has booted, with the line of README."""

import json
import re
import shutil
from typing import Any

import pytest

from modemd.setup import steps
from tests.setup.booted import CHECKOUT, ROOT, BootedMachine
from tests.setup.conftest import MODEMD, SERVICES, give_modems, install_line
from tests.setup.probe import DEVICES, MODEMS

pytestmark = [pytest.mark.long, pytest.mark.timeout(900)]

PANEL, NOT_READY = "http://127.0.0.1:8080", '{"ready":false,"why":["no modem is ready"]}\n'
RELAY, TECHNICIAN = "127.0.0.1:2525", "+359888999001"
PHONE, CUSTOMER = "+359888111001", "300000000001"


def received(machine: BootedMachine, phone: str) -> list[dict[str, Any]]:
    said = machine.run(MODEMD, "sim-phone", "--dir", "/run/bank", phone, "--json")
    return [json.loads(line) for line in said.splitlines()]


def outgoing(machine: BootedMachine) -> list[dict[str, Any]]:
    said = machine.run(MODEMD, "messages", "--direction", "mt", "--json")
    return [json.loads(line) for line in said.splitlines()]


def adapt(machine: BootedMachine, unit: str, *lines: str) -> None:
    """Change a unit as administrators do, beside it."""
    beside = machine.path(f"/etc/systemd/system/{unit}.d")
    beside.mkdir()
    (beside / "test.conf").write_text("\n".join(("[Service]", *lines, "")))
    machine.run("systemctl", "daemon-reload")


def test_after_a_boot_everything_runs_as_its_own_user_and_nothing_has_failed(machine: BootedMachine) -> None:
    for unit, user in (("modemd.service", "modemd"), ("modemd-web.service", "modemd-web")):
        machine.until(lambda unit=unit: machine.shown(unit, "MainPID") != "0")
        status = machine.path(f"/proc/{machine.shown(unit, 'MainPID')}/status").read_text()
        (number,) = re.findall(r"^Uid:\t(\d+)\t\1\t\1\t\1$", status, re.MULTILINE)
        assert machine.run("id", "-un", number).strip() == user
        assert re.search(r"^CapEff:\t0+$", status, re.MULTILINE)
    machine.until(lambda: machine.shown("modemd", "StatusText") == "0 of 0 modems ready")
    assert machine.run("systemctl", "--failed", "--plain", "--no-legend") == ""
    machine.until(lambda: machine.attempt("curl", "-s", f"{PANEL}/health/ready").stdout == NOT_READY)
    groups = machine.run("id", "-nG", "modemd-web").split()
    assert sorted(groups) == ["modemd-db", "modemd-web"]


def test_questions_and_messages_go_through_and_leave_a_line_each_without_a_number(machine: BootedMachine) -> None:
    give_modems(machine)
    machine.run(MODEMD, "send", "+359888123456", "Zdravey", "--wait")
    assert [sms["text"] for sms in received(machine, "+359888123456")] == ["Zdravey"]
    machine.run(MODEMD, "sim-text", "--dir", "/run/bank", PHONE, "smetka")
    machine.until(lambda: received(machine, PHONE))
    machine.until(lambda: [row["state"] for row in outgoing(machine)] == ["delivered"] * 2)
    entries = machine.said("modemd.service")
    events = [entry["MESSAGE"] for entry in entries if "event=" in entry["MESSAGE"]]
    assert sorted(re.sub(r"=\d+", "=N", event.partition("event=")[2]) for event in events) == sorted(
        ["received inbox=N line=N", "done inbox=N kind=bill", "queued message=N kind=reply inbox=N"]
        + ["sending message=N part=N line=N", "sent message=N part=N reference=N", "delivered message=N part=N"] * 2
    )
    assert {entry["PRIORITY"] for entry in entries if entry["MESSAGE"] in events} == {"6"}
    journal = "\n".join(entry["MESSAGE"] for entry in machine.said("modemd.service", "modemd-web.service"))
    for secret in (PHONE[1:], "359888123456", "Zdravey", "smetka"):
        assert secret not in journal


def test_what_is_wrong_is_told_by_mail_and_sms_and_seen_in_figures_health_and_doctor(machine: BootedMachine) -> None:
    machine.run("systemd-run", "--unit=relay", "/opt/modemd/bin/python", "-um", "aiosmtpd", "-nl", RELAY)
    settings = machine.path(steps.SETTINGS)
    told = f'email_to = ["boss@example.bg"]\nrelay = "{RELAY}"\nsms_to = ["{TECHNICIAN}"]\nquiet = ""\n'
    settings.write_text(f"{settings.read_text()}\n[alerts]\nafter_seconds = 0\n{told}")
    give_modems(machine)
    machine.until(lambda: answered(machine, "/health/ready").startswith('{"ready":true'))
    assert "\nmodemd_database_up 1.0\n" in answered(machine, "/metrics")
    machine.run(MODEMD, "sim-fault", "--dir", "/run/bank", "modem00", "sim-puk")
    machine.until(lambda: any("PUK" in entry["MESSAGE"] for entry in machine.said("relay.service")))
    machine.until(lambda: any("PUK" in sms["text"] for sms in received(machine, TECHNICIAN)))
    sick = machine.attempt(MODEMD, "doctor")
    assert sick.returncode == 1
    assert "PUK" in sick.stdout
    assert "systemctl start modemd" not in sick.stdout
    machine.run("systemctl", "stop", "modemd")
    machine.until(lambda: "does not run" in answered(machine, "/health/ready"))
    machine.run("curl", "-sf", f"{PANEL}/health/live")
    assert "systemctl start modemd" in machine.attempt(MODEMD, "doctor").stdout


def answered(machine: BootedMachine, path: str) -> str:
    return machine.attempt("curl", "-s", f"{PANEL}{path}").stdout


def main_pids(machine: BootedMachine) -> list[str]:
    return [machine.shown(unit, "MainPID") for unit in SERVICES[:2]]


def test_a_daemon_that_is_killed_is_started_anew_and_answers(machine: BootedMachine) -> None:
    give_modems(machine)
    machine.run("systemctl", "kill", "--kill-whom=main", "--signal=KILL", "modemd")
    machine.run(MODEMD, "sim-text", "--dir", "/run/bank", PHONE, "smetka")
    machine.until(lambda: received(machine, PHONE))
    assert machine.shown("modemd", "NRestarts") == "1"


def test_the_watchdog_is_fed_and_a_daemon_that_stands_still_is_started_anew(machine: BootedMachine) -> None:
    adapt(machine, "modemd.service", "WatchdogSec=6", "TimeoutAbortSec=1")
    machine.run("systemctl", "restart", "modemd")
    fed = {machine.shown("modemd", "WatchdogTimestampMonotonic")}
    machine.until(lambda: len(fed) > 3 or fed.add(machine.shown("modemd", "WatchdogTimestampMonotonic")))
    machine.run("systemctl", "kill", "--kill-whom=main", "--signal=STOP", "modemd")
    machine.until(lambda: machine.shown("modemd", "NRestarts") == "1")
    machine.until_active("modemd")
    assert any("Watchdog timeout" in entry["MESSAGE"] for entry in machine.said("modemd.service"))


def told(machine: BootedMachine, database: str, statement: str) -> str:
    """The one value that a statement gives."""
    question = f"import sqlite3; print(*sqlite3.connect({database!r}).execute({statement!r}).fetchone())"
    return machine.run("/opt/modemd/bin/python", "-c", question).strip()


def test_the_backup_service_makes_a_copy_that_only_the_daemon_reads(machine: BootedMachine) -> None:
    machine.run("systemctl", "start", "modemd-backup.service")
    (copy,) = machine.path(steps.BACKUPS).iterdir()
    assert machine.run("stat", "-c", "%U %G %a", f"{steps.BACKUPS}/{copy.name}") == "modemd modemd 600\n"
    assert told(machine, f"{steps.BACKUPS}/{copy.name}", "PRAGMA integrity_check") == "ok"
    assert re.search(r"^NEXT", machine.run("systemctl", "list-timers", "modemd-backup.timer"))


def test_setup_again_finds_everything_in_place_and_touches_no_service(machine: BootedMachine) -> None:
    before = main_pids(machine)
    assert "Everything is in place" in machine.run(MODEMD, "setup", "--yes")
    assert main_pids(machine) == before


def test_setup_again_starts_what_is_down_and_puts_back_what_was_changed(machine: BootedMachine) -> None:
    before = main_pids(machine)
    machine.run("systemctl", "disable", "--now", "modemd-backup.timer")
    machine.path("/etc/systemd/system/modemd.service").write_text("[Service]\nExecStart=/bin/true\n")
    machine.run(MODEMD, "setup", "--yes")
    machine.until_active(*SERVICES)
    assert not set(before) & set(main_pids(machine))
    assert "/opt/modemd" in machine.path("/etc/systemd/system/modemd.service").read_text()


def newer_checkout(machine: BootedMachine, place: str) -> None:
    """Another version of the program, whose daemon is started by another unit."""
    target = machine.path(place)
    for name in ("modemd", "web", "systemd", "udev", ".github"):
        shutil.copytree(ROOT / name, target / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("README.md", "pyproject.toml"):
        shutil.copy(ROOT / name, target / name)
    project, unit = target / "pyproject.toml", target / "systemd/modemd.service"
    project.write_text(re.sub(r'^version = ".*"$', 'version = "99.1"', project.read_text(), flags=re.MULTILINE))
    unit.write_text(unit.read_text() + "# newer\n")


OLDER = """
from modemd.store import database
engine = database.connect("sqlite:////var/lib/modemd/modemd.db")
database.upgrade(engine, "0001")
engine.dispose()
"""


def make_database_older(machine: BootedMachine) -> None:
    machine.shell("rm /var/lib/modemd/modemd.db*")
    machine.run("/opt/modemd/bin/python", "-c", OLDER)
    machine.run("chown", "modemd:modemd-db", "/var/lib/modemd/modemd.db")


def test_an_upgrade_backs_up_first_and_everything_new_runs(machine: BootedMachine) -> None:
    kept = {path: machine.path(path).read_text() for path in (steps.SETTINGS, steps.SECRET_KEY)}
    newer_checkout(machine, "/srv/newer")
    machine.run("systemctl", "stop", "modemd", "modemd-web")
    make_database_older(machine)
    before = main_pids(machine)
    machine.shell(f"cd /srv/newer && {install_line()}", online=True)
    machine.until_active(*SERVICES)
    assert not set(before) & set(main_pids(machine))
    assert "99.1" in machine.run("/opt/modemd/bin/pip", "show", "modemd")
    units = machine.path("/etc/systemd/system")
    assert (units / "modemd.service").read_text().endswith("# newer\n")
    assert (units / "modemd.service.old").exists()
    (copy,) = machine.path(steps.BACKUPS).iterdir()
    revision = "SELECT version_num FROM alembic_version"
    assert told(machine, f"{steps.BACKUPS}/{copy.name}", revision) == "0001"
    assert told(machine, "/var/lib/modemd/modemd.db", revision) > "0001"
    assert {path: machine.path(path).read_text() for path in kept} == kept


def test_a_program_that_was_installed_anew_is_what_runs_afterwards(machine: BootedMachine) -> None:
    before = main_pids(machine)
    machine.run("touch", MODEMD)  # as pip does, whatever is new in it
    machine.run(MODEMD, "setup", "--yes")
    machine.until_active(*SERVICES)
    assert not set(before) & set(main_pids(machine))


def test_remove_leaves_the_data_for_another_setup_and_purge_leaves_nothing(machine: BootedMachine) -> None:
    before, pids = machine.path(steps.SETTINGS).read_text(), main_pids(machine)
    machine.run(MODEMD, "setup", "--remove", "--yes")
    assert machine.run("systemctl", "list-units", "--all", "--plain", "--no-legend", "modemd*") == ""
    assert not any(machine.path(f"/proc/{pid}").exists() for pid in pids)
    assert machine.path(steps.SETTINGS).read_text() == before
    assert "one-time password" not in machine.run(MODEMD, "setup", "--yes")  # its admin is still there
    machine.until_active(*SERVICES)
    machine.run(MODEMD, "setup", "--remove", "--purge", "--yes")
    for path in ("/etc/modemd", "/var/lib/modemd", "/var/backups/modemd"):
        assert not machine.path(path).exists()
    for table in ("passwd", "group"):
        assert "modemd" not in machine.path(f"/etc/{table}").read_text()
    assert not list(machine.path("/etc/systemd/system").glob("**/modemd*"))


def test_no_service_can_do_more_than_its_work(machine: BootedMachine) -> None:
    machine.run("mkdir", "/srv/devices")
    for name, (major, minor) in DEVICES.items():
        machine.run("mknod", "-m", "666", f"/srv/devices/{name}", "c", str(major), str(minor))
    machine.run("mount", "-o", "remount,bind,rw", "/sys")  # as it is on a real machine
    machine.run("touch", "/tmp/of-another")
    database, nothing = "/var/lib/modemd/modemd.db", {"devices": [], "sysfs": False, "netlink": False}
    data, settings = ["/var/lib/modemd", "/var/lib/modemd/crl"], "/etc/modemd/modemd.toml"
    daemon = {"devices": list(MODEMS), "sysfs": True, "netlink": True}
    daemon |= {"writes": ["/run/modemd", *data], "reads": [settings, database]}
    panel = {**nothing, "writes": data[:1], "reads": [settings, "/etc/modemd/secret_key", database]}
    backup = {**nothing, "writes": [*data, "/var/backups/modemd"], "reads": [settings, database]}
    lists = {**nothing, "writes": data[1:], "reads": [settings]}
    expected = {"modemd": daemon, "modemd-web": panel, "modemd-portal": panel, "modemd-api": panel}
    for unit, can in {**expected, "modemd-backup": backup, "modemd-crl": lists}.items():
        assert probed(machine, unit) == {**can, "raw": False, "processes": 1, "tmp": []}, unit


def probed(machine: BootedMachine, unit: str) -> dict[str, Any]:
    """What a program could do that ran in this service's place, as systemd confines it."""
    probe = f"/opt/modemd/bin/python {CHECKOUT}/tests/setup/probe.py"
    adapt(machine, f"{unit}.service", "Type=oneshot", "Restart=no", "WatchdogSec=0", "ExecStart=", f"ExecStart={probe}")
    machine.run("systemctl", "restart", unit)
    said = (entry["MESSAGE"] for entry in machine.said(f"{unit}.service"))
    return dict(json.loads(next(line for line in said if line.startswith('{"devices'))))
