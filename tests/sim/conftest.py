from collections.abc import Callable

import pytest

from tests.sim.bench import Bench


@pytest.fixture
def bench() -> Bench:
    """A modem that a program has set up: no echo, numbered errors, messages and reports announced."""
    made = Bench()
    made.set_up()
    return made


@pytest.fixture
def make_bench() -> Callable[..., Bench]:
    """A modem as it comes, with options: `make_bench(pin="1234", send_seconds=2)`."""
    return Bench
