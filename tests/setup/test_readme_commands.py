"""What README tells people to type beside `modemd`, typed on the machine that it is about."""

import re

import pytest

from modemd.setup import steps
from tests.setup.booted import ROOT, BootedMachine
from tests.setup.conftest import give_modems

README = (ROOT / "README.md").read_text(encoding="utf-8")
PROGRAMS = (
    r"(?:sudo|apt|systemctl|journalctl|curl|adduser|ln|timedatectl|dmesg|npm|pg_restore|python3|TOKEN=\S+|\.ci/run)"
)

# In the order in which somebody may type them.
GIVEN = (
    "dmesg | tail",
    "sudo adduser $USER dialout",
    "sudo systemctl stop ModemManager",
    "ln -s /opt/modemd/bin/modemd /usr/local/bin/",
    "systemctl status modemd",
    "systemctl restart modemd modemd-web",
    "systemctl stop modemd modemd-web",
    "systemctl start modemd modemd-web",
    "adduser billing modemd-billing",
    "systemctl enable --now modemd-crl.timer",
    "journalctl -u modemd -u modemd-web",
    "journalctl -u modemd-web",
)
WITH_PACKAGES = ("apt install python3-venv", "apt install usb-modeswitch", "timedatectl set-ntp true")
API = "TOKEN=$(modemd token add billing --scopes send,read,inbox --expires 365)"
# What .ci/run does itself, and what another test does.
ELSEWHERE = (
    ".ci/run",
    "npm",
    "npm install --no-save --prefix tests/browser axe-core@4",
    "pg_restore",  # test_what_waited_when_the_copy_was_made_is_in_doubt_in_a_restored_one
)
ELSEWHERE_BEGINS = ("apt install gammu ", "python3 -m venv .venv && ", "sudo sh -c ", "curl ")


def named() -> set[str]:
    inline = re.findall(rf"`({PROGRAMS}(?: [^`\n]+)?)`", README)
    return {*inline, *re.findall(rf"^    ({PROGRAMS}.*)$", README, re.MULTILINE)}


def test_every_command_of_readme_is_given_here_or_elsewhere() -> None:
    known = {*GIVEN, *WITH_PACKAGES, API, *ELSEWHERE}
    assert {each for each in named() if not each.startswith(ELSEWHERE_BEGINS)} == known


def block(first: str) -> str:
    """The lines of README that begin with this one, as they are typed together."""
    (found,) = re.findall(rf"^    {re.escape(first)}\n(?:    .*\n)*", README, re.MULTILINE)
    return re.sub(r"^    ", "", found, flags=re.MULTILINE)


@pytest.mark.long
@pytest.mark.timeout(900)
def test_the_commands_of_readme_do_what_it_says(machine: BootedMachine) -> None:
    give_modems(machine)
    machine.run("useradd", "billing")
    machine.path("/etc/systemd/system/ModemManager.service").write_text("[Service]\nExecStart=/bin/sleep inf\n")
    machine.run("systemctl", "start", "ModemManager")
    said = {each: machine.shell(f'sudo() {{ "$@"; }}; USER=billing; {each}') for each in GIVEN}
    assert machine.shown("ModemManager", "ActiveState") == "inactive"
    assert {"dialout", "modemd-billing"} <= set(machine.run("id", "-nG", "billing").split())
    assert "2 of 2 modems ready" in said["systemctl status modemd"]
    assert "SMS daemon" in said["journalctl -u modemd -u modemd-web"]
    machine.until_active("modemd", "modemd-web", "modemd-crl.timer")
    machine.until(lambda: machine.shown("modemd", "StatusText") == "2 of 2 modems ready")
    typed = block("systemctl status modemd").splitlines()
    assert typed[-1].startswith("modemd send ")
    for each in typed:
        done = machine.attempt("sh", "-c", each)
        assert done.returncode == 0 or each == "modemd doctor", done.stderr  # which may have found something


@pytest.mark.long
@pytest.mark.timeout(900)
def test_the_block_that_uses_the_api_queues_a_message_and_shows_what_became_of_it(machine: BootedMachine) -> None:
    give_modems(machine)
    settings = machine.path(steps.SETTINGS)
    settings.write_text(settings.read_text().replace("[web]\n", '[web]\nserve = ["panel", "api"]\n'))
    machine.run("systemctl", "restart", "modemd-web")
    machine.until(lambda: machine.attempt("curl", "-s", "http://127.0.0.1:8080/health/live").returncode == 0)
    said = machine.shell(f"PATH=/opt/modemd/bin:$PATH\n{block(API)}")
    assert '"state":"queued"' in said
    assert '"next"' in said


@pytest.mark.long
@pytest.mark.timeout(900)
def test_what_readme_installs_can_be_installed(machine: BootedMachine) -> None:
    machine.run("apt-get", "update", "-qq", online=True)
    quiet = "export DEBIAN_FRONTEND=noninteractive;"
    machine.shell(f"{quiet} apt-get install -y -qq systemd-timesyncd", online=True)  # Debian's default
    for each in WITH_PACKAGES:
        machine.shell(f"{quiet} {each.replace('apt install', 'apt-get install -y -qq')}", online=True)
    assert machine.run("systemctl", "is-enabled", "systemd-timesyncd").strip() == "enabled"
