"""Lines that would begin together begin one after another.

Modems that take equally long for every part, once they answer together, do so again and again; each time all but one
wait until we have come round to them, and nobody has anything to do in between. Set apart once, they answer apart.
Modems whose times vary come apart by themselves, and together again: there, waiting would be in vain.
"""

LONGEST = 0.0015  # s between the beginnings of two lines
LEAST = 0.0003  # s; for less nobody waits
OURS = 0.0005  # s that a part takes us: where one begins that often, it is not the modems that set the pace
VARY = 0.04  # of the time of a part, by which the next of the same line takes more or less: then nobody waits
WEIGHT = 0.02  # of one part in the mean of all
SELDOM = 1.0  # s; longer intervals count as this
MOST = 1 / 3  # of the time of its last part, that a line waits


class Stagger:
    """When the lines of one host may begin. Times in seconds, on the caller's clock."""

    def __init__(self) -> None:
        self._last = float("-inf")
        self._mean = SELDOM  # between two beginnings
        self._varied = 2 * VARY  # of the time of a part, on average; until it is known, as if it did
        self._next = float("-inf")

    def begin_at(self, now: float, took: float, before: float) -> float:
        """When a line whose part has just ended, after so many seconds, may begin the next; up to `now`: at once.

        `before`: how long its part before that took. At most half of the time between two beginnings is asked for, so
        that lines do not wait for good.
        """
        self._mean += WEIGHT * (min(now - self._last, SELDOM) - self._mean)
        self._varied += WEIGHT * (abs(took - before) / max(took, before) - self._varied)
        self._last = now
        if self._varied > VARY:
            return now
        apart = min(LONGEST, max(0.0, self._mean - OURS) / 2)
        self._next = min(max(now, self._next + apart), now + MOST * took)
        return self._next - LEAST
