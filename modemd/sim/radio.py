"""Registration, operator and signal of one modem (27.007, 7.2, 7.3, 8.2 and 8.5)."""

from collections.abc import Callable

from modemd.sim import replies
from modemd.sim.card import Card, CardState
from modemd.sim.chassis import Chassis
from modemd.sim.clock import Timer
from modemd.sim.identity import OPERATORS
from modemd.sim.replies import Handler, Reply
from modemd.sim.syntax import Form, Request

_REGISTRATION_SECONDS = 0.5  # after a start or an unlocked SIM
_RESTART_DELAY = 0.1  # s; the OK of AT+CFUN=1,1 goes out before the port does
_OFF, _HOME, _SEARCHING = 0, 1, 2  # +CREG's stat
_NO_SIGNAL = 99
_DOMAINS = ("+CREG", "+CGREG", "+CEREG")


class Radio:
    def __init__(
        self,
        chassis: Chassis,
        card: Card,
        *,
        registered: Callable[[], None],
        restart: Callable[[], None],
        encode_text: Callable[[str], str],
    ) -> None:
        """`registered` is called when messages can come again, `restart` when the program restarts the modem."""
        self._identity = chassis.identity
        self._terminal = chassis.terminal
        self._clock = chassis.clock
        self._random = chassis.random
        self._faults = chassis.faults
        self._card = card
        self._registered = registered
        self._restart = restart
        self._reset = chassis.model.reset
        self._encode_text = encode_text
        self._functionality = 1
        self._covered = True
        self._searching: Timer | None = None
        self._restarting: Timer | None = None
        self._modes: dict[str, int] = {}
        self._operator_format = 0

    def handlers(self) -> dict[str, Handler]:
        """The commands by name."""
        return {
            **{name: self._registration(name) for name in _DOMAINS},
            "+COPS": self._operator,
            "+CSQ": self._signal,
            "+CFUN": self._power,
            **({self._reset: self._start_anew} if self._reset and "=" not in self._reset else {}),
        }

    @property
    def is_registered(self) -> bool:
        return self._state == _HOME

    def reset_settings(self) -> None:
        """The defaults: at start, and by ATZ and AT&F."""
        self._modes.clear()
        self._operator_format = 0

    def power_on(self) -> None:
        self._functionality = 1
        self.search()

    def power_off(self) -> None:
        for timer in (self._searching, self._restarting):
            if timer is not None:
                timer.cancel()
        self._searching = self._restarting = None

    def search(self) -> None:
        """Look for the network; it is found after a moment."""
        if self._searching is not None:
            self._searching.cancel()
        self._searching = self._clock.call_later(_REGISTRATION_SECONDS, self._found)
        self.announce()

    def set_coverage(self, covered: bool) -> None:
        """Lose the network, or find it again."""
        self._covered = covered
        self.announce()

    def announce(self) -> None:
        """Tell the program, if it asked for it, and the network that the registration changed."""
        for name, mode in self._modes.items():
            if mode:
                self._terminal.urc(f"{name}: {self._state}{self._place(mode)}")
        if self.is_registered:
            self._registered()

    @property
    def _state(self) -> int:
        if self._functionality != 1 or self._card.state is not CardState.READY:
            return _OFF
        return _HOME if self._covered and self._searching is None else _SEARCHING

    def _place(self, mode: int) -> str:
        if mode < 2 or not self.is_registered:
            return ""
        return f',"{self._identity.area:04X}","{self._identity.cell:04X}"'

    def _found(self) -> None:
        self._searching = None
        self.announce()

    def _registration(self, name: str) -> Handler:
        def handle(request: Request) -> Reply:
            if request.form is Form.TEST:
                return [f"{name}: (0-2)"]
            mode = self._modes.get(name, 0)
            if request.form is Form.READ:
                return [f"{name}: {mode},{self._state}{self._place(mode)}"]
            wanted = request.number(0, 0)
            if wanted not in (0, 1, 2):
                return replies.CME_BAD_PARAMETER
            self._modes[name] = wanted
            return []

        return handle

    def _operator(self, request: Request) -> Reply:
        operator = self._identity.operator
        if request.form is Form.TEST:
            listed = ",".join(f'({2 if each is operator else 3},"{each.name}","","{each.code}")' for each in OPERATORS)
            return [f"+COPS: {listed},,(0,3),(0-2)"]
        if request.form is Form.READ:
            if not self.is_registered:
                return ["+COPS: 0"]
            name = (operator.name, operator.name[:8], operator.code)[self._operator_format]
            return [f'+COPS: 0,{self._operator_format},"{self._encode_text(name)}",2']
        mode, form = request.number(0, 0), request.number(1, self._operator_format)
        if mode not in (0, 3) or form not in (0, 1, 2):
            return replies.CME_NOT_SUPPORTED
        self._operator_format = form
        return []

    def _signal(self, request: Request) -> Reply:
        if request.form is Form.TEST:
            return ["+CSQ: (0-31,99),(0-7,99)"]
        heard = self._faults.signal()
        if heard is None:
            heard = self._identity.rssi + self._random.randint(-1, 1)
        rssi = heard if self.is_registered else _NO_SIGNAL
        return [f"+CSQ: {rssi},99"]

    def _power(self, request: Request) -> Reply:
        if request.form is Form.TEST:
            return ["+CFUN: (0,1,4),(0-1)"]
        if request.form is Form.READ:
            return [f"+CFUN: {self._functionality}"]
        functionality, reset = request.number(0, 1), request.number(1, 0)
        if f"+CFUN={functionality}" == self._reset:
            return self._start_anew(request)
        if functionality not in (0, 1, 4) or reset not in (0, 1):
            return replies.CME_BAD_PARAMETER
        if reset:
            return self._start_anew(request)
        if functionality != self._functionality:
            self._functionality = functionality
            self.announce()
        return []

    def _start_anew(self, _request: Request) -> Reply:
        self._restarting = self._clock.call_later(_RESTART_DELAY, self._restart)
        return []
