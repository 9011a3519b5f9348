"""USSD (22.090): a code such as *100# goes to the operator, and +CUSD brings his answer some seconds later."""

import asyncio
import contextlib
import re

from modemd.at import commands
from modemd.at.urc import Urc
from modemd.errors import CommandRefused, UssdLate, UssdRefused, UssdUnanswered
from modemd.modem.channel import Channel
from modemd.pdu import alphabet, dcs
from modemd.pdu.alphabet import Alphabet

ANSWER_SECONDS = 60.0
MOST_OCTETS = 160  # of an answer (24.090, 4.5)
CODE = re.compile(r"[0-9*#]{1,40}")

_ANSWER = re.compile(rb'\+CUSD: *(\d)(?: *, *"(.*)"(?: *, *(\d{1,3}))?)?', re.IGNORECASE | re.DOTALL)
_HEX = re.compile(rb"(?:[0-9A-Fa-f]{2}){2,}")
_MORE_EXPECTED = 1  # <m> of 27.007, 7.15
_FAILURES = {
    2: "the network ended it",
    3: "another client has answered it",
    4: "the operator does not know this",
    5: "the network did not answer",
}


class Ussd:
    """USSD of one modem: one question at a time. Messages go on meanwhile."""

    def __init__(self, channel: Channel) -> None:
        self._channel = channel
        self._turn = asyncio.Lock()
        self._waiting: asyncio.Future[Urc] | None = None

    def urc_received(self, event: Urc) -> bool:
        """Take a +CUSD; False: it is about something else."""
        if event.name != "+CUSD":
            return False
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_result(event)
        return True

    async def ask(self, code: str) -> str:
        """What the operator answers. Raises ModemError (CommandRefused, CommandTimeout, PortGone) when he does not."""
        if not CODE.fullmatch(code):
            raise UssdRefused(port=self._channel.path)
        async with self._turn:
            self._waiting = asyncio.get_running_loop().create_future()
            try:
                await self._say(code)
                async with asyncio.timeout(ANSWER_SECONDS):
                    return await self._answer(self._waiting)
            except TimeoutError:
                raise UssdLate(port=self._channel.path, seconds=f"{ANSWER_SECONDS:g}") from None
            finally:
                self._waiting = None

    async def _say(self, code: str) -> None:
        try:
            await self._channel.ask(commands.ussd(code))
        except CommandRefused:  # Huawei sticks take the code packed, as it goes over the air
            packed = alphabet.pack(alphabet.encode_gsm7(code)).hex().upper()
            await self._channel.ask(commands.ussd(packed))

    async def _answer(self, waiting: asyncio.Future[Urc]) -> str:
        event = await waiting
        found = _ANSWER.match(event.line)
        kind = int(found[1]) if found else 4
        if kind == _MORE_EXPECTED:
            with contextlib.suppress(CommandRefused):  # it may have ended by itself
                await self._channel.ask(commands.END_USSD)
        if found is None or found[2] is None:
            said = _FAILURES.get(kind, "the operator says nothing")
            raise UssdUnanswered(port=self._channel.path, said=said)
        return read(found[2], int(found[3] or 15))


def read(text: bytes, coding: int) -> str:
    """The text of +CUSD: as it is, or in hex as UCS-2 or packed GSM-7 (27.007, 7.15; 23.038, 5)."""
    if not _HEX.fullmatch(text) or (text.isdigit() and len(text) < 8):
        return text.decode("utf-8", "replace").strip()
    octets = bytes.fromhex(text.decode("ascii"))[:MOST_OCTETS]
    if _is_ucs2(octets, coding):
        return octets.decode("utf-16-be", "replace").strip()
    return alphabet.decode_gsm7(alphabet.unpack(octets, len(octets) * 8 // 7)).strip("\r @")


def _is_ucs2(octets: bytes, coding: int) -> bool:
    if len(octets) % 2:
        return False
    said = (coding & 0xF0 == 0x10 and coding & 1) or dcs.decode(coding).alphabet is Alphabet.UCS2  # 0x11: with language
    latin_or_cyrillic = all(octet in (0x00, 0x04, 0x20) for octet in octets[::2])
    return bool(said) or latin_or_cyrillic
