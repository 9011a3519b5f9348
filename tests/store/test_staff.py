from datetime import UTC, datetime

import pytest
from argon2 import Type
from sqlalchemy import Connection

from modemd.errors import PasswordRefused, UserRefused
from modemd.store import passwords, sessions, staff
from modemd.store.schema import staff as table
from modemd.store.staff import Role

NOW = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
PASSWORD = "correct horse battery"
HASHER = passwords._hasher  # the program's own: tests hash with a cheap one


def test_a_new_person_signs_in_once_with_the_one_time_password(conn: Connection) -> None:
    password = staff.add(conn, "elena", "technician", NOW)
    person = staff.check(conn, "elena", password)
    assert person is not None
    assert (person.name, person.role, person.one_time) == ("elena", Role.TECHNICIAN, True)


def test_one_time_passwords_differ_and_hold_no_letter_that_is_misread(conn: Connection) -> None:
    passwords = {staff.add(conn, f"person{number}", "operator", NOW) for number in range(5)}
    assert len(passwords) == 5
    assert not set("".join(passwords)) & set("il1o0")


def test_a_password_is_kept_as_a_hash_alone(conn: Connection) -> None:
    password = staff.add(conn, "elena", "admin", NOW)
    row = conn.execute(table.select()).one()
    assert row.password_hash.startswith("$argon2id$")
    assert password not in str(row)


def test_a_guess_costs_as_much_as_rfc_9106_recommends() -> None:
    assert (HASHER.type, HASHER.hash_len, HASHER.salt_len) == (Type.ID, 32, 16)
    assert HASHER.time_cost >= 3
    assert HASHER.memory_cost >= 64 * 1024  # KiB


@pytest.mark.parametrize(("name", "password"), [("elena", "wrong password 1"), ("nobody", PASSWORD), ("elena", "")])
def test_a_wrong_password_or_name_is_nobody(conn: Connection, name: str, password: str) -> None:
    staff.set_password(conn, "elena", PASSWORD, "admin", NOW)
    assert staff.check(conn, name, password) is None


def test_an_endless_password_is_refused_without_hashing_it(conn: Connection) -> None:
    staff.set_password(conn, "elena", PASSWORD, "admin", NOW)
    assert staff.check(conn, "elena", "x" * 10_000_000) is None


def test_capitals_and_spaces_around_a_name_do_not_matter(conn: Connection) -> None:
    staff.set_password(conn, "elena", PASSWORD, "admin", NOW)
    assert staff.check(conn, " Elena ", PASSWORD) is not None


@pytest.mark.parametrize("name", ["", "e", "Елена", "2fast", "a b", "a" * 65, "x'--"])
def test_a_name_that_is_no_name_is_refused(conn: Connection, name: str) -> None:
    with pytest.raises(UserRefused, match="2 to 64 small Latin letters"):
        staff.add(conn, name, "admin", NOW)


def test_a_name_is_given_once(conn: Connection) -> None:
    first = staff.add(conn, "elena", "admin", NOW)
    with pytest.raises(UserRefused, match="elena already"):
        staff.add(conn, "Elena", "technician", NOW)
    assert staff.check(conn, "elena", first) is not None


def test_a_role_that_does_not_exist_is_refused(conn: Connection) -> None:
    with pytest.raises(UserRefused, match="technician, operator, manager, admin"):
        staff.add(conn, "elena", "boss", NOW)


def test_changing_the_password_ends_the_older_sign_ins(conn: Connection) -> None:
    old = staff.add(conn, "elena", "technician", NOW)
    before = staff.check(conn, "elena", old)
    assert before is not None
    token = sessions.begin(conn, before, "127.0.0.1", "a browser", NOW)
    assert sessions.find(conn, token, NOW) == (before, NOW)
    after = staff.change_password(conn, before.id, PASSWORD)
    assert sessions.find(conn, token, NOW) is None
    assert sessions.find(conn, sessions.begin(conn, after, None, None, NOW), NOW) == (after, NOW)
    assert staff.check(conn, "elena", old) is None
    assert staff.check(conn, "elena", PASSWORD) == after
    assert not after.one_time


@pytest.mark.parametrize("password", ["", "eleven char", "x" * 129])
def test_a_password_too_short_or_too_long_is_refused(conn: Connection, password: str) -> None:
    staff.add(conn, "elena", "admin", NOW)
    (person_id,) = conn.execute(table.select().with_only_columns(table.c.id)).one()
    with pytest.raises(PasswordRefused, match="12 to 128"):
        staff.change_password(conn, person_id, password)


def test_a_person_who_is_gone_changes_nothing(conn: Connection) -> None:
    with pytest.raises(PasswordRefused, match="no such user"):
        staff.change_password(conn, 4711, PASSWORD)


def test_a_given_password_replaces_password_and_role_and_ends_sign_ins(conn: Connection) -> None:
    staff.set_password(conn, "demo", PASSWORD, "technician", NOW)
    before = staff.check(conn, "demo", PASSWORD)
    assert before is not None
    token = sessions.begin(conn, before, None, None, NOW)
    staff.set_password(conn, "demo", "another long one", Role.ADMIN, NOW)
    after = staff.check(conn, "demo", "another long one")
    assert after is not None
    assert (after.id, after.role, after.one_time) == (before.id, Role.ADMIN, False)
    assert sessions.find(conn, token, NOW) is None
