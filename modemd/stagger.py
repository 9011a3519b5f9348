"""Lines that would begin together begin one after another.

Modems that take equally long for a part, once they answer together, do so again and again; each time all but one wait
until we have come round to them, and nobody has anything to do in between. Set apart once, they answer apart.
"""

LONGEST = 0.001  # s between the beginnings of two lines; and so little out of turn nobody waits at all
OURS = 0.0005  # s that a part takes us: where one begins that often, it is not the modems that set the pace
WEIGHT = 0.02  # of one interval in the mean of all
SELDOM = 1.0  # s; longer intervals count as this
MOST = 1 / 3  # of the time of its last part, that a line waits


class Stagger:
    """When the lines of one host may begin. Times in seconds, on the caller's clock."""

    def __init__(self) -> None:
        self._last = float("-inf")
        self._mean = SELDOM  # between two beginnings
        self._next = float("-inf")

    def begin_at(self, now: float, took: float) -> float:
        """When a line whose part has just ended, after so many seconds, may begin the next; up to `now`: at once.

        At most half of the time between two beginnings is asked for, so that lines do not wait for good.
        """
        self._mean += WEIGHT * (min(now - self._last, SELDOM) - self._mean)
        self._last = now
        apart = min(LONGEST, max(0.0, self._mean - OURS) / 2)
        self._next = min(max(now, self._next + apart), now + MOST * took)
        return self._next - LONGEST
