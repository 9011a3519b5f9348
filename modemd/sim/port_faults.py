"""What goes wrong between a modem and its port: it says nothing, too much, garbage, or is gone."""

import math
import re
from dataclasses import dataclass, field
from typing import ClassVar

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
class EchoOn(Fault):
    """The modem echoes whatever ATE0 said."""

    name = "echo-on"

    def echoes(self) -> bool:
        return True


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
