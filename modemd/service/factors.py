"""The second factor of staff: codes of an authenticator, from a secret and the time (TOTP, RFC 6238)."""

from datetime import datetime

import pyotp
from sqlalchemy import Connection

from modemd.store import staff

ISSUER = "modemd"
STEP_SECONDS = 30
SLOW_CLOCK = 1  # steps that a phone's clock may be off


def new_secret() -> str:
    return pyotp.random_base32()


def address(secret: str, name: str) -> str:
    """What an authenticator reads from the QR code."""
    return pyotp.TOTP(secret).provisioning_uri(name=name, issuer_name=ISSUER)


def step_of(secret: str, code: str, now: datetime) -> int | None:
    """The step of time that the code belongs to; None: it is wrong or of another time."""
    written = "".join(code.split())
    generator = pyotp.TOTP(secret)
    present = int(now.timestamp()) // STEP_SECONDS
    for step in range(present - SLOW_CLOCK, present + SLOW_CLOCK + 1):
        if pyotp.utils.strings_equal(written, generator.at(step * STEP_SECONDS)):
            return step
    return None


def take(conn: Connection, person_id: int, code: str, now: datetime) -> bool:
    """Whether this is the person's code of now, and the first time that it comes."""
    secret, _ = staff.factor(conn, person_id)
    step = step_of(secret, code, now) if secret is not None else None
    return step is not None and staff.take_step(conn, person_id, step)
