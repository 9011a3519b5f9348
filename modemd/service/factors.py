"""The second factor of staff: codes of an authenticator, from a secret and the time (TOTP, RFC 6238).

Secrets are sealed with the panel's key. A panel with another key cannot read them: an administrator takes the factor
away, and its owner sets it anew.
"""

from base64 import b32decode, b32encode
from datetime import datetime

import pyotp
from sqlalchemy import Connection

from modemd.errors import FactorSealed
from modemd.service.sealing import Seal
from modemd.store import staff

ISSUER = "modemd"
STEP_SECONDS = 30
SLOW_CLOCK = 1  # steps that a phone's clock may be off
_IN_CLEAR = 32  # characters of base32, as versions before kept a secret; sealed it has twice as many


def seal_of(key: str) -> Seal:
    """What closes and opens the secrets of a panel with this key."""
    return Seal(key, "second factor of staff")


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


def keep(conn: Connection, person_id: int, secret: str, step: int | None, seal: Seal) -> None:
    """Make it the person's second factor."""
    staff.set_factor(conn, person_id, seal.close(b32decode(secret), _owner(person_id)), step)


def take(conn: Connection, person_id: int, code: str, now: datetime, seal: Seal) -> bool:
    """Whether this is the person's code of now, and the first time that it comes. Raises FactorSealed."""
    kept, _ = staff.factor(conn, person_id)
    if kept is None:
        return False
    step = step_of(_opened(kept, person_id, seal), code, now)
    return step is not None and staff.take_step(conn, person_id, step)


def any_in_clear(conn: Connection) -> bool:
    """Whether an earlier version has left a secret that is not sealed."""
    return any(len(kept) == _IN_CLEAR for _, kept in staff.factors(conn))


def seal_all(conn: Connection, seal: Seal) -> int:
    """Seal what an earlier version has kept in clear; returns how many secrets that were."""
    found = [(person_id, kept) for person_id, kept in staff.factors(conn) if len(kept) == _IN_CLEAR]
    for person_id, secret in found:
        _, step = staff.factor(conn, person_id)
        keep(conn, person_id, secret, step, seal)
    return len(found)


def _opened(kept: str, person_id: int, seal: Seal) -> str:
    secret = seal.open(kept, _owner(person_id))
    if secret is None:
        raise FactorSealed()
    return b32encode(secret).decode()


def _owner(person_id: int) -> str:
    return f"staff {person_id}"
