"""Every command that README tells people to give is given here, or in the test that is named for it."""

import re
import shlex
from collections.abc import Callable
from pathlib import Path

import click
import pytest

from modemd.cli.main import cli
from tests.flow.running import RunningService

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
PHONE, CUSTOMER = "+359888111001", "300000000001"
DELIVER = "07915389080003f1040c9153891832547600006211328000000006f37699be0e03"

# What stands for something in README, and what is put there.
PLACEHOLDERS = {
    "modemd modem pause": "modemd modem pause gsm1",
    "modemd ussd NAME CODE": "modemd ussd gsm2 *100#",
    "modemd line adopt": "modemd line adopt gsm1",
    "modemd send TO TEXT": f"modemd send {PHONE} zdravey",
    "modemd send --csv FILE": "modemd send --csv many.csv",
    "modemd send -c modemd.toml +359888123456 Zdravey --wait": f"modemd send {PHONE} Zdravey --wait",
    "modemd send +359888123456 Zdravey --wait": f"modemd send {PHONE} Zdravey --wait",
    "modemd register PHONE CUSTOMER_NO...": f"modemd register +359888111002 {CUSTOMER}",
    "modemd customer find TERM": f"modemd customer find {CUSTOMER}",
    "modemd customer show": f"modemd customer show {CUSTOMER}",
    "modemd customer end PHONE": f"modemd customer end {PHONE}",
    "modemd token add": "modemd token add crm --scopes send,read",
    "modemd token add NAME --scopes send,read": "modemd token add billing --scopes send,read",
    "modemd user add NAME --role technician": "modemd user add ivan --role technician",
    "modemd db backup FOLDER": "modemd db backup copies",
    "modemd db backup /var/backups/modemd": "modemd db backup copies",
    "modemd explain TEXT": "modemd explain smetka",
    "modemd pdu decode HEX": f"modemd pdu decode {DELIVER}",
    "modemd pdu encode": f"modemd pdu encode --to {PHONE} --text zdravey",
    "modemd report --from DAY --to DAY": "modemd report --from 2026-11-01 --to 2026-11-30",
    "modemd plan": "modemd plan --recipients 6750 --modems 3",
    "modemd plan --recipients N --modems M": "modemd plan --recipients 6750 --modems 3",
}
# What needs another stage, and the test that gives it there.
ELSEWHERE = {
    "modemd bench": "test_bench_gives_one_json_value_and_nothing_else_on_stdout",
    "modemd demo --once": "test_demo_once_shows_the_first_exchange_and_ends",
    "modemd doctor -c /etc/modemd/portal.toml": "test_the_doctor_says_how_long_each_list_is_good",
    "modemd doubt drop 1": "test_what_is_held_is_listed_and_counted_and_decided_by_a_person",
    "modemd doubt resend": "test_what_is_held_is_listed_and_counted_and_decided_by_a_person",
    "modemd failed resend MESSAGE_ID...": "test_the_command_line_does_the_same",
    "modemd import PATH...": "test_a_customer_is_found_and_shown_with_masked_numbers",
    "modemd kep crl": "test_the_command_fetches_all_and_one_that_fails_keeps_no_other_back",
    "modemd outage announce --file POINTS --from T --to T": "test_an_outage_is_announced_and_called_off",
    "modemd run": "test_smetka_is_answered_with_the_bill",
    "modemd run -c modemd.toml": "test_smetka_is_answered_with_the_bill",
    "modemd setup": "test_an_empty_machine_gets_everything_that_the_services_need",
    "modemd setup --remove": "test_remove_leaves_settings_and_data",
    "modemd sim": "test_smetka_is_answered_with_the_bill",
    "modemd sim --dir bank --replay gsm1-20261123T100000Z.txt": (
        "test_what_failed_in_the_field_fails_again_and_costs_no_message"
    ),
    "modemd sim-load --scenario article": "test_the_report_gives_back_exactly_the_published_figures",
    "modemd sim-text": "test_demo_serves_the_panel_takes_texts_from_other_phones_and_leaves_no_process_at_ctrl_c",
    "modemd web": "test_demo_serves_the_panel_takes_texts_from_other_phones_and_leaves_no_process_at_ctrl_c",
}
LAST = ("modemd db copy --to URL", "modemd db copy --to postgresql+psycopg://modemd@db/modemd")  # with modemd stopped
UNWELL = ("doctor",)  # its exit status says how the machine is
NEEDS_NO_SETTINGS = ("explain", "pdu", "plan", "demo")


def named() -> list[str]:
    """Every command in README, as a shell would read it."""
    inline = re.findall(r"`(modemd [^`]+)`", README)
    blocks = re.findall(r"^(?:    |       )(modemd [^\n]+)$", README, re.MULTILINE)
    return sorted({shlex.join(shlex.split(each, comments=True)) for each in (*inline, *blocks)})


def test_every_command_of_readme_is_known_here() -> None:
    """One that is new is put into the tables above, or needs no word: then it is given as it stands."""
    known = {*PLACEHOLDERS, *ELSEWHERE, *LAST}
    assert known <= set(named()), "README does not tell it any more"
    strange = [each for each in set(named()) - known if re.search(r"\b[A-Z]{2,}\b|\.\.\.", each)]
    assert strange == []


@pytest.mark.parametrize("name", sorted(set(ELSEWHERE.values())))
def test_the_tests_that_give_the_others_exist(name: str) -> None:
    code = (path.read_text(encoding="utf-8") for path in (ROOT / "tests").rglob("test_*.py"))
    assert any(re.search(rf"^(?:async )?def {name}\b", each, re.MULTILINE) for each in code)


def subcommands() -> list[tuple[str, str]]:
    """(command, what follows it in its row of the table of daily commands): `modemd line list` · `adopt LINE...`."""
    found = []
    table = README.partition("## Daily commands")[2].partition("\n## ")[0]
    for row in re.findall(r"^\| (`modemd .*?) \|", table, re.MULTILINE):
        group = ""
        for words in re.findall(r"`([^`]+)`", row):
            first, *rest = words.split()
            if first == "modemd":
                group, first = rest[0], (rest[1] if len(rest) > 1 else "")
            if not first.startswith("--"):
                found.append((group, first))
    return found


def test_every_subcommand_of_the_table_exists() -> None:
    context = click.Context(cli)
    for group, name in subcommands():
        command = cli.get_command(context, group)
        assert command is not None, group
        inner = command.get_command(context, name) if isinstance(command, click.Group) else None
        words = {choice for each in command.params for choice in getattr(each.type, "choices", ())}
        other = cli.get_command(context, name)
        assert inner or other or name in words or not isinstance(command, click.Group), f"modemd {group} {name}"


@pytest.mark.long
def test_every_command_of_readme_does_what_it_says(
    service: Callable[..., RunningService], empty_database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    running = service(modems=2)
    monkeypatch.chdir(running.folder)
    (running.folder / "many.csv").write_text(f"to,text\n{PHONE},zdravey\n")
    running.start_bank()
    running.give_customers({PHONE: [CUSTOMER]})
    running.start_daemon()
    running.wait_until_ready()
    for each in named():
        if each not in ELSEWHERE and each not in LAST:
            give(running, PLACEHOLDERS.get(each, each))
            if each == "modemd sending none":
                give(running, "modemd sending all")
    assert running.stop_daemon() == 0
    give(running, f"modemd db copy --to {empty_database}")


def give(running: RunningService, command: str) -> None:
    _, *words = shlex.split(command)
    if "-c" in words:
        del words[words.index("-c") : words.index("-c") + 2]
    settings = () if words[0] in NEEDS_NO_SETTINGS else ("-c", str(running.config))
    done = running.run(*words, *settings)
    assert done.returncode == 0 or words[0] in UNWELL, f"{command}: {done.stderr}"
    assert "Traceback" not in done.stderr
