"""Rule 11: `kill -9` at any instant loses no message and sends none twice, in both directions."""

from collections.abc import Callable

from tests.flow.killing import Killing
from tests.flow.running import RunningService


def test_kill_at_any_instant_loses_nothing_and_repeats_nothing(service: Callable[..., RunningService]) -> None:
    killing = Killing(service, kills=24, messages=40)
    killing.run()
    killing.check()
