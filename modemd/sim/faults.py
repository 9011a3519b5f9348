"""What goes wrong with modems and networks, one class each: `name:key=value,key=value` makes one."""

import math
import re
from collections.abc import Callable
from dataclasses import dataclass, field, fields
from typing import ClassVar

from modemd.errors import SimulatorError
from modemd.sim.affliction import Afflicted, Fault
from modemd.sim.clock import Timer


@dataclass
class Silence(Fault):
    """The modem hears and does everything and says nothing, for `seconds` (0: until cleared)."""

    name = "silence"

    seconds: float = 0.0
    _timer: Timer | None = field(default=None, init=False, repr=False)
    _over: bool = field(default=False, init=False, repr=False)

    def begin(self, modem: Afflicted) -> None:
        super().begin(modem)
        if self.seconds:
            self._timer = modem.clock.call_later(self.seconds, self._stop)

    def end(self) -> None:
        if self._timer is not None:
            self._timer.cancel()

    def _stop(self) -> None:
        self._over = True

    @property
    def spent(self) -> bool:
        return self._over or super().spent

    def output(self, data: bytes) -> bytes:
        return b"" if self.strikes() else data


@dataclass
class AnswerLost(Fault):
    """The network takes the part, and the answer to Ctrl-Z never comes."""

    name = "answer-lost"

    count: int = 1

    def answer_delay(self) -> float:
        return math.inf if self.strikes() else 0.0


@dataclass
class AnswerLate(Fault):
    """The answer to Ctrl-Z comes so many seconds late; until then the modem answers nothing else."""

    name = "answer-late"

    count: int = 1
    seconds: float = 10.0

    def answer_delay(self) -> float:
        return self.seconds if self.strikes() else 0.0


@dataclass
class NoPrompt(Fault):
    """AT+CMGS gets no prompt."""

    name = "no-prompt"

    count: int = 1

    def loses_prompt(self) -> bool:
        return self.strikes()


@dataclass
class CmsError(Fault):
    """The part is refused with this +CMS ERROR."""

    name = "cms-error"

    code: int = 500

    def refusal(self) -> int | None:
        return self.code if self.strikes() else None


@dataclass
class Unplug(Fault):
    """The port hangs up and is back after `seconds`, as `port` if that is given.

    `when`: now, or submit: when the network has taken the part and the answer is still to come.
    """

    name = "unplug"

    count: int = 1
    seconds: float = 1.0
    port: str = ""
    when: str = "now"
    _modem: Afflicted | None = field(default=None, init=False, repr=False)

    def __post_init__(self) -> None:
        if self.when not in ("now", "submit"):
            raise ValueError("when is now or submit")
        if "/" in self.port:
            raise ValueError("port is a name in the bank's folder")

    def begin(self, modem: Afflicted) -> None:
        super().begin(modem)
        self._modem = modem
        if self.when == "now":
            self._strike()

    def submitted(self, reference: int) -> None:
        if self.when == "submit":
            self._strike()

    def _strike(self) -> None:
        if self._modem is not None and self.strikes():
            self._modem.unplug(self.seconds, self.port)


@dataclass
class Reboot(Fault):
    """The modem restarts: its port hangs up and is back after `seconds`.

    `when`: now, submit: when the network has taken the part and the answer is still to come, or body: with the PDU and
    its Ctrl-Z, which the network never sees.
    """

    name = "reboot"

    count: int = 1
    seconds: float = 1.0
    when: str = "submit"
    _modem: Afflicted | None = field(default=None, init=False, repr=False)

    def __post_init__(self) -> None:
        if self.when not in ("now", "submit", "body"):
            raise ValueError("when is now, submit or body")

    def begin(self, modem: Afflicted) -> None:
        super().begin(modem)
        self._modem = modem
        if self.when == "now":
            self._strike()

    def refusal(self) -> int | None:
        if self.when == "body":
            self._strike()
        return None

    def submitted(self, reference: int) -> None:
        if self.when == "submit":
            self._strike()

    def _strike(self) -> None:
        if self._modem is not None and self.strikes():
            self._modem.unplug(self.seconds)


@dataclass
class WrapHang(Fault):
    """When TP-MR has come to 255 the modem answers nothing any more, for `seconds` (0: until cleared)."""

    name = "wrap-hang"

    at: int = 255
    seconds: float = 0.0
    _silence: Silence | None = field(default=None, init=False, repr=False)
    _modem: Afflicted | None = field(default=None, init=False, repr=False)

    def begin(self, modem: Afflicted) -> None:
        super().begin(modem)
        self._modem = modem

    def end(self) -> None:
        if self._silence is not None:
            self._silence.end()

    def submitted(self, reference: int) -> None:
        if reference == self.at and self._modem is not None and self._silence is None:
            self._silence = Silence(seconds=self.seconds)
            self._silence.begin(self._modem)

    def output(self, data: bytes) -> bytes:
        return data if self._silence is None or self._silence.spent else b""


@dataclass
class EchoOn(Fault):
    """The modem echoes whatever ATE0 said."""

    name = "echo-on"

    def echoes(self) -> bool:
        return True


@dataclass
class OutOfOrder(Fault):
    """The network brings the parts of a long message in another order, the last one first."""

    name = "out-of-order"

    def shuffles(self) -> bool:
        return self.strikes()


@dataclass
class Garbage(Fault):
    """Up to `length` random bytes before what the modem says."""

    name = "garbage"

    length: int = 40

    def output(self, data: bytes) -> bytes:
        return self._random.randbytes(self._random.randint(1, self.length)) + data if self.strikes() else data


@dataclass
class ByteAtATime(Fault):
    """Every byte comes alone, `seconds` after the one before."""

    name = "byte-at-a-time"

    seconds: float = 0.001

    def seconds_a_byte(self) -> float:
        return self.seconds


@dataclass
class Interleave(Fault):
    """An unsolicited line between any two lines that the modem says, answers and their prompts included."""

    name = "interleave"

    line: str = "^RSSI:17"

    def output(self, data: bytes) -> bytes:
        urc = f"\r\n{self.line}\r\n".encode()
        return re.sub(
            rb"(?:^|(?<=\r\n))(?=\r\n)|(?<=[^\n]\r\n)(?=\+CMGL: )", lambda _: urc if self.strikes() else b"", data
        )


@dataclass
class UrcStorm(Fault):
    """So many unsolicited lines a second, for `seconds` (0: until cleared)."""

    name = "urc-storm"

    per_second: float = 100.0
    seconds: float = 0.0
    line: str = "^RSSI:17"
    _timer: Timer | None = field(default=None, init=False, repr=False)
    _modem: Afflicted | None = field(default=None, init=False, repr=False)
    _until: float = field(default=math.inf, init=False, repr=False)

    _TICK: ClassVar[float] = 0.01  # s

    def begin(self, modem: Afflicted) -> None:
        super().begin(modem)
        self._modem = modem
        if self.seconds:
            self._until = modem.clock.seconds() + self.seconds
        self._blow(0.0)

    def end(self) -> None:
        if self._timer is not None:
            self._timer.cancel()

    def _blow(self, owed: float) -> None:
        modem = self._modem
        if modem is None or modem.clock.seconds() >= self._until:
            return
        owed += self.per_second * self._TICK
        for _ in range(int(owed)):
            modem.urc(self.line)
        self._timer = modem.clock.call_later(self._TICK, lambda: self._blow(owed % 1.0))


@dataclass
class Duplicate(Fault):
    """The network brings a message twice."""

    name = "duplicate"

    def copies(self) -> int:
        return 2 if self.strikes() else 1


@dataclass
class ReportMissing(Fault):
    """The status report never comes."""

    name = "report-missing"

    def report_delay(self) -> float:
        return math.inf if self.strikes() else 0.0


@dataclass
class ReportLate(Fault):
    """The status report comes so many seconds late."""

    name = "report-late"

    seconds: float = 30.0

    def report_delay(self) -> float:
        return self.seconds if self.strikes() else 0.0


@dataclass
class ReportStatus(Fault):
    """The status report says this TP-ST (23.040, 9.2.3.15): 70 is "validity period expired"."""

    name = "report-status"

    status: int = 70

    def report_status(self) -> int | None:
        return self.status if self.strikes() else None


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


CLEAR = "none"  # takes all faults from a modem
_CLASSES: dict[str, type[Fault]] = {cls.name: cls for cls in Fault.__subclasses__()}
NAMES = tuple(sorted(_CLASSES))
_COMMON = {each.name for each in fields(Fault) if each.init}


def catalogue() -> str:
    """Every fault with its keys and their defaults, and what it does, one a line."""
    lines = []
    for name in NAMES:
        cls = _CLASSES[name]
        keys = ",".join(f"{each.name}={each.default}" for each in fields(cls) if each.init and each.name not in _COMMON)
        lines.append(f"{name}{keys and ':'}{keys}  {(cls.__doc__ or '').splitlines()[0]}")
    return "\n".join([*lines, f"{CLEAR}  Takes all faults from the modem."])


def parse(text: str) -> Fault:
    """The fault that `name:key=value,key=value` describes. Raises SimulatorError naming what there is."""
    name, _, tail = text.partition(":")
    if name not in _CLASSES:
        known = ", ".join((*NAMES, CLEAR))
        raise SimulatorError(dir="the bank", reason=f"there is no fault {name!r}, only {known}")
    cls = _CLASSES[name]
    kinds: dict[str, Callable[[str], object]] = {
        each.name: _READERS[each.type] for each in fields(cls) if each.init and isinstance(each.type, type)
    }
    values: dict[str, object] = {}
    for pair in filter(None, tail.split(",")):
        key, _, value = pair.partition("=")
        if key not in kinds:
            raise SimulatorError(dir="the bank", reason=f"{name} has no {key!r}, only {', '.join(sorted(kinds))}")
        try:
            values[key] = kinds[key](value)
        except ValueError:
            raise SimulatorError(dir="the bank", reason=f"{name}: {key} cannot be {value!r}") from None
    return _make(cls, values)


def _make(cls: type[Fault], values: dict[str, object]) -> Fault:
    try:
        return cls(**values)  # type: ignore[arg-type]
    except ValueError as error:
        raise SimulatorError(dir="the bank", reason=f"{cls.name}: {error}") from None


_READERS: dict[type, Callable[[str], object]] = {float: float, int: int, str: str}
