"""Bytes of a modem -> lines and the prompt (27.005, 3.5.1: CR LF > space).

However the stream is split, the same lines come out. What real streams carry besides lines, and what becomes of it:
blank lines and lone CR or LF are skipped; control and non-ASCII bytes around a line are noise and are cut off;
a line without end is dropped up to the next CR or LF, so that memory stays bounded.
"""

import re

MAX_LINE = 4096  # octets; a PDU line has at most 2 * (12 + 164), an answer to AT+COPS=? a thousand or two

NOISE = bytes(byte for byte in range(256) if not 0x21 <= byte <= 0x7E)
PROMPT = b">"  # what `take` gives for the prompt; no line can be this, because `>` is cut off a line's front

_END = re.compile(rb"[\r\n]")
_LINE = re.compile(rb"[\r\n]*([^\r\n]+)[\r\n]")
_PROMPT = re.compile(rb"(?:[\r\n]*[^\x21-\x7e\r\n]{0,64}>)+")


class Lines:
    """The bytes received and not yet understood."""

    def __init__(self) -> None:
        self._buffer = b""
        self._at = 0
        self._skipping = False  # inside a line that has grown too long
        self._prompted = False  # nothing but prompts since the last one

    def feed(self, data: bytes) -> None:
        """Add what the port gave."""
        self._buffer = self._buffer[self._at :] + data
        self._at = 0

    def expect(self) -> None:
        """Something new begins: the next prompt counts, whatever came before."""
        self._prompted = False

    def take(self, *, prompt: bool) -> bytes | None:
        """The next line without its noise, or None when more bytes are needed.

        With `prompt`, a `>` where a line could begin is the prompt: PROMPT. It has no line end to wait for. Several in
        a row are one until `expect`, so that a modem which writes nothing else costs no more than its bytes.
        """
        self._prompted &= prompt
        if self._skipping:
            self._skip()
        while True:
            if prompt and (found := _PROMPT.match(self._buffer, self._at)):
                self._at = found.end()
                if self._prompted:
                    continue
                self._prompted = True
                return PROMPT
            found = _LINE.match(self._buffer, self._at)
            if found is None:
                break
            self._at = found.end()
            raw = found[1]
            if len(raw) <= MAX_LINE and (line := raw.rstrip(NOISE).lstrip(NOISE + PROMPT)):
                self._prompted = False
                return line
        if len(self._buffer) - self._at > MAX_LINE:
            self._skip()
        return None

    def _skip(self) -> None:
        """Drop what belongs to a line that is too long."""
        end = _END.search(self._buffer, self._at)
        self._skipping = end is None
        self._at = len(self._buffer) if end is None else end.start()
