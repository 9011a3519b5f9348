"""A technician's wishes are obeyed by the daemon, and a modem is the same one wherever it is plugged in."""

import subprocess
from collections.abc import Callable

import pytest

from tests.flow.running import RunningService

Make = Callable[..., RunningService]


@pytest.fixture
def running(service: Make) -> RunningService:
    made = service(modems=2)
    made.start_bank()
    made.start_daemon()
    made.wait_until_ready()
    return made


def wish(service: RunningService, *arguments: str) -> subprocess.CompletedProcess[str]:
    return service.run(*arguments, "-c", service.config)


def states(service: RunningService) -> dict[str, str]:
    return {modem.port.rpartition("/")[2]: modem.state for modem in service.overview()}


def test_a_paused_modem_sends_nothing_until_it_is_resumed_also_over_a_restart(running: RunningService) -> None:
    assert wish(running, "modem", "pause", "modem00").stdout == "paused\n"
    running.stop_daemon()
    running.start_daemon()
    running.until(lambda: states(running) == {"modem00": "paused", "modem01": "ready"})
    for index in range(4):
        assert wish(running, "send", f"+35988811100{index}", "zdravey", "--wait").returncode == 0
    assert {event["modem"] for event in running.submitted()} == {"modem01"}
    assert wish(running, "modem", "resume", "modem00").stdout == "ready\n"


def test_a_modem_is_restarted_and_reset(running: RunningService) -> None:
    for verb in ("restart", "reset"):
        done = wish(running, "modem", verb, "modem01")
        assert (done.returncode, done.stdout) == (0, "ready\n"), done.stderr
    found = running.run("modem", "recovery", "-c", running.config, "--json").stdout
    assert '"rung": "soft reset", "tries": 1, "successes": 1' in found


def test_a_ussd_code_is_answered_by_the_operator(running: RunningService) -> None:
    answered = wish(running, "ussd", "modem00", "*100#")
    assert answered.returncode == 0, answered.stderr
    assert "EUR" in answered.stdout


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("modem", "pause", "modem77"), "none has it"),
        (("ussd", "modem00", 'AT"'), "digits, * and #"),
    ],
)
def test_what_cannot_be_done_is_refused_in_words(
    running: RunningService, arguments: tuple[str, ...], words: str
) -> None:
    refused = wish(running, *arguments)
    assert refused.returncode == 1
    assert words in refused.stderr


def test_without_a_daemon_nobody_obeys(running: RunningService) -> None:
    running.stop_daemon()
    refused = wish(running, "modem", "restart", "modem00")
    assert refused.returncode == 1
    assert "is not running" in refused.stderr


def test_a_modem_that_returns_under_another_name_keeps_its_row_and_its_line(running: RunningService) -> None:
    before = {modem.imei: modem for modem in running.overview()}
    fault = running.run("sim-fault", "--dir", running.bank, "modem00", "unplug:seconds=1,port=modem09")
    assert fault.returncode == 0, fault.stderr
    running.until(lambda: states(running) == {"modem09": "ready", "modem01": "ready"})
    after = {modem.imei: modem for modem in running.overview()}
    assert after.keys() == before.keys()
    assert {modem.line_id for modem in after.values()} == {modem.line_id for modem in before.values()}
