"""What the parts of one simulated modem share."""

from dataclasses import dataclass
from random import Random

from modemd.sim.affliction import Faults
from modemd.sim.clock import Clock
from modemd.sim.identity import Identity
from modemd.sim.models import Model
from modemd.sim.network import Network
from modemd.sim.replies import Terminal


@dataclass(frozen=True, slots=True)
class Chassis:
    name: str
    identity: Identity
    model: Model
    network: Network
    clock: Clock
    random: Random
    faults: Faults
    terminal: Terminal
