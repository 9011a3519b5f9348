"""The units: systemd itself reads them, and says how much they could do if they were broken into."""

import re
import subprocess
from pathlib import Path

import pytest

from modemd.setup import shipped, steps

SERVICES = [name for name in steps.UNITS if name.endswith(".service")]
MOST_EXPOSED = 2.0  # of 10, as systemd-analyze security counts


@pytest.fixture
def units(tmp_path: Path) -> Path:
    """The units as they are set up, with a program that exists."""
    for name in steps.UNITS:
        (tmp_path / name).write_text(shipped.text(f"systemd/{name}").replace(steps.SHIPPED_PROGRAM, "/bin/true"))
    return tmp_path


def analyze(*words: object) -> str:
    done = subprocess.run(["systemd-analyze", *map(str, words)], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def test_systemd_finds_nothing_to_complain_of(units: Path) -> None:
    assert analyze("verify", "--man=no", *(units / name for name in steps.UNITS)).strip() == ""


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_can_do_little_beside_its_work(units: Path, service: str) -> None:
    said = analyze("security", "--offline=true", "--no-pager", units / service)
    found = re.search(r"exposure level for \S+: ([\d.]+)", said)
    assert found, said
    assert float(found[1]) <= MOST_EXPOSED


@pytest.mark.parametrize("service", SERVICES)
def test_no_service_runs_as_root_and_each_calls_the_program_by_its_path(service: str) -> None:
    unit = shipped.text(f"systemd/{service}")
    user = re.search(r"^User=(\S+)$", unit, re.MULTILINE)
    assert user
    assert user[1] in steps.USERS
    assert re.search(rf"^ExecStart={re.escape(steps.SHIPPED_PROGRAM)} ", unit, re.MULTILINE)


def test_the_daemon_s_devices_are_numbers_which_count_before_the_first_stick_is_plugged_in() -> None:
    allowed = re.findall(r"^DeviceAllow=(\S+) rw$", shipped.text("systemd/modemd.service"), re.MULTILINE)
    assert allowed == ["char-188", "char-166", "char-189"]


def test_the_panel_sees_no_device_and_is_not_in_the_modems_group() -> None:
    unit = shipped.text("systemd/modemd-web.service")
    assert "PrivateDevices=yes" in unit
    assert "DeviceAllow" not in unit
    groups = re.findall(r"^(?:Group|SupplementaryGroups)=(.*)$", unit, re.MULTILINE)
    assert groups == ["modemd-web", "modemd-db"]
    assert not re.search(r"^m modemd-web modemd$", shipped.text("systemd/sysusers.conf"), re.MULTILINE)
