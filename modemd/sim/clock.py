"""Where the simulated bank takes its time from, so that a test can bring its own."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Protocol
from zoneinfo import ZoneInfo

LOCAL = ZoneInfo("Europe/Sofia")  # of time stamps; modemd.config would bring pydantic into every simulator


class Timer(Protocol):
    def cancel(self) -> None: ...


class Clock(Protocol):
    def now(self) -> datetime:
        """The time of day, aware, in UTC."""
        ...

    def seconds(self) -> float:
        """A count that only grows, for measuring."""
        ...

    def call_later(self, seconds: float, callback: Callable[[], object]) -> Timer: ...


class LoopClock:
    """The time of the running event loop."""

    def __init__(self) -> None:
        loop = asyncio.get_running_loop()
        self.seconds = loop.time
        self.call_later: Callable[[float, Callable[[], object]], Timer] = loop.call_later

    def now(self) -> datetime:
        return datetime.now(UTC)
