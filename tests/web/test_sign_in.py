from datetime import timedelta

import pytest

from modemd.store import staff
from tests.panels import PASSWORD, RunningPanel, Visitor

OWN = "a password of my own"


def change(visitor: Visitor, **fields: str):
    return visitor.post("/password", fields, form_at="/password")


def test_signing_in_leads_to_the_first_page(panel: RunningPanel) -> None:
    panel.add_person()
    response = panel.client().sign_in("elena", PASSWORD)
    assert (response.status_code, response.headers["Location"]) == (302, "/")


def test_signing_in_leads_to_the_page_that_was_asked_for(panel: RunningPanel) -> None:
    panel.add_person()
    visitor = panel.client()
    visitor.get("/phone/?number=%2B359888000102")
    assert visitor.sign_in("elena", PASSWORD).headers["Location"] == "/phone/?number=%2B359888000102"


def test_signing_in_never_leads_to_a_fragment(panel: RunningPanel) -> None:
    panel.add_person()
    visitor = panel.client()
    visitor.get("/live")
    assert visitor.sign_in("elena", PASSWORD).headers["Location"] == "/"


@pytest.mark.parametrize(("name", "password"), [("elena", "wrong"), ("nobody", PASSWORD), ("elena' or 1=1 --", "x")])
def test_a_wrong_name_and_a_wrong_password_get_the_same_answer(panel: RunningPanel, name: str, password: str) -> None:
    panel.add_person()
    response = panel.client().sign_in(name, password)
    assert response.status_code == 401
    assert "Името или паролата не е вярна" in response.text


@pytest.mark.parametrize(("name", "password"), [("", ""), ("elena", ""), ("", PASSWORD), ("x" * 65, PASSWORD)])
def test_a_form_that_is_not_filled_in_is_no_attempt(panel: RunningPanel, name: str, password: str) -> None:
    response = panel.client().sign_in(name, password)
    assert response.status_code == 200
    assert "is-invalid" in response.text


def test_a_password_is_never_sent_back(panel: RunningPanel) -> None:
    assert "hunter2" not in panel.client().sign_in("elena", "hunter2").text


def test_after_too_many_attempts_on_a_name_even_the_right_password_waits(panel: RunningPanel) -> None:
    panel.add_person()
    visitor = panel.client()
    for _ in range(10):
        assert visitor.sign_in("elena", "wrong").status_code == 401
    refused = visitor.sign_in("elena", PASSWORD)
    assert refused.status_code == 429
    assert "Твърде много опити" in refused.text
    panel.now += timedelta(minutes=15)
    assert visitor.sign_in("elena", PASSWORD).status_code == 302


def test_spelling_a_name_otherwise_gives_no_more_attempts(panel: RunningPanel) -> None:
    visitor = panel.client()
    for spelling in ("elena", "Elena", " ELENA ", "eLena", "elenA") * 2:
        assert visitor.sign_in(spelling, "wrong").status_code == 401
    assert visitor.sign_in("elena", "wrong").status_code == 429


def test_one_address_cannot_try_many_names(panel: RunningPanel) -> None:
    visitor = panel.client()
    for number in range(30):
        assert visitor.sign_in(f"person{number}", "wrong").status_code == 401
    assert visitor.sign_in("elena", "wrong").status_code == 429


def test_a_one_time_password_leads_to_choosing_ones_own_and_nowhere_else(panel: RunningPanel) -> None:
    visitor = panel.client()
    response = visitor.sign_in("elena", panel.add_new_person())
    assert response.headers["Location"] == "/password"
    assert visitor.get("/").headers["Location"] == "/password"
    assert visitor.get("/phone/").headers["Location"] == "/password"
    changed = change(visitor, new=OWN, again=OWN)
    assert changed.headers["Location"] == "/"
    assert "Паролата е сменена" in visitor.page("/")


def test_a_one_time_password_is_worth_nothing_once_it_was_changed(panel: RunningPanel) -> None:
    given = panel.add_new_person()
    visitor = panel.client()
    visitor.sign_in("elena", given)
    change(visitor, new=OWN, again=OWN)
    assert panel.client().sign_in("elena", given).status_code == 401
    assert panel.client().sign_in("elena", OWN).status_code == 302


def test_ones_own_password_cannot_be_the_one_that_was_given(panel: RunningPanel) -> None:
    given = panel.add_new_person()
    visitor = panel.client()
    visitor.sign_in("elena", given)
    assert change(visitor, new=given, again=given).status_code == 400
    assert visitor.get("/").headers["Location"] == "/password"


@pytest.mark.parametrize(
    ("fields", "shown"),
    [
        ({"current": PASSWORD, "new": "short", "again": "short"}, "поне 12"),
        ({"current": PASSWORD, "new": OWN, "again": OWN + "!"}, "Двете нови пароли са различни"),
        ({"current": "not this one", "new": OWN, "again": OWN}, "Сегашната Ви парола не е тази"),
        ({"current": "", "new": OWN, "again": OWN}, "Въведете сегашната си парола"),
        ({"current": PASSWORD, "new": PASSWORD, "again": PASSWORD}, "Изберете друга"),
    ],
)
def test_a_password_that_cannot_be_changed_says_why(panel: RunningPanel, fields: dict[str, str], shown: str) -> None:
    visitor = panel.signed_in()
    assert shown in change(visitor, **fields).text
    assert panel.client().sign_in("elena", PASSWORD).status_code == 302


def test_changing_the_password_ends_the_other_sign_ins_and_keeps_this_one(panel: RunningPanel) -> None:
    here, elsewhere = panel.signed_in(), panel.client()
    elsewhere.sign_in("elena", PASSWORD)
    assert change(here, current=PASSWORD, new=OWN, again=OWN).status_code == 302
    assert here.get("/").status_code == 200
    assert elsewhere.get("/").headers["Location"] == "/sign-in"


def test_guessing_the_present_password_is_limited_like_signing_in(panel: RunningPanel) -> None:
    visitor = panel.signed_in()
    for _ in range(9):  # and the sign-in
        assert change(visitor, current="a guess", new=OWN, again=OWN).status_code == 401
    assert change(visitor, current=PASSWORD, new=OWN, again=OWN).status_code == 429


def test_signing_out_ends_it(panel: RunningPanel) -> None:
    visitor = panel.signed_in()
    assert visitor.post("/sign-out", form_at="/").headers["Location"] == "/sign-in"
    assert visitor.get("/").headers["Location"] == "/sign-in"


def test_signing_in_begins_a_new_session(panel: RunningPanel) -> None:
    panel.add_person()
    visitor = panel.client()
    visitor.sign_in("elena", "wrong")
    with visitor.client.session_transaction() as session:
        session["planted"] = "by somebody else"
    visitor.sign_in("elena", PASSWORD)
    with visitor.client.session_transaction() as session:
        assert "planted" not in session


def test_the_sign_in_page_has_nothing_for_who_is_in(panel: RunningPanel) -> None:
    assert panel.signed_in().get("/sign-in").headers["Location"] == "/"


def test_a_person_who_is_removed_is_out_at_once(panel: RunningPanel) -> None:
    visitor = panel.signed_in()
    with panel.writing() as conn:
        staff.remove(conn, 1)
    assert visitor.get("/").headers["Location"] == "/sign-in"


def test_checking_a_password_keeps_no_writer_waiting(panel: RunningPanel, monkeypatch: pytest.MonkeyPatch) -> None:
    panel.add_person()
    written = []

    def check_while_another_writes(*arguments: object) -> None:
        with panel.writing() as conn:
            written.append(conn.exec_driver_sql("UPDATE staff SET one_time = 0").rowcount)

    monkeypatch.setattr(staff, "check", check_while_another_writes)
    assert panel.client().sign_in("elena", PASSWORD).status_code == 401
    assert written == [1]
