import asyncio

import pytest

from modemd.modem.turn import Turn


async def speak(turn: Turn, order: list[str], name: str, *, urgent: bool = False) -> None:
    await turn.take(urgent=urgent)
    order.append(name)
    await asyncio.sleep(0)
    turn.give()


async def test_the_turn_goes_to_the_first_and_to_the_urgent_before_the_others() -> None:
    turn, order = Turn(), []
    await turn.take(urgent=False)
    speakers = [
        asyncio.create_task(speak(turn, order, name, urgent=name.isupper())) for name in ("a", "b", "C", "d", "E")
    ]
    await asyncio.sleep(0)
    turn.give()
    await asyncio.gather(*speakers)
    assert order == ["C", "E", "a", "b", "d"]
    assert not turn.taken


async def test_one_who_gives_up_in_the_moment_that_the_turn_passes_is_cancelled_and_the_next_one_speaks() -> None:
    turn, order = Turn(), []
    await turn.take(urgent=False)
    first = asyncio.create_task(speak(turn, order, "first"))
    second = asyncio.create_task(speak(turn, order, "second"))
    await asyncio.sleep(0)
    first.cancel()
    turn.give()  # before the first has heard of it
    with pytest.raises(asyncio.CancelledError):
        await first
    await second
    assert order == ["second"]
    assert not turn.taken


@pytest.mark.parametrize("handed_over", [False, True])
async def test_one_who_gives_up_waiting_takes_nobody_s_turn(handed_over: bool) -> None:
    turn, order = Turn(), []
    await turn.take(urgent=False)
    first = asyncio.create_task(speak(turn, order, "first"))
    second = asyncio.create_task(speak(turn, order, "second"))
    await asyncio.sleep(0)
    if handed_over:
        turn.give()
    first.cancel()
    await asyncio.gather(first, return_exceptions=True)
    if not handed_over:
        turn.give()
    await second
    assert order == ["second"]
    assert not turn.taken
