"""Secrets of the panel in the database: sealed with a key that the panel's own is the source of (RFC 5869), AES-GCM.

Who has a copy of the database alone can read none of them.
"""

import os
from base64 import urlsafe_b64decode, urlsafe_b64encode

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

_NONCE = 12  # octets


class Seal:
    def __init__(self, key: str, purpose: str) -> None:
        """`key` is the panel's secret key; another purpose makes another seal of it."""
        self._cipher = AESGCM(HKDF(SHA256(), 32, None, purpose.encode()).derive(key.encode()))

    def close(self, secret: bytes, owner: str) -> str:
        """The secret as it is kept; it opens for this owner only."""
        nonce = os.urandom(_NONCE)
        return urlsafe_b64encode(nonce + self._cipher.encrypt(nonce, secret, owner.encode())).decode()

    def open(self, kept: str, owner: str) -> bytes | None:
        """The secret; None where it was sealed with another key or for somebody else."""
        sealed = urlsafe_b64decode(kept)
        try:
            return self._cipher.decrypt(sealed[:_NONCE], sealed[_NONCE:], owner.encode())
        except InvalidTag:
            return None
