"""Lines that begin together are set apart; those that do not, or that we hold up ourselves, hardly ever wait for it."""

from collections.abc import Iterator
from heapq import heapify, heappop, heappush
from random import Random

import pytest

from modemd.stagger import LONGEST, Stagger

LINES = 32


def waits(seconds: float, rounds: int, random: Random | None = None) -> Iterator[float]:
    """How long each part had to wait: lines that are busy for so long with each, all from 0.0 on; or ± 20 %."""
    stagger = Stagger()
    free = [0.0] * LINES
    heapify(free)
    for _ in range(rounds * LINES):
        now = heappop(free)
        took = seconds * (random.uniform(0.8, 1.2) if random else 1.0)
        wait = max(0.0, stagger.begin_at(now, took) - now)
        yield wait
        heappush(free, now + wait + took)


@pytest.mark.parametrize("seconds", [0.1, 2.0, 20.0])
def test_lines_that_begin_together_are_set_apart_once_and_for_all(seconds: float) -> None:
    first, second, *_, last = _in_rounds(waits(seconds, rounds=6))
    assert sum(1 for wait in first if wait) > LINES / 2
    assert max(first + second) < LINES * LONGEST
    assert max(last) < 1e-9


@pytest.mark.parametrize("seconds", [0.1, 0.2, 1.0])
def test_lines_whose_times_vary_hardly_wait(seconds: float) -> None:
    given = list(waits(seconds, rounds=100, random=Random(1)))
    steady = given[len(given) // 5 :]
    assert sum(steady) / len(steady) < 0.15 * LONGEST


@pytest.mark.parametrize("seconds", [0.001, 0.005, 0.01])
def test_modems_that_are_faster_than_we_are_never_wait_long_and_soon_not_at_all(seconds: float) -> None:
    first, *_, last = _in_rounds(waits(seconds, rounds=50))
    assert max(first) <= seconds / 3
    assert not any(last)


def test_where_we_set_the_pace_those_that_begin_together_are_left_so() -> None:
    """One commit for all of them is what makes us fast."""
    stagger = Stagger()
    bursts = [[stagger.begin_at(now, 0.006) - now for _ in range(LINES)] for now in (0.006 * n for n in range(100))]
    assert max(bursts[-1]) <= 0


def test_two_that_begin_together_both_begin_at_once() -> None:
    stagger = Stagger()
    assert [stagger.begin_at(10.0, 1.0) <= 10.0 for _ in range(2)] == [True, True]


def test_many_lines_are_never_held_up_for_good() -> None:
    """However many there are, twice as many could begin."""
    stagger = Stagger()
    for number in range(1, 20_000):
        now = number * 0.0007
        behind = stagger.begin_at(now, 1.0) - now
    assert behind <= 0


def _in_rounds(given: Iterator[float]) -> list[list[float]]:
    every = list(given)
    return [every[start : start + LINES] for start in range(0, len(every), LINES)]
