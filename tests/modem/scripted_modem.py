"""A modem made of bytes on a pseudo-terminal: it says what a test tells it to say, when the test tells it to."""

import asyncio
import os
import pty
import re
import tty
from collections.abc import Callable
from pathlib import Path

Answer = bytes | None  # None: say nothing
Reaction = Answer | Callable[[str], Answer]

CTRL_Z = b"\x1a"
ESC = b"\x1b"


def line(*lines: str) -> bytes:
    """Lines as a modem frames them."""
    return b"".join(b"\r\n" + text.encode("latin-1") + b"\r\n" for text in lines)


OK = line("OK")
ERROR = line("ERROR")

USUAL: dict[str, Reaction] = {
    "AT": OK,
    "ATE0": OK,
    r"AT\+CMEE\?": line("+CMEE: 1", "OK"),
    r"AT\+CMEE=1": OK,
    r"AT\+CGMI": line("Invented", "OK"),
    r"AT\+CGMM": line("M1", "OK"),
    r"AT\+CGMR": line("1.0", "OK"),
    r"AT\+CGSN": line("351234567890123", "OK"),
    r"AT\+CIMI": line("284010000000001", "OK"),
    r"AT\+CCID": line("+CCID: 8935901000000000001", "OK"),
    r"AT\+CPIN\?": line("+CPIN: READY", "OK"),
    r"AT\+CMGF=0": OK,
    r"AT\+CSMS=1": line("+CSMS: 1,1,1", "OK"),
    r"AT\+CREG=1": OK,
    r"AT\+COPS=3,0": OK,
    r"AT\+COPS\?": line('+COPS: 0,0,"A1 BG"', "OK"),
    r"AT\+CREG\?": line("+CREG: 1,1", "OK"),
    r"AT\+CSQ": line("+CSQ: 20,99", "OK"),
    r"AT\+CPMS=\?": line('+CPMS: ("SM","SR"),("SM"),("SM")', "OK"),
    r"AT\+CPMS\?": line('+CPMS: "SM",0,10,"SM",0,10,"SM",0,10', "OK"),
    r'AT\+CPMS="\w+"': line("+CPMS: 0,10,0,10,0,10", "OK"),
    r"AT\+CNMI=2,1,0,2,0": OK,
    r"AT\+CMGL=4": OK,
    r"AT\+CMGD=\d+": OK,
    r"AT\+CNMA": OK,
    r"AT\+CMGS=\d+": b"\r\n> ",
}


class _Once:
    def __init__(self, reaction: Reaction) -> None:
        self.reaction = reaction


class ScriptedModem:
    """The modem. `heard` is every command and every PDU in order; reactions are looked up newest first."""

    def __init__(self, folder: Path, name: str = "modem00") -> None:
        self.path = str(folder / name)
        self.heard: list[str] = []
        self.escapes = 0
        self.dropped: list[str] = []  # what was written into a prompt and then dropped by ESC
        self.echo = False
        self.reactions: list[tuple[re.Pattern[str], Reaction | _Once]] = []
        self.on_pdu: Callable[[str], Answer] = self.take
        self.reference = 0
        self.at_prompt = False
        self.deaf = False  # hears, and answers nothing
        self._buffer = b""
        self._unsaid = b""
        self._arrived = asyncio.Event()
        self.chunk: int | None = None  # octets written at a time
        for pattern, reaction in USUAL.items():
            self.on(pattern, reaction)
        self._open()

    def _open(self) -> None:
        self.master, self._slave = pty.openpty()
        tty.setraw(self._slave)
        os.set_blocking(self.master, False)
        os.symlink(os.ttyname(self._slave), self.path)
        asyncio.get_running_loop().add_reader(self.master, self._read)

    def on(self, pattern: str, reaction: Reaction) -> None:
        """React so to commands that match."""
        self.reactions.insert(0, (re.compile(pattern), reaction))

    def next(self, pattern: str, *reactions: Reaction) -> None:
        """React so to the next ones only, one reaction after the other."""
        for reaction in reversed(reactions):
            self.reactions.insert(0, (re.compile(pattern), _Once(reaction)))

    def reaction(self, command: str) -> Answer:
        for entry in self.reactions:
            pattern, reaction = entry
            if pattern.fullmatch(command):
                if isinstance(reaction, _Once):
                    self.reactions.remove(entry)
                    reaction = reaction.reaction
                return reaction(command) if callable(reaction) else reaction
        return ERROR

    def say(self, data: bytes) -> None:
        """Say it as fast as the line takes it."""
        waiting = bool(self._unsaid)
        self._unsaid += data
        if not waiting:
            self._speak()

    def _speak(self) -> None:
        while self._unsaid and self.master >= 0:
            try:
                written = os.write(self.master, self._unsaid[: self.chunk])
            except BlockingIOError:
                asyncio.get_running_loop().call_later(0.001, self._speak)
                return
            self._unsaid = self._unsaid[written:]

    def say_later(self, seconds: float, data: bytes, *, prompt: bool = False, deaf: bool = True) -> None:
        """Say it then; `prompt`: and wait for a PDU from then on; `deaf=False`: and answer again."""

        def speak() -> None:
            self.deaf = self.deaf and deaf
            self.at_prompt = prompt
            self.say(data)

        asyncio.get_running_loop().call_later(seconds, speak)

    async def until(self, command: str, times: int = 1) -> None:
        """Wait until the command (a pattern) has been heard so often."""
        async with asyncio.timeout(3600):
            while sum(bool(re.fullmatch(command, heard)) for heard in self.heard) < times:
                self._arrived.clear()
                await self._arrived.wait()

    def hang_up(self) -> None:
        """The stick is pulled: the port is gone."""
        if self.master >= 0:
            asyncio.get_running_loop().remove_reader(self.master)
            os.unlink(self.path)
            os.close(self._slave)
            os.close(self.master)
            self.master = -1

    def plug_in(self) -> None:
        self._buffer = self._unsaid = b""
        self.at_prompt = False
        self._open()

    def take(self, pdu: str) -> Answer:
        self.reference = (self.reference + 1) % 256
        return line(f"+CMGS: {self.reference}", "OK")

    def _read(self) -> None:
        self._buffer += os.read(self.master, 65536)
        while self._buffer:
            if self._buffer.startswith(ESC):
                self._buffer = self._buffer[1:]
                self.escapes += 1
                self.at_prompt = False
            elif self.at_prompt:
                end = min((place for mark in (CTRL_Z, ESC) if (place := self._buffer.find(mark)) >= 0), default=-1)
                if end < 0:
                    return
                pdu, mark, self._buffer = self._buffer[:end], self._buffer[end : end + 1], self._buffer[end + 1 :]
                self.at_prompt = False
                if mark == CTRL_Z:
                    self._hear(pdu.decode("latin-1"), self.on_pdu)
                else:
                    self.escapes += 1
                    self.dropped.append(pdu.decode("latin-1"))
            else:
                command, end_mark, rest = self._buffer.partition(b"\r")
                if not end_mark:
                    return
                self._buffer = rest
                self._hear(command.decode("latin-1"), self.reaction)

    def _hear(self, what: str, react: Callable[[str], Answer]) -> None:
        self.heard.append(what)
        if self.echo:
            self.say(what.encode("latin-1") + b"\r")
        answer = None if self.deaf else react(what)
        if answer is not None:
            self.at_prompt = answer.endswith(b"> ")
            self.say(answer)
        self._arrived.set()
