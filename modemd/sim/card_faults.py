"""What goes wrong with the SIM and its network."""

from dataclasses import dataclass

from modemd.sim.affliction import Afflicted, Fault


@dataclass
class SimPin(Fault):
    """The SIM restarts and asks for this PIN; `tries` are left."""

    name = "sim-pin"

    count: int = 1
    pin: str = "1234"
    tries: int = 3

    def begin(self, modem: Afflicted) -> None:
        super().begin(modem)
        if self.strikes():
            modem.lock(self.pin, self.tries)


@dataclass
class SimPuk(Fault):
    """The SIM wants its PUK."""

    name = "sim-puk"

    count: int = 1

    def begin(self, modem: Afflicted) -> None:
        super().begin(modem)
        if self.strikes():
            modem.lock("1234", 0)


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
