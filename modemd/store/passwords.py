"""Passwords of staff and of customers: Argon2id, one rule for how long they are, and ones to hand out."""

import secrets
from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import VerifyMismatchError

from modemd.errors import Because, PasswordRefused

SHORTEST = 12  # characters
LONGEST = 128  # an endless one would keep the hash function busy
ONE_TIME_LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"  # none that is read out as another one
ONE_TIME_GROUPS = 4  # of 4 letters: 79 bits

_hasher = PasswordHasher()


def check_length(password: str) -> None:
    """Raises PasswordRefused for one that nobody may choose."""
    if not SHORTEST <= len(password) <= LONGEST:
        raise PasswordRefused(reason=Because("it needs {least} to {most} characters", least=SHORTEST, most=LONGEST))


def hashed(password: str) -> str:
    return _hasher.hash(password)


def fits(known_hash: str | None, password: str) -> bool:
    """Whether this is the password. Takes the same time, some 50 ms, when there is no hash to compare with."""
    if len(password) > LONGEST:
        return False
    try:
        _hasher.verify(known_hash or _nobodys_hash(), password)
    except VerifyMismatchError:
        return False
    return known_hash is not None


def letters(groups: int) -> str:
    """`abcd-efgh-…` to be read out or written down, 4 letters a group."""
    return "-".join("".join(secrets.choice(ONE_TIME_LETTERS) for _ in range(4)) for _ in range(groups))


def one_time() -> str:
    """A password to hand out, to be changed at the first sign-in."""
    return letters(ONE_TIME_GROUPS)


@cache
def _nobodys_hash() -> str:
    return _hasher.hash(secrets.token_hex(16))
