"""What sends is a `Way`: the modem, and the loop-back that stands in for it in tests."""

import asyncio
from datetime import UTC, datetime
from typing import cast

from modemd.config import Settings
from modemd.modem.above import Gateway
from modemd.modem.modem import Modem
from modemd.modem.way import Way
from tests.still_modem import StillModem


async def _made() -> tuple[object, object]:
    return Modem("p", Settings(), cast(Gateway, None), lambda: datetime.now(UTC)), StillModem("p")


def test_modem_and_loop_back_are_ways_out() -> None:
    assert all(isinstance(each, Way) for each in asyncio.run(_made()))
