"""What a fault is, and how a modem asks its faults."""

from dataclasses import dataclass, field
from random import Random
from typing import ClassVar, Protocol

from modemd.sim.clock import Clock


class Afflicted(Protocol):
    """What a fault may do to a modem."""

    clock: Clock
    random: Random

    def urc(self, *lines: str) -> None: ...

    def unplug(self, seconds: float, name: str = "") -> None:
        """Hang up; come back after that time, under another port name if one is given."""
        ...

    def lock(self, pin: str | None, tries: int) -> None:
        """Restart the SIM with this PIN (None: it asks for none) and so many tries left; 0: it wants its PUK."""
        ...

    def pull_card(self, seconds: float) -> None: ...

    def lose_network(self, seconds: float) -> None: ...

    def fill(self, storage: str) -> None: ...


@dataclass
class Fault:
    """Strikes with probability `rate`, after the first `after` times, `count` times in all (0: until it is cleared)."""

    name: ClassVar[str] = ""

    rate: float = 1.0
    count: int = 0
    after: int = 0
    _struck: int = field(default=0, init=False, repr=False)
    _random: Random = field(default_factory=Random, init=False, repr=False)

    def begin(self, modem: Afflicted) -> None:
        """Called once, when the modem gets this fault."""
        self._random = modem.random

    def end(self) -> None:
        """Called once, when it is cleared."""

    @property
    def spent(self) -> bool:
        return 0 < self.count <= self._struck

    def strikes(self) -> bool:
        """Whether it happens this time; counts."""
        if self.after > 0:
            self.after -= 1
            return False
        if self.spent or (self.rate < 1.0 and self._random.random() >= self.rate):
            return False
        self._struck += 1
        return True

    # where a modem asks

    def output(self, data: bytes) -> bytes:
        """What becomes of bytes on their way to the program."""
        return data

    def seconds_a_byte(self) -> float:
        return 0.0

    def echoes(self) -> bool:
        """Whether the modem echoes whatever ATE said."""
        return False

    def loses_prompt(self) -> bool:
        return False

    def refusal(self) -> int | None:
        """The CMS error with which a part is refused before the network takes it."""
        return None

    def submitted(self, reference: int) -> None:
        """The network has just taken a part with this TP-MR; the modem has not answered yet."""

    def answer_delay(self) -> float:
        """How late the answer to Ctrl-Z is, in seconds; infinite: it never comes."""
        return 0.0

    def copies(self) -> int:
        return 1

    def shuffles(self) -> bool:
        """Whether the parts of a long message come in another order."""
        return False

    def report_delay(self) -> float:
        return 0.0

    def report_status(self) -> int | None:
        return None

    def signal(self) -> int | None:
        """The <rssi> that the modem shows instead of its own."""
        return None

    def clock_error(self) -> float:
        """Seconds that the modem's clock is ahead."""
        return 0.0

    def knows_service_centre(self) -> bool:
        return True


class Faults:
    """The faults of one modem, asked together; those that are spent drop out."""

    def __init__(self, modem: Afflicted) -> None:
        self._modem = modem
        self._active: list[Fault] = []

    def add(self, fault: Fault) -> None:
        fault.begin(self._modem)
        self._active.append(fault)

    def clear(self) -> None:
        while self._active:
            self._active.pop().end()

    def __bool__(self) -> bool:
        return bool(self._active)

    def active(self) -> list[Fault]:
        self._active = [fault for fault in self._active if not fault.spent]
        return self._active

    def output(self, data: bytes) -> bytes:
        for fault in self.active():
            data = fault.output(data)
        return data

    def seconds_a_byte(self) -> float:
        return max((fault.seconds_a_byte() for fault in self.active()), default=0.0)

    def echoes(self) -> bool:
        return any(fault.echoes() for fault in self.active())

    def lose_prompt(self) -> bool:
        return any(fault.loses_prompt() for fault in self.active())

    def refusal(self) -> int | None:
        return next((code for fault in self.active() if (code := fault.refusal()) is not None), None)

    def submitted(self, reference: int) -> None:
        for fault in self.active():
            fault.submitted(reference)

    def answer_delay(self) -> float:
        return sum(fault.answer_delay() for fault in self.active())

    def copies(self) -> int:
        return max((fault.copies() for fault in self.active()), default=1)

    def shuffles(self) -> bool:
        return any(fault.shuffles() for fault in self.active())

    def report_delay(self) -> float:
        return sum(fault.report_delay() for fault in self.active())

    def report_status(self) -> int | None:
        return next((status for fault in self.active() if (status := fault.report_status()) is not None), None)

    def signal(self) -> int | None:
        return next((rssi for fault in self.active() if (rssi := fault.signal()) is not None), None)

    def clock_error(self) -> float:
        return sum(fault.clock_error() for fault in self.active())

    def know_service_centre(self) -> bool:
        return all(fault.knows_service_centre() for fault in self.active())
