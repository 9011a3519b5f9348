"""The first exchange on every simulated model: receive, answer, status report, a long message both ways."""

import json
from collections.abc import Callable

from modemd.sim import models
from tests.flow.running import RunningService

LONG_QUESTION = "Добър ден, бих искал да науча колко дължа за моята smetka, благодаря много предварително!"
LONG_TEXT = "Здравейте! " * 10 + "край"
WITHOUT_REPORTS = {"terse"}


def test_every_model_receives_answers_reports_and_carries_long_messages(
    service: Callable[..., RunningService],
) -> None:
    names = list(models.MODELS)
    running = service(modems=len(names), bank_options=("--model", "every", "--report-seconds", "0.2"))
    askers = {f"modem{index:02}": f"+3598881110{index:02}" for index in range(len(names))}
    running.start_bank()
    running.give_customers({phone: [f"3000000000{index:02}"] for index, phone in enumerate(askers.values())})
    running.start_daemon()
    running.wait_until_ready()
    model_of = {modem["name"]: modem["model"] for modem in running.phones.modems()}
    assert list(model_of.values()) == names
    _status_says_which_are_unverified(running)

    for modem, phone in askers.items():
        running.phones.text(phone, LONG_QUESTION, modem)
    running.until(lambda: all(len(running.phones.phone(phone)) == 1 for phone in askers.values()))
    answered_by = {event["to"]: event["modem"] for event in running.submitted()}
    assert answered_by == {phone: modem for modem, phone in askers.items()}  # rule 8

    queue = running.folder / "queue.csv"
    queue.write_text("to,text\n" + f"+359888222001,{LONG_TEXT}\n" * len(names), encoding="utf-8")
    assert running.run("send", "-c", running.config, "--csv", queue).returncode == 0
    running.until(lambda: len(running.phones.phone("+359888222001")) == len(names))
    assert {shown["text"] for shown in running.phones.phone("+359888222001")} == {LONG_TEXT}
    assert all(row.parts == 2 for row in running.messages(direction="mo"))

    silent = {phone for modem, phone in askers.items() if model_of[modem] in WITHOUT_REPORTS}
    replies = [row for row in running.messages(direction="mt") if row.kind == "reply" and row.number not in silent]
    assert len(replies) == len(names) - len(silent)
    ours = {row.id for row in replies}
    running.until(lambda: all(row.state == "delivered" for row in running.messages(direction="mt") if row.id in ours))


def _status_says_which_are_unverified(running: RunningService) -> None:
    status = json.loads(running.run("status", "-c", running.config, "--json").stdout)
    doubted = {modem["model"] for modem in status["modems"] if modem["model_doubt"]}
    assert doubted == {"Standard", "Terse", "Echoing", "MF626", "MC7455"}
    shown = running.run("status", "-c", running.config).stdout
    assert "MF626: an unverified model: how MF sticks tell the ICCID" in shown
    assert "Standard: an unverified model: no manual or transcript of it was read" in shown
