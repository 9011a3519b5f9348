"""Rule 13, second half: one switch stops all sending, or all but answers. What is held waits for a person."""

import json
from collections.abc import Callable

from tests.flow.running import RunningService

ASKER = "+359888111001"
OTHER = "+359888111002"


def test_rule_13_the_switch_stops_everything_or_everything_but_answers(service: Callable[..., RunningService]) -> None:
    running = service(modems=2, bank_options=("--send-seconds", "0.1"))
    running.start_bank()
    running.give_customers({ASKER: ["300000000001"]})
    running.start_daemon()
    running.wait_until_ready()
    bulk = running.folder / "bulk.csv"
    bulk.write_text("to,text\n" + f"{OTHER},hello\n" * 120, encoding="utf-8")
    assert running.run("send", "-c", running.config, "--csv", bulk).returncode == 0
    running.until(lambda: len(running.submitted()) >= 5)

    assert running.run("sending", "none", "-c", running.config).returncode == 0
    left = len(running.submitted())
    running.until(lambda: running.messages(direction="mt", state="sending") == [])
    # the row of a message follows its parts a moment after they were sent
    running.until(lambda: 120 - len(running.messages(direction="mt", state="queued")) == len(running.submitted()))
    marked = len(running.submitted())
    assert marked <= left + 2, "more than each line had in the air"
    running.phones.text(ASKER, "smetka")
    running.until(lambda: running.messages(direction="mt", number=ASKER))
    assert json.loads(running.run("status", "-c", running.config, "--json").stdout)["sending"] == "none"
    assert "Nothing is sent" in running.run("status", "-c", running.config).stdout
    assert running.messages(direction="mt", number=ASKER)[0].state == "queued"
    assert len(running.submitted()) == marked

    assert running.run("sending", "answers", "-c", running.config).returncode == 0
    running.until(lambda: running.phones.phone(ASKER))
    running.answer_to(ASKER, "smetka")
    assert len(running.submitted()) == marked + 2

    assert running.run("sending", "all", "-c", running.config).returncode == 0
    running.until(lambda: len(running.submitted()) == 122)


def test_a_switched_off_bank_stays_off_when_the_daemon_is_killed(service: Callable[..., RunningService]) -> None:
    running = service(modems=1)
    running.start_bank()
    assert running.run("sending", "none", "-c", running.config).returncode == 0
    running.start_daemon()
    running.wait_until_ready()
    running.kill_daemon()
    assert running.run("send", "-c", running.config, OTHER, "hello").returncode == 0
    running.start_daemon()
    running.wait_until_ready()
    assert [row.state for row in running.messages(direction="mt")] == ["queued"]
    assert running.run("sending", "all", "-c", running.config).returncode == 0
    running.until(lambda: running.phones.phone(OTHER))


def test_what_is_held_is_listed_and_counted_and_decided_by_a_person(service: Callable[..., RunningService]) -> None:
    running = service(modems=1, settings="kinds.manual.in_doubt_seconds = 0.5\nbank.send_timeout = 0.5")
    running.start_bank()
    running.start_daemon()
    running.wait_until_ready()
    running.phones.fault("modem00", "report-missing:count=2")
    running.phones.fault("modem00", "answer-lost:count=2")
    ids = [running.run("send", "-c", running.config, OTHER, text).stdout.strip() for text in ("one", "two")]
    running.until(lambda: len(running.messages(state="held")) == 2)
    status = json.loads(running.run("status", "-c", running.config, "--json").stdout)
    assert status["outbox"]["held"] == 2
    listed = running.run("messages", "-c", running.config, "--state", "held", "--json").stdout.splitlines()
    assert [str(json.loads(line)["id"]) for line in listed] == ids

    assert running.run("doubt", "drop", ids[0], "-c", running.config).returncode == 0
    refused = running.run("doubt", "resend", ids[1], ids[0], "-c", running.config)
    assert (refused.returncode, f"message {ids[0]} is cancelled" in refused.stderr) == (1, True)
    assert running.run("doubt", "resend", ids[1], "-c", running.config).returncode == 0
    running.until(lambda: [row.state for row in running.messages()] == ["cancelled", "delivered"])
    assert [event["text"] for event in running.submitted()] == ["one", "two", "two"]


def test_a_bank_with_no_line_ready_is_an_alert_until_one_is(service: Callable[..., RunningService]) -> None:
    running = service(modems=1, bank_options=("--pin", "1234"))
    running.start_bank()
    running.start_daemon()

    def alerts() -> dict[str, str]:
        found = json.loads(running.run("status", "-c", running.config, "--json").stdout)["alerts"]
        return {alert["kind"]: alert["text"] for alert in found}

    running.until(lambda: "pin_file" in alerts().get("quarantined", ""))
    assert "! modem00: " in running.run("status", "-c", running.config).stdout
    assert running.stop_daemon() == 0
    (running.folder / "pin").write_text("1234\n")
    running.config.write_text(running.config.read_text() + f'\nbank.pin_file = "{running.folder}/pin"\n')
    running.start_daemon()
    running.wait_until_ready()
    running.until(lambda: alerts() == {})
