"""What the rooms above send through: a modem, the loop-back of the tests, or whatever else takes an SMS (SMPP)."""

from collections.abc import Awaitable
from datetime import datetime
from typing import Protocol, runtime_checkable

from modemd.messages import OutgoingSms
from modemd.modem.condition import Condition
from modemd.modem.lifecycle import State
from modemd.modem.sticks import PortFound
from modemd.modem.usb import Place


@runtime_checkable
class Way(Protocol):
    """The way that a line's messages leave by. `modem.facts.Facts` holds what has no place here: who and how it is.

    It tells `modem.above.Gateway` when it is identified, when it changes and what comes in.
    """

    port: str  # what it is known by on its host: a port, an address
    condition: Condition
    place: Place | None
    ports: tuple[PortFound, ...]
    line_id: int | None  # the gateway gives it
    line_name: str | None
    answers_only: bool

    @property
    def name(self) -> str: ...

    @property
    def state(self) -> State:
        """Only in READY anything is handed to `send`."""
        ...

    @property
    def state_since(self) -> datetime: ...

    @property
    def reason(self) -> str | None: ...

    @property
    def imei(self) -> str | None: ...

    @property
    def iccid(self) -> str | None: ...

    @property
    def imsi(self) -> str | None: ...

    @property
    def manufacturer(self) -> str | None: ...

    @property
    def model(self) -> str | None: ...

    @property
    def firmware(self) -> str | None: ...

    @property
    def kind(self) -> str: ...

    @property
    def operator(self) -> str | None: ...

    @property
    def registration(self) -> str | None: ...

    @property
    def signal_dbm(self) -> int | None: ...

    async def send(self, part: OutgoingSms, committed: Awaitable[object]) -> int:
        """Send one part; gives its reference. Nothing is handed over before `committed` is done (rule 2).

        Raises NotSent: nothing went out. CommandRefused: it was refused. SendInDoubt: nobody knows.
        """
        ...

    @property
    def has_messages(self) -> bool:
        """Whether it has announced messages that are not yet committed."""
        ...

    async def messages_taken_in(self) -> None:
        """Return when it has no such messages."""
