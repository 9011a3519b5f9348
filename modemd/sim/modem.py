"""One simulated modem: the program's bytes in, the modem's bytes out (ITU-T V.250, 27.005, 27.007)."""

import re
from collections.abc import Callable
from enum import Enum, auto
from random import Random

from modemd.sim.affliction import Faults
from modemd.sim.card import Card
from modemd.sim.card_commands import CardCommands
from modemd.sim.chassis import Chassis
from modemd.sim.clock import Clock, Timer
from modemd.sim.equipment import Equipment, Settings
from modemd.sim.identity import Identity
from modemd.sim.messaging import Messaging
from modemd.sim.models import Model
from modemd.sim.network import Carried, Fate, Network, Outcome
from modemd.sim.output import Output
from modemd.sim.radio import Radio
from modemd.sim.replies import CMS_OF_CME, ERROR, VERBOSE, Handler, Later, Refusal, Reply
from modemd.sim.sending import Sending
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
        self._output = Output(clock, self.faults)
        self._chatter: Timer | None = None
        self._prompt_timer: Timer | None = None
        self._build(send_seconds, send_jitter)
        self._start_over()
        network.join(self)

    def _build(self, send_seconds: float, send_jitter: float) -> None:
        chassis = Chassis(
            name=self.name,
            identity=self.identity,
            model=self.model,
            network=self._network,
            clock=self.clock,
            random=self.random,
            faults=self.faults,
            terminal=self,
        )
        self.settings = Settings()
        self.radio = Radio(
            chassis,
            self.card,
            registered=lambda: self._network.available(self.name),
            restart=lambda: self._hang_up(self.model.restart_seconds, ""),
            encode_text=self.settings.encode_text,
        )
        card = CardCommands(chassis, self.card, unlocked=self.radio.search)
        self.messaging = Messaging(chassis, self.radio)
        self.sending = Sending(
            chassis, self.radio, self.messaging.writing, send_seconds=send_seconds, send_jitter=send_jitter
        )
        self._handlers: dict[str, Handler] = {
            **self.settings.handlers(),
            **self.radio.handlers(),
            **card.handlers(),
            **Equipment(chassis, self.settings, card, self.radio).handlers(),
            **_guarded(self.messaging.handlers() | self.sending.handlers(), card),
            "+CSCA": self._service_centre,
            "+CSMP": _text("+CSMP: 17,167,0,0"),
            "+CSCB": _text('+CSCB: 0,"",""'),
            "E": self._set_echo,
            "V": _only("1"),
            "Q": _only("0"),
            "Z": self._reset,
            "&F": self._reset,
            "+CLAC": self._list_commands,
        }
        if self.model.hush:
            self._handlers[self.model.hush] = self._hush

    def connect(self, write: Callable[[bytes], None]) -> None:
        """Give the modem its port. `write` takes bytes for the program and never blocks."""
        self._output.connect(write)
        self._talk(0)

    def power_on(self) -> None:
        """Start again after `power_off`: default settings, the SIM locked, the network not found yet."""
        self._start_over()
        self.card.power_on()
        self.settings.reset()
        self.radio.reset_settings()
        self.messaging.power_on()
        self.sending.power_on()
        for line in self.model.boot_lines:
            self.urc(line)
        self._talk(0)
        self.radio.power_on()

    def power_off(self) -> None:
        self._output.disconnect()
        self._start_over()
        self.messaging.power_off()
        self.sending.power_off()
        self.radio.power_off()

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

    # from the program

    @property
    def at_prompt(self) -> bool:
        """Whether what comes next is taken for a PDU."""
        return self._mode is _Mode.BODY

    def received(self, data: bytes) -> None:
        """Take bytes that the program wrote, cut anywhere."""
        self._output.gather()
        self._input += data
        while self._input and self._consume():
            pass
        self._output.release()

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
        if end > self._echoed and (self._echo or (self.faults and self.faults.echoes())):
            self._output.send(bytes(self._input[self._echoed : end]))
        self._echoed = max(self._echoed, end)

    def _line_ended(self, line: bytes, _terminator: int) -> None:
        try:
            requests = parse(line.decode("latin-1"))
        except ValueError:
            self._output.send(self._frame(ERROR))
            return
        if requests is not None:
            self._run(requests)

    def _run(self, requests: tuple[Request, ...]) -> None:
        lines: list[str] = []
        self._mode = _Mode.BUSY
        for request in requests:
            handler = self._handlers.get(request.name)
            reply: Reply = ERROR if handler is None else handler(request)
            if isinstance(reply, Later):
                return
            if isinstance(reply, Refusal):
                if lines:
                    self._output.send(self._frame(lines))
                self.conclude(reply)
                return
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

    # to the program: what commands and faults may ask (replies.Terminal, affliction.Afflicted)

    def urc(self, *lines: str) -> None:
        """Send an unsolicited result code; while a prompt waits for its body, after that."""
        data = self._frame(list(lines))
        if self._mode is _Mode.BODY:
            self._waiting_urcs = [*self._waiting_urcs[-_WAITING_URCS:], data]
        else:
            self._output.send(data)

    def ask_for_body(self, received: Callable[[bytes | None], None]) -> None:
        """Send the prompt; `received` gets what was typed up to Ctrl-Z, or None after ESC."""
        self._mode = _Mode.BODY
        self._body_received = received
        self._prompt_timer = self.clock.call_later(_PROMPT_SECONDS, self._prompt_expired)
        self._output.send(self.model.prompt)

    def conclude(self, reply: list[str] | Refusal) -> None:
        """End the command that is running with its final result."""
        if isinstance(reply, list):
            self._output.send(self._frame(reply) + self._frame(["OK"]) if reply else self._frame(["OK"]))
        else:
            self._output.send(self._frame(reply))
        self.fall_silent()

    def fall_silent(self) -> None:
        """End the command that is running without a word."""
        self._mode = _Mode.COMMAND
        self._release_urcs()
        if not self._output.gathering:
            self.received(b"")

    def unplug(self, seconds: float, name: str = "") -> None:
        self._hang_up(seconds, name)

    def lock(self, pin: str | None, tries: int) -> None:
        self.card.pin, self.card.pin_tries = pin, tries
        self.card.power_on()
        self.radio.announce()

    def pull_card(self, seconds: float) -> None:
        self.card.inserted = False
        self.radio.announce()
        if seconds:
            self.clock.call_later(seconds, self._insert_card)

    def lose_network(self, seconds: float) -> None:
        self.radio.set_coverage(False)
        if seconds:
            self.clock.call_later(seconds, lambda: self.radio.set_coverage(True))

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

    def shuffles(self) -> bool:
        return bool(self.faults) and self.faults.shuffles()

    def fate_of_report(self) -> Fate:
        if not self.faults:
            return _USUAL_FATE
        delay = self.faults.report_delay()
        return Fate(delay if delay < float("inf") else None, self.faults.report_status() or 0)

    # inside

    def _insert_card(self) -> None:
        self.card.inserted = True
        self.card.power_on()
        self.radio.announce()

    def _talk(self, turn: int) -> None:
        """Say what this model says without being asked."""
        if not self.model.chatter:
            return
        if self._chatter is not None:
            self._chatter.cancel()
        self.urc(self.model.chatter[turn % len(self.model.chatter)])
        self._chatter = self.clock.call_later(self.model.chatter_seconds, lambda: self._talk(turn + 1))

    def _set_echo(self, request: Request) -> Reply:
        if request.number(0, 0) not in (0, 1):
            return ERROR
        self._echo = self.model.echo_stays or request.number(0, 0) == 1
        return []

    def _hush(self, request: Request) -> Reply:
        """0 ends the chatter until the modem restarts."""
        if request.form is Form.SET and request.number(0) == 0 and self._chatter is not None:
            self._chatter.cancel()
        return []

    def _reset(self, _request: Request) -> Reply:
        self._echo = True
        self.settings.reset()
        self.radio.reset_settings()
        self.messaging.reset_settings()
        return []

    def _service_centre(self, request: Request) -> Reply:
        """The one on the SIM; a program may set it, and the SIM keeps its own."""
        if request.form is Form.READ:
            smsc = self.smsc if self.faults.know_service_centre() else ""
            return [f'+CSCA: "{self.settings.encode_text(smsc)}",145']
        return []

    def _list_commands(self, request: Request) -> Reply:
        return [] if request.form is Form.TEST else [name for name in self._handlers if name[0] in "+^"]

    def _frame(self, reply: list[str] | Refusal) -> bytes:
        """Lines in the framing of V1: each answer between carriage returns and line feeds."""
        before = "\r\n" if self.model.blank_lines else ""
        lines = reply if isinstance(reply, list) else [self._in_words(reply)]
        return (before + "\r\n".join(lines) + "\r\n").encode("latin-1")

    def _in_words(self, refusal: Refusal) -> str:
        if refusal.code < 0:
            return refusal.kind
        form = self.settings.error_format
        if refusal.kind == "+CME ERROR" and form == 0:
            return "ERROR"
        code = refusal.code
        return f"{refusal.kind}: {VERBOSE.get(code, code) if form == 2 and refusal.kind == '+CME ERROR' else code}"

    def _release_urcs(self) -> None:
        if self._waiting_urcs:
            waiting, self._waiting_urcs = self._waiting_urcs, []
            for data in waiting:
                self._output.send(data)


def _guarded(handlers: dict[str, Handler], card: CardCommands) -> dict[str, Handler]:
    """Message commands, refused with a +CMS ERROR while the SIM cannot be used."""

    def guard(handler: Handler) -> Handler:
        def handle(request: Request) -> Reply:
            refusal = card.refusal()
            return handler(request) if refusal is None else CMS_OF_CME[refusal]

        return handle

    return {name: guard(handler) for name, handler in handlers.items()}


def _only(value: str) -> Handler:
    """A setting of the format of answers of which this modem knows one value."""
    return lambda request: [] if request.args in ((), (value,)) else ERROR


def _text(answer: str) -> Handler:
    """A setting for text mode, which this modem does not have: taken, and always the same."""
    return lambda request: [answer] if request.form is Form.READ else []


_USUAL_FATE = Fate(0.0, 0)
