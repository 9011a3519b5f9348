"""Who may do what in the panel is an administrator's to say; a second factor and a sign-in's end hold on the server."""

from base64 import b32decode, urlsafe_b64decode
from datetime import timedelta

import pyotp
import pytest
from flask import Flask
from sqlalchemy import select
from werkzeug.test import TestResponse

from modemd import audit
from modemd.errors import FactorSealed
from modemd.service import factors
from modemd.store import sessions, staff
from modemd.store.schema import staff as table
from modemd.store.schema import staff_session
from tests.panels import PASSWORD, RunningPanel, Visitor
from web.app import create_app


def noted(panel: RunningPanel) -> list[tuple[str, str, str]]:
    with panel.writing() as conn:
        return [(each.action, each.subject, each.detail) for each in audit.entries(conn, 10)]


def code(panel: RunningPanel, secret: str, steps: int = 0) -> str:
    return pyotp.TOTP(secret).at(panel.now + timedelta(seconds=30 * steps))


def switch_on(panel: RunningPanel, visitor: Visitor) -> str:
    """Give the person who is signed in a second factor; returns its secret."""
    secret = visitor.page("/me/").split("въведете този ключ:")[1].split("<code>")[1].split("</code>")[0]
    visitor.post("/me/factor", {"code": code(panel, secret)}, form_at="/me/")
    return secret


# sign-ins


def test_a_copied_cookie_opens_nothing_after_the_sign_out(panel: RunningPanel) -> None:
    visitor = panel.signed_in()
    copied = visitor.client.get_cookie("modemd")
    assert copied is not None
    visitor.post("/sign-out", form_at="/")
    thief = panel.client()
    thief.client.set_cookie("modemd", copied.value)
    assert thief.get("/").headers["Location"] == "/sign-in"


def test_a_sign_in_lasts_a_working_day_and_no_longer(panel: RunningPanel) -> None:
    visitor = panel.signed_in()
    panel.now += sessions.LASTS - timedelta(seconds=1)
    assert visitor.get("/").status_code == 200
    panel.now += timedelta(seconds=1)
    assert visitor.get("/").headers["Location"] == "/sign-in"


def test_one_s_sign_ins_are_listed_and_another_one_is_ended(panel: RunningPanel) -> None:
    visitor = panel.signed_in()
    other = panel.client()
    other.sign_in("elena", PASSWORD)
    page = visitor.page("/me/")
    assert page.count('name="id"') == 1
    visitor.post("/me/end", {"id": page.split('name="id" value="')[1].split('"')[0]}, form_at="/me/")
    assert other.get("/").headers["Location"] == "/sign-in"
    assert visitor.get("/").status_code == 200


def test_nobody_ends_the_sign_in_of_somebody_else(panel: RunningPanel) -> None:
    boris = panel.signed_in("manager", "boris")
    with panel.writing() as conn:
        theirs = conn.scalar(select(staff_session.c.token_hash))
    panel.signed_in().post("/me/end", {"id": theirs or ""}, form_at="/me/")
    assert boris.get("/").status_code == 200


def test_the_database_holds_no_token(panel: RunningPanel) -> None:
    visitor = panel.signed_in()
    with visitor.client.session_transaction() as session:
        token = session["_user_id"]
    with panel.writing() as conn:
        kept = conn.execute(select(staff_session)).one()
    assert token not in str(kept)
    assert kept.token_hash == sessions.hash_of(token)


def test_it_is_written_down_once_a_minute_that_somebody_is_there(panel: RunningPanel) -> None:
    visitor = panel.signed_in()
    begun = panel.now
    for seconds, seen in ((30, begun), (60, begun + timedelta(seconds=60)), (90, begun + timedelta(seconds=60))):
        panel.now = begun + timedelta(seconds=seconds)
        visitor.get("/")
        with panel.writing() as conn:
            assert conn.scalar(select(staff_session.c.seen_at)) == seen


# the second factor


def test_with_a_second_factor_the_password_alone_opens_nothing(panel: RunningPanel) -> None:
    secret = switch_on(panel, panel.signed_in())
    visitor = panel.client()
    assert visitor.sign_in("elena", PASSWORD).headers["Location"] == "/sign-in/code"
    assert visitor.get("/").headers["Location"] == "/sign-in"
    refused = visitor.post("/sign-in/code", {"code": "000000"}, form_at="/sign-in/code")
    assert refused.status_code == 401
    assert "000000" not in refused.text
    panel.now += timedelta(seconds=30)
    response = visitor.post("/sign-in/code", {"code": code(panel, secret)}, form_at="/sign-in/code")
    assert response.headers["Location"] == "/"
    assert visitor.get("/").status_code == 200


def kept_secret(panel: RunningPanel) -> str:
    with panel.writing() as conn:
        found = conn.scalar(select(table.c.totp_secret))
    assert found is not None
    return str(found)


def sign_in_with_code(panel: RunningPanel, app: Flask, secret: str) -> TestResponse:
    panel.now += timedelta(seconds=60)
    visitor = Visitor(app.test_client())
    visitor.sign_in("elena", PASSWORD)
    return visitor.post("/sign-in/code", {"code": code(panel, secret)}, form_at="/sign-in/code")


def again(panel: RunningPanel, key: str | None = None) -> Flask:
    """The panel started anew, perhaps with another key."""
    if key is not None:
        assert panel.settings.web.secret_key_file is not None
        panel.settings.web.secret_key_file.write_text(key)
    app = create_app(panel.settings, now=lambda: panel.now)
    app.testing = True
    return app


def test_the_secret_is_sealed_in_the_database(panel: RunningPanel) -> None:
    secret = switch_on(panel, panel.signed_in())
    first = kept_secret(panel)
    assert secret not in first
    assert b32decode(secret) not in urlsafe_b64decode(first)
    seal = factors.seal_of(str(panel.app.secret_key))
    with panel.writing() as conn:
        factors.keep(conn, 1, secret, None, seal)
    assert kept_secret(panel) != first, "the same secret never looks the same"


def test_a_secret_that_was_kept_in_clear_is_sealed_when_the_panel_starts(panel: RunningPanel) -> None:
    secret = switch_on(panel, panel.signed_in())
    with panel.writing() as conn:
        conn.execute(table.update().values(totp_secret=secret))
    app = again(panel)
    assert secret not in kept_secret(panel)
    assert sign_in_with_code(panel, app, secret).status_code == 302


def test_with_another_key_nobody_gets_in_and_is_told_what_to_do(panel: RunningPanel) -> None:
    secret = switch_on(panel, panel.signed_in())
    response = sign_in_with_code(panel, again(panel, "another key " * 8), secret)
    assert response.status_code == 401
    assert "друг ключ" in response.text
    with panel.writing() as conn:
        staff.set_factor(conn, 1, None)
    visitor = Visitor(again(panel).test_client())
    assert visitor.sign_in("elena", PASSWORD).headers["Location"] == "/"


def test_a_secret_opens_for_its_owner_only(panel: RunningPanel) -> None:
    """Whoever can write to the database cannot give another person the factor that he knows."""
    secret = switch_on(panel, panel.signed_in())
    panel.add_person("boris")
    with panel.writing() as conn:
        staff.set_factor(conn, 2, staff.factor(conn, 1)[0])
        with pytest.raises(FactorSealed):
            factors.take(conn, 2, code(panel, secret), panel.now, factors.seal_of(str(panel.app.secret_key)))


def test_a_code_is_good_for_one_sign_in(panel: RunningPanel) -> None:
    secret = switch_on(panel, panel.signed_in())
    panel.now += timedelta(seconds=30)
    used = code(panel, secret)
    for expected in (302, 401):
        visitor = panel.client()
        visitor.sign_in("elena", PASSWORD)
        assert visitor.post("/sign-in/code", {"code": used}, form_at="/sign-in/code").status_code == expected


def test_the_code_that_switched_it_on_signs_nobody_in(panel: RunningPanel) -> None:
    secret = switch_on(panel, panel.signed_in())
    visitor = panel.client()
    visitor.sign_in("elena", PASSWORD)
    assert visitor.post("/sign-in/code", {"code": code(panel, secret)}, form_at="/sign-in/code").status_code == 401


@pytest.mark.parametrize(("steps", "status"), [(-2, 401), (-1, 302), (0, 302), (1, 302), (2, 401)])
def test_a_phone_s_clock_may_be_half_a_minute_off(panel: RunningPanel, steps: int, status: int) -> None:
    secret = switch_on(panel, panel.signed_in())
    panel.now += timedelta(minutes=10)
    visitor = panel.client()
    visitor.sign_in("elena", PASSWORD)
    response = visitor.post("/sign-in/code", {"code": code(panel, secret, steps)}, form_at="/sign-in/code")
    assert response.status_code == status


def test_without_the_password_there_is_no_page_for_codes(panel: RunningPanel) -> None:
    assert panel.client().get("/sign-in/code").headers["Location"] == "/sign-in"


def test_half_a_sign_in_is_over_after_five_minutes_and_with_another_password(panel: RunningPanel) -> None:
    switch_on(panel, panel.signed_in())
    for end in ("time", "password"):
        visitor = panel.client()
        visitor.sign_in("elena", PASSWORD)
        assert visitor.get("/sign-in/code").status_code == 200
        if end == "time":
            panel.now += timedelta(seconds=301)
        else:
            with panel.writing() as conn:
                staff.set_password(conn, "elena", PASSWORD, "admin", panel.now)
        assert visitor.get("/sign-in/code").headers["Location"] == "/sign-in"


def test_codes_cannot_be_guessed_without_end(panel: RunningPanel) -> None:
    switch_on(panel, panel.signed_in())
    panel.now += timedelta(hours=1)
    visitor = panel.client()
    visitor.sign_in("elena", PASSWORD)
    statuses = [
        visitor.post("/sign-in/code", {"code": f"{guess:06}"}, form_at="/sign-in/code").status_code
        for guess in range(12)
    ]
    assert statuses[0] == 401
    assert statuses[-1] == 429


def test_a_code_that_does_not_fit_switches_nothing_on(panel: RunningPanel) -> None:
    visitor = panel.signed_in()
    visitor.page("/me/")
    visitor.post("/me/factor", {"code": "123456"}, form_at="/me/")
    with panel.writing() as conn:
        assert conn.scalar(select(table.c.totp_secret)) is None
    assert "не отговаря на картинката" in visitor.page("/me/")


def test_it_is_given_up_with_a_code_only(panel: RunningPanel) -> None:
    visitor = panel.signed_in()
    secret = switch_on(panel, visitor)
    panel.now += timedelta(seconds=30)
    for written, left in (("123456", True), (code(panel, secret), False)):
        visitor.post("/me/no-factor", {"code": written}, form_at="/me/")
        with panel.writing() as conn:
            assert (conn.scalar(select(table.c.totp_secret)) is not None) is left
    assert [action for action, _, _ in noted(panel)] == ["factor.remove", "factor.set"]


def test_an_administrator_helps_who_has_lost_the_phone(panel: RunningPanel) -> None:
    switch_on(panel, panel.signed_in("operator", "boris"))
    panel.signed_in().post("/people/1/factor", form_at="/people")
    assert panel.client().sign_in("boris", PASSWORD).headers["Location"] == "/customers/"
    assert noted(panel)[0] == ("user.factor", "boris", "")


# people


@pytest.fixture
def admin(panel: RunningPanel) -> Visitor:
    return panel.signed_in()


def test_somebody_is_let_in_with_a_password_that_is_shown_once(panel: RunningPanel, admin: Visitor) -> None:
    page = admin.post("/people", {"name": "Maria", "role": "manager"}, form_at="/people").text
    password = page.split('<code class="password">')[1].split("</code>")[0]
    assert panel.client().sign_in("maria", password).headers["Location"] == "/password"
    assert password not in admin.page("/people")
    assert noted(panel) == [("user.add", "maria", "manager")]


@pytest.mark.parametrize("name", ["", "x", "elena", "Мария", "a b", "<script>", "1abc"])
def test_a_name_that_is_none_or_taken_is_refused_with_what_is_wanted(
    panel: RunningPanel, admin: Visitor, name: str
) -> None:
    response = admin.post("/people", {"name": name, "role": "manager"}, form_at="/people")
    assert response.status_code == 400
    assert "is-invalid" in response.text
    assert noted(panel) == []


def test_another_role_holds_at_once(panel: RunningPanel, admin: Visitor) -> None:
    boris = panel.signed_in("technician", "boris")
    assert boris.get("/modem/1").status_code == 404
    admin.post("/people/2/role", {"role": "operator"}, form_at="/people")
    assert boris.get("/modem/1").status_code == 403
    assert noted(panel) == [("user.role", "boris", "operator")]


@pytest.mark.parametrize("what", ["password", "sign_ins", "remove"])
def test_what_takes_the_access_away_ends_the_sign_ins(panel: RunningPanel, admin: Visitor, what: str) -> None:
    boris = panel.signed_in("technician", "boris")
    admin.post(f"/people/2/{what}", form_at="/people")
    assert boris.get("/").headers["Location"] == "/sign-in"
    assert noted(panel) == [(f"user.{what}", "boris", "")]


@pytest.mark.parametrize("what", ["role", "password", "factor", "sign_ins", "remove"])
def test_nobody_changes_the_own_account(panel: RunningPanel, admin: Visitor, what: str) -> None:
    admin.post(f"/people/1/{what}", {"role": "technician"}, form_at="/people")
    assert admin.get("/people").status_code == 200
    assert noted(panel) == []


@pytest.mark.parametrize(
    ("path", "fields", "status"), [("/people/2/role", {"role": "king"}, 400), ("/people/7/role", {}, 404)]
)
def test_what_makes_no_sense_changes_nothing(
    panel: RunningPanel, admin: Visitor, path: str, fields: dict[str, str], status: int
) -> None:
    panel.add_person("boris", "technician")
    assert admin.post(path, fields, form_at="/people").status_code == status
    assert noted(panel) == []


# the audit log


def test_the_log_shows_who_did_what_newest_first_and_in_pages(panel: RunningPanel) -> None:
    with panel.writing() as conn:
        for number in range(102):
            audit.note(conn, "boris", "file.approve", f"file {number}", "<b>", panel.now)
    visitor = panel.signed_in("manager")
    first = visitor.page("/audit")
    assert "file 101<" in first
    assert "file 1<" not in first
    assert "&lt;b&gt;" in first
    assert "file 1<" in visitor.page("/audit?before=3")
    assert "102 записа съвпадат" in visitor.page("/audit?verify=1")
