"""A month is played, and every phone in the simulated network looked at."""

from collections.abc import Callable

import pytest

from tests.flow.month import SLOW_FAULTS, Month
from tests.flow.running import RunningService


@pytest.mark.long
def test_a_month_of_120_reaches_just_whom_it_should(service: Callable[..., RunningService]) -> None:
    month = Month(service, 120)
    month.play()
    month.check()


@pytest.mark.soak
@pytest.mark.timeout(3600)
def test_a_month_of_2000_reaches_just_whom_it_should(service: Callable[..., RunningService]) -> None:
    month = Month(service, 2000, faults=SLOW_FAULTS)
    month.play()
    month.check()


@pytest.mark.soak
@pytest.mark.timeout(3600)
def test_a_month_on_postgresql_reaches_just_whom_it_should(
    service: Callable[..., RunningService], empty_database: str
) -> None:
    month = Month(service, 400, faults=SLOW_FAULTS, options={"database_url": empty_database})
    month.play()
    month.check()
