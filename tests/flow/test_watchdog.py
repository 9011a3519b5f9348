"""What systemd hears of a daemon from its start to its end."""

from collections.abc import Callable

import pytest

from tests.flow.running import RunningService
from tests.notified import Systemd


def test_the_daemon_tells_systemd_when_it_is_ready_how_it_is_and_that_it_stops(
    service: Callable[..., RunningService], systemd: Systemd, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WATCHDOG_USEC", "300000")
    running = service(modems=1)
    running.start_bank()
    running.start_daemon()
    told = [systemd.next()]
    while not told[-1].endswith("1 of 1 modems ready"):
        told.append(systemd.next())
    assert running.stop_daemon() == 0
    while told[-1] != "STOPPING=1":
        told.append(systemd.next())
    assert told[0] == "READY=1"
    assert all(each.startswith("WATCHDOG=1\nSTATUS=") for each in told[1:-1])
