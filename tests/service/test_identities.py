"""ЕГН, ЛНЧ, ЕИК and БУЛСТАТ: compared, never kept."""

import hashlib
import hmac
from pathlib import Path

import pytest
from sqlalchemy import Connection

from modemd.config import Service
from modemd.errors import SettingsError
from modemd.service import identities
from modemd.store.schema import customer, dataset
from tests.service.authority import EGN, EIK, NOW

KEY = b"k" * 32
OTHER_EGN = "8032056031"


def add(conn: Connection, *rows: tuple[str, str, str | None, bool], generation: int = 1) -> None:
    """(customer_no, class, identity, active) …"""
    names = ("customer_no", "class", "identity", "active")
    conn.execute(customer.insert(), [{"generation": generation, **dict(zip(names, row, strict=True))} for row in rows])


@pytest.fixture
def customers(conn: Connection) -> Connection:
    conn.execute(dataset.insert(), {"type": "CUSTOMERS", "generation": 1, "data_at": NOW})
    mine, other = identities.of_person(EGN, KEY), identities.of_person(OTHER_EGN, KEY)
    add(conn, ("300000000001", "H", mine, True), ("300000000002", "H", mine, True), ("300000000003", "H", other, True))
    add(conn, ("300000000004", "B", EIK, True), ("300000000005", "H", None, True), ("300000000006", "H", mine, False))
    add(conn, ("300000000007", "H", mine, True), generation=2)  # of a file that does not count (yet)
    return conn


def test_the_hmac_is_billing_s() -> None:
    assert identities.of_person(EGN, KEY) == hmac.new(KEY, EGN.encode(), hashlib.sha256).hexdigest()


@pytest.mark.parametrize(
    ("customer_no", "typed", "fits"),
    [
        ("300000000001", EGN, True),
        ("300000000001", f" {EGN[:6]} {EGN[6:]} ", True),
        ("300000000001", OTHER_EGN, False),
        ("300000000001", "", False),
        ("300000000001", "не е ЕГН", False),
        ("300000000004", EIK, True),
        ("300000000004", EGN, False),
        ("300000000005", EGN, False),
        ("300000000005", "", False),
        ("300000000007", EGN, False),
        ("999999999999", EGN, False),
    ],
)
def test_a_document_fits_the_customer_or_does_not(
    customers: Connection, customer_no: str, typed: str, fits: bool
) -> None:
    assert identities.fits(customers, customer_no, typed, KEY) is fits


def test_a_hash_that_leaked_opens_nothing(customers: Connection) -> None:
    assert not identities.fits(customers, "300000000001", identities.of_person(EGN, KEY), KEY)


@pytest.mark.parametrize(
    ("person", "company", "found"),
    [
        (EGN, None, ["300000000001", "300000000002"]),
        (None, EIK, ["300000000004"]),
        (EGN, EIK, ["300000000001", "300000000002", "300000000004"]),
        (EIK, EGN, []),
        (None, None, []),
    ],
)
def test_a_holder_has_his_active_customers(
    customers: Connection, person: str | None, company: str | None, found: list[str]
) -> None:
    assert identities.customers_of(customers, person, company, KEY) == found


@pytest.mark.parametrize(
    ("number", "valid"),
    [
        ("175074752", True),
        ("175074751", False),
        ("1750747520004", True),  # 2 · 2 = 4
        ("1750747520005", False),
        ("1750747520154", True),  # 10 by the first weights; 4 · 2 + 9 · 0 + 5 · 1 + 7 · 5 = 48, rest 4
        ("1750747520360", True),  # 10 by both
        ("1750747510004", False),
        ("175074751000x", False),
        ("17507475", False),
        ("", False),
    ],
)
def test_a_company_s_number_has_its_check_digits(number: str, valid: bool) -> None:
    assert identities.is_company(number) is valid


def test_a_person_s_number_has_its_check_digit() -> None:
    assert identities.is_person(EGN)
    assert not identities.is_person(EGN[:9] + str((int(EGN[9]) + 1) % 10))


def test_without_a_key_that_is_said(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="identity_key_file is not set"):
        identities.key(Service())
    with pytest.raises(SettingsError, match="cannot be read"):
        identities.key(Service(identity_key_file=tmp_path / "none"))
    (tmp_path / "short").write_text("abc")
    with pytest.raises(SettingsError, match="fewer than 32"):
        identities.key(Service(identity_key_file=tmp_path / "short"))
    (tmp_path / "key").write_text("k" * 32 + "\n")
    assert identities.key(Service(identity_key_file=tmp_path / "key")) == KEY
