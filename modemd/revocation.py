"""Keeping revocation lists fresh: fetched from the addresses in the settings, and put in place only if they are better.

An address is the administrator's word, what it leads to is not: nothing but http and https, no other host than the one
that was named, so many octets in so much time. A list is taken that one of the issuers has signed, that is whole and
fresh, and that is not older than the one in its place; else that one stays. Without a fresh list nobody of its issuer
comes in (`service/trust.py`).
"""

import hashlib
import os
import re
import tempfile
import time
from dataclasses import dataclass
from datetime import datetime
from http.client import HTTPException
from pathlib import Path
from typing import IO, Any
from urllib import request
from urllib.error import HTTPError
from urllib.parse import urlsplit

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from modemd.errors import ListRefused
from modemd.service import trust
from modemd.service.trust import Trust

MOST_OCTETS = 32 * 2**20  # the longest list of a Bulgarian issuer has some 10 MiB
ANSWER_SECONDS = 20.0  # for the connection, and for each piece of the answer
MOST_SECONDS = 120.0  # for the whole list
PIECE = 2**16
MOST_REDIRECTS = 3


@dataclass(frozen=True, slots=True)
class Renewed:
    """What came of one address."""

    issuer: str
    is_new: bool
    good_until: datetime


def renew(url: str, trusted: Trust, now: datetime) -> Renewed:
    """Fetch one list and put it into its place. Raises ListRefused, and CertificateRefused without issuers."""
    try:
        crl = trust.load(fetch(url))
    except ValueError as error:
        raise ListRefused(url=url, reason="it is no revocation list") from error
    issuer = next((each for each in trusted.issuers if trust.is_of(crl, each)), None)
    if issuer is None:
        raise ListRefused(url=url, reason="none of the issuers has signed it")
    if not trust.is_whole(crl):
        raise ListRefused(url=url, reason="it is a part of a list, or one of a kind that is not known here")
    if not trust.is_fresh(crl, now) or crl.next_update_utc is None:
        raise ListRefused(url=url, reason="it is stale")
    place = trusted.crl_folder / file_name(crl, issuer)
    before = _in_place(place, issuer)
    if before is not None and crl.last_update_utc < before.last_update_utc:
        raise ListRefused(url=url, reason="it is older than the one that is here")
    is_new = crl != before
    if is_new:
        _replace(place, crl.public_bytes(Encoding.DER))
    return Renewed(trust.name_of(issuer), is_new, crl.next_update_utc)


def file_name(crl: x509.CertificateRevocationList, issuer: x509.Certificate) -> str:
    """The same for the next list of this issuer (and of this part, where it has several)."""
    part = trust.extension(crl, x509.IssuingDistributionPoint)
    whose = issuer.subject.public_bytes() + (part.public_bytes() if part else b"")
    words = "-".join(re.findall(r"[a-z0-9]+", trust.name_of(issuer).lower()))
    return f"{words[:40]}-{hashlib.sha256(whose).hexdigest()[:12]}.crl"


def _in_place(place: Path, issuer: x509.Certificate) -> x509.CertificateRevocationList | None:
    """The list that is there, if it is one of this issuer's."""
    try:
        found = trust.load(place.read_bytes())
    except (FileNotFoundError, ValueError):
        return None
    return found if trust.is_of(found, issuer) else None


def _replace(place: Path, octets: bytes) -> None:
    """In one step, on the disk before it counts."""
    number, beside = tempfile.mkstemp(prefix=".", suffix=".new", dir=place.parent)
    try:
        with os.fdopen(number, "wb") as file:
            file.write(octets)
            os.fchmod(file.fileno(), 0o644)  # it is public
            file.flush()
            os.fsync(file.fileno())
        Path(beside).replace(place)
    except BaseException:
        Path(beside).unlink(missing_ok=True)
        raise


# the way to the address


class _SameHost(request.HTTPRedirectHandler):
    """Follows an address to where it moved on the same host, and nowhere else."""

    max_redirections = max_repeats = MOST_REDIRECTS

    def redirect_request(
        self, req: request.Request, fp: IO[bytes], code: int, msg: str, headers: Any, newurl: str
    ) -> request.Request | None:
        old, new = urlsplit(req.full_url), urlsplit(newurl)
        if (new.scheme, new.netloc) not in ((old.scheme, old.netloc), ("https", old.hostname)):
            fp.close()
            raise ListRefused(url=req.full_url, reason="it leads to another host")
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def fetch(url: str) -> bytes:
    """What is at this address. Raises ListRefused."""
    opener = request.OpenerDirector()  # with what is named here alone: no file, no ftp, no data
    for handler in (
        request.ProxyHandler(),
        request.HTTPHandler(),
        request.HTTPSHandler(),
        request.HTTPDefaultErrorHandler(),
        request.HTTPErrorProcessor(),
        request.UnknownHandler(),
        _SameHost(),
    ):
        opener.add_handler(handler)
    until = time.monotonic() + MOST_SECONDS
    try:
        with opener.open(url, timeout=ANSWER_SECONDS) as answer:
            return _read(answer, url, until)
    except HTTPError as error:
        error.close()
        raise ListRefused(url=url, reason=f"it cannot be fetched: {error}") from error
    except (OSError, HTTPException, ValueError) as error:
        raise ListRefused(url=url, reason=f"it cannot be fetched: {error}") from error


def _read(answer: Any, url: str, until: float) -> bytes:
    pieces, length = [], 0
    while piece := answer.read1(PIECE):
        pieces.append(piece)
        length += len(piece)
        if length > MOST_OCTETS:
            raise ListRefused(url=url, reason=f"it is longer than {MOST_OCTETS // 2**20} MiB")
        if time.monotonic() > until:
            raise ListRefused(url=url, reason=f"it takes longer than {MOST_SECONDS:.0f} s")
    return b"".join(pieces)
