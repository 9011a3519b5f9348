"""A test authority with the profile of the Bulgarian ones: certificates of invented people and companies, and lists."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from pyasn1.codec.der import encoder
from pyasn1_modules import rfc3739

from modemd.service import kep
from modemd.service.trust import Trust

NOW = datetime.now(UTC).replace(microsecond=0)
EGN = "7523169263"  # python-stdnum's example of a valid one; nobody's
EIK = "175074752"  # likewise
YEAR = timedelta(days=365)

Key = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey


def qc_statements(*oids: str) -> x509.UnrecognizedExtension:
    statements = rfc3739.QCStatements()
    for oid in oids:
        statement = rfc3739.QCStatement()
        statement["statementId"] = oid
        statements.append(statement)
    return x509.UnrecognizedExtension(kep.QC_STATEMENTS, encoder.encode(statements))


def usage(**on: bool) -> x509.KeyUsage:
    names = ("digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement")
    names += ("key_cert_sign", "crl_sign", "encipher_only", "decipher_only")
    return x509.KeyUsage(**{name: on.get(name, False) for name in names})


def list_point(url: str) -> x509.DistributionPoint:
    return x509.DistributionPoint([x509.UniformResourceIdentifier(url)], None, None, None)


def list_part(**what: Any) -> x509.IssuingDistributionPoint:
    """The extension of a list that has not everything in it."""
    names = ("full_name", "relative_name", "only_contains_user_certs", "only_contains_ca_certs", "only_some_reasons")
    nothing = {**dict.fromkeys(names), "only_contains_user_certs": False, "only_contains_ca_certs": False}
    nothing |= {"indirect_crl": False, "only_contains_attribute_certs": False}
    return x509.IssuingDistributionPoint(**{**nothing, **what})


@dataclass
class Issued:
    certificate: x509.Certificate
    key: Key

    @property
    def pem(self) -> str:
        return self.certificate.public_bytes(serialization.Encoding.PEM).decode()

    def write(self, folder: Path, name: str) -> tuple[Path, Path]:
        """Certificate and key as files."""
        certificate, key = folder / f"{name}.pem", folder / f"{name}.key"
        certificate.write_text(self.pem)
        form = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        key.write_bytes(self.key.private_bytes(*form))
        return certificate, key


@dataclass
class Profile:
    """What a certificate says; the defaults make a good one of a person."""

    egn: str | None = EGN
    eik: str | None = None
    identifiers: tuple[str, ...] = ()  # further serialNumbers
    begin: datetime = NOW - timedelta(days=1)
    end: datetime = NOW + YEAR
    statements: tuple[str, ...] | None = (kep.QC_COMPLIANCE, "0.4.0.1862.1.4")
    usage: x509.KeyUsage | None = field(default_factory=lambda: usage(digital_signature=True))
    purposes: tuple[x509.ObjectIdentifier, ...] | None = (ExtendedKeyUsageOID.CLIENT_AUTH,)
    list_at: str | None = None  # address of the revocation list
    is_issuer: bool = False
    subject_of: "Authority | None" = None  # a certificate for an authority below this one
    key: Key | None = None

    @property
    def subject(self) -> x509.Name:
        if self.subject_of is not None:
            return self.subject_of.name
        attributes = [x509.NameAttribute(NameOID.COUNTRY_NAME, "BG"), x509.NameAttribute(NameOID.COMMON_NAME, "Test")]
        numbers = ([f"{kep.PERSON}{self.egn}"] if self.egn else []) + list(self.identifiers)
        attributes += [x509.NameAttribute(NameOID.SERIAL_NUMBER, number) for number in numbers]
        if self.eik:
            attributes.append(x509.NameAttribute(kep.ORGANIZATION_IDENTIFIER, f"{kep.COMPANY}{self.eik}"))
        return x509.Name(attributes)


class Authority:
    """A qualified issuer. `folder` gets its certificate (issuers.pem) and its list (test.crl)."""

    def __init__(
        self, folder: Path, name: str = "Test Qualified CA", begin: datetime = NOW - YEAR, signs_lists: bool = True
    ) -> None:
        self.folder = folder
        self.name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.certificate = (
            x509.CertificateBuilder(self.name, self.name, self.key.public_key(), x509.random_serial_number())
            .not_valid_before(begin)
            .not_valid_after(NOW + 10 * YEAR)
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(usage(key_cert_sign=True, crl_sign=signs_lists), critical=True)
            .sign(self.key, hashes.SHA256())
        )
        (folder / "crl").mkdir(parents=True, exist_ok=True)
        self.issuers_file = folder / "issuers.pem"
        self.issuers_file.write_bytes(self.certificate.public_bytes(serialization.Encoding.PEM))
        self.publish()

    @property
    def trust(self) -> Trust:
        return Trust(self.issuers_file, self.folder / "crl")

    def issue(self, profile: Profile | None = None) -> Issued:
        profile = profile or Profile()
        key = profile.key or ec.generate_private_key(ec.SECP256R1())
        builder = (
            x509.CertificateBuilder(self.name, profile.subject, key.public_key(), x509.random_serial_number())
            .not_valid_before(profile.begin)
            .not_valid_after(profile.end)
            .add_extension(x509.BasicConstraints(ca=profile.is_issuer, path_length=None), critical=True)
        )
        if profile.usage is not None:
            builder = builder.add_extension(profile.usage, critical=True)
        if profile.purposes is not None:
            builder = builder.add_extension(x509.ExtendedKeyUsage(profile.purposes), critical=False)
        if profile.statements is not None:
            builder = builder.add_extension(qc_statements(*profile.statements), critical=False)
        if profile.list_at is not None:
            points = x509.CRLDistributionPoints([list_point(profile.list_at)])
            builder = builder.add_extension(points, critical=False)
        return Issued(builder.sign(self.key, hashes.SHA256()), key)

    def publish(self, *revoked: Issued, **more: Any) -> None:
        """Write the revocation list anew."""
        (self.folder / "crl" / "test.crl").write_bytes(self.crl(*revoked, **more))

    def crl(
        self,
        *revoked: Issued,
        at: datetime = NOW - timedelta(hours=1),
        until: datetime = NOW + timedelta(days=1),
        extension: x509.ExtensionType | None = None,
        key: Key | None = None,
    ) -> bytes:
        """A revocation list; with `key` somebody else has signed it."""
        builder = x509.CertificateRevocationListBuilder(self.name, at, until)
        for each in revoked:
            entry = x509.RevokedCertificateBuilder(each.certificate.serial_number, at).build()
            builder = builder.add_revoked_certificate(entry)
        if extension is not None:
            builder = builder.add_extension(extension, critical=True)
        return builder.sign(key or self.key, hashes.SHA256()).public_bytes(serialization.Encoding.DER)
