"""Whose certificates count at the portal's door, and what of theirs was revoked (RFC 5280, section 5).

A list counts that its issuer has signed, that is whole, and whose next one is not due yet. What cannot be found out
counts as revoked: a missing, stale, partial or damaged list lets nobody in.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import TypeVar

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID

from modemd.errors import CertificateRefused

T = TypeVar("T", bound=x509.ExtensionType)


@dataclass(frozen=True)
class Trust:
    """The issuers whose certificates count (B-Trust, StampIT …), and the folder with their revocation lists."""

    issuers_file: Path  # PEM, one after another
    crl_folder: Path  # *.crl, DER or PEM

    @cached_property
    def issuers(self) -> Sequence[x509.Certificate]:
        """Raises CertificateRefused: without issuers nobody comes in."""
        try:
            return x509.load_pem_x509_certificates(self.issuers_file.read_bytes())
        except (OSError, ValueError) as error:
            raise CertificateRefused(reason=f"the issuers in {self.issuers_file} cannot be read") from error

    @property
    def issuers_of_people(self) -> list[x509.Certificate]:
        """Without those that are there only since they have issued another one."""
        return [
            each
            for each in self.issuers
            if not any(other.issuer == each.subject and other != each for other in self.issuers)
        ]

    def lists(self) -> Iterator[x509.CertificateRevocationList]:
        """Every revocation list that can be read, as it is on the disk now."""
        for file in sorted(self.crl_folder.glob("*.crl")):
            try:
                yield load(file.read_bytes())
            except ValueError:
                continue  # a damaged one is as good as none

    def fresh_lists(self, issuer: x509.Certificate, now: datetime) -> list[x509.CertificateRevocationList]:
        """Those of this issuer that count now."""
        return [each for each in self.lists() if is_of(each, issuer) and is_whole(each) and is_fresh(each, now)]


def load(octets: bytes) -> x509.CertificateRevocationList:
    """A list in DER or PEM. Raises ValueError."""
    is_pem = octets.lstrip().startswith(b"-----")
    return x509.load_pem_x509_crl(octets) if is_pem else x509.load_der_x509_crl(octets)


def is_of(crl: x509.CertificateRevocationList, issuer: x509.Certificate) -> bool:
    """Whether this issuer, who may do so, has signed the list."""
    key, usage = issuer.public_key(), extension(issuer, x509.KeyUsage)
    if usage is None or not usage.crl_sign:
        return False
    try:
        if crl.issuer != issuer.subject:
            return False
        return isinstance(key, rsa.RSAPublicKey | ec.EllipticCurvePublicKey) and crl.is_signature_valid(key)
    except (ValueError, UnsupportedAlgorithm):
        return False


def is_whole(crl: x509.CertificateRevocationList) -> bool:
    """Whether the list names all revoked certificates: not only changes, not a part, nothing that is not known here."""
    try:
        extensions = list(crl.extensions)
    except (ValueError, x509.DuplicateExtension):
        return False
    for each in extensions:
        match each.value:
            case x509.DeltaCRLIndicator():
                return False
            case x509.IssuingDistributionPoint() as part:
                if part.only_contains_ca_certs or part.only_contains_attribute_certs or part.indirect_crl:
                    return False
                if part.only_some_reasons:
                    return False
            case x509.UnrecognizedExtension() if each.critical:
                return False
    return True


def is_fresh(crl: x509.CertificateRevocationList, now: datetime) -> bool:
    return crl.last_update_utc <= now and crl.next_update_utc is not None and now < crl.next_update_utc


def covers(crl: x509.CertificateRevocationList, certificate: x509.Certificate) -> bool:
    """Whether a list that stands for one of several addresses is the one that the certificate names."""
    part = extension(crl, x509.IssuingDistributionPoint)
    if part is None or part.full_name is None:
        return True
    points = extension(certificate, x509.CRLDistributionPoints) or ()
    return any(name in part.full_name for point in points for name in point.full_name or ())


def extension(of: x509.Certificate | x509.CertificateRevocationList, kind: type[T]) -> T | None:
    try:
        return of.extensions.get_extension_for_class(kind).value
    except x509.ExtensionNotFound:
        return None


def name_of(issuer: x509.Certificate) -> str:
    """As people know it."""
    names = issuer.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    return str(names[0].value) if names else issuer.subject.rfc4514_string()
