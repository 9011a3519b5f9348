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
    free = [(0.0, seconds)] * LINES
    heapify(free)
    for _ in range(rounds * LINES):
        now, before = heappop(free)
        took = seconds * (random.uniform(0.8, 1.2) if random else 1.0)
        wait = max(0.0, stagger.begin_at(now, took, before) - now)
        yield wait
        heappush(free, (now + wait + took, took))


@pytest.mark.parametrize("seconds", [0.1, 2.0, 20.0])
def test_lines_that_begin_together_are_set_apart_once_and_for_all(seconds: float) -> None:
    first, second, third, *_, last = _in_rounds(waits(seconds, rounds=6))
    assert not any(first), "nobody knows yet whether their times vary"
    assert sum(1 for wait in second + third if wait) > LINES / 2
    assert max(second + third) < LINES * LONGEST
    assert max(last) < 1e-9


@pytest.mark.parametrize("seconds", [0.1, 0.2, 1.0])
def test_lines_whose_times_vary_do_not_wait(seconds: float) -> None:
    _, *others = _in_rounds(waits(seconds, rounds=100, random=Random(1)))
    assert not any(map(any, others))


def steady() -> Stagger:
    """One that knows lines whose parts take equally long, 100 a second, until 10.0."""
    stagger = Stagger()
    for number in range(1, 100):
        stagger.begin_at(9.0 + number * 0.01, 1.0, 1.0)
    return stagger


def test_a_long_part_among_equal_ones_changes_nothing() -> None:
    stagger = steady()
    stagger.begin_at(10.0, 3.0, 1.0)
    assert stagger.begin_at(10.0, 1.0, 1.0) > 10.0


def test_times_that_begin_to_vary_let_nobody_wait_any_more() -> None:
    stagger = steady()
    for _ in range(20):
        stagger.begin_at(10.0, 1.0, 1.2)
    assert stagger.begin_at(10.0, 1.0, 1.0) <= 10.0


@pytest.mark.parametrize("seconds", [0.001, 0.005, 0.01])
def test_for_modems_that_are_faster_than_we_are_nobody_waits_for_long(seconds: float) -> None:
    *_, last = _in_rounds(waits(seconds, rounds=20))
    assert not any(last)


def test_nobody_waits_for_most_of_what_a_part_takes() -> None:
    stagger = steady()
    assert max(stagger.begin_at(10.0, 0.006, 0.006) for _ in range(LINES)) <= 10.002


def test_where_we_set_the_pace_those_that_begin_together_are_left_so() -> None:
    """One commit for all of them is what makes us fast."""
    stagger = Stagger()
    bursts = [
        [stagger.begin_at(now, 0.006, 0.006) - now for _ in range(LINES)] for now in (0.006 * n for n in range(100))
    ]
    assert max(bursts[-1]) <= 0


def test_for_a_moment_nobody_waits() -> None:
    for behind, waits_ in ((LONGEST, False), (LONGEST - 0.0002, False), (LONGEST / 2, True)):
        stagger = steady()
        stagger.begin_at(10.0, 1.0, 1.0)
        assert (stagger.begin_at(10.0 + behind, 1.0, 1.0) > 10.0 + behind) == waits_


def test_many_lines_are_never_held_up_for_good() -> None:
    """However many there are, twice as many could begin."""
    stagger = Stagger()
    for number in range(1, 20_000):
        now = number * 0.0012
        behind = stagger.begin_at(now, 1.0, 1.0) - now
    assert behind <= 0


def _in_rounds(given: Iterator[float]) -> list[list[float]]:
    every = list(given)
    return [every[start : start + LINES] for start in range(0, len(every), LINES)]
