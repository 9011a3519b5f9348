"""Lines that begin together are set apart; those that do not, or that we hold up ourselves, do not wait.

A bank in a loop whose clock jumps from one timer to the next. A writer takes COMMIT for all that is there.
"""

import asyncio
import selectors
from collections.abc import Coroutine
from contextlib import closing
from random import Random
from statistics import mean
from typing import Any

import pytest

from modemd.stagger import APART, LONGEST, Stagger

LINES = 32
COMMIT = 0.0005


class Clock(selectors.SelectSelector):
    now = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        assert timeout is not None, "nothing is to come any more"
        self.now += timeout
        return super().select(0)


def play(scene: Coroutine[Any, Any, None]) -> None:
    clock = Clock()
    with closing(asyncio.SelectorEventLoop(clock)) as loop:
        loop.time = lambda: clock.now  # type: ignore[method-assign]
        loop.run_until_complete(scene)


class Bank:
    """Lines that are busy for so long with each part, all from 0.0 on; or ± 20 %."""

    def __init__(self, seconds: float, random: Random | None = None) -> None:
        self.stagger = Stagger()
        self.gaps: list[list[float]] = []  # of each line, from the end of a part to the next one's beginning
        self.waits: list[list[float]] = []  # of each line, until its turn
        self.begins: list[float] = []
        self._seconds = seconds
        self._random = random
        self._asked: list[asyncio.Future[None]] = []
        self._any = asyncio.Event()

    async def run(self, parts: int, *, set_out: bool = True) -> None:
        writing = asyncio.create_task(self._write())
        self.gaps, self.waits = [[] for _ in range(LINES)], [[] for _ in range(LINES)]
        await asyncio.gather(*(self._line(number, parts, set_out) for number in range(LINES)))
        writing.cancel()

    async def _line(self, number: int, parts: int, set_out: bool) -> None:
        loop = asyncio.get_running_loop()
        if set_out:
            await asyncio.sleep(self.stagger.start_at() - loop.time())
        self.begins.append(loop.time())
        before = 0.0
        for _ in range(parts):
            took = self._seconds * (self._random.uniform(0.8, 1.2) if self._random else 1.0)
            await asyncio.sleep(took)
            ended = loop.time()
            written: list[asyncio.Future[None]] = []

            def begin(written: list[asyncio.Future[None]] = written) -> asyncio.Future[None]:
                written.append(self.ask())
                return written[0]

            await self.stagger.turn(took, before or took, begin)
            self.waits[number].append(loop.time() - ended)
            await written[0]
            self.gaps[number].append(loop.time() - ended)
            before = took

    def ask(self) -> asyncio.Future[None]:
        self._any.set()
        self._asked.append(asyncio.get_running_loop().create_future())
        return self._asked[-1]

    async def _write(self) -> None:
        while await self._any.wait():
            self._any.clear()
            taken, self._asked = self._asked, []
            await asyncio.sleep(COMMIT)
            for each in taken:
                each.set_result(None)

    def last(self, given: list[list[float]], parts: int = 1) -> list[float]:
        return [value for of_line in given for value in of_line[-parts:]]


@pytest.mark.parametrize("seconds", [0.1, 2.0, 20.0])
def test_lines_that_have_been_idle_set_out_apart_and_never_wait(seconds: float) -> None:
    async def scene() -> None:
        bank = Bank(seconds)
        await bank.run(5)
        apart = [after - before for before, after in zip(bank.begins, bank.begins[1:], strict=False)]
        assert apart == pytest.approx([APART] * (LINES - 1))
        assert max(bank.last(bank.waits, 5)) < 1e-9

    play(scene())


def test_a_line_that_sets_out_long_after_the_others_does_not_wait() -> None:
    async def scene() -> None:
        stagger = Stagger()
        await asyncio.sleep(1.0)
        assert stagger.start_at() == 1.0
        await asyncio.sleep(2 * APART)
        assert stagger.start_at() == asyncio.get_running_loop().time()

    play(scene())


def test_lines_that_begin_together_come_apart_each_in_its_turn() -> None:
    async def scene() -> None:
        bank = Bank(0.1)
        await bank.run(4, set_out=False)
        assert max(gaps[0] for gaps in bank.gaps) >= (LINES - 1) * COMMIT
        assert max(bank.last(bank.gaps)) < 2 * COMMIT

    play(scene())


def test_lines_that_go_on_finding_others_in_their_way_are_set_apart_anew() -> None:
    """Their parts are a little longer or shorter each time, so that lines one turn apart meet again and again."""

    async def scene() -> None:
        bank = Bank(0.1, Slightly(1))
        await bank.run(60, set_out=False)
        assert mean(bank.last(bank.waits, 40)) < COMMIT / 10
        assert max(bank.last(bank.waits, 60)) < LINES * APART

    play(scene())


class Slightly(Random):
    def uniform(self, _a: float, _b: float) -> float:
        return self.gauss(1, 0.003)


def test_where_parts_end_one_upon_the_other_lines_set_out_no_further_apart() -> None:
    async def scene() -> None:
        bank = Bank(0.02)
        await bank.run(100)
        first, second = bank.stagger.start_at(), bank.stagger.start_at()
        assert second - first < APART / 2

    play(scene())


@pytest.mark.parametrize("seconds", [0.1, 0.2, 1.0])
def test_lines_whose_times_vary_do_not_wait(seconds: float) -> None:
    async def scene() -> None:
        bank = Bank(seconds, Random(1))
        await bank.run(100)
        assert not any(bank.last(bank.waits, 90))

    play(scene())


def test_a_long_part_among_equal_ones_changes_nothing() -> None:
    async def scene() -> None:
        bank = Bank(0.1)
        await bank.run(3)
        await bank.stagger.turn(0.3, 0.1, bank.ask)
        assert await _waits_for_another(bank)

    play(scene())


def test_times_that_begin_to_vary_let_nobody_wait_any_more() -> None:
    async def scene() -> None:
        bank = Bank(0.1)
        await bank.run(3)
        for _ in range(20):
            await bank.stagger.turn(1.0, 1.2, done)
        await bank.stagger.turn(1.0, 1.0, bank.ask)
        assert not await _waits_for_another(bank)

    play(scene())


@pytest.mark.parametrize("seconds", [0.001, 0.005, 0.01])
def test_where_we_set_the_pace_nobody_waits(seconds: float) -> None:
    """One commit for all of them is what makes us fast."""

    async def scene() -> None:
        bank = Bank(seconds)
        await bank.run(100)
        assert not any(bank.last(bank.waits))
        assert max(bank.last(bank.gaps)) <= 2 * COMMIT + 1e-9

    play(scene())


def test_one_that_cannot_begin_gives_its_turn_away() -> None:
    def cannot() -> asyncio.Future[None]:
        raise RuntimeError

    async def scene() -> None:
        bank = Bank(0.1)
        with pytest.raises(RuntimeError):
            await bank.stagger.turn(0.1, 0.1, cannot)
        assert not await _waits_for_another(bank)

    play(scene())


def test_while_nothing_gets_to_the_disk_nobody_waits_for_long() -> None:
    async def scene() -> None:
        loop, stagger = asyncio.get_running_loop(), Stagger()
        never = loop.create_future()
        waited: list[float] = []

        def begin() -> asyncio.Future[None]:
            waited.append(loop.time())
            return never

        await asyncio.gather(*(stagger.turn(0.1, 0.1, begin) for _ in range(3)))
        assert waited == pytest.approx([0.0, LONGEST, LONGEST])
        never.set_result(None)
        await asyncio.sleep(0)
        await stagger.turn(0.1, 0.1, begin)
        assert waited[-1] == pytest.approx(LONGEST)

    play(scene())


def test_one_that_is_called_off_while_it_waits_gives_its_turn_away() -> None:
    async def scene() -> None:
        bank = Bank(0.1)
        await bank.run(2)
        bank.stagger._found = 1.0
        bank.stagger.start_at()
        waiting = asyncio.create_task(bank.stagger.turn(0.1, 0.1, bank.ask))
        await asyncio.sleep(APART / 2)
        assert bank.stagger._turn.locked()
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
        assert not bank.stagger._turn.locked()

    play(scene())


def done() -> asyncio.Future[None]:
    written = asyncio.get_running_loop().create_future()
    written.set_result(None)
    return written


async def _waits_for_another(bank: Bank) -> bool:
    """Whether a line that asks now has to wait: what those before it have asked for is not written yet."""
    turn = asyncio.create_task(bank.stagger.turn(0.1, 0.1, bank.ask))
    done, _ = await asyncio.wait([turn], timeout=LONGEST / 2)
    turn.cancel()
    await asyncio.gather(turn, return_exceptions=True)
    return not done
