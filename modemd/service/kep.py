"""The qualified electronic signature (КЕП) at the portal's door: whose certificate it is, or why it opens nothing.

Profile: ETSI EN 319 412-1 (semantics identifiers), 412-2 and 412-5 (QcStatements). The proxy has seen that whoever
connects holds the key; everything else is looked at here again, and what cannot be found out is refused.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from pyasn1.codec.der import decoder
from pyasn1.error import PyAsn1Error
from pyasn1_modules import rfc3739
from stdnum.bg import egn, vat

from modemd.errors import CertificateRefused
from modemd.service.trust import Trust, covers, extension

QC_STATEMENTS = x509.ObjectIdentifier("1.3.6.1.5.5.7.1.3")  # RFC 3739, 3.2.6
QC_COMPLIANCE = "0.4.0.1862.1.1"  # EN 319 412-5, 4.2.1: the certificate is a qualified one
ORGANIZATION_IDENTIFIER = x509.ObjectIdentifier("2.5.4.97")  # EN 319 412-1, 5.1.4
PERSON, COMPANY = "PNOBG-", "NTRBG-"
LONGEST = 32_768  # characters of a PEM
LEAST_RSA_BITS = 2048


@dataclass(frozen=True, slots=True)
class Holder:
    """Whom a certificate names: a person, a company, or a person who acts for one. Kept nowhere, logged nowhere."""

    egn: str | None
    eik: str | None


def holder(pem: str, trust: Trust, now: datetime) -> Holder:
    """Whom the certificate names, after everything about it was found in order.

    Raises CertificateRefused, whose reason names the fault and nobody's data.
    """
    certificate = _load(pem)
    try:
        issuer = _issuer(certificate, trust.issuers)
        _check_validity(certificate, issuer, now)
        _check_purpose(certificate)
        _check_qualified(certificate)
        _check_revocation(certificate, issuer, trust, now)
        return _named(certificate)
    except (ValueError, UnsupportedAlgorithm, x509.DuplicateExtension) as error:  # a field that is not what it must be
        raise CertificateRefused(reason="it is damaged") from error


def _load(pem: str) -> x509.Certificate:
    if len(pem) > LONGEST:
        raise CertificateRefused(reason="it is too long")
    try:
        (certificate,) = x509.load_pem_x509_certificates(pem.encode("ascii"))
    except (ValueError, x509.InvalidVersion) as error:
        raise CertificateRefused(reason="it cannot be read") from error
    return certificate


def _issuer(certificate: x509.Certificate, issuers: Sequence[x509.Certificate]) -> x509.Certificate:
    for issuer in issuers:
        try:
            certificate.verify_directly_issued_by(issuer)
        except (ValueError, TypeError, InvalidSignature, UnsupportedAlgorithm):
            continue
        usage = extension(issuer, x509.KeyUsage)
        basic = extension(issuer, x509.BasicConstraints)
        if basic is not None and basic.ca and usage is not None and usage.key_cert_sign:
            return issuer
    raise CertificateRefused(reason="it is of no issuer that counts here")


def _check_validity(certificate: x509.Certificate, issuer: x509.Certificate, now: datetime) -> None:
    for each, whose in ((certificate, "it"), (issuer, "its issuer's certificate")):
        if now < each.not_valid_before_utc:
            raise CertificateRefused(reason=f"{whose} is not valid yet")
        if now > each.not_valid_after_utc:
            raise CertificateRefused(reason=f"{whose} has expired")


def _check_purpose(certificate: x509.Certificate) -> None:
    basic = extension(certificate, x509.BasicConstraints)
    if basic is not None and basic.ca:
        raise CertificateRefused(reason="it is an issuer's, not a person's")
    usage = extension(certificate, x509.KeyUsage)
    if usage is None or not usage.digital_signature:
        raise CertificateRefused(reason="its key is not for signing in (no digitalSignature)")
    extended = extension(certificate, x509.ExtendedKeyUsage)
    if extended is not None and ExtendedKeyUsageOID.CLIENT_AUTH not in extended:
        raise CertificateRefused(reason="its key is not for signing in (no clientAuth)")
    key = certificate.public_key()
    strong = isinstance(key, ec.EllipticCurvePublicKey) or (
        isinstance(key, rsa.RSAPublicKey) and key.key_size >= LEAST_RSA_BITS
    )
    if not strong:
        raise CertificateRefused(reason="its key is too weak, or of an unknown kind")


def _check_qualified(certificate: x509.Certificate) -> None:
    try:
        encoded = certificate.extensions.get_extension_for_oid(QC_STATEMENTS).value.public_bytes()
        statements, rest = decoder.decode(encoded, asn1Spec=rfc3739.QCStatements())
    except (x509.ExtensionNotFound, PyAsn1Error) as error:
        raise CertificateRefused(reason="it is not a qualified one (no QcStatements)") from error
    if rest or QC_COMPLIANCE not in {str(each["statementId"]) for each in statements}:
        raise CertificateRefused(reason="it is not a qualified one (no QcCompliance)")


def _check_revocation(certificate: x509.Certificate, issuer: x509.Certificate, trust: Trust, now: datetime) -> None:
    fresh = [each for each in trust.fresh_lists(issuer, now) if covers(each, certificate)]
    if not fresh:
        raise CertificateRefused(reason="its issuer's revocation list is missing or stale")
    if any(each.get_revoked_certificate_by_serial_number(certificate.serial_number) is not None for each in fresh):
        raise CertificateRefused(reason="it was revoked")


def _named(certificate: x509.Certificate) -> Holder:
    person = _identifier(certificate, NameOID.SERIAL_NUMBER, PERSON)
    company = _identifier(certificate, ORGANIZATION_IDENTIFIER, COMPANY)
    if person is not None and not egn.is_valid(person):
        raise CertificateRefused(reason="the ЕГН in it is none")
    if company is not None and not vat.is_valid(company[:9]):
        raise CertificateRefused(reason="the ЕИК in it is none")
    if person is None and company is None:
        raise CertificateRefused(reason="it names nobody by ЕГН or ЕИК")
    return Holder(person, company)


def _identifier(certificate: x509.Certificate, field: x509.ObjectIdentifier, prefix: str) -> str | None:
    values = [str(each.value) for each in certificate.subject.get_attributes_for_oid(field)]
    found = [value.removeprefix(prefix) for value in values if value.startswith(prefix)]
    if len(found) > 1:
        raise CertificateRefused(reason="it names several holders")
    return found[0] if found else None
