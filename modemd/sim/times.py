"""When each modem was handed a part, answered for it and announced a text: what `modemd bench` measures by."""

from typing import Any

from modemd.sim.clock import Clock


class Times:
    """Keeps nothing and costs nothing until `begin`."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._measuring = False
        self._began = 0.0
        self._parts: dict[str, tuple[list[float], list[float]]] = {}
        self._announced: dict[str, float] = {}
        self._answers: list[tuple[float, float]] = []
        self.taken = 0  # parts answered with their reference since `begin`

    def begin(self) -> None:
        """Forget what was measured and measure from now on."""
        self._measuring = True
        self._began = self._clock.seconds()
        self._parts = {}
        self._announced = {}
        self._answers = []
        self.taken = 0

    def handed_over(self, modem: str, recipient: str, at: float) -> None:
        """Ctrl-Z came at that time. It ends the wait of a phone that has asked something."""
        if self._measuring:
            self._parts.setdefault(modem, ([], []))[0].append(at)
            asked = self._announced.pop(recipient, None)
            if asked is not None:
                self._answers.append((asked, at))

    def answered(self, modem: str) -> None:
        """+CMGS is on its way."""
        if self._measuring:
            self.taken += 1
            self._parts.setdefault(modem, ([], []))[1].append(self._clock.seconds())

    def announced(self, sender: str) -> None:
        """+CMTI or +CMT is on its way."""
        if self._measuring:
            self._announced.setdefault(sender, self._clock.seconds())

    @property
    def unanswered(self) -> int:
        return len(self._announced)

    def measured(self) -> dict[str, Any]:
        """In seconds since `begin`.

        `{"modems": {name: {"handed_over": [s, …], "answered": [s, …]}}, "answers": [[asked, answered], …]}`
        """
        return {
            "modems": {
                name: {"handed_over": self._since(handed_over), "answered": self._since(answered)}
                for name, (handed_over, answered) in self._parts.items()
            },
            "answers": [self._since(pair) for pair in self._answers],
        }

    def _since(self, times: list[float] | tuple[float, float]) -> list[float]:
        return [round(time - self._began, 6) for time in times]
