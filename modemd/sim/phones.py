"""A simulated phone: it shows what it has sent and received, a long message as one text."""

from datetime import datetime
from typing import NamedTuple

from modemd.messages import Concatenation


class Shown(NamedTuple):
    """One whole message as the phone shows it."""

    sender: str
    text: str
    at: datetime


class Sent(NamedTuple):
    """One whole message that the phone has sent."""

    to: str
    text: str
    at: datetime


class Phone:
    def __init__(self) -> None:
        self.received: list[Shown] = []
        self.sent: list[Sent] = []
        self._parts: dict[tuple[str, int, int], dict[int, str]] = {}
        self._reference = 0

    def next_reference(self) -> int:
        """The concatenation reference of the next long message that this phone sends, 0 … 255."""
        self._reference = (self._reference + 1) % 256
        return self._reference

    def take(self, sender: str, text: str, concatenation: Concatenation | None, at: datetime) -> Shown | None:
        """Receive one part: the whole message when this completes it, None while parts are missing."""
        if concatenation is not None:
            key = (sender, concatenation.reference, concatenation.total)
            parts = self._parts.setdefault(key, {})
            parts[concatenation.part] = text
            if len(parts) < concatenation.total:
                return None
            del self._parts[key]
            text = "".join(part for _, part in sorted(parts.items()))
        shown = Shown(sender, text, at)
        self.received.append(shown)
        return shown
