"""Stored messages and what becomes of those that the network brings (27.005, 3 and 4, PDU mode)."""

from modemd.pdu import tpdu
from modemd.sim import replies, storage
from modemd.sim.chassis import Chassis
from modemd.sim.clock import Timer
from modemd.sim.network import Carried, Outcome
from modemd.sim.radio import Radio
from modemd.sim.replies import Handler, Reply
from modemd.sim.storage import Status, Storage, Stored
from modemd.sim.syntax import Form, Request

_ACK_SECONDS = 15.0  # 24.011 leaves it to the modem; then the network hears that nobody took the message
_HELD_LINES = 64  # of unsolicited result codes while +CNMI's mode is 0
_SIM_CLASS = 2
_TE_CLASS = 3
_DELETED_BY_FLAG = {
    1: {Status.READ},
    2: {Status.READ, Status.SENT},
    3: {Status.READ, Status.SENT, Status.UNSENT},
    4: set(Status),
}


class Messaging:
    """Storages, +CNMI and acknowledgements of one modem."""

    def __init__(self, chassis: Chassis, radio: Radio) -> None:
        self._name = chassis.name
        self._model = chassis.model
        self._terminal = chassis.terminal
        self._network = chassis.network
        self._clock = chassis.clock
        self._radio = radio
        self.storages = storage.build(
            chassis.model.slots, has_mt=chassis.model.has_mt, first_slot=chassis.model.first_slot
        )
        self._powered = True
        self._acknowledging: Timer | None = None
        self.reset_settings()

    def handlers(self) -> dict[str, Handler]:
        """The commands by name."""
        return {
            "+CMGF": self._format,
            "+CSMS": self._service,
            "+CPMS": self._preferred_storages,
            "+CNMI": self._indications,
            "+CMGR": self._read,
            "+CMGL": self._list,
            "+CMGD": self._delete,
            "+CNMA": self._acknowledge,
        }

    def reset_settings(self) -> None:
        """The defaults: at start, and by ATZ and AT&F."""
        self._mode, self._mt, self._bm, self._ds, self._bfr = 0, 0, 0, 0, 0
        self._phase_2_plus = False
        first = next(iter(self._model.slots))
        self._chosen = [first, first, first]  # mem1 to read, mem2 to write, mem3 to receive
        self._held: list[tuple[str, ...]] = []

    def writing(self) -> Storage:
        """Where +CMGW writes."""
        return self.storages[self._chosen[1]]

    def power_on(self) -> None:
        self._powered = True
        self.reset_settings()

    def power_off(self) -> None:
        self._powered = False
        if self._acknowledging is not None:
            self._acknowledged(False)

    # from the network

    def take_message(self, carried: Carried) -> Outcome:
        """Store it or route it to the program, as +CNMI's mt says."""
        if not self._reachable:
            return Outcome.REFUSED
        routed = self._mt == 2 or (self._mt == 3 and carried.message_class == _TE_CLASS)
        if routed and carried.message_class != _SIM_CLASS:
            return self._route("+CMT: ,", carried)
        return self._store(self._chosen[2], carried, "+CMTI" if self._mt else None)

    def take_report(self, carried: Carried) -> Outcome:
        """Store it, route it to the program or drop it, as +CNMI's ds says."""
        if not self._reachable:
            return Outcome.REFUSED
        if self._ds == 1:
            return self._route("+CDS: ", carried)
        if self._ds == 2:
            return self._store("SR" if "SR" in self.storages else self._chosen[2], carried, "+CDSI")
        return Outcome.TAKEN

    @property
    def _reachable(self) -> bool:
        return self._powered and self._radio.is_registered

    def _route(self, head: str, carried: Carried) -> Outcome:
        self._indicate(f"{head}{tpdu.length(carried.octets)}", carried.octets.hex().upper())
        if not self._phase_2_plus:
            return Outcome.TAKEN
        self._acknowledging = self._clock.call_later(_ACK_SECONDS, lambda: self._acknowledged(False))
        return Outcome.WAITING

    def _store(self, name: str, carried: Carried, urc: str | None) -> Outcome:
        stored = Stored(carried.octets.hex().upper(), tpdu.length(carried.octets), Status.UNREAD)
        index = self.storages[name].put(stored)
        if index is None:
            return Outcome.REFUSED
        if urc is not None:
            self._indicate(f'{urc}: "{name}",{index}')
        return Outcome.TAKEN

    def _indicate(self, *lines: str) -> None:
        if self._mode:
            self._terminal.urc(*lines)
        elif len(self._held) < _HELD_LINES:
            self._held.append(lines)

    def _acknowledged(self, positive: bool) -> None:
        """Without an acknowledgement in time the modem routes nothing any more (27.005, 3.4.4)."""
        if self._acknowledging is not None:
            self._acknowledging.cancel()
            self._acknowledging = None
        if not positive:
            self._mt = self._ds = 0
        self._network.acknowledged(self._name, positive)

    # settings

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
        wanted = [*request.args[:3], "", "", ""][:3]
        if not wanted[0] or any(name and name not in self.storages for name in wanted) or "SR" in wanted[1:]:
            return replies.CMS_NOT_ALLOWED
        self._chosen = [new or old for new, old in zip(wanted, self._chosen, strict=True)]
        return ["+CPMS: " + ",".join(map(self._fill, self._chosen))]

    def _fill(self, name: str) -> str:
        return f"{len(self.storages[name])},{self.storages[name].size}"

    def _indications(self, request: Request) -> Reply:
        now = (self._mode, self._mt, self._bm, self._ds, self._bfr)
        if request.form is Form.TEST:
            return ["+CNMI: " + ",".join(map(_listed, self._cnmi_values))]
        if request.form is Form.READ:
            return ["+CNMI: " + ",".join(map(str, now))]
        wanted = [value for place in range(5) if (value := request.number(place, now[place])) is not None]
        if not any(request.args) or len(request.args) > 5 or len(wanted) < 5:
            return replies.CMS_NOT_ALLOWED
        if any(value not in known for value, known in zip(wanted, self._cnmi_values, strict=True)):
            return replies.CMS_NOT_SUPPORTED
        self._mode, self._mt, self._bm, self._ds, self._bfr = wanted
        if self._mode:
            self._release_held()
        return []

    @property
    def _cnmi_values(self) -> tuple[tuple[int, ...], ...]:
        """What mode, mt, bm, ds and bfr may be."""
        model = self._model
        return model.cnmi_modes, (0, 1, 2, 3), (0, 2, 3), model.cnmi_report_modes, model.cnmi_buffers

    def _release_held(self) -> None:
        """+CNMI's bfr: what was held while the mode was 0 goes out, or is dropped."""
        held, self._held = self._held, []
        for lines in held if self._bfr == 0 else ():
            self._terminal.urc(*lines)

    # stored messages

    def _read(self, request: Request) -> Reply:
        if request.form is Form.TEST:
            return []
        index = request.number(0)
        message = None if index is None else self.storages[self._chosen[0]].get(index)
        if message is None:
            return replies.CMS_BAD_INDEX
        head = f"+CMGR: {message.status.value},,{message.length}"
        message.mark_read()
        return [head, message.pdu]

    def _list(self, request: Request) -> Reply:
        if not self._model.lists:
            return replies.CMS_NOT_SUPPORTED
        if request.form is Form.TEST:
            return ["+CMGL: (0-4)"]
        wanted = request.number(0, 0)
        if wanted not in range(5):
            return replies.CMS_NOT_ALLOWED
        lines = []
        for index, message in self.storages[self._chosen[0]].items():
            if wanted in (4, message.status):
                lines += [f"+CMGL: {index},{message.status.value},,{message.length}", message.pdu]
                message.mark_read()
        return lines

    def _delete(self, request: Request) -> Reply:
        chosen = self.storages[self._chosen[0]]
        if request.form is Form.TEST:
            indices = ",".join(str(index) for index, _ in chosen.items())
            return [f"+CMGD: ({indices}),(0-4)"]
        index, flag = request.number(0), request.number(1, 0)
        if flag == 0:
            if index is None or not 0 <= index - self._model.first_slot < chosen.size:
                return replies.CMS_BAD_INDEX
            chosen.delete(index)
        elif flag in _DELETED_BY_FLAG:
            for each, message in list(chosen.items()):
                if message.status in _DELETED_BY_FLAG[flag]:
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
        if self._acknowledging is None:
            return replies.CMS_NO_ACK_EXPECTED
        self._acknowledged(kind != 2)
        return []


def _listed(values: tuple[int, ...]) -> str:
    """27.007, 5.4: a range where it says as much as the list."""
    first, last = values[0], values[-1]
    if len(values) > 2 and len(values) == last - first + 1:
        return f"({first}-{last})"
    return f"({','.join(map(str, values))})"
