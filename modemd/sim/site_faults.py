"""What is wrong where a modem stands, or with what it was told: antenna, clock, service centre."""

from dataclasses import dataclass

from modemd.sim.affliction import Fault


@dataclass
class WeakSignal(Fault):
    """The antenna hears little: AT+CSQ says this value (27.007, 8.5), 0 … 31."""

    name = "weak-signal"

    rssi: int = 1

    def signal(self) -> int | None:
        return self.rssi


@dataclass
class ClockOff(Fault):
    """The network's clock is so many seconds ahead of everybody else's."""

    name = "clock-off"

    seconds: float = 86_400.0

    def clock_error(self) -> float:
        return self.seconds


@dataclass
class NoServiceCentre(Fault):
    """The SIM has forgotten the number of its service centre."""

    name = "no-service-centre"

    def knows_service_centre(self) -> bool:
        return False
