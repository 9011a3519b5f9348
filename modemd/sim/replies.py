"""What a command gives back, and what commands may ask of the modem's program side."""

from collections.abc import Callable
from typing import Final, NamedTuple, Protocol

from modemd.sim.syntax import Request


class Refusal(NamedTuple):
    """A final result that is not OK: `+CME ERROR`, `+CMS ERROR`, or the bare word when there is no code."""

    kind: str
    code: int = -1


class Later(NamedTuple):
    """The command has taken the line over and concludes by itself."""


Reply = list[str] | Refusal | Later  # the lines before OK
Handler = Callable[[Request], Reply]

ERROR: Final = Refusal("ERROR")
LATER: Final = Later()

# 27.007, 9.2.1
CME_NOT_ALLOWED: Final = Refusal("+CME ERROR", 3)
CME_NOT_SUPPORTED: Final = Refusal("+CME ERROR", 4)
CME_SIM_MISSING: Final = Refusal("+CME ERROR", 10)
CME_PIN_REQUIRED: Final = Refusal("+CME ERROR", 11)
CME_PUK_REQUIRED: Final = Refusal("+CME ERROR", 12)
CME_SIM_FAILURE: Final = Refusal("+CME ERROR", 13)
CME_WRONG_PASSWORD: Final = Refusal("+CME ERROR", 16)
CME_NO_NETWORK: Final = Refusal("+CME ERROR", 30)
CME_BAD_PARAMETER: Final = Refusal("+CME ERROR", 50)

# 27.005, 3.2.5
CMS_NOT_ALLOWED: Final = Refusal("+CMS ERROR", 302)
CMS_NOT_SUPPORTED: Final = Refusal("+CMS ERROR", 303)
CMS_BAD_PDU: Final = Refusal("+CMS ERROR", 304)
CMS_SIM_MISSING: Final = Refusal("+CMS ERROR", 310)
CMS_PIN_REQUIRED: Final = Refusal("+CMS ERROR", 311)
CMS_SIM_FAILURE: Final = Refusal("+CMS ERROR", 313)
CMS_PUK_REQUIRED: Final = Refusal("+CMS ERROR", 316)
CMS_BAD_INDEX: Final = Refusal("+CMS ERROR", 321)
CMS_MEMORY_FULL: Final = Refusal("+CMS ERROR", 322)
CMS_NO_NETWORK: Final = Refusal("+CMS ERROR", 331)
CMS_NO_ACK_EXPECTED: Final = Refusal("+CMS ERROR", 340)

CMS_OF_CME: Final = {  # what a message command says when the SIM cannot be used
    CME_SIM_MISSING: CMS_SIM_MISSING,
    CME_PIN_REQUIRED: CMS_PIN_REQUIRED,
    CME_PUK_REQUIRED: CMS_PUK_REQUIRED,
    CME_SIM_FAILURE: CMS_SIM_FAILURE,
}

VERBOSE: Final = {  # with AT+CMEE=2
    3: "operation not allowed",
    4: "operation not supported",
    10: "SIM not inserted",
    11: "SIM PIN required",
    12: "SIM PUK required",
    13: "SIM failure",
    16: "incorrect password",
    30: "no network service",
    50: "Incorrect parameters",
}


class Terminal(Protocol):
    """The program's side of a modem, as commands see it."""

    def urc(self, *lines: str) -> None:
        """Send an unsolicited result code, of one line or two."""
        ...

    def ask_for_body(self, received: Callable[[bytes | None], None]) -> None:
        """Send the prompt; `received` gets what was typed up to Ctrl-Z, or None after ESC."""
        ...

    def conclude(self, reply: list[str] | Refusal) -> None:
        """End the command that said `LATER`."""
        ...

    def fall_silent(self) -> None:
        """End the command that said `LATER` without a word."""
        ...
