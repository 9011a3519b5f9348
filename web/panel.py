"""What every module of the panel works with."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from flask import current_app
from sqlalchemy import Engine

from modemd.config import Settings
from modemd.service import factors
from modemd.service.sealing import Seal

EXTENSION = "modemd"


@dataclass(frozen=True, slots=True)
class Panel:
    settings: Settings
    engine: Engine
    now: Callable[[], datetime]


def factor_seal() -> Seal:
    """What closes and opens the second factors of this panel."""
    return factors.seal_of(str(current_app.secret_key))


def panel() -> Panel:
    """The settings, the database and the clock of the app that serves this request."""
    found: Panel = current_app.extensions[EXTENSION]
    return found
