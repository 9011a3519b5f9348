"""What comes to a phone of the simulated network."""

import re
import time
from collections.abc import Callable

from modemd.sim.control import ControlClient

PATIENCE = 40.0  # s; a bound on what never comes


def wait_for(phones: ControlClient, number: str, fits: Callable[[str], bool]) -> str:
    """The first text on the phone that fits."""
    deadline = time.monotonic() + PATIENCE
    while True:
        for sms in phones.phone(number):
            if fits(str(sms["text"])):
                return str(sms["text"])
        assert time.monotonic() < deadline, "it never came"
        time.sleep(0.1)


def digits(phones: ControlClient, number: str) -> str:
    """The code that was sent to it."""
    found = re.search(r"kod (\d{6})", wait_for(phones, number, lambda text: "kod" in text))
    assert found
    return found[1]
