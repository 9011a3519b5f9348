"""Lines: adopted at once or by a technician, moved from modem to modem, held to their quotas."""

import json
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

from modemd import config
from modemd.errors import SettingsError
from tests.flow.running import RunningService
from tests.simulated_bank import SimulatedBank

ASKER = "+359888111001"
OTHER = "+359888111002"


def lines_of(running: RunningService) -> dict[str, dict[str, Any]]:
    """By ICCID."""
    listed = running.run("line", "list", "-c", running.config, "--json")
    assert listed.returncode == 0, listed.stderr
    return {row["iccid"]: row for row in json.loads(listed.stdout)}


def queue(running: RunningService, count: int) -> None:
    bulk = running.folder / "bulk.csv"
    bulk.write_text("to,text\n" + f"{OTHER},hello\n" * count, encoding="utf-8")
    queued = running.run("send", "-c", running.config, "--csv", bulk)
    assert queued.returncode == 0, queued.stderr


def test_without_adoption_a_sim_takes_no_messages_and_records_what_comes_until_a_technician_adopts_it(
    service: Callable[..., RunningService],
) -> None:
    running = service(modems=1, settings="bank.adopt = false")
    running.start_bank()
    running.give_customers({ASKER: ["300000000001"]})
    running.start_daemon()
    running.wait_until_ready()
    (modem,) = running.overview()
    assert f"modemd line adopt {modem.name}" in (modem.reason or "")
    running.phones.text(ASKER, "smetka")
    queue(running, 1)
    running.until(lambda: [row.state for row in running.messages(direction="mo")] == ["done"])
    assert {row.state for row in running.messages(direction="mt")} == {"queued"}
    assert [row["state"] for row in lines_of(running).values()] == ["waits"]

    assert running.run("line", "adopt", modem.name, "-c", running.config).returncode == 0
    running.until(lambda: running.phones.phone(ASKER) and running.phones.phone(OTHER))
    assert [row["state"] for row in lines_of(running).values()] == ["adopted"]


def test_a_sim_in_another_modem_takes_its_name_history_and_quota_along(
    service: Callable[..., RunningService],
) -> None:
    running = service(modems=2, settings="bank.answer_reserve = 0")
    running.start_bank()
    running.start_daemon()
    running.wait_until_ready()
    names = {modem.iccid: modem.name for modem in running.overview()}
    first, second = (str(row["iccid"]) for row in running.phones.modems())
    assert running.run("line", "rename", names[first], "A1 first", "-c", running.config).returncode == 0
    assert running.run("line", "set", "A1 first", "--per-day", "3", "-c", running.config).returncode == 0
    assert running.run("line", "set", names[second], "--per-day", "2", "-c", running.config).returncode == 0
    running.until(lambda: "A1 first" in {modem.name for modem in running.overview()})
    queue(running, 5)
    running.until(lambda: len(running.submitted()) == 5)
    before = {iccid: (row["name"], row["sent_today"]) for iccid, row in lines_of(running).items()}
    assert {count for _, count in before.values()} == {3, 2}

    for here, there in (("modem00", "modem01"), ("modem01", "modem00")):
        running.phones.fault(here, f"unplug:seconds=2,port={there}")
    ports = {first: str(running.bank / "modem01"), second: str(running.bank / "modem00")}
    running.until(lambda: {m.iccid: m.port for m in running.overview() if m.state == "ready"} == ports)
    assert {iccid: (row["name"], row["sent_today"]) for iccid, row in lines_of(running).items()} == before
    queue(running, 1)
    running.phones.text(ASKER, "pomosht", "modem00")
    running.until(lambda: running.messages(direction="mt", number=ASKER))
    (answer,) = running.messages(direction="mt", number=ASKER)
    assert answer.state == "queued"  # whatever modem it is in, the SIM has sent what it may

    assert running.run("line", "set", "A1 first", "--per-day", "4", "-c", running.config).returncode == 0

    def sent() -> Counter[str | None]:
        return Counter(row.line for row in running.messages(direction="mt") if row.state in ("sent", "delivered"))

    running.until(lambda: sent().total() == 6)
    assert sent()["A1 first"] == 4


def test_quotas_hold_over_restarts_and_the_last_tenth_is_for_answers(service: Callable[..., RunningService]) -> None:
    running = service(modems=1)
    running.config.write_text(running.config.read_text().replace("bank.per_day = 0", "bank.per_day = 10"))
    running.start_bank()
    running.start_daemon()
    running.wait_until_ready()
    queue(running, 6)
    running.until(lambda: len(running.submitted()) == 6)
    running.kill_daemon()
    queue(running, 6)
    running.start_daemon()
    running.until(lambda: len(running.submitted()) == 9)
    running.answer_to(ASKER, "pomosht")
    assert len(running.submitted()) == 10
    assert running.stop_daemon() == 0
    running.start_daemon()
    running.wait_until_ready()
    assert running.run("status", "-c", running.config).returncode == 0
    assert len(running.submitted()) == 10


def test_a_preferred_line_sends_while_it_can_and_another_takes_over_when_it_is_full_or_gone(
    service: Callable[..., RunningService],
) -> None:
    running = service(modems=3, settings="bank.answer_reserve = 0")
    running.start_bank()
    running.start_daemon()
    running.wait_until_ready()
    preferred = next(modem for modem in running.overview() if modem.port.endswith("modem02"))
    limits = ("--prefixes", "+359888", "--per-day", "4", "-c", running.config)
    assert running.run("line", "set", preferred.name, *limits).returncode == 0
    for count in range(1, 5):
        queue(running, 1)
        running.until(lambda count=count: len(running.submitted()) == count)
    assert {event["modem"] for event in running.submitted()} == {"modem02"}
    queue(running, 2)  # it is full
    running.until(lambda: len(running.submitted()) == 6)
    assert "modem02" not in {event["modem"] for event in running.submitted()[4:]}
    assert running.run("line", "set", preferred.name, "--per-day", "0", "-c", running.config).returncode == 0
    running.phones.fault("modem02", "unplug:seconds=60")
    running.until(lambda: sum(modem.state == "ready" for modem in running.overview()) == 2)
    queue(running, 2)
    running.until(lambda: len(running.submitted()) == 8)


def test_two_live_modems_with_one_sim_are_told_apart(
    service: Callable[..., RunningService], simulated_bank: Callable[..., SimulatedBank]
) -> None:
    running = service(modems=1)
    twin = simulated_bank()  # the same seed: the same SIM
    ports = f'["{running.bank}/modem*"'
    running.config.write_text(running.config.read_text().replace(ports, f'{ports}, "{twin.port()}"'))
    running.start_bank()
    running.start_daemon()
    running.wait_until_ready(2)
    assert len({modem.line_id for modem in running.overview()}) == 2
    queue(running, 2)
    running.until(lambda: {row.state for row in running.messages(direction="mt")} <= {"sent", "delivered"})


@pytest.mark.parametrize("key", ["iccid", "imei", "port", "name"])
def test_settings_that_name_a_modem_twice_are_refused_and_say_what_to_mend(
    service: Callable[..., RunningService], key: str
) -> None:
    running = service()
    entry = f'\n[[line]]\nport = "%s"\n{key} = "same"\n' if key != "port" else '\n[[line]]\nport = "same"\n'
    twice = entry * 2 if key == "port" else entry % "one" + entry % "two"
    running.config.write_text(running.config.read_text() + twice)
    with pytest.raises(SettingsError, match=f"two .* entries have {key} = 'same'; keep one"):
        config.load(running.config)
    assert running.run("run", "-c", running.config).returncode == 1
