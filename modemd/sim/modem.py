"""One simulated modem: the program's bytes in, the modem's bytes out (ITU-T V.250, 27.005, 27.007)."""

import re
from collections.abc import Callable
from enum import Enum, auto
from random import Random

from modemd.sim.card import Card
from modemd.sim.clock import Clock, Timer
from modemd.sim.equipment import Equipment
from modemd.sim.faults import Faults
from modemd.sim.identity import Identity
from modemd.sim.messaging import Messaging
from modemd.sim.models import Model
from modemd.sim.network import Carried, Fate, Network, Outcome
from modemd.sim.replies import ERROR, LATER, VERBOSE, Handler, Later, Refusal, Reply
from modemd.sim.storage import Status, Stored
from modemd.sim.syntax import Form, Request, parse

_INPUT_LIMIT = 4096  # bytes of one line or body; a real modem's buffer is smaller
_WAITING_URCS = 64
_PROMPT_SECONDS = 60.0  # a prompt that nobody answers; the SIM800 gives up after as long
_BODY_END = re.compile(rb"[\x1a\x1b]")
_CTRL_Z = 0x1A


class _Mode(Enum):
    COMMAND = auto()
    BODY = auto()  # the prompt is out
    BUSY = auto()  # a command takes its time; what is typed meanwhile is kept


class Modem:
    """The AT interpreter, with everything that a modem is made of behind it.

    It lives on while no program has its port open: stored messages, settings and an open prompt stay.
    """

    def __init__(
        self,
        name: str,
        identity: Identity,
        model: Model,
        network: Network,
        clock: Clock,
        random: Random,
        *,
        pin: str | None = None,
        send_seconds: float = 0.0,
        send_jitter: float = 0.0,
        hang_up: Callable[[float, str], None] = lambda _seconds, _name: None,
    ) -> None:
        """`hang_up(seconds, name)` takes the port away and brings it back, which calls `power_off` and `power_on`."""
        self.name = name
        self.identity = identity
        self.model = model
        self.number = identity.number
        self.smsc = identity.operator.smsc
        self.clock = clock
        self.random = random
        self.card = Card(pin)
        self.faults = Faults(self)
        self._network = network
        self._hang_up = hang_up
        self._write: Callable[[bytes], None] = _nowhere
        self._out: list[bytes] = []
        self._gathering = False
        self._slow = bytearray()
        self._chatter: Timer | None = None
        self._prompt_timer: Timer | None = None
        self.equipment = Equipment(
            self,
            identity,
            model,
            self.card,
            clock,
            random,
            usable=self._usable,
            restart=lambda: self._hang_up(model.restart_seconds, ""),
        )
        self.messaging = Messaging(
            name,
            self,
            self.equipment,
            network,
            identity,
            model,
            self.faults,
            clock,
            random,
            send_seconds=send_seconds,
            send_jitter=send_jitter,
        )
        self._handlers: dict[str, Handler] = {
            **self.equipment.handlers(),
            **self.messaging.handlers(),
            "E": self._set_echo,
            "V": self._only("1"),
            "Q": self._only("0"),
            "Z": self._reset,
            "&F": self._reset,
            "+CLAC": self._list_commands,
        }
        self._start_over()
        network.join(self)

    def connect(self, write: Callable[[bytes], None]) -> None:
        """Give the modem its port. `write` takes bytes for the program and never blocks."""
        self._write = write
        if self.model.chatter:
            self._talk(0)

    def power_on(self) -> None:
        """Start again after `power_off`: default settings, the SIM locked, the network not found yet."""
        self._start_over()
        self.messaging.power_on()
        self.equipment.power_on()
        self.urc(*self.model.boot_lines[:1])
        for line in self.model.boot_lines[1:]:
            self.urc(line)

    def power_off(self) -> None:
        self._write = _nowhere
        self._start_over()
        self.messaging.power_off()
        self.equipment.power_off()

    def stop(self) -> None:
        """End every timer that would go on by itself."""
        self.faults.clear()
        self.power_off()

    def _start_over(self) -> None:
        for timer in (self._chatter, self._prompt_timer):
            if timer is not None:
                timer.cancel()
        self._chatter = self._prompt_timer = None
        self._mode = _Mode.COMMAND
        self._echo = True
        self._input = bytearray()
        self._echoed = 0
        self._body_received: Callable[[bytes | None], None] = lambda _body: None
        self._waiting_urcs: list[bytes] = []
        self._slow.clear()

    # from the program

    def received(self, data: bytes) -> None:
        """Take bytes that the program wrote, cut anywhere."""
        outermost = not self._gathering
        self._gathering = True
        self._input += data
        while self._input and self._consume():
            pass
        if outermost:
            self._gathering = False
            self._flush()

    def _consume(self) -> bool:
        """Use up one line or one body; False when the rest has to wait for more."""
        if self._mode is _Mode.BUSY:
            del self._input[_INPUT_LIMIT:]
            return False
        if self._mode is _Mode.BODY:
            found = _BODY_END.search(self._input)
            return self._consume_to(found.start() if found else -1, self._body_ended)
        return self._consume_to(self._input.find(b"\r"), self._line_ended)

    def _consume_to(self, end: int, use: Callable[[bytes, int], None]) -> bool:
        if end < 0:
            del self._input[_INPUT_LIMIT:]
            self._echo_up_to(len(self._input))
            return False
        taken, terminator = bytes(self._input[:end]), self._input[end]
        self._echo_up_to(end + (terminator == 0x0D))
        del self._input[: end + 1]
        self._echoed = 0
        use(taken, terminator)
        return True

    def _echo_up_to(self, end: int) -> None:
        if self._echo and end > self._echoed:
            self._send(bytes(self._input[self._echoed : end]))
        self._echoed = max(self._echoed, end)

    def _line_ended(self, line: bytes, _terminator: int) -> None:
        try:
            requests = parse(line.decode("latin-1"))
        except ValueError:
            self._send(self._frame(ERROR))
            return
        if requests is not None:
            self._run(requests)

    def _run(self, requests: tuple[Request, ...]) -> None:
        lines: list[str] = []
        self._mode = _Mode.BUSY
        for request in requests:
            handler = self._handlers.get(request.name)
            reply: Reply = ERROR if handler is None else handler(request)
            if reply is LATER:
                return
            if isinstance(reply, Refusal):
                self._send(self._frame(lines) if lines else b"")
                self.conclude(reply)
                return
            if isinstance(reply, list):
                lines += reply
        self.conclude(lines)

    def _body_ended(self, body: bytes, terminator: int) -> None:
        if self._prompt_timer is not None:
            self._prompt_timer.cancel()
        self._mode = _Mode.BUSY
        self._release_urcs()
        self._body_received(body if terminator == _CTRL_Z else None)

    def _prompt_expired(self) -> None:
        self._input.clear()
        self._echoed = 0
        self.conclude(ERROR)

    # to the program: what commands and faults may ask (replies.Terminal, faults.Afflicted)

    def urc(self, *lines: str) -> None:
        """Send an unsolicited result code; while a prompt waits for its body, after that."""
        if not lines:
            return
        data = self._frame(list(lines))
        if self._mode is _Mode.BODY:
            self._waiting_urcs = [*self._waiting_urcs[-_WAITING_URCS:], data]
        else:
            self._send(data)

    def ask_for_body(self, received: Callable[[bytes | None], None]) -> None:
        """Send the prompt; `received` gets what was typed up to Ctrl-Z, or None after ESC."""
        self._mode = _Mode.BODY
        self._body_received = received
        self._prompt_timer = self.clock.call_later(_PROMPT_SECONDS, self._prompt_expired)
        self._send(b"\r\n> ")

    def conclude(self, reply: Reply) -> None:
        """End the command that is running with its final result."""
        if isinstance(reply, list):
            self._send(self._frame(reply) + b"\r\nOK\r\n" if reply else b"\r\nOK\r\n")
        else:
            self._send(self._frame(reply))
        self.fall_silent()

    def fall_silent(self) -> None:
        """End the command that is running without a word."""
        self._mode = _Mode.COMMAND
        self._release_urcs()
        if not self._gathering:
            self.received(b"")

    def noise(self, octets: bytes) -> None:
        self._write(octets)

    def unplug(self, seconds: float, name: str = "") -> None:
        self._hang_up(seconds, name)

    def lock(self, pin: str, tries: int) -> None:
        self.card.pin, self.card.pin_tries = pin, tries
        self.card.power_on()
        self.equipment.card_changed()

    def pull_card(self, seconds: float) -> None:
        self.card.inserted = False
        self.equipment.card_changed()
        if seconds:
            self.clock.call_later(seconds, self._insert_card)

    def lose_network(self, seconds: float) -> None:
        self.equipment.set_coverage(False)
        if seconds:
            self.clock.call_later(seconds, lambda: self.equipment.set_coverage(True))

    def fill(self, storage: str) -> None:
        chosen = self.messaging.storages.get(storage)
        pdu = "07915398889009F1040C91538898000091000062112310000000016D"
        while chosen is not None and chosen.put(Stored(pdu, len(pdu) // 2 - 8, Status.READ)) is not None:
            pass

    # what the network asks

    def take_message(self, carried: Carried) -> Outcome:
        return self.messaging.take_message(carried)

    def take_report(self, carried: Carried) -> Outcome:
        return self.messaging.take_report(carried)

    def copies(self) -> int:
        return self.faults.copies() if self.faults else 1

    def fate_of_report(self) -> Fate:
        if not self.faults:
            return _USUAL_FATE
        delay = self.faults.report_delay()
        return Fate(delay if delay < float("inf") else None, self.faults.report_status() or 0)

    # inside

    def _usable(self) -> None:
        self._network.available(self.name)

    def _insert_card(self) -> None:
        self.card.inserted = True
        self.card.power_on()
        self.equipment.card_changed()

    def _talk(self, turn: int) -> None:
        self.urc(self.model.chatter[turn % len(self.model.chatter)])
        self._chatter = self.clock.call_later(self.model.chatter_seconds, lambda: self._talk(turn + 1))

    def _set_echo(self, request: Request) -> Reply:
        if request.number(0, 0) not in (0, 1):
            return ERROR
        self._echo = request.number(0, 0) == 1
        return []

    def _only(self, value: str) -> Handler:
        """A format setting of which this modem knows one value."""
        return lambda request: [] if request.args in ((), (value,)) else ERROR

    def _reset(self, _request: Request) -> Reply:
        self._echo = True
        self.equipment.reset_settings()
        self.messaging.reset_settings()
        return []

    def _list_commands(self, request: Request) -> Reply:
        return [] if request.form is Form.TEST else [name for name in self._handlers if name[0] in "+^"]

    def _frame(self, reply: Reply) -> bytes:
        """Lines in the framing of V1: each answer between carriage returns and line feeds."""
        if isinstance(reply, list):
            return ("\r\n" + "\r\n".join(reply) + "\r\n").encode("latin-1")
        if isinstance(reply, Later) or reply.code < 0:
            return f"\r\n{reply.kind if isinstance(reply, Refusal) else ''}\r\n".encode("latin-1")
        form = self.equipment.error_format
        if reply.kind == "+CME ERROR" and form == 0:
            return b"\r\nERROR\r\n"
        code = VERBOSE.get(reply.code, str(reply.code)) if form == 2 and reply.kind == "+CME ERROR" else reply.code
        return f"\r\n{reply.kind}: {code}\r\n".encode("latin-1")

    def _release_urcs(self) -> None:
        if self._waiting_urcs:
            waiting, self._waiting_urcs = self._waiting_urcs, []
            for data in waiting:
                self._send(data)

    def _send(self, data: bytes) -> None:
        if self.faults:
            data = self.faults.output(data)
        if data:
            self._out.append(data)
            if not self._gathering:
                self._flush()

    def _flush(self) -> None:
        if not self._out:
            return
        data = b"".join(self._out)
        self._out.clear()
        pace = self.faults.seconds_a_byte() if self.faults else 0.0
        if not pace and not self._slow:
            self._write(data)
            return
        was_idle = not self._slow
        self._slow += data
        if was_idle:
            self._write_slowly(pace)

    def _write_slowly(self, pace: float) -> None:
        if not self._slow:
            return
        self._write(bytes(self._slow[:1]))
        del self._slow[:1]
        if self._slow:
            self.clock.call_later(pace, lambda: self._write_slowly(pace))


_USUAL_FATE = Fate(0.0, 0)


def _nowhere(_data: bytes) -> None:
    """Where a modem without a port writes."""
