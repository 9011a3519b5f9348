"""The states of a modem and the one method that moves them (DESIGN section 3)."""

import logging
from collections.abc import Callable
from datetime import datetime
from enum import StrEnum

from modemd.messages import Reason

log = logging.getLogger(__name__)


class State(StrEnum):
    ABSENT = "absent"  # no such port, or it hung up
    STARTING = "starting"  # open; being asked who it is and set up
    READY = "ready"
    UNREGISTERED = "unregistered"  # works, but is in no network
    SILENT = "silent"  # did not answer
    RECOVERING = "recovering"  # being brought back into step
    QUARANTINED = "quarantined"  # something that does not pass by itself; tried again now and then
    PAUSED = "paused"  # by a technician


# Where a modem can be from any other state: what happens to it does not ask what it was doing.
_ANYWHERE = frozenset({State.ABSENT, State.SILENT, State.QUARANTINED, State.PAUSED})
_WORKING = frozenset({State.READY, State.UNREGISTERED})

MOVES: dict[State, frozenset[State]] = {
    State.ABSENT: _ANYWHERE | {State.STARTING},
    State.STARTING: _ANYWHERE | _WORKING,
    State.READY: _ANYWHERE | {State.UNREGISTERED, State.STARTING},
    State.UNREGISTERED: _ANYWHERE | {State.READY, State.STARTING},
    State.SILENT: _ANYWHERE | {State.STARTING, State.RECOVERING},
    State.RECOVERING: _ANYWHERE | _WORKING | {State.STARTING},
    State.QUARANTINED: _ANYWHERE | {State.STARTING},
    State.PAUSED: frozenset({State.ABSENT, State.STARTING}),
}

SENDING = _WORKING


class Lifecycle:
    """Where one modem stands, since when and why."""

    def __init__(self, now: Callable[[], datetime], on_move: Callable[[], None]) -> None:
        """`on_move` is called after each move."""
        self._now = now
        self._on_move = on_move
        self.state = State.ABSENT
        self.since = now()
        self.reason: Reason | None = None

    def move(self, name: str, state: State, reason: Reason | None = None) -> None:
        """Go to `state`. `reason` says in words why, and stays readable; it names no phone number (rule 12).

        Raises RuntimeError when MOVES has no such way. Where it already is, only a new reason is taken.
        """
        if state is self.state:
            if reason != self.reason:
                self.reason = reason
                self._on_move()
            return
        if state not in MOVES[self.state]:
            raise RuntimeError(f"{name}: no way from {self.state} to {state}")
        log.info("%s: %s -> %s%s", name, self.state.name, state.name, f": {reason}" if reason else "")
        self.state, self.since, self.reason = state, self._now(), reason
        self._on_move()
