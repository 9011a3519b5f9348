"""The commands about the SIM: PIN, PUK, their counters and the numbers on the card (27.007)."""

from collections.abc import Callable

from modemd.sim import replies
from modemd.sim.card import Card, CardState
from modemd.sim.chassis import Chassis
from modemd.sim.replies import Handler, Refusal, Reply
from modemd.sim.syntax import Form, Request

_REFUSALS = {
    CardState.MISSING: replies.CME_SIM_MISSING,
    CardState.PIN: replies.CME_PIN_REQUIRED,
    CardState.PUK: replies.CME_PUK_REQUIRED,
    CardState.DEAD: replies.CME_SIM_FAILURE,
}


class CardCommands:
    def __init__(self, chassis: Chassis, card: Card, unlocked: Callable[[], None]) -> None:
        """`unlocked` is called when the right PIN or PUK was entered."""
        self._identity = chassis.identity
        self._model = chassis.model
        self._card = card
        self._unlocked = unlocked

    def handlers(self) -> dict[str, Handler]:
        """The commands by name."""
        return {
            "+CPIN": self._pin,
            self._model.pin_counter_command: self._counters,
            "+CLCK": self._lock,
            "+CIMI": self.guarding(lambda _request: [self._identity.imsi]),
            self._model.iccid_command: self.guarding(
                lambda _request: [self._model.iccid_prefix + self._identity.iccid]
            ),
        }

    def refusal(self) -> Refusal | None:
        """Why the SIM cannot be used now; None when it can."""
        return _REFUSALS.get(self._card.state)

    def guarding(self, handler: Handler) -> Handler:
        """The same command for as long as the SIM can be used."""

        def handle(request: Request) -> Reply:
            if request.form is Form.TEST:
                return []
            return self.refusal() or handler(request)

        return handle

    def _pin(self, request: Request) -> Reply:
        state = self._card.state
        if request.form is Form.TEST:
            return []
        if state in (CardState.MISSING, CardState.DEAD):
            return _REFUSALS[state]
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
        self._unlocked()
        return []

    def _counters(self, request: Request) -> Reply:
        pin, puk = self._card.pin_tries, self._card.puk_tries
        if request.form is Form.TEST:
            return []
        left = puk if self._card.state is CardState.PUK else pin
        answers = {
            "+SPIC": [f"+SPIC: {pin},{puk},3,10"],
            "^CPIN": [f"^CPIN: {self._card.state},{left},{puk},{pin},10,3"],
            "^SPIC": [f"^SPIC: {left}"],
            "+QPINC": [f'+QPINC: "SC",{pin},{puk}', '+QPINC: "P2",3,10'],
            "#PCT": [f"#PCT: {left}"],
            "+CPINC": [f"+CPINC: {pin},3,{puk},10"],
            "+UPINCNT": [f"+UPINCNT: {pin},3,{puk},10"],
        }
        return answers.get(self._model.pin_counter_command, [f"+CPINR: SIM PIN,{pin},3", f"+CPINR: SIM PUK,{puk},10"])

    def _lock(self, request: Request) -> Reply:
        if request.form is Form.TEST:
            return ['+CLCK: ("SC")']
        if request.form is not Form.SET or not request.args or request.args[0] != "SC":
            return replies.CME_NOT_SUPPORTED
        if request.number(1) == 2:
            return [f"+CLCK: {int(self._card.pin is not None)}"]
        return replies.CME_NOT_ALLOWED
