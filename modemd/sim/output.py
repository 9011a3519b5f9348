"""The modem's bytes on their way to the program, past the faults of the line."""

from collections.abc import Callable

from modemd.sim.affliction import Faults
from modemd.sim.clock import Clock


class Output:
    """What is said while one input is worked on leaves in one write."""

    def __init__(self, clock: Clock, faults: Faults) -> None:
        self._clock = clock
        self._faults = faults
        self._write: Callable[[bytes], None] = _nowhere
        self._pending: list[bytes] = []
        self._slow = bytearray()
        self._gathering = False

    def connect(self, write: Callable[[bytes], None]) -> None:
        self._write = write

    def disconnect(self) -> None:
        """The port is gone, and with it what was on its way."""
        self._write = _nowhere
        self._pending.clear()
        self._slow.clear()

    @property
    def gathering(self) -> bool:
        """Whether an input is being worked on."""
        return self._gathering

    def gather(self) -> None:
        self._gathering = True

    def release(self) -> None:
        self._gathering = False
        self._flush()

    def send(self, data: bytes) -> None:
        if self._faults:
            data = self._faults.output(data)
        if data:
            self._pending.append(data)
            if not self._gathering:
                self._flush()

    def _flush(self) -> None:
        if not self._pending:
            return
        data = b"".join(self._pending)
        self._pending.clear()
        pace = self._faults.seconds_a_byte() if self._faults else 0.0
        if not pace and not self._slow:
            self._write(data)
            return
        idle = not self._slow
        self._slow += data
        if idle:
            self._write_slowly(pace)

    def _write_slowly(self, pace: float) -> None:
        if not self._slow:
            return
        self._write(bytes(self._slow[:1]))
        del self._slow[:1]
        if self._slow:
            self._clock.call_later(pace, lambda: self._write_slowly(pace))


def _nowhere(_data: bytes) -> None:
    """Where a modem without a port writes."""
