"""Which certificates open the portal, and why others do not."""

from base64 import b64encode
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import ExtendedKeyUsageOID
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from modemd.errors import CertificateRefused
from modemd.service import kep
from modemd.service.kep import Holder
from modemd.service.trust import Trust
from tests.service.authority import EGN, EIK, NOW, YEAR, Authority, Issued, Profile, list_part, usage

DAY = timedelta(days=1)
ELSEWHERE = x509.UniformResourceIdentifier("http://crl.example.bg/1.crl")
WRONG_EGN = "7523169262"
WRONG_EIK = "175074751"


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture
def own_authority(tmp_path: Path) -> Authority:
    """For tests that publish another list."""
    return Authority(tmp_path)


@pytest.mark.parametrize(
    ("profile", "holder"),
    [
        (Profile(), Holder(EGN, None)),
        (Profile(egn=None, eik=EIK), Holder(None, EIK)),
        (Profile(eik=EIK), Holder(EGN, EIK)),
        (Profile(purposes=None), Holder(EGN, None)),
        (Profile(key=rsa.generate_private_key(65537, 2048)), Holder(EGN, None)),
    ],
)
def test_a_good_certificate_names_its_holder(authority: Authority, profile: Profile, holder: Holder) -> None:
    assert kep.holder(authority.issue(profile).pem, authority.trust, NOW) == holder


@pytest.mark.parametrize(
    ("profile", "reason"),
    [
        (Profile(begin=NOW - YEAR, end=NOW - DAY), "it has expired"),
        (Profile(begin=NOW + DAY), "not valid yet"),
        (Profile(statements=None), "no QcStatements"),
        (Profile(statements=("0.4.0.1862.1.4",)), "no QcCompliance"),
        (Profile(egn=WRONG_EGN), "the ЕГН in it is none"),
        (Profile(egn=None, eik=WRONG_EIK), "the ЕИК in it is none"),
        (Profile(egn=None), "names nobody"),
        (Profile(egn=None, identifiers=(f"PASBG-{EGN}",)), "names nobody"),
        (Profile(identifiers=("PNOBG-8001010008",)), "several holders"),
        (Profile(is_issuer=True), "an issuer's"),
        (Profile(usage=None), "no digitalSignature"),
        (Profile(usage=usage(content_commitment=True)), "no digitalSignature"),
        (Profile(purposes=(ExtendedKeyUsageOID.SERVER_AUTH,)), "no clientAuth"),
        (Profile(key=rsa.generate_private_key(65537, 1024)), "too weak"),
    ],
)
def test_another_certificate_is_refused_and_the_reason_named(
    authority: Authority, profile: Profile, reason: str
) -> None:
    with pytest.raises(CertificateRefused, match=reason) as refused:
        kep.holder(authority.issue(profile).pem, authority.trust, NOW)
    assert EGN not in str(refused.value)


def test_a_revoked_certificate_is_refused(own_authority: Authority) -> None:
    issued = own_authority.issue()
    own_authority.publish(issued)
    with pytest.raises(CertificateRefused, match="revoked"):
        kep.holder(issued.pem, own_authority.trust, NOW)


def _damage(authority: Authority) -> None:
    (authority.folder / "crl" / "test.crl").write_bytes(b"0\x03\x02\x01\x00")


def _take_away(authority: Authority) -> None:
    (authority.folder / "crl" / "test.crl").unlink()


def _another_name(authority: Authority) -> None:
    own, authority.name = authority.name, Authority(authority.folder / "namesake", name="Another").name
    authority.publish()
    authority.name = own


def _another_key(authority: Authority) -> None:
    other = Authority(authority.folder / "other")
    other.publish()
    (other.folder / "crl" / "test.crl").rename(authority.folder / "crl" / "test.crl")


@pytest.mark.parametrize(
    "spoil",
    [
        pytest.param(lambda authority: authority.publish(at=NOW - 2 * DAY, until=NOW - DAY), id="stale"),
        pytest.param(lambda authority: authority.publish(at=NOW + DAY, until=NOW + 2 * DAY), id="not yet"),
        pytest.param(_damage, id="damaged"),
        pytest.param(_take_away, id="missing"),
        pytest.param(_another_name, id="of another name, by the same key"),
        pytest.param(_another_key, id="another key's, in the same name"),
        pytest.param(lambda each: each.publish(extension=x509.DeltaCRLIndicator(1)), id="changes alone"),
        pytest.param(lambda each: each.publish(extension=list_part(only_contains_ca_certs=True)), id="of issuers"),
        pytest.param(lambda each: each.publish(extension=list_part(indirect_crl=True)), id="indirect"),
        pytest.param(
            lambda each: each.publish(extension=list_part(only_contains_attribute_certs=True)), id="of attributes"
        ),
        pytest.param(
            lambda each: each.publish(extension=list_part(only_some_reasons=frozenset([x509.ReasonFlags.superseded]))),
            id="of one reason",
        ),
        pytest.param(
            lambda each: each.publish(extension=x509.UnrecognizedExtension(kep.QC_STATEMENTS, b"\x05\x00")),
            id="with something critical that is not known",
        ),
        pytest.param(lambda each: each.publish(extension=list_part(full_name=[ELSEWHERE])), id="of other addresses"),
    ],
)
def test_without_a_fresh_list_of_its_issuer_nothing_is_accepted(
    own_authority: Authority, spoil: Callable[[Authority], None]
) -> None:
    issued = own_authority.issue()
    spoil(own_authority)
    with pytest.raises(CertificateRefused, match="missing or stale"):
        kep.holder(issued.pem, own_authority.trust, NOW)


def test_a_list_of_the_certificate_s_own_address_counts(own_authority: Authority) -> None:
    issued = own_authority.issue(Profile(list_at=ELSEWHERE.value))
    own_authority.publish(extension=list_part(full_name=[ELSEWHERE]))
    assert kep.holder(issued.pem, own_authority.trust, NOW) == Holder(EGN, None)
    own_authority.publish(issued, extension=list_part(full_name=[ELSEWHERE], only_contains_user_certs=True))
    with pytest.raises(CertificateRefused, match="revoked"):
        kep.holder(issued.pem, own_authority.trust, NOW)


def test_who_is_revoked_in_any_fresh_list_is_out(own_authority: Authority) -> None:
    issued = own_authority.issue()
    (own_authority.folder / "crl" / "a.crl").write_bytes(own_authority.crl(issued))
    with pytest.raises(CertificateRefused, match="revoked"):
        kep.holder(issued.pem, own_authority.trust, NOW)


def test_an_issuer_that_may_sign_no_lists_has_none(tmp_path: Path) -> None:
    authority = Authority(tmp_path, signs_lists=False)
    with pytest.raises(CertificateRefused, match="missing or stale"):
        kep.holder(authority.issue().pem, authority.trust, NOW)


def test_another_issuer_is_refused_also_under_the_same_name(authority: Authority, tmp_path: Path) -> None:
    with pytest.raises(CertificateRefused, match="no issuer that counts"):
        kep.holder(Authority(tmp_path).issue().pem, authority.trust, NOW)


def test_a_self_signed_certificate_is_refused(authority: Authority, tmp_path: Path) -> None:
    alone = Authority(tmp_path, name="Somebody")
    with pytest.raises(CertificateRefused, match="no issuer that counts"):
        kep.holder(Issued(alone.certificate, alone.key).pem, authority.trust, NOW)


def test_a_certificate_under_another_s_certificate_is_refused(authority: Authority) -> None:
    """A customer's certificate, even one that says it is an issuer, issues nothing that counts."""
    middle = authority.issue(Profile(is_issuer=True))
    forger = Authority(authority.folder / "forger")
    forger.key, forger.name = middle.key, middle.certificate.subject  # type: ignore[assignment]
    with pytest.raises(CertificateRefused, match="no issuer that counts"):
        kep.holder(forger.issue().pem, authority.trust, NOW)


@pytest.mark.parametrize("lacks", [{"is_issuer": False}, {"usage": usage(crl_sign=True)}, {"usage": None}])
def test_who_stands_among_the_issuers_but_may_issue_nothing_issues_nothing(
    authority: Authority, tmp_path: Path, lacks: dict[str, Any]
) -> None:
    issuer = Authority(tmp_path, name="Nobody's issuer")
    may = {"is_issuer": True, "usage": usage(key_cert_sign=True, crl_sign=True), "key": issuer.key}
    told = authority.issue(Profile(subject_of=issuer, **{**may, **lacks}))
    issuer.issuers_file.write_text(told.pem)
    with pytest.raises(CertificateRefused, match="no issuer that counts"):
        kep.holder(issuer.issue().pem, issuer.trust, NOW)


def test_the_issuer_must_be_valid_too(tmp_path: Path) -> None:
    late = Authority(tmp_path, begin=NOW + DAY)
    with pytest.raises(CertificateRefused, match="issuer's certificate is not valid yet"):
        kep.holder(late.issue().pem, late.trust, NOW)


def test_without_issuers_nobody_comes_in(authority: Authority, tmp_path: Path) -> None:
    trust = Trust(tmp_path / "none.pem", authority.folder / "crl")
    with pytest.raises(CertificateRefused, match="cannot be read"):
        kep.holder(authority.issue().pem, trust, NOW)


@pytest.mark.parametrize(
    "pem", ["", "x", "-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----", "é" * 10, "A" * 40_000]
)
def test_what_is_no_certificate_is_refused(authority: Authority, pem: str) -> None:
    with pytest.raises(CertificateRefused):
        kep.holder(pem, authority.trust, NOW)


def test_a_version_that_is_none_is_refused(authority: Authority) -> None:
    from cryptography.hazmat.primitives.serialization import Encoding

    good = authority.issue().certificate.public_bytes(Encoding.DER)
    damaged = good.replace(b"\xa0\x03\x02\x01\x02", b"\xa0\x03\x02\x01\x03", 1)  # [0] version: RFC 5280, 4.1
    assert damaged != good
    pem = f"-----BEGIN CERTIFICATE-----\n{b64encode(damaged).decode()}\n-----END CERTIFICATE-----\n"
    with pytest.raises(CertificateRefused, match="cannot be read"):
        kep.holder(pem, authority.trust, NOW)


def test_what_is_longer_than_any_certificate_is_not_even_read(authority: Authority) -> None:
    with pytest.raises(CertificateRefused, match="too long"):
        kep.holder(" " * kep.LONGEST + authority.issue().pem, authority.trust, NOW)


def test_two_certificates_at_once_are_refused(authority: Authority) -> None:
    with pytest.raises(CertificateRefused, match="cannot be read"):
        kep.holder(authority.issue().pem + authority.issue().pem, authority.trust, NOW)


@pytest.mark.filterwarnings("ignore::cryptography.utils.CryptographyDeprecationWarning")  # damage it still reads
@given(st.integers(0, 5_000), st.binary(min_size=1, max_size=8))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_damage_anywhere_is_refused_and_nothing_else_happens(authority: Authority, at: int, octets: bytes) -> None:
    from cryptography.hazmat.primitives.serialization import Encoding

    good = authority.issue().certificate.public_bytes(Encoding.DER)
    at %= len(good)
    damaged = good[:at] + octets + good[at + len(octets) :]
    if damaged == good:
        return
    try:
        pem = x509.load_der_x509_certificate(damaged).public_bytes(Encoding.PEM).decode()
    except (ValueError, x509.InvalidVersion):
        return
    with pytest.raises(CertificateRefused):
        kep.holder(pem, authority.trust, NOW)


def test_the_time_is_the_caller_s(authority: Authority) -> None:
    later: datetime = NOW + 2 * YEAR
    with pytest.raises(CertificateRefused, match="expired"):
        kep.holder(authority.issue().pem, authority.trust, later)
