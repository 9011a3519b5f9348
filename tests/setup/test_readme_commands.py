"""What README tells people to type beside `modemd`, typed on the machine that it is about."""

import json
import re

import pytest

from modemd.setup import steps
from tests.setup.booted import ROOT, BootedMachine
from tests.setup.conftest import MODEMD, give_modems

README = (ROOT / "README.md").read_text(encoding="utf-8")
TOOLS = "sudo|apt|systemctl|journalctl|curl|adduser|ln|timedatectl|dmesg|install|rm|npm|pg_restore|python3"
PROGRAMS = rf"(?:{TOOLS}|TOKEN=\S+|\.ci/run)"

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
RESTORE = (
    "rm -f /var/lib/modemd/modemd.db*",
    "install -o modemd -g modemd-db -m 660 /var/backups/modemd/COPY /var/lib/modemd/modemd.db",
)
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
    known = {*GIVEN, *RESTORE, *WITH_PACKAGES, API, *ELSEWHERE}
    assert {each for each in named() if not each.startswith(ELSEWHERE_BEGINS)} == known


def block(first: str, second: str = "") -> str:
    """The lines of README that begin with this one (and the next with that), as they are typed together."""
    begin = f"    {re.escape(first)}\n    {re.escape(second)}"
    (found,) = re.findall(rf"^{begin}.*\n(?:    .*\n)*", README, re.MULTILINE)
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


@pytest.mark.long
@pytest.mark.timeout(900)
def test_a_copy_is_put_back_as_readme_says_and_the_services_use_it(machine: BootedMachine) -> None:
    give_modems(machine)
    machine.run(MODEMD, "send", "+359888111001", "before", "--wait")
    machine.run("systemctl", "start", "modemd-backup.service")
    machine.run(MODEMD, "send", "+359888111001", "after", "--wait")
    machine.run("systemctl", "kill", "--signal=KILL", "modemd", "modemd-web")  # so that it leaves its -wal behind
    (copy,) = machine.path(steps.BACKUPS).iterdir()
    machine.shell(block("systemctl stop modemd modemd-web", RESTORE[0]).replace("COPY", copy.name))
    machine.until(lambda: machine.shown("modemd", "StatusText") == "2 of 2 modems ready")
    listed = machine.run(MODEMD, "messages", "--direction", "mt", "--json").splitlines()
    assert [json.loads(each)["text"] for each in listed] == ["before"]
    machine.run(MODEMD, "send", "+359888111001", "again", "--wait")
    told = machine.run(MODEMD, "sim-phone", "--dir", "/run/bank", "+359888111001", "--json").splitlines()
    assert [json.loads(each)["text"] for each in told] == ["before", "after", "again"]
    machine.until(lambda: machine.attempt("curl", "-sf", "http://127.0.0.1:8080/health/live").returncode == 0)


@pytest.mark.long
@pytest.mark.timeout(900)
@pytest.mark.parametrize(("name", "page"), [("portal", "portal/sign-in"), ("api", "api/v1/")])
def test_portal_and_api_are_served_by_units_of_their_own_at_the_sockets_that_readme_names(
    machine: BootedMachine, name: str, page: str
) -> None:
    (portal,) = re.findall(r'^    \[web\]\n    serve = \["portal"\]\n(?:    .*\n)+', README, re.MULTILINE)
    settings = re.sub(r"^    ", "", portal, flags=re.MULTILINE).replace("portal", name)
    machine.path(f"/etc/modemd/{name}.toml").write_text(f'[database]\nurl = "{steps.DATABASE}"\n{settings}')
    machine.run("systemctl", "enable", "--now", f"modemd-{name}")
    asked = ("curl", "-s", "-o", "/dev/null", "-w", "%{http_code}", "-H", "X-Forwarded-Proto: https")
    address = ("--unix-socket", f"/run/modemd-{name}/{name}.sock", f"http://localhost/{page}")
    machine.until(lambda: machine.attempt(*asked, *address).stdout == "200")
    assert machine.run("stat", "-c", "%U %a", f"/run/modemd-{name}") == "modemd-web 750\n"
