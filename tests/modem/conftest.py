"""Coroutine tests in a loop whose clock jumps over waiting: when no byte comes, the next timer is due at once.

It stands while a thread opens or closes a port, however long a busy machine takes for that.
"""

import asyncio
import inspect
import selectors
import threading
import time

import pytest

GRACE_SECONDS = 0.05  # for bytes on their way through the kernel, before nothing counts as nothing


class _Selector(selectors.EpollSelector):
    skipped = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is None or timeout <= GRACE_SECONDS:
            return super().select(timeout)
        events = super().select(GRACE_SECONDS)
        if not events and not any(thread.name == "port" for thread in threading.enumerate()):
            self.skipped += timeout - GRACE_SECONDS
        return events


def _loop() -> asyncio.AbstractEventLoop:
    selector = _Selector()
    loop = asyncio.SelectorEventLoop(selector)
    loop.time = lambda: time.monotonic() + selector.skipped  # type: ignore[method-assign]
    return loop


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    if not inspect.iscoroutinefunction(pyfuncitem.obj):
        return None
    wanted = inspect.signature(pyfuncitem.obj).parameters
    arguments = {name: value for name, value in pyfuncitem.funcargs.items() if name in wanted}
    with asyncio.Runner(loop_factory=_loop) as runner:
        runner.run(_leaving_nothing(pyfuncitem.obj(**arguments)))
    return True


async def _leaving_nothing(test: "asyncio.coroutines.Coroutine[None, None, None]") -> None:
    """A task that outlives its test fails it."""
    await test
    await asyncio.sleep(0)
    left = asyncio.all_tasks() - {asyncio.current_task()}
    assert not left, f"left running: {left}"
