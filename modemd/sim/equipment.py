"""The commands about the modem itself, its SIM and the network it is on (27.007; ITU-T V.250)."""

from collections.abc import Callable
from datetime import datetime
from random import Random
from zoneinfo import ZoneInfo

from modemd.config import SOFIA
from modemd.sim import replies
from modemd.sim.card import Card, CardState
from modemd.sim.clock import Clock, Timer
from modemd.sim.identity import OPERATORS, Identity
from modemd.sim.models import Model
from modemd.sim.replies import Handler, Refusal, Reply, Terminal
from modemd.sim.syntax import Form, Request

_USSD_SECONDS = 0.2
_REGISTRATION_SECONDS = 0.5  # after a start or an unlocked SIM
_HOME, _SEARCHING, _OFF = 1, 2, 0  # +CREG's stat

# Numbers that a program may set and ask and that change nothing here: name, smallest, greatest, default.
_SETTINGS = (
    ("+CLIP", 0, 1, 0),
    ("+COLP", 0, 1, 0),
    ("+CRC", 0, 1, 0),
    ("+CR", 0, 1, 0),
    ("+CVHU", 0, 2, 0),
    ("+CBST", 0, 134, 7),
    ("+CMMS", 0, 2, 0),
    ("+CSDH", 0, 1, 0),
    ("+CTZU", 0, 1, 0),
    ("+CTZR", 0, 1, 0),
    ("+IPR", 0, 921600, 115200),
    ("+CMEE", 0, 2, 0),
)
_CHARSETS = ("GSM", "IRA", "UCS2")
_SIM_FREE = {CardState.PIN: replies.CME_PIN_REQUIRED, CardState.PUK: replies.CME_PUK_REQUIRED}


class Equipment:
    """Identity, PIN, registration, signal and settings of one modem."""

    def __init__(
        self,
        terminal: Terminal,
        identity: Identity,
        model: Model,
        card: Card,
        clock: Clock,
        random: Random,
        *,
        usable: Callable[[], None],
        restart: Callable[[], None],
    ) -> None:
        """`usable` is called when messages can reach the modem again, `restart` when the program restarts it."""
        self._terminal = terminal
        self._identity = identity
        self._model = model
        self._card = card
        self._clock = clock
        self._random = random
        self._usable = usable
        self._restart = restart
        self._searching: Timer | None = None
        self._lost = False
        self._settings: dict[str, int] = {}
        self._charset = "GSM"
        self._operator_format = 0
        self.reset_settings()
        self._functionality = 1

    def handlers(self) -> dict[str, Handler]:
        """The commands by name."""
        return {
            **{name: self._setting(name, low, high) for name, low, high, _ in _SETTINGS},
            **dict.fromkeys(("&C", "&D", "&K", "&W", "S", "L", "M", "X", "+IFC", "+ICF"), self._settle),
            **{name: self._registration(name) for name in ("+CREG", "+CGREG", "+CEREG")},
            **{name: self._fixed(self._model.manufacturer) for name in ("+CGMI", "+GMI")},
            **{name: self._fixed(self._model.model) for name in ("+CGMM", "+GMM")},
            **{name: self._fixed(self._model.revision) for name in ("+CGMR", "+GMR")},
            **{name: self._fixed(self._identity.imei) for name in ("+CGSN", "+GSN")},
            "+GCAP": self._fixed("+GCAP: +CGSM"),
            "+CPAS": self._fixed("+CPAS: 0"),
            "+CBC": self._fixed("+CBC: 0,100"),
            "I": self._information,
            "H": self._settle,
            "A": self._no_call,
            "D": self._no_call,
            "+CHUP": self._settle,
            "+CLCC": self._settle,
            "+CIMI": self._needing_sim(self._fixed(self._identity.imsi)),
            self._model.iccid_command: self._iccid,
            "+CNUM": self._needing_sim(self._own_number),
            "+CPIN": self._pin,
            self._model.pin_counter_command: self._pin_counters,
            "+CLCK": self._lock,
            "+CFUN": self._power,
            "+COPS": self._operator,
            "+CSQ": self._signal,
            "+CSCS": self._charset_command,
            "+CCLK": self._time,
            "+CUSD": self._ussd,
        }

    # what the rest of the modem asks

    @property
    def registered(self) -> bool:
        return self._registration_state == _HOME

    @property
    def registration(self) -> int:
        """+CREG's stat."""
        return self._registration_state

    @property
    def error_format(self) -> int:
        """The setting of +CMEE."""
        return self._settings["+CMEE"]

    def sim_refusal(self) -> Refusal | None:
        """Why the SIM cannot be used now, if it cannot."""
        state = self._card.state
        if state is CardState.READY:
            return None
        if state is CardState.MISSING:
            return replies.CME_SIM_MISSING
        return _SIM_FREE.get(state, replies.CME_SIM_FAILURE)

    def encode_text(self, text: str) -> str:
        """A string for the program in the character set that it chose (27.007, 5.5)."""
        return text.encode("utf-16-be").hex().upper() if self._charset == "UCS2" else text

    def power_on(self) -> None:
        """Start, or start again: settings are the defaults, the SIM is locked, the network is being searched."""
        self._card.power_on()
        self.reset_settings()
        self._functionality = 1
        self._search()

    def power_off(self) -> None:
        if self._searching is not None:
            self._searching.cancel()
        self._searching = None

    def reset_settings(self) -> None:
        """The defaults: at start, and by ATZ and AT&F."""
        self._settings = {name: default for name, _, _, default in _SETTINGS}
        self._charset = "GSM"
        self._operator_format = 0

    def set_coverage(self, present: bool) -> None:
        """Lose the network, or find it again."""
        self._change_registration(lambda: setattr(self, "_lost", not present))

    def card_changed(self) -> None:
        """The SIM was locked, taken out or put in."""
        self._announce_registration()

    # handlers

    def _fixed(self, line: str) -> Handler:
        return lambda request: [] if request.form is Form.TEST else [line]

    def _settle(self, _request: Request) -> Reply:
        return []

    def _no_call(self, _request: Request) -> Reply:
        return Refusal("NO CARRIER")

    def _needing_sim(self, handler: Handler) -> Handler:
        return lambda request: self.sim_refusal() or handler(request)

    def _setting(self, name: str, low: int, high: int) -> Handler:
        def handle(request: Request) -> Reply:
            if request.form is Form.TEST:
                return [f"{name}: ({low}-{high})"]
            if request.form is Form.READ:
                return [f"{name}: {self._settings[name]}"]
            value = request.number(0)
            if value is None or not low <= value <= high:
                return replies.CME_BAD_PARAMETER
            self._settings[name] = value
            return []

        return handle

    def _information(self, _request: Request) -> Reply:
        return [
            f"Manufacturer: {self._model.manufacturer}",
            f"Model: {self._model.model}",
            f"Revision: {self._model.revision}",
            f"IMEI: {self._identity.imei}",
        ]

    def _iccid(self, request: Request) -> Reply:
        if request.form is Form.TEST:
            return []
        return self.sim_refusal() or [self._model.iccid_prefix + self._identity.iccid]

    def _own_number(self, request: Request) -> Reply:
        return [] if request.form is Form.TEST else [f'+CNUM: "","{self.encode_text(self._identity.number)}",145']

    def _pin(self, request: Request) -> Reply:
        state = self._card.state
        if request.form is Form.TEST:
            return []
        if state is CardState.MISSING:
            return replies.CME_SIM_MISSING
        if state is CardState.DEAD:
            return replies.CME_SIM_FAILURE
        if request.form is not Form.SET:
            return [f"+CPIN: {state}"]
        if state is CardState.READY:
            return replies.CME_NOT_ALLOWED
        if state is CardState.PUK:
            if len(request.args) < 2:
                return replies.CME_PUK_REQUIRED
            right = self._card.enter_puk(request.args[0], request.args[1])
        else:
            right = self._card.enter_pin(request.args[0])
        if not right:
            return replies.CME_WRONG_PASSWORD
        self._search()
        return []

    def _pin_counters(self, request: Request) -> Reply:
        pin, puk = self._card.pin_tries, self._card.puk_tries
        name = self._model.pin_counter_command
        if request.form is Form.TEST:
            return []
        if name == "+SPIC":
            return [f"+SPIC: {pin},{puk},3,10"]
        if name == "^CPIN":
            left = puk if self._card.state is CardState.PUK else pin
            return [f"^CPIN: {self._card.state},{left},{puk},{pin},10,3"]
        return [f"+CPINR: SIM PIN,{pin},3", f"+CPINR: SIM PUK,{puk},10"]

    def _lock(self, request: Request) -> Reply:
        if request.form is Form.TEST:
            return ['+CLCK: ("SC")']
        if request.form is not Form.SET or not request.args or request.args[0] != "SC":
            return replies.CME_NOT_SUPPORTED
        if request.number(1) == 2:
            return [f"+CLCK: {int(self._card.pin is not None)}"]
        return replies.CME_NOT_ALLOWED

    def _power(self, request: Request) -> Reply:
        if request.form is Form.TEST:
            return ["+CFUN: (0,1,4),(0-1)"]
        if request.form is Form.READ:
            return [f"+CFUN: {self._functionality}"]
        functionality = request.number(0, 1)
        if functionality not in (0, 1, 4) or request.number(1, 0) not in (0, 1):
            return replies.CME_BAD_PARAMETER
        if request.number(1, 0) == 1:
            self._clock.call_later(0, self._restart)
            return []
        if functionality != self._functionality:
            self._change_registration(lambda: setattr(self, "_functionality", functionality))
        return []

    def _registration(self, name: str) -> Handler:
        def handle(request: Request) -> Reply:
            if request.form is Form.TEST:
                return [f"{name}: (0-2)"]
            if request.form is Form.READ:
                mode = self._settings.get(name, 0)
                return [f"{name}: {mode},{self._registration_state}{self._place(mode)}"]
            mode_wanted = request.number(0, 0)
            if mode_wanted not in (0, 1, 2):
                return replies.CME_BAD_PARAMETER
            self._settings[name] = mode_wanted
            return []

        return handle

    def _operator(self, request: Request) -> Reply:
        operator = self._identity.operator
        if request.form is Form.TEST:
            listed = ",".join(f'({2 if each is operator else 3},"{each.name}","","{each.code}")' for each in OPERATORS)
            return [f"+COPS: {listed},,(0-4),(0-2)"]
        if request.form is Form.READ:
            if not self.registered:
                return ["+COPS: 0"]
            name = {0: operator.name, 1: operator.name[:8], 2: operator.code}[self._operator_format]
            return [f'+COPS: 0,{self._operator_format},"{self.encode_text(name)}",2']
        mode, form = request.number(0, 0), request.number(1, 0)
        if mode not in (0, 3) or form not in (0, 1, 2):
            return replies.CME_NOT_SUPPORTED
        if mode == 3:
            self._operator_format = form
        return []

    def _signal(self, request: Request) -> Reply:
        if request.form is Form.TEST:
            return ["+CSQ: (0-31,99),(0-7,99)"]
        rssi = self._identity.rssi + self._random.randint(-1, 1) if self.registered else 99
        return [f"+CSQ: {rssi},99"]

    def _charset_command(self, request: Request) -> Reply:
        if request.form is Form.TEST:
            return ["+CSCS: ({})".format(",".join(f'"{name}"' for name in _CHARSETS))]
        if request.form is Form.READ:
            return [f'+CSCS: "{self._charset}"']
        if not request.args or request.args[0].upper() not in _CHARSETS:
            return replies.CME_BAD_PARAMETER
        self._charset = request.args[0].upper()
        return []

    def _time(self, request: Request) -> Reply:
        if request.form is not Form.READ:
            return []
        return [f'+CCLK: "{_written(self._clock.now(), SOFIA)}"']

    def _ussd(self, request: Request) -> Reply:
        if request.form is Form.TEST:
            return ["+CUSD: (0-2)"]
        if request.form is Form.READ:
            return ["+CUSD: 1"]
        if (refusal := self.sim_refusal()) is not None:
            return refusal
        if not self.registered:
            return Refusal("+CME ERROR", 30)
        if len(request.args) > 1:
            cents = self._random.randint(100, 9999)
            answer = f"Balans: {cents // 100},{cents % 100:02} EUR"
            line = f'+CUSD: 0,"{self.encode_text(answer)}",15'
            self._clock.call_later(_USSD_SECONDS, lambda: self._terminal.urc(line))
        return []

    # registration

    @property
    def _registration_state(self) -> int:
        if self._functionality != 1 or self._card.state is not CardState.READY:
            return _OFF
        return _SEARCHING if self._lost or self._searching is not None else _HOME

    def _place(self, mode: int) -> str:
        if mode < 2 or not self.registered:
            return ""
        return f',"{self._identity.area:04X}","{self._identity.cell:04X}"'

    def _search(self) -> None:
        self.power_off()
        self._searching = self._clock.call_later(_REGISTRATION_SECONDS, self._found)
        self._announce_registration()

    def _found(self) -> None:
        self._searching = None
        self._announce_registration()

    def _change_registration(self, change: Callable[[], None]) -> None:
        before = self._registration_state
        change()
        if self._registration_state != before:
            self._announce_registration()

    def _announce_registration(self) -> None:
        for name in ("+CREG", "+CGREG", "+CEREG"):
            if mode := self._settings.get(name, 0):
                self._terminal.urc(f"{name}: {self._registration_state}{self._place(mode)}")
        if self.registered:
            self._usable()


def _written(now: datetime, zone: ZoneInfo) -> str:
    local = now.astimezone(zone)
    offset = local.utcoffset()
    quarters = round(offset.total_seconds() / 900) if offset is not None else 0
    return f"{local:%y/%m/%d,%H:%M:%S}{quarters:+03}"
