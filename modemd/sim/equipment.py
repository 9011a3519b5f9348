"""The commands about the modem itself: who it is and how it is set (27.007; ITU-T V.250)."""

from datetime import timedelta

from modemd.sim import replies
from modemd.sim.card_commands import CardCommands
from modemd.sim.chassis import Chassis
from modemd.sim.clock import LOCAL
from modemd.sim.radio import Radio
from modemd.sim.replies import Handler, Refusal, Reply
from modemd.sim.syntax import Form, Request

_USSD_SECONDS = 0.2
_CHARSETS = ("GSM", "IRA", "UCS2")

# Numbers that a program may set and ask, and that change nothing here but +CMEE: name, smallest, greatest, default.
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
    ("+CGATT", 0, 1, 1),
    ("+IPR", 0, 921600, 115200),
    ("+CMEE", 0, 2, 0),
)


class Settings:
    """What a program can set without any effect but on how answers are written."""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """The defaults: at start, and by ATZ and AT&F."""
        self.values = {name: default for name, _, _, default in _SETTINGS}
        self.charset = "GSM"

    @property
    def error_format(self) -> int:
        """+CMEE: 0 bare, 1 numbers, 2 words."""
        return self.values["+CMEE"]

    def encode_text(self, text: str) -> str:
        """A string for the program in the character set that it chose (27.007, 5.5)."""
        return text.encode("utf-16-be").hex().upper() if self.charset == "UCS2" else text

    def handlers(self) -> dict[str, Handler]:
        """The commands by name."""
        return {**{name: self._setting(name, low, high) for name, low, high, _ in _SETTINGS}, "+CSCS": self._charset}

    def _setting(self, name: str, low: int, high: int) -> Handler:
        def handle(request: Request) -> Reply:
            if request.form is Form.TEST:
                return [f"{name}: ({low}-{high})"]
            if request.form is Form.READ:
                return [f"{name}: {self.values[name]}"]
            value = request.number(0)
            if value is None or not low <= value <= high:
                return replies.CME_BAD_PARAMETER
            self.values[name] = value
            return []

        return handle

    def _charset(self, request: Request) -> Reply:
        if request.form is Form.TEST:
            return ["+CSCS: ({})".format(",".join(f'"{name}"' for name in _CHARSETS))]
        if request.form is Form.READ:
            return [f'+CSCS: "{self.charset}"']
        if not request.args or request.args[0].upper() not in _CHARSETS:
            return replies.CME_BAD_PARAMETER
        self.charset = request.args[0].upper()
        return []


class Equipment:
    """Identity, clock, calls that never happen, and USSD."""

    def __init__(self, chassis: Chassis, settings: Settings, card: CardCommands, radio: Radio) -> None:
        self._identity = chassis.identity
        self._model = chassis.model
        self._clock = chassis.clock
        self._random = chassis.random
        self._faults = chassis.faults
        self._terminal = chassis.terminal
        self._settings = settings
        self._card = card
        self._radio = radio

    def handlers(self) -> dict[str, Handler]:
        """The commands by name."""
        return {
            **dict.fromkeys(("&C", "&D", "&K", "&W", "S", "L", "M", "X", "H"), _settle),
            **dict.fromkeys(("+IFC", "+ICF", "+CHUP", "+CLCC"), _settle),
            **dict.fromkeys(("A", "D"), lambda _request: Refusal("NO CARRIER")),
            **dict.fromkeys(("+CGMI", "+GMI"), _fixed(self._model.manufacturer)),
            **dict.fromkeys(("+CGMM", "+GMM"), _fixed(self._model.model)),
            **dict.fromkeys(("+CGMR", "+GMR"), _fixed(self._model.revision)),
            **dict.fromkeys(("+CGSN", "+GSN"), _fixed(self._identity.imei)),
            "+GCAP": _fixed("+GCAP: +CGSM"),
            "+CPAS": _fixed("+CPAS: 0"),
            "+CBC": _fixed("+CBC: 0,100"),
            "+CCLK": self._time,
            "+CNUM": self._card.guarding(self._own_number),
            "+CUSD": self._ussd,
            "I": self._information,
        }

    def _information(self, _request: Request) -> Reply:
        return [
            f"Manufacturer: {self._model.manufacturer}",
            f"Model: {self._model.model}",
            f"Revision: {self._model.revision}",
            f"IMEI: {self._identity.imei}",
        ]

    def _own_number(self, _request: Request) -> Reply:
        return [f'+CNUM: "","{self._settings.encode_text(self._identity.number)}",145']

    def _time(self, request: Request) -> Reply:
        """The quarters of an hour behind the time are the difference to UTC (27.007, 8.15)."""
        if request.form is not Form.READ:
            return []
        local = (self._clock.now() + timedelta(seconds=self._faults.clock_error())).astimezone(LOCAL)
        offset = local.utcoffset()
        quarters = int(offset.total_seconds()) // 900 if offset is not None else 0
        return [f'+CCLK: "{local:%y/%m/%d,%H:%M:%S}{quarters:+03}"']

    def _ussd(self, request: Request) -> Reply:
        """Whatever code is dialled, the answer is a balance."""
        if request.form is Form.TEST:
            return ["+CUSD: (0-2)"]
        if request.form is Form.READ:
            return ["+CUSD: 1"]
        if (refusal := self._card.refusal()) is not None:
            return refusal
        if not self._radio.is_registered:
            return replies.CME_NO_NETWORK
        if len(request.args) > 1:
            cents = self._random.randint(100, 9999)
            answer = self._settings.encode_text(f"Balans: {cents // 100},{cents % 100:02} EUR")
            self._clock.call_later(_USSD_SECONDS, lambda: self._terminal.urc(f'+CUSD: 0,"{answer}",15'))
        return []


def _settle(_request: Request) -> Reply:
    return []


def _fixed(line: str) -> Handler:
    return lambda request: [] if request.form is Form.TEST else [line]
