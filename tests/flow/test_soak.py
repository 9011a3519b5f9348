"""The long run: `kill -9` again and again while modems, SIMs and the network misbehave, all at once."""

from collections.abc import Callable

import pytest

from tests.flow.killing import Killing
from tests.flow.running import RunningService

# Every fault that passes by itself or with a restart; one with a PIN or PUK waits for a person.
FAULTS = (
    "silence:seconds=0.7",
    "no-prompt:count=1",
    "answer-lost:count=2",  # and, in the same cycle, no report that would settle what is in doubt
    "report-missing:count=5",
    "answer-late:count=2,seconds=0.7",
    "cms-error:count=3,code=38",
    "unplug:seconds=0.3",
    "unplug:seconds=0.3,when=submit",
    "unplug:seconds=0.3,port=modem{port}",
    "garbage:count=5",
    "byte-at-a-time:seconds=0.0005",
    "interleave:rate=0.5",
    "urc-storm:per_second=300,seconds=0.7",
    "duplicate:count=2",
    "report-late:count=5,seconds=1",
    "report-status:count=3,status=70",
    "sim-removed:seconds=0.5",
    "sim-full",
    "unregistered:seconds=0.5",
)


def endure(make: Callable[..., RunningService], kills: int) -> None:
    killing = Killing(make, kills, messages=60)

    def disturb(cycle: int) -> None:
        """Clear what lasts from the cycle before, then the next two faults, on one modem."""
        phones = killing.service.phones
        phones.fault("all", "none")
        modem = killing.chance.randrange(killing.service.modems)
        for turn in (2 * cycle, 2 * cycle + 1):
            phones.fault(f"modem{modem:02}", FAULTS[turn % len(FAULTS)].format(port=100 + cycle))

    killing.run(disturb)
    killing.check()


def test_a_kill_amid_each_fault_loses_nothing_and_repeats_nothing(service: Callable[..., RunningService]) -> None:
    endure(service, (len(FAULTS) + 1) // 2)


@pytest.mark.soak
@pytest.mark.timeout(3 * 3600)
def test_1000_kills_among_all_faults_lose_and_repeat_nothing(service: Callable[..., RunningService]) -> None:
    endure(service, 1000)
