"""The long run: `kill -9` again and again while modems, SIMs and the network misbehave, all at once."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from modemd.sim import faults
from tests.flow.killing import Killing
from tests.flow.running import RunningService

# Every fault there is. What waits for a person, as a PUK does, is cleared with the cycle.
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
    "reboot:seconds=0.3",
    "reboot:seconds=0.3,when=body",
    "wrap-hang:at={reference},seconds=0.7",
    "echo-on",
    "garbage:count=5",
    "byte-at-a-time:seconds=0.0005",
    "interleave:rate=0.5",
    "urc-storm:per_second=300,seconds=0.7",
    "duplicate:count=2",
    "out-of-order",
    "report-late:count=5,seconds=1",
    "report-status:count=3,status=70",
    "sim-removed:seconds=0.5",
    "sim-full",
    "sim-pin:pin=1234",
    "sim-puk",
    "unregistered:seconds=0.5",
    "weak-signal",
    "clock-off",
    "no-service-centre",
)


def endure(killing: Killing, first: int = 0) -> None:
    """All its kills amid the faults, from the one at `first` on."""

    def disturb(cycle: int) -> None:
        """Clear what lasts from the cycle before, then the next two faults, on one modem."""
        phones = killing.service.phones
        phones.fault("all", "none")
        modem = killing.chance.randrange(killing.service.modems)
        for turn in (2 * cycle, 2 * cycle + 1):
            fault = FAULTS[(first + turn) % len(FAULTS)]
            phones.fault(f"modem{modem:02}", fault.format(port=100 + cycle, reference=killing.chance.randrange(256)))

    killing.run(disturb)
    killing.check()


def test_every_fault_of_the_simulator_is_among_these() -> None:
    assert {fault.partition(":")[0] for fault in FAULTS} == set(faults.NAMES)


@pytest.mark.long
def test_a_kill_amid_each_fault_loses_nothing_and_repeats_nothing(service: Callable[..., RunningService]) -> None:
    endure(Killing(service, (len(FAULTS) + 1) // 2, messages=60))


@pytest.mark.soak
@pytest.mark.timeout(3 * 3600)
def test_1000_kills_among_all_faults_lose_and_repeat_nothing(service: Callable[..., RunningService]) -> None:
    """Two services side by side, one for each processor."""
    killings = [Killing(service, 500, messages=60) for _ in range(2)]
    with ThreadPoolExecutor() as pool:
        halves = [pool.submit(endure, *half) for half in zip(killings, (0, len(FAULTS) // 2), strict=True)]
    for half in halves:
        half.result()
