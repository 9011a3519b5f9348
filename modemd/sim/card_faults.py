"""What goes wrong with the SIM and its network."""

from dataclasses import dataclass, field

from modemd.sim.affliction import Afflicted, Fault
from modemd.sim.card import PIN_TRIES


@dataclass
class SimPin(Fault):
    """The SIM restarts and asks for this PIN; `tries` are left. It asks for none any more when the fault is cleared."""

    name = "sim-pin"

    pin: str = "1234"
    tries: int = 3
    _modem: Afflicted | None = field(default=None, init=False, repr=False)

    def begin(self, modem: Afflicted) -> None:
        super().begin(modem)
        if self.strikes():
            self._modem = modem
            modem.lock(self.pin, self.tries)

    def end(self) -> None:
        if self._modem is not None:
            self._modem.lock(None, PIN_TRIES)


@dataclass
class SimPuk(Fault):
    """The SIM wants its PUK, until the fault is cleared: somebody has unlocked it in a phone."""

    name = "sim-puk"

    _lock: SimPin | None = field(default=None, init=False, repr=False)

    def begin(self, modem: Afflicted) -> None:
        super().begin(modem)
        if self.strikes():
            self._lock = SimPin(tries=0)
            self._lock.begin(modem)

    def end(self) -> None:
        if self._lock is not None:
            self._lock.end()


@dataclass
class SimRemoved(Fault):
    """The SIM is out for `seconds` (0: for good)."""

    name = "sim-removed"

    count: int = 1
    seconds: float = 0.0

    def begin(self, modem: Afflicted) -> None:
        super().begin(modem)
        if self.strikes():
            modem.pull_card(self.seconds)


@dataclass
class SimFull(Fault):
    """Every free slot of a storage gets an old message that was read."""

    name = "sim-full"

    count: int = 1
    storage: str = "SM"

    def begin(self, modem: Afflicted) -> None:
        super().begin(modem)
        if self.strikes():
            modem.fill(self.storage)


@dataclass
class Unregistered(Fault):
    """The modem loses the network for `seconds` (0: for good)."""

    name = "unregistered"

    count: int = 1
    seconds: float = 0.0

    def begin(self, modem: Afflicted) -> None:
        super().begin(modem)
        if self.strikes():
            modem.lose_network(self.seconds)
