"""The SIM: its PIN, its PUK and how many tries are left (27.007, 8.3; TS 51.011, 11.3.1)."""

from enum import StrEnum

PIN_TRIES = 3
PUK_TRIES = 10
PUK = "12345678"  # every simulated SIM has the same one


class CardState(StrEnum):
    """What `+CPIN?` says."""

    READY = "READY"
    PIN = "SIM PIN"
    PUK = "SIM PUK"
    MISSING = "NOT INSERTED"
    DEAD = "DEAD"  # the PUK was wrong ten times


class Card:
    """A SIM; `pin` None means that it asks for none."""

    def __init__(self, pin: str | None = None) -> None:
        self.pin = pin
        self.inserted = True
        self.pin_tries = PIN_TRIES
        self.puk_tries = PUK_TRIES
        self._unlocked = False

    @property
    def state(self) -> CardState:
        if not self.inserted:
            return CardState.MISSING
        if not self.puk_tries:
            return CardState.DEAD
        if not self.pin_tries:
            return CardState.PUK
        return CardState.READY if self._unlocked or self.pin is None else CardState.PIN

    def power_on(self) -> None:
        """A restarted modem asks for the PIN again; the tries that are gone stay gone."""
        self._unlocked = False

    def enter_pin(self, pin: str) -> bool:
        """Whether it was right; a wrong one costs a try."""
        if pin != self.pin:
            self.pin_tries -= 1
            return False
        self.pin_tries = PIN_TRIES
        self._unlocked = True
        return True

    def enter_puk(self, puk: str, new_pin: str) -> bool:
        """Whether it was right and the new PIN holds; a wrong one costs a try."""
        if puk != PUK:
            self.puk_tries -= 1
            return False
        self.pin, self.pin_tries, self.puk_tries, self._unlocked = new_pin, PIN_TRIES, PUK_TRIES, True
        return True
