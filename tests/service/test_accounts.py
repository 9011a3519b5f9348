"""Accounts, sessions and the door of the КЕП."""

import string
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest
from argon2 import PasswordHasher
from sqlalchemy import Connection, select

from modemd.errors import PasswordRefused, RegistrationRefused
from modemd.service import accounts
from modemd.store import passwords
from modemd.store.schema import Channel, account, audit, kep_nonce, portal_session

NOW = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)
CUSTOMER = "300000000001"
OWN = "own password, long"


@pytest.fixture(autouse=True)
def cheap_passwords(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(passwords, "_hasher", PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))


def signed_in(conn: Connection, customer_no: str = CUSTOMER, now: datetime = NOW) -> tuple[str, accounts.Session]:
    handed = accounts.hand_out(conn, customer_no, "elena", now)
    known = accounts.check(conn, handed.name, handed.password)
    assert known is not None
    cookie = accounts.begin(conn, known, now)
    session = accounts.of_cookie(conn, cookie, now)
    assert session is not None
    return cookie, session


# the password


def test_what_is_handed_out_opens_the_account_once_it_is_typed_in(conn: Connection) -> None:
    handed = accounts.hand_out(conn, CUSTOMER, "elena", NOW)
    assert accounts.check(conn, f" {handed.name.upper()} ", handed.password) is not None
    assert accounts.check(conn, handed.name, handed.password + "x") is None
    assert accounts.check(conn, "nobody", handed.password) is None
    assert accounts.check(conn, handed.name, "x" * 1000) is None


def test_a_name_tells_nothing_of_its_customer_and_no_password_is_kept(conn: Connection) -> None:
    handed = accounts.hand_out(conn, CUSTOMER, "elena", NOW)
    assert CUSTOMER not in handed.name
    row = conn.execute(select(account)).one()
    assert handed.password not in map(str, row)
    assert handed.password not in map(str, conn.execute(select(audit)).one())


def test_a_lost_password_is_replaced_at_the_desk_and_ends_older_sign_ins(conn: Connection) -> None:
    cookie, _ = signed_in(conn)
    first = accounts.hand_out(conn, CUSTOMER, "elena", NOW)
    again = accounts.hand_out(conn, CUSTOMER, "elena", NOW)
    assert again.name == first.name
    assert accounts.check(conn, first.name, first.password) is None
    assert accounts.of_cookie(conn, cookie, NOW) is None


def test_a_handed_out_password_is_to_be_changed_and_then_works(conn: Connection) -> None:
    cookie, session = signed_in(conn)
    assert session.one_time
    fresh = accounts.change_password(conn, session, OWN, NOW)
    assert accounts.of_cookie(conn, cookie, NOW) is None  # the old sign-in has ended
    changed = accounts.of_cookie(conn, fresh, NOW)
    assert changed is not None
    assert not changed.one_time
    assert changed.channel is Channel.PASSWORD


@pytest.mark.parametrize("password", ["short", "x" * 129])
def test_a_password_that_is_too_short_or_too_long_is_refused(conn: Connection, password: str) -> None:
    cookie, session = signed_in(conn)
    with pytest.raises(PasswordRefused):
        accounts.change_password(conn, session, password, NOW)
    assert accounts.of_cookie(conn, cookie, NOW) is not None


def test_the_present_password_is_no_new_one(conn: Connection) -> None:
    _, session = signed_in(conn)
    fresh = accounts.change_password(conn, session, OWN, NOW)
    changed = accounts.of_cookie(conn, fresh, NOW)
    assert changed is not None
    with pytest.raises(PasswordRefused, match="present one"):
        accounts.change_password(conn, changed, OWN, NOW)


# sessions


def test_a_session_sees_its_own_customer_alone(conn: Connection) -> None:
    _, session = signed_in(conn)
    _, other = signed_in(conn, "300000000002")
    assert session.customer_numbers == (CUSTOMER,)
    assert other.customer_numbers == ("300000000002",)


def test_a_session_ends_by_itself_and_by_signing_out(conn: Connection) -> None:
    cookie, session = signed_in(conn)
    assert accounts.of_cookie(conn, cookie, NOW + accounts.SESSION_LASTS) is None
    accounts.end(conn, session)
    assert accounts.of_cookie(conn, cookie, NOW) is None


def test_the_database_holds_no_cookie(conn: Connection) -> None:
    cookie, _ = signed_in(conn)
    assert cookie not in map(str, conn.execute(select(portal_session)).one())
    assert set(cookie) <= set(string.ascii_letters + string.digits + "-_")


def test_a_made_up_cookie_opens_nothing(conn: Connection) -> None:
    signed_in(conn)
    stored = conn.scalar(select(portal_session.c.token_hash))
    for cookie in ("", "x", str(stored)):
        assert accounts.of_cookie(conn, cookie, NOW) is None


def test_a_name_that_nobody_has_costs_as_much_as_one_that_somebody_has(
    conn: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    compared: list[str | None] = []
    monkeypatch.setattr(passwords, "fits", lambda hashed, _password: bool(compared.append(hashed)))
    assert accounts.check(conn, "abcd-efgh", "x" * 20) is None
    assert compared == [None]


# the door of the КЕП


def shown(conn: Connection, browser: str = "browser", customer_numbers: Sequence[str] = (CUSTOMER,)) -> str:
    """The ticket of a browser that began a sign-in and has shown a certificate."""
    return accounts.open_kep(conn, accounts.begin_kep(conn, browser, NOW), customer_numbers, NOW)


def test_a_certificate_opens_the_portal_for_the_browser_that_began(conn: Connection) -> None:
    ticket = shown(conn, customer_numbers=[CUSTOMER, "300000000002"])
    session = accounts.of_cookie(conn, accounts.enter_kep(conn, ticket, "browser", NOW), NOW)
    assert session is not None
    assert session.customer_numbers == (CUSTOMER, "300000000002")
    assert session.channel is Channel.KEP
    with pytest.raises(PasswordRefused, match="КЕП"):
        accounts.change_password(conn, session, OWN, NOW)


def test_a_nonce_sees_one_certificate_and_its_ticket_none(conn: Connection) -> None:
    nonce = accounts.begin_kep(conn, "browser", NOW)
    ticket = accounts.open_kep(conn, nonce, [CUSTOMER], NOW)
    for used in (nonce, ticket):
        with pytest.raises(RegistrationRefused):
            accounts.open_kep(conn, used, ["300000000002"], NOW)


def test_a_nonce_signs_in_once(conn: Connection) -> None:
    ticket = shown(conn)
    accounts.enter_kep(conn, ticket, "browser", NOW)
    with pytest.raises(RegistrationRefused):
        accounts.enter_kep(conn, ticket, "browser", NOW)


def test_another_browser_does_not_come_in(conn: Connection) -> None:
    with pytest.raises(RegistrationRefused):
        accounts.enter_kep(conn, shown(conn), "another", NOW)


def test_who_lures_somebody_to_a_nonce_of_his_own_does_not_come_in_with_that_one_s_certificate(
    conn: Connection,
) -> None:
    nonce = accounts.begin_kep(conn, "attacker", NOW)
    ticket = accounts.open_kep(conn, nonce, [CUSTOMER], NOW)
    with pytest.raises(RegistrationRefused):
        accounts.enter_kep(conn, nonce, "attacker", NOW)
    with pytest.raises(RegistrationRefused):
        accounts.enter_kep(conn, ticket, "victim", NOW)


def test_without_a_certificate_nobody_comes_in(conn: Connection) -> None:
    nonce = accounts.begin_kep(conn, "browser", NOW)
    with pytest.raises(RegistrationRefused):
        accounts.enter_kep(conn, nonce, "browser", NOW)


def test_a_nonce_is_good_for_some_minutes_only(conn: Connection) -> None:
    later = NOW + accounts.NONCE_LASTS + timedelta(seconds=1)
    with pytest.raises(RegistrationRefused):
        accounts.open_kep(conn, accounts.begin_kep(conn, "browser", NOW), [CUSTOMER], later)
    with pytest.raises(RegistrationRefused):
        accounts.enter_kep(conn, shown(conn), "browser", later)


def test_a_made_up_nonce_opens_nothing(conn: Connection) -> None:
    accounts.begin_kep(conn, "browser", NOW)
    for nonce in ("", "x", str(conn.scalar(select(kep_nonce.c.nonce_hash)))):
        with pytest.raises(RegistrationRefused):
            accounts.open_kep(conn, nonce, [CUSTOMER], NOW)
