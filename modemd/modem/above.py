"""What the modems, or other ways out, need from above: `gateway.py` gives it."""

from collections.abc import Sequence
from typing import NamedTuple, Protocol

from modemd.errors import ModemError
from modemd.messages import AlertKind, ReceivedSms, StatusReport
from modemd.modem.way import Way


class Known(NamedTuple):
    """What is remembered of a modem that has just come."""

    paused: bool = False
    is_modem: bool = False  # something at this port has once answered as a modem does


class Gateway(Protocol):
    """What the modems need from above. `…_received` returns only when what it was given is committed."""

    async def known(self, modem: Way) -> Known:
        """What is remembered of the modem with this IMEI or, while that is unknown, of the one last at this port."""
        ...

    async def identified(self, modem: Way) -> None:
        """Its identity is known: give it `line_id` and `line_name`. Raises ModemError to refuse it."""

    async def pin_may_be_tried(self, sim: str, pin: str) -> bool:
        """Whether this PIN was never tried on this SIM; True only when the attempt is committed (rule 7)."""
        ...

    async def pin_accepted(self, sim: str, pin: str) -> None:
        """The SIM took the PIN: it may be entered again after the next power cut."""

    async def sms_received(self, modem: Way, received: Sequence[ReceivedSms]) -> None: ...

    async def status_reports_received(self, modem: Way, reports: Sequence[StatusReport]) -> None: ...

    async def stored_deleted(self, modem: Way, received: Sequence[ReceivedSms]) -> None: ...

    def late_result(self, modem: Way, part_id: int, outcome: int | ModemError) -> None:
        """The TP-MR or the refusal of a part came after `send` had raised SendInDoubt."""

    def modem_changed(self, modem: Way) -> None:
        """State, reason, operator, registration or signal changed. Cheap, not a coroutine."""

    def alert(self, modem: Way, kind: AlertKind, text: str | None) -> None:
        """Something is wrong with the modem, in words; None: it is not, or no longer."""

    def call_hung_up(self, modem: Way) -> None: ...

    def rung_tried(self, modem: Way, rung: str, helped: bool, seconds: float) -> None:
        """A rung of the recovery ladder was tried on it."""
