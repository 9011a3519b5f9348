"""The commands about messages (27.005, PDU mode), and what becomes of messages that the network brings."""

import math
import re
from collections.abc import Callable
from random import Random

from modemd.errors import PduError
from modemd.pdu.submit import Submit
from modemd.sim import replies, storage
from modemd.sim.clock import Clock, Timer
from modemd.sim.equipment import Equipment
from modemd.sim.faults import Faults
from modemd.sim.identity import Identity
from modemd.sim.models import Model
from modemd.sim.network import Carried, Network, Outcome
from modemd.sim.replies import LATER, Handler, Refusal, Reply, Terminal
from modemd.sim.storage import Status, Stored
from modemd.sim.syntax import Form, Request

_ACK_SECONDS = 15.0  # 24.011, 5.3.2.1 leaves it to the modem; then the network hears that nobody took the message
_CNMI_LIMITS = (3, 3, 3, 2, 1)  # mode, mt, bm, ds, bfr
_BUFFER_LINES = 64  # of unsolicited lines while mode is 0
_NOT_HEX = re.compile(rb"[^0-9A-Fa-f]+")
_SIM_CLASS = 2
_TE_CLASS = 3
_DELETED = {  # by flag of +CMGD
    1: {Status.READ},
    2: {Status.READ, Status.SENT},
    3: {Status.READ, Status.SENT, Status.UNSENT},
    4: set(Status),
}
_CMS_OF_CME = {
    replies.CME_SIM_MISSING: replies.CMS_SIM_MISSING,
    replies.CME_PIN_REQUIRED: replies.CMS_PIN_REQUIRED,
    replies.CME_PUK_REQUIRED: replies.CMS_PUK_REQUIRED,
    replies.CME_SIM_FAILURE: Refusal("+CMS ERROR", 313),
}


class Messaging:
    """Message storages, routing and sending of one modem."""

    def __init__(
        self,
        name: str,
        terminal: Terminal,
        equipment: Equipment,
        network: Network,
        identity: Identity,
        model: Model,
        faults: Faults,
        clock: Clock,
        random: Random,
        *,
        send_seconds: float,
        send_jitter: float,
    ) -> None:
        self._name = name
        self._terminal = terminal
        self._equipment = equipment
        self._network = network
        self._identity = identity
        self._model = model
        self._faults = faults
        self._clock = clock
        self._random = random
        self._send_seconds = send_seconds
        self._send_jitter = send_jitter
        self.storages = storage.build(model.slots, has_mt=model.has_mt)
        self.powered = True
        self._reference = random.randrange(256)
        self._sending: Timer | None = None
        self._ack_timer: Timer | None = None
        self._held: list[tuple[str, ...]] = []
        self._smsc = identity.operator.smsc
        self.reset_settings()

    def handlers(self) -> dict[str, Handler]:
        """The commands by name."""
        plain = {
            "+CMGF": self._format,
            "+CSMS": self._service,
            "+CPMS": self._preferred_storages,
            "+CNMI": self._indications,
            "+CMGS": self._send,
            "+CMGW": self._write,
            "+CMSS": self._send_stored,
            "+CMGR": self._read,
            "+CMGL": self._list,
            "+CMGD": self._delete,
            "+CNMA": self._acknowledge,
            "+CSCA": self._service_centre,
        }
        return {
            **{name: self._needing_sim(handler) for name, handler in plain.items()},
            "+CSMP": self._texts("+CSMP", "17,167,0,0"),
            "+CSCB": self._texts("+CSCB", '0,"",""'),
        }

    def reset_settings(self) -> None:
        """The settings of a modem that has just started, and after ATZ and AT&F (27.005, 3.4.1)."""
        self._cnmi = [0, 0, 0, 0, 0]
        self._phase_2_plus = False
        first = next(iter(self._model.slots))
        self._reading = self._writing = self._receiving = first
        self._held.clear()

    def power_on(self) -> None:
        self.powered = True
        self.reset_settings()

    def power_off(self) -> None:
        """What is in the air is lost: the network takes nothing from a modem that is gone."""
        self.powered = False
        for timer in (self._sending, self._ack_timer):
            if timer is not None:
                timer.cancel()
        self._sending = None
        if self._ack_timer is not None:
            self._ack_timer = None
            self._network.acknowledged(self._name, False)

    # from the network

    def take_message(self, carried: Carried) -> Outcome:
        """Store it or route it to the program, as +CNMI's mt says."""
        if not self._reachable:
            return Outcome.REFUSED
        routed = self._cnmi[1] == 2 or (self._cnmi[1] == 3 and carried.message_class == _TE_CLASS)
        if routed and carried.message_class != _SIM_CLASS:
            return self._route("+CMT: ,", carried)
        return self._store(self._receiving, carried, "+CMTI" if self._cnmi[1] else None)

    def take_report(self, carried: Carried) -> Outcome:
        """Store it, route it to the program or drop it, as +CNMI's ds says."""
        if not self._reachable:
            return Outcome.REFUSED
        if self._cnmi[3] == 1:
            return self._route("+CDS: ", carried)
        if self._cnmi[3] == 2:
            return self._store("SR" if "SR" in self.storages else self._receiving, carried, "+CDSI")
        return Outcome.TAKEN

    @property
    def _reachable(self) -> bool:
        return self.powered and self._equipment.registered

    def _route(self, head: str, carried: Carried) -> Outcome:
        if self._ack_timer is not None:
            return Outcome.REFUSED
        self._indicate(f"{head}{_length(carried.octets)}", carried.octets.hex().upper())
        if not self._phase_2_plus:
            return Outcome.TAKEN
        self._ack_timer = self._clock.call_later(_ACK_SECONDS, lambda: self._acknowledged(False))
        return Outcome.WAITING

    def _store(self, name: str, carried: Carried, urc: str | None) -> Outcome:
        stored = Stored(carried.octets.hex().upper(), _length(carried.octets), Status.UNREAD)
        index = self.storages[name].put(stored)
        if index is None:
            return Outcome.REFUSED
        if urc is not None:
            self._indicate(f'{urc}: "{name}",{index}')
        return Outcome.TAKEN

    def _indicate(self, *lines: str) -> None:
        if self._cnmi[0]:
            self._terminal.urc(*lines)
        elif len(self._held) < _BUFFER_LINES:
            self._held.append(lines)

    def _acknowledged(self, positive: bool) -> None:
        """Without an acknowledgement in time the modem routes nothing any more (27.005, 3.4.4)."""
        if self._ack_timer is not None:
            self._ack_timer.cancel()
            self._ack_timer = None
        if not positive:
            self._cnmi[1] = self._cnmi[3] = 0
        self._network.acknowledged(self._name, positive)

    # settings

    def _needing_sim(self, handler: Handler) -> Handler:
        def handle(request: Request) -> Reply:
            refusal = self._equipment.sim_refusal()
            return handler(request) if refusal is None else _CMS_OF_CME[refusal]

        return handle

    def _format(self, request: Request) -> Reply:
        if request.form is Form.TEST:
            return ["+CMGF: (0)"]
        if request.form is Form.READ:
            return ["+CMGF: 0"]
        return [] if request.number(0, 0) == 0 else replies.CMS_NOT_SUPPORTED

    def _service(self, request: Request) -> Reply:
        if request.form is Form.TEST:
            return ["+CSMS: (0,1)"]
        if request.form is Form.READ:
            return [f"+CSMS: {int(self._phase_2_plus)},1,1,1"]
        if request.number(0) not in (0, 1):
            return replies.CMS_NOT_SUPPORTED
        self._phase_2_plus = request.number(0) == 1
        return ["+CSMS: 1,1,1"]

    def _preferred_storages(self, request: Request) -> Reply:
        if request.form is Form.TEST:
            readable = ",".join(f'"{name}"' for name in self._model.storages)
            writable = ",".join(f'"{name}"' for name in self._model.storages if name != "SR")
            return [f"+CPMS: ({readable}),({writable}),({writable})"]
        if request.form is Form.READ:
            return ["+CPMS: " + ",".join(f'"{name}",{self._fill(name)}' for name in self._chosen)]
        chosen = list(self._chosen)
        for place, name in enumerate(request.args[:3]):
            if name and (name not in self.storages or (place and name == "SR")):
                return replies.CMS_NOT_ALLOWED
            chosen[place] = name or chosen[place]
        if not request.args:
            return replies.CMS_NOT_ALLOWED
        self._reading, self._writing, self._receiving = chosen
        return ["+CPMS: " + ",".join(map(self._fill, self._chosen))]

    @property
    def _chosen(self) -> tuple[str, str, str]:
        return self._reading, self._writing, self._receiving

    def _fill(self, name: str) -> str:
        return f"{len(self.storages[name])},{self.storages[name].size}"

    def _indications(self, request: Request) -> Reply:
        if request.form is Form.TEST:
            reports = ",".join(map(str, self._model.cnmi_report_modes))
            return [f"+CNMI: (0-3),(0-3),(0,2,3),({reports}),(0,1)"]
        if request.form is Form.READ:
            return ["+CNMI: " + ",".join(map(str, self._cnmi))]
        wanted = [request.number(place, self._cnmi[place]) for place in range(5)]
        if not any(request.args) or len(request.args) > 5:
            return replies.CMS_NOT_ALLOWED
        given = [value for value in wanted if value is not None]
        if len(given) < 5 or any(value > limit for value, limit in zip(given, _CNMI_LIMITS, strict=True)):
            return replies.CMS_NOT_ALLOWED
        if given[3] not in self._model.cnmi_report_modes:
            return replies.CMS_NOT_SUPPORTED
        self._cnmi = given
        if given[0]:
            held, self._held = self._held, []
            for lines in held if given[4] == 0 else ():
                self._clock.call_later(0, lambda lines=lines: self._terminal.urc(*lines))  # type: ignore[misc]
        return []

    def _service_centre(self, request: Request) -> Reply:
        if request.form is Form.TEST:
            return []
        if request.form is Form.READ:
            return [f'+CSCA: "{self._equipment.encode_text(self._smsc)}",145']
        if not request.args or not request.args[0]:
            return replies.CMS_NOT_ALLOWED
        return []

    def _texts(self, name: str, value: str) -> Handler:
        def handle(request: Request) -> Reply:
            return [f"{name}: {value}"] if request.form is Form.READ else []

        return handle

    # stored messages

    def _read(self, request: Request) -> Reply:
        if request.form is Form.TEST:
            return []
        index = request.number(0)
        message = None if index is None else self.storages[self._reading].get(index)
        if message is None:
            return replies.CMS_BAD_INDEX
        head = f"+CMGR: {message.status.value},,{message.length}"
        _mark_read(message)
        return [head, message.pdu]

    def _list(self, request: Request) -> Reply:
        if request.form is Form.TEST:
            return ["+CMGL: (0-4)"]
        wanted = request.number(0, 0)
        if wanted not in range(5):
            return replies.CMS_NOT_ALLOWED
        lines = []
        for index, message in self.storages[self._reading].items():
            if wanted in (4, message.status):
                lines += [f"+CMGL: {index},{message.status.value},,{message.length}", message.pdu]
                _mark_read(message)
        return lines

    def _delete(self, request: Request) -> Reply:
        chosen = self.storages[self._reading]
        if request.form is Form.TEST:
            indices = ",".join(str(index) for index, _ in chosen.items())
            return [f"+CMGD: ({indices}),(0-4)"]
        index, flag = request.number(0), request.number(1, 0)
        if flag == 0:
            if index is None or not 1 <= index <= chosen.size:
                return replies.CMS_BAD_INDEX
            chosen.delete(index)
        elif flag in _DELETED:
            for each, message in list(chosen.items()):
                if message.status in _DELETED[flag]:
                    chosen.delete(each)
        else:
            return replies.CMS_NOT_ALLOWED
        self._network.available(self._name)
        return []

    def _acknowledge(self, request: Request) -> Reply:
        if request.form is Form.TEST:
            return ["+CNMA: (0-2)"]
        kind = request.number(0, 0)
        if kind not in (0, 1, 2) or len(request.args) > 1:
            return replies.CMS_NOT_ALLOWED
        if self._ack_timer is None:
            return replies.CMS_NO_ACK_EXPECTED
        self._acknowledged(kind != 2)
        return []

    # sending

    def _send(self, request: Request) -> Reply:
        return self._ask_for_pdu(request, self._transmit)

    def _write(self, request: Request) -> Reply:
        status = Status.SENT if request.number(1, Status.UNSENT) == Status.SENT else Status.UNSENT
        return self._ask_for_pdu(request, lambda octets, _pdu: self._keep(octets, status))

    def _ask_for_pdu(self, request: Request, use: Callable[[bytes, Submit], None]) -> Reply:
        if request.form is Form.TEST:
            return []
        length = request.number(0)
        if request.form is not Form.SET or length is None:
            return replies.CMS_BAD_PDU
        if not self._faults.lose_prompt():
            self._terminal.ask_for_body(lambda body: self._read_body(body, length, use))
            return LATER
        self._clock.call_later(0, self._terminal.fall_silent)
        return LATER

    def _read_body(self, body: bytes | None, length: int, use: Callable[[bytes, Submit], None]) -> None:
        if body is None:
            self._terminal.conclude([])  # 27.005, 3.5.1: cancelled with ESC, answered with OK
            return
        try:
            octets = bytes.fromhex(_NOT_HEX.sub(b"", body).decode("ascii"))
            pdu = Submit.decode(octets)
        except (ValueError, PduError):
            self._terminal.conclude(replies.CMS_BAD_PDU)
            return
        if _length(octets) != length or octets[1 + octets[0]] & 3 != 1:
            self._terminal.conclude(replies.CMS_BAD_PDU)
            return
        use(octets, pdu)

    def _keep(self, octets: bytes, status: Status) -> None:
        index = self.storages[self._writing].put(Stored(octets.hex().upper(), _length(octets), status))
        self._terminal.conclude(replies.CMS_MEMORY_FULL if index is None else [f"+CMGW: {index}"])

    def _send_stored(self, request: Request) -> Reply:
        index = request.number(0)
        message = None if index is None else self.storages[self._writing].get(index)
        if message is None or message.status not in (Status.UNSENT, Status.SENT):
            return replies.CMS_BAD_INDEX
        message.status = Status.SENT
        octets = bytes.fromhex(message.pdu)
        self._clock.call_later(0, lambda: self._transmit(octets, Submit.decode(octets), "+CMSS"))
        return LATER

    def _transmit(self, octets: bytes, pdu: Submit, answer: str = "+CMGS") -> None:
        if not self._equipment.registered:
            self._terminal.conclude(replies.CMS_NO_NETWORK)
            return
        if not self._send_seconds:
            self._hand_over(pdu, answer)
            return
        seconds = self._send_seconds * (1 + self._send_jitter * self._random.uniform(-1, 1))
        self._sending = self._clock.call_later(seconds, lambda: self._hand_over(pdu, answer))

    def _hand_over(self, pdu: Submit, answer: str) -> None:
        self._sending = None
        if not self._equipment.registered:
            self._terminal.conclude(replies.CMS_NO_NETWORK)
            return
        code = self._faults.refusal()
        if code is not None:
            self._terminal.conclude(Refusal("+CMS ERROR", code))
            return
        reference = self._reference
        self._reference = (reference + 1) % 256
        self._network.submit(self._name, pdu, reference)
        lines = [f"{answer}: {reference}"]
        if not self._faults:
            self._terminal.conclude(lines)
            return
        self._faults.submitted()
        delay = self._faults.answer_delay()
        if not self.powered:
            return
        if delay == math.inf:
            self._terminal.fall_silent()
        elif delay:
            self._sending = self._clock.call_later(delay, lambda: self._terminal.conclude(lines))
        else:
            self._terminal.conclude(lines)


def _length(octets: bytes) -> int:
    """The octets of a PDU without the service centre in front, as +CMGS and +CMGR count them (27.005, 3.1)."""
    return len(octets) - 1 - octets[0]


def _mark_read(message: Stored) -> None:
    if message.status is Status.UNREAD:
        message.status = Status.READ
