"""The commands that send: +CMGS, +CMGW and +CMSS in PDU mode (27.005, 4.3, 4.4 and 3.5.2)."""

import math
import re
from collections.abc import Callable

from modemd.errors import PduError
from modemd.pdu import submit, tpdu
from modemd.pdu.submit import Submit
from modemd.sim import replies
from modemd.sim.chassis import Chassis
from modemd.sim.clock import Timer
from modemd.sim.radio import Radio
from modemd.sim.replies import LATER, Handler, Refusal, Reply
from modemd.sim.storage import Status, Storage, Stored
from modemd.sim.syntax import Form, Request

_NOT_HEX = re.compile(rb"[^0-9A-Fa-f]+")


class Sending:
    def __init__(
        self,
        chassis: Chassis,
        radio: Radio,
        storage: Callable[[], Storage],
        *,
        send_seconds: float,
        send_jitter: float,
    ) -> None:
        """`storage` is where +CMGW writes; sending takes `send_seconds`, each time up to `send_jitter` of it off."""
        self._name = chassis.name
        self._terminal = chassis.terminal
        self._network = chassis.network
        self._clock = chassis.clock
        self._random = chassis.random
        self._faults = chassis.faults
        self._radio = radio
        self._storage = storage
        self._send_seconds = send_seconds
        self._send_jitter = send_jitter
        self._reference = chassis.random.randrange(256)  # TP-MR of the next part
        self._powered = True
        self._under_way: Timer | None = None

    def handlers(self) -> dict[str, Handler]:
        """The commands by name."""
        return {"+CMGS": self._send, "+CMGW": self._write, "+CMSS": self._send_stored}

    def power_on(self) -> None:
        self._powered = True

    def power_off(self) -> None:
        """What is in the air is lost: the network takes nothing from a modem that is gone."""
        self._powered = False
        if self._under_way is not None:
            self._under_way.cancel()
            self._under_way = None

    def _send(self, request: Request) -> Reply:
        return self._ask_for_pdu(request, lambda _octets, pdu, came: self._transmit(pdu, "+CMGS", came))

    def _write(self, request: Request) -> Reply:
        status = Status.SENT if request.number(1) == Status.SENT else Status.UNSENT
        return self._ask_for_pdu(request, lambda octets, _pdu, _came: self._keep(octets, status))

    def _send_stored(self, request: Request) -> Reply:
        index = request.number(0)
        message = None if index is None else self._storage().get(index)
        if message is None or message.status not in (Status.UNSENT, Status.SENT):
            return replies.CMS_BAD_INDEX
        message.status = Status.SENT
        came = self._clock.seconds()
        self._transmit(Submit.decode(bytes.fromhex(message.pdu)), "+CMSS", came)
        return LATER

    def _ask_for_pdu(self, request: Request, use: Callable[[bytes, Submit, float], None]) -> Reply:
        """`use` gets the octets, what they say, and when they came."""
        if request.form is Form.TEST:
            return []
        length = request.number(0)
        if request.form is not Form.SET or length is None:
            return replies.CMS_BAD_PDU
        if self._faults.lose_prompt():
            self._terminal.fall_silent()
        else:
            self._terminal.ask_for_body(lambda body: self._read_body(body, length, use))
        return LATER

    def _read_body(self, body: bytes | None, length: int, use: Callable[[bytes, Submit, float], None]) -> None:
        came = self._clock.seconds()
        if body is None:
            self._terminal.conclude([])  # 27.005, 3.5.1: cancelled by ESC, answered with OK
            return
        try:
            octets = bytes.fromhex(_NOT_HEX.sub(b"", body).decode("ascii"))
            pdu = Submit.decode(octets)
        except (ValueError, PduError):
            self._terminal.conclude(replies.CMS_BAD_PDU)
            return
        if tpdu.length(octets) != length or octets[1 + octets[0]] & 3 != submit.MESSAGE_TYPE:
            self._terminal.conclude(replies.CMS_BAD_PDU)
            return
        use(octets, pdu, came)

    def _keep(self, octets: bytes, status: Status) -> None:
        index = self._storage().put(Stored(octets.hex().upper(), tpdu.length(octets), status))
        self._terminal.conclude(replies.CMS_MEMORY_FULL if index is None else [f"+CMGW: {index}"])

    def _transmit(self, pdu: Submit, answer: str, came: float) -> None:
        """Have it answered so long after it came: that we need time to read it is no concern of the program's."""
        self._network.times.handed_over(self._name, pdu.number.number, came)
        if self._send_seconds and self._radio.is_registered:
            seconds = self._send_seconds * (1 + self._send_jitter * self._random.uniform(-1, 1))
            left = max(0.0, seconds - (self._clock.seconds() - came))
            self._under_way = self._clock.call_later(left, lambda: self._hand_over(pdu, answer))
        else:
            self._hand_over(pdu, answer)

    def _hand_over(self, pdu: Submit, answer: str) -> None:
        """The end of the transmission: the network takes the part, then the modem says so."""
        self._under_way = None
        if not self._radio.is_registered:
            self._terminal.conclude(replies.CMS_NO_NETWORK)
            return
        if (code := self._faults.refusal()) is not None:
            self._terminal.conclude(Refusal("+CMS ERROR", code))
            return
        if not self._powered:
            return  # a fault took it away
        reference = self._reference
        self._reference = (reference + 1) % 256
        self._network.submit(self._name, pdu, reference)
        self._network.times.answered(self._name)
        lines = [f"{answer}: {reference}"]
        if self._faults:
            self._answer_with_faults(lines, reference)
        else:
            self._terminal.conclude(lines)

    def _answer_with_faults(self, lines: list[str], reference: int) -> None:
        self._faults.submitted(reference)
        delay = self._faults.answer_delay()
        if not self._powered:
            return
        if delay == math.inf:
            self._terminal.fall_silent()
        elif delay:
            self._under_way = self._clock.call_later(delay, lambda: self._terminal.conclude(lines))
        else:
            self._terminal.conclude(lines)
