"""The simulated bank: so many modems on pseudo-terminals in one folder, and the network that they are on."""

from dataclasses import dataclass
from pathlib import Path
from random import Random

from modemd.errors import SimulatorError
from modemd.sim import faults, identity, models
from modemd.sim.clock import Clock, LoopClock, Timer
from modemd.sim.journal import Journal
from modemd.sim.modem import Modem
from modemd.sim.network import Network
from modemd.sim.port import Port
from modemd.sim.replay import Replay, ReplayedModem

MAX_MODEMS = 64
ALL = "all"


@dataclass(frozen=True, slots=True)
class Options:
    """How a bank behaves. Times in seconds."""

    modems: int = 4
    models: tuple[str, ...] = ("generic",)  # the modems take them in turn
    send_seconds: float = 0.0  # from Ctrl-Z to +CMGS
    send_jitter: float = 0.0  # 0.2: each time up to 20 % shorter or longer
    report_seconds: float = 1.0
    seed: int = 1
    pin: str | None = None
    log: Path | None = None
    replays: tuple[Replay, ...] = ()  # one more modem for each


class Bank:
    """Modems, ports and network; made and used inside a running event loop."""

    def __init__(self, folder: Path, options: Options) -> None:
        """Raises SimulatorError for a model that does not exist."""
        self.folder = folder
        self._options = options
        self._models = [models.find(name) for name in options.models]
        self._clock: Clock = LoopClock()
        self._journal = Journal(options.log)
        self.network = Network(self._clock, report_seconds=options.report_seconds, journal=self._journal)
        self._ports: dict[str, Port] = {}
        self._returning: dict[str, Timer] = {}
        self.modems: dict[str, Modem] = {}

    def open(self) -> None:
        """Make the folder and the ports; all modems are registered at once."""
        self.folder.mkdir(parents=True, exist_ok=True)
        self._remove_stale_links()
        for index in range(self._options.modems + len(self._options.replays)):
            name = f"modem{index:02}"
            self.modems[name] = self._make(name, index)
            self._plug_in(name, name)

    def close(self) -> None:
        """Hang up every port and remove its link."""
        for timer in self._returning.values():
            timer.cancel()
        for modem in self.modems.values():
            modem.stop()
        for port in self._ports.values():
            port.close()
        self._ports.clear()
        self.network.stop()
        self._journal.close()

    def fault(self, modem: str, fault: str) -> None:
        """Give a fault (`name:key=value,…`) to a modem or to `all`; `none` clears theirs. Raises SimulatorError."""
        if modem != ALL and modem not in self.modems:
            raise SimulatorError(dir=self.folder, reason=f"there is no modem {modem!r}")
        for each in self.modems.values() if modem == ALL else [self.modems[modem]]:
            if fault == faults.CLEAR:
                each.faults.clear()
            else:
                each.faults.add(faults.parse(fault))

    def port_of(self, modem: str) -> Path | None:
        """Where the modem is now; None while it is unplugged."""
        port = self._ports.get(modem)
        return port.link if port else None

    def _remove_stale_links(self) -> None:
        """Those of a bank that was killed: their pseudo-terminals may be somebody else's by now."""
        for entry in self.folder.iterdir():
            if entry.is_symlink() and str(entry.readlink()).startswith("/dev/pts/"):
                entry.unlink()

    def _make(self, name: str, index: int) -> Modem:
        options = self._options
        who = identity.invent(options.seed, index)
        random = Random(f"{options.seed}/{index}")  # noqa: S311 - repeatable by its seed

        def hang_up(seconds: float, port_name: str) -> None:
            self._hang_up(name, seconds, port_name)

        if index >= options.modems:
            replay = options.replays[index - options.modems]
            return ReplayedModem(name, who, replay, self.network, self._clock, random, hang_up=hang_up)
        return Modem(
            name,
            who,
            self._models[index % len(self._models)],
            self.network,
            self._clock,
            random,
            pin=options.pin,
            send_seconds=options.send_seconds,
            send_jitter=options.send_jitter,
            hang_up=hang_up,
        )

    def _plug_in(self, name: str, port_name: str) -> None:
        modem = self.modems[name]
        port = Port(self.folder / port_name, modem.received)
        self._ports[name] = port
        modem.connect(port.write)

    def _hang_up(self, name: str, seconds: float, port_name: str) -> None:
        port = self._ports.pop(name, None)
        if port is None:
            return
        self.modems[name].power_off()
        port.close()
        self._returning[name] = self._clock.call_later(seconds, lambda: self._return(name, port_name or port.link.name))

    def _return(self, name: str, port_name: str) -> None:
        del self._returning[name]
        taken = {port.link.name for port in self._ports.values()}
        self._plug_in(name, name if port_name in taken else port_name)
        self.modems[name].power_on()
