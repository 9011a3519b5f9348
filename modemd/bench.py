"""This machine's figures against the simulated bank, as the simulated modems see them: `modemd bench`."""

import math
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

from modemd.rig import Rig
from modemd.store.switch import Allowed

MODEMS = (1, 8, 32, 64)
SEND_SECONDS = (0.0, 0.1, 2.0)
CAMPAIGN_SECONDS = 20.0  # of sending, where the modems set the pace
AT_ONCE = (3000, 20_000)  # messages for modems that answer at once: for each modem, at most
ROUNDS = 6  # a modem sends at least so many
QUESTIONS = 10
SETTLE_SECONDS = 1.0  # after the start, before it counts as idle
IDLE_SECONDS = 5
START_SECONDS = 10.0  # to begin and to end; a guess, for the forecast
LOOK_SECONDS = 0.1
PATIENCE_SECONDS = 10.0  # for a queue that does not move
NEVER = 86_400.0  # s to the status report: after the end

Say = Callable[[str, float, float], None]  # what, done, total


@dataclass(frozen=True, slots=True)
class Case:
    """One measurement. Times in seconds."""

    modems: int
    messages: int
    send_seconds: float  # from Ctrl-Z to +CMGS
    jitter: float  # 0.2: that time varies by ± 20 %
    questions: int = QUESTIONS  # one a second; once while idle and once under load
    burst: int = 0  # questions to each modem at once
    queue: int = 0  # messages that wait from the start; then nothing else is measured
    report_seconds: float = NEVER  # to the status report
    hosts: int = 1  # that share the modems

    @property
    def forecast(self) -> float:
        """About how long it takes."""
        campaign = max(self.messages / self.modems * self.send_seconds, self.messages / 2000)
        if self.queue:
            return START_SECONDS + self.queue / 10_000 + campaign
        burst = self.burst * max(self.send_seconds, self.modems / 300)
        return START_SECONDS + IDLE_SECONDS + 2 * self.questions + campaign + burst


@dataclass(frozen=True, slots=True)
class Parts:
    """When one modem was handed its parts and when it answered, in order; seconds."""

    handed_over: Sequence[float]
    answered: Sequence[float]


@dataclass(frozen=True, slots=True)
class Percentiles:
    p50: float
    p95: float


@dataclass(frozen=True, slots=True)
class Burst:
    questions: int
    answered: int
    per_second: float


@dataclass(frozen=True, slots=True)
class Figures:
    """What a case gave. None: not measured, or not measurable."""

    database: str
    case: Case
    messages_per_second: float
    transmitting: float | None  # share of the time, all modems together; None for modems that answer at once
    gap_ms: Percentiles | None  # from +CMGS to the next Ctrl-Z
    cpu_ms_per_message: float  # of the daemon, storage included
    idle_cpu_percent: float | None
    answer_idle_ms: Percentiles | None  # from +CMTI to Ctrl-Z
    answer_loaded_ms: Percentiles | None
    burst: Burst | None
    peak_memory_mb: float


def matrix(modems: Sequence[int], send_seconds: Sequence[float], messages: int | None, **options: Any) -> list[Case]:
    """A case for each pair; `messages` None: so many that each takes a bounded time."""
    queue = options.get("queue", 0)
    return [
        Case(count, messages or min(default_messages(count, seconds), queue or sys.maxsize), seconds, **options)
        for seconds in send_seconds
        for count in modems
    ]


def default_messages(modems: int, send_seconds: float) -> int:
    """So many that a campaign takes about CAMPAIGN_SECONDS."""
    if send_seconds == 0:
        return min(AT_ONCE[0] * modems, AT_ONCE[1])
    return modems * max(ROUNDS, math.ceil(CAMPAIGN_SECONDS / send_seconds))


def run(case: Case, url: str | None, say: Say) -> Figures:
    """Measure one case on SQLite in a temporary folder, or in a schema of its own at `url`. Raises BenchFailed."""
    with tempfile.TemporaryDirectory(prefix="modemd-bench-") as temporary:
        rig = Rig(Path(temporary), url, case.modems, case.hosts)
        with rig.prepared():
            return _Session(rig, case, say).measure()


class _Session:
    """The phases of one case, in order."""

    def __init__(self, rig: Rig, case: Case, say: Say) -> None:
        self._rig = rig
        self._case = case
        self._say = say
        self._random = Random(1)  # noqa: S311 -- moments of questions, the same in every run
        self._phones = [f"+35988{number:07}" for number in range(2 * case.questions + case.burst * case.modems)]
        self._unused = iter(self._phones)  # each asks once, so that none meets its limit

    def measure(self) -> Figures:
        case = self._case
        if case.queue:
            self._say("queueing", 0, 1)
            self._rig.enqueue(case.queue)
            self._rig.allow(Allowed.NONE)  # until everything is measured
        else:
            self._rig.register(self._phones)
        self._say("starting", 0, 1)
        self._rig.start(case.send_seconds, case.jitter, case.report_seconds)
        idle_cpu, idle = (None, None) if case.queue else self._idle()
        parts, rate, cpu_seconds = self._campaign()
        return Figures(
            database=self._rig.engine.dialect.name,
            case=case,
            messages_per_second=rate,
            transmitting=transmitting(parts, case.modems) if case.send_seconds else None,
            gap_ms=percentiles(gaps(parts)),
            cpu_ms_per_message=1000 * cpu_seconds,
            idle_cpu_percent=idle_cpu,
            answer_idle_ms=idle,
            answer_loaded_ms=None if case.queue else self._under_load(rate),
            burst=self._burst() if case.burst and not case.queue else None,
            peak_memory_mb=self._rig.usage().peak_bytes / 1e6,
        )

    def _idle(self) -> tuple[float, Percentiles | None]:
        """CPU per cent with nothing to do, and the answers to one question a second."""
        time.sleep(SETTLE_SECONDS)
        before, began = self._rig.usage(), time.monotonic()
        for done in range(IDLE_SECONDS):
            self._say("idle", done, IDLE_SECONDS)
            time.sleep(1.0)
        used = (self._rig.usage().cpu_seconds - before.cpu_seconds) / (time.monotonic() - began)
        return 100 * used, self._ask("questions while idle")

    def _campaign(self) -> tuple[list[Parts], float, float]:
        """The parts, how many left in a second, and the CPU seconds that each took."""
        case, bank = self._case, self._rig.bank
        bank.measure()
        before = self._rig.usage()
        if case.queue:
            self._rig.allow(Allowed.ALL)
        else:
            self._rig.enqueue(case.messages)
        while (taken := bank.taken()) < case.messages:
            self._pause("campaign", taken, case.messages)
        if not case.queue:
            self._drain("campaign")
        used = self._rig.usage().cpu_seconds - before.cpu_seconds
        parts = parts_of(bank.measured())
        sent = sum(len(each.answered) for each in parts)
        seconds = max(each.answered[-1] for each in parts) - min(each.handed_over[0] for each in parts)
        return parts, sent / seconds, used / sent

    def _under_load(self, rate: float) -> Percentiles | None:
        """The same questions during a campaign that lasts as long as they do."""
        self._rig.enqueue(math.ceil(rate * self._case.questions))
        return self._ask("questions under load")

    def _ask(self, what: str) -> Percentiles | None:
        """One question a second, each at another moment of its second; from +CMTI to Ctrl-Z."""
        self._rig.bank.measure()
        for asked in range(self._case.questions):
            self._say(what, asked, self._case.questions)
            began = time.monotonic()
            time.sleep(self._random.uniform(0, 0.9))
            self._rig.bank.text(next(self._unused), "smetka")
            time.sleep(max(0.0, began + 1 - time.monotonic()))
        self._drain(what)
        return percentiles([done - asked for asked, done in self._rig.bank.measured()["answers"]])

    def _burst(self) -> Burst:
        """So many questions to each modem at once; ends when all are answered or nothing comes any more."""
        case, bank = self._case, self._rig.bank
        bank.measure()
        for index, phone in enumerate(self._unused):
            bank.text(phone, "smetka", f"modem{index % case.modems:02}")
        self._drain("burst of questions")
        answers = bank.measured()["answers"]
        seconds = max(done for _, done in answers) - min(asked for asked, _ in answers) + case.send_seconds
        return Burst(case.burst * case.modems, len(answers), len(answers) / seconds)

    def _drain(self, what: str) -> None:
        """Until every question is answered and the database knows what has left, or nothing moves any more."""
        moved, last = time.monotonic(), (-1, -1)
        while (left := (self._rig.waiting(), self._rig.bank.unanswered())) != (0, 0):
            if left != last:
                moved, last = time.monotonic(), left
            if time.monotonic() - moved > PATIENCE_SECONDS + 2 * self._case.send_seconds:
                return
            self._pause(f"{what}: {sum(left)} left", 1, 1)

    def _pause(self, what: str, done: float, total: float) -> None:
        self._say(what, done, total)
        self._rig.check()
        time.sleep(LOOK_SECONDS)


# what the times say


def parts_of(measured: Mapping[str, Any]) -> list[Parts]:
    """The parts of each modem that sent any, from `Times.measured`."""
    return [Parts(**times) for times in measured["modems"].values() if times["answered"]]


def gaps(parts: Iterable[Parts]) -> list[float]:
    """From each +CMGS to the Ctrl-Z that follows on the same modem, in seconds."""
    return [
        after - before for each in parts for before, after in zip(each.answered, each.handed_over[1:], strict=False)
    ]


def transmitting(parts: Sequence[Parts], modems: int) -> float:
    """The share of the time between Ctrl-Z and +CMGS, while there was something to send for every modem.

    Counted from the moment when every modem has begun until fewer messages are left than two for each modem.
    """
    begun = max(each.handed_over[0] for each in parts)
    in_order = sorted(time for each in parts for time in each.handed_over)
    ended = in_order[max(0, len(in_order) - 2 * modems)]
    if ended <= begun:
        return math.nan
    busy = sum(
        max(0.0, min(after, ended) - max(before, begun))
        for each in parts
        for before, after in zip(each.handed_over, each.answered, strict=False)
    )
    return busy / (modems * (ended - begun))


def percentiles(seconds: Sequence[float]) -> Percentiles | None:
    """In milliseconds; None of nothing."""
    if not seconds:
        return None
    ordered = sorted(seconds)
    return Percentiles(*(1000 * ordered[math.ceil(share * len(ordered)) - 1] for share in (0.5, 0.95)))
