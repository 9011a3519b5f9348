"""The portal with a password: from the first sign-in to a registered phone, and what it refuses."""

import re
from datetime import timedelta

import pytest
from sqlalchemy import select

from modemd.service import subscriptions
from modemd.store import database
from modemd.store.schema import Channel, consent, phone, phone_customer
from tests.web.portal.conftest import COMPANY, PASSWORD, PERSON, STRANGER, RunningPortal
from web.portal import door
from web.portal.app import PREFIX

NUMBER = "+359888000101"


def registered(portal: RunningPortal) -> list[tuple[str, str]]:
    with database.reading(portal.engine) as conn:
        rows = conn.execute(select(phone_customer.c.phone, phone_customer.c.customer_no))
        return [(row.phone, row.customer_no) for row in rows]


# coming in


def test_the_first_sign_in_leads_to_a_password_of_ones_own(portal: RunningPortal) -> None:
    visitor = portal.client()
    visitor.sign_in(portal.hand_out())
    assert visitor.get("/portal/").headers["Location"] == "/portal/password"
    assert visitor.get("/portal/phone").headers["Location"] == "/portal/password"
    changed = visitor.post("/portal/password", {"new": PASSWORD, "again": PASSWORD})
    assert changed.headers["Location"] == "/portal/"
    assert PERSON in visitor.page("/portal/")


@pytest.mark.parametrize("fields", [{"new": "short", "again": "short"}, {"new": PASSWORD, "again": PASSWORD + "x"}])
def test_a_new_password_that_is_too_short_or_differs_is_refused(portal: RunningPortal, fields: dict[str, str]) -> None:
    visitor = portal.client()
    visitor.sign_in(portal.hand_out())
    assert visitor.post("/portal/password", fields).status_code == 200
    assert visitor.get("/portal/").headers["Location"] == "/portal/password"


def test_a_wrong_name_and_a_wrong_password_get_the_same_answer(portal: RunningPortal) -> None:
    handed = portal.hand_out()
    wrong = [
        portal.client().post("/portal/sign-in", {"name": handed.name, "password": "x" * 20}),
        portal.client().post("/portal/sign-in", {"name": "abcd-efgh", "password": "x" * 20}),
    ]
    assert {answer.status_code for answer in wrong} == {401}
    pages = {re.sub(r'value="[^"]*"', "", answer.text) for answer in wrong}
    assert len(pages) == 1


def try_to_sign_in(portal: RunningPortal, times: int, address: str = "127.0.0.1", name: str | None = None) -> set[int]:
    """With a wrong password, and another name each time unless one is given; returns the answers' statuses."""
    visitor = portal.client()
    statuses = set()
    for number in range(times):
        visitor.client.environ_base["REMOTE_ADDR"] = address
        fields = {"name": name or f"{address} {number}", "password": "x" * 20}
        statuses.add(visitor.post("/portal/sign-in", fields).status_code)
    return statuses


def test_sign_in_is_throttled_for_a_name_from_any_address(portal: RunningPortal) -> None:
    handed = portal.hand_out()
    for number in range(8):
        assert try_to_sign_in(portal, 1, f"203.0.113.{number}", handed.name) == {401}
    assert portal.client().sign_in(handed).status_code == 429
    portal.now += timedelta(minutes=15, seconds=1)
    assert portal.client().sign_in(handed).status_code == 302


def test_sign_in_is_throttled_for_an_address_under_any_name(portal: RunningPortal) -> None:
    assert try_to_sign_in(portal, 20) == {401}
    assert try_to_sign_in(portal, 1) == {429}
    assert try_to_sign_in(portal, 1, "203.0.113.9") == {401}


def test_sign_in_is_throttled_in_all_but_not_used_up_by_one_address(
    portal: RunningPortal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(door, "IN_ALL", [(22, timedelta(minutes=15))])
    try_to_sign_in(portal, 40)  # of which 20 count
    assert try_to_sign_in(portal, 2, "203.0.113.9") == {401}
    assert try_to_sign_in(portal, 1, "203.0.113.10") == {429}


def test_signing_out_ends_the_session_on_the_server(portal: RunningPortal) -> None:
    visitor = portal.signed_in()
    cookie = visitor.client.get_cookie("modemd_customer", path=PREFIX)
    assert cookie is not None
    visitor.post("/portal/sign-out")
    visitor.client.set_cookie("modemd_customer", cookie.value, path=PREFIX)
    assert visitor.get("/portal/").headers["Location"] == "/portal/sign-in"


def test_a_session_ends_after_an_hour(portal: RunningPortal) -> None:
    visitor = portal.signed_in()
    portal.now += timedelta(hours=1, minutes=1)
    assert visitor.get("/portal/").headers["Location"] == "/portal/sign-in"


def test_cookies_hold_nothing_of_anybody_and_are_the_portal_s_alone(portal: RunningPortal) -> None:
    visitor = portal.signed_in()
    for name in ("modemd_customer", "modemd_portal"):
        cookie = visitor.client.get_cookie(name, path=PREFIX)
        assert cookie is not None
        assert cookie.http_only
        assert cookie.path == PREFIX
        assert PERSON not in cookie.decoded_value


# a phone


def test_a_phone_is_registered_by_the_code_that_was_sent_to_it(portal: RunningPortal) -> None:
    visitor = portal.signed_in()
    done = visitor.register()
    assert done.headers["Location"] == "/portal/"
    assert registered(portal) == [(NUMBER, PERSON)]
    assert NUMBER in visitor.page("/portal/")
    assert len(portal.texts(NUMBER)) == 2
    with database.reading(portal.engine) as conn:
        kept = conn.execute(select(consent)).one()
    assert kept.channel == "password"


def test_a_wrong_code_says_how_many_tries_are_left(portal: RunningPortal) -> None:
    visitor = portal.signed_in()
    where = visitor.ask_for_code().headers["Location"]
    wrong = f"{(int(visitor.code()) + 1) % 10**6:06}"
    answer = visitor.post(where, {"code": wrong})
    assert answer.status_code == 400
    assert ": 4" in answer.text
    assert registered(portal) == []


def test_services_are_unticked_until_somebody_ticks_them(portal: RunningPortal) -> None:
    page = portal.signed_in().page("/portal/phone")
    boxes = re.findall(r'<input[^>]*name="services"[^>]*>', page)
    assert len(boxes) == 3
    assert not any("checked" in box for box in boxes)
    assert "Титуляр съм или съм упълномощен" in page


@pytest.mark.parametrize(
    ("fields", "status"),
    [({"phone": "02 987 65 43"}, 400), ({"phone": ""}, 200), ({"services": []}, 200), ({"language": "de"}, 200)],
)
def test_what_cannot_be_registered_sends_no_code(portal: RunningPortal, fields: dict[str, object], status: int) -> None:
    answer = portal.signed_in().ask_for_code(**fields)  # type: ignore[arg-type]
    assert answer.status_code == status
    assert portal.texts(NUMBER) == []


def test_another_s_customer_number_cannot_be_registered(portal: RunningPortal) -> None:
    answer = portal.signed_in().ask_for_code(customers=[STRANGER])
    assert answer.status_code == 200  # the form again: it is not among the choices
    assert portal.texts(NUMBER) == []


def test_another_s_code_page_is_of_no_use(portal: RunningPortal) -> None:
    visitor = portal.signed_in()
    where = visitor.ask_for_code().headers["Location"]
    other = portal.signed_in(STRANGER)
    assert other.post(where, {"code": visitor.code()}).status_code == 400
    assert registered(portal) == []


def test_codes_are_limited(portal: RunningPortal) -> None:
    visitor = portal.signed_in()
    assert [visitor.ask_for_code().status_code for _ in range(4)] == [302, 302, 302, 429]


def test_services_are_changed_and_the_registration_ended(portal: RunningPortal) -> None:
    visitor = portal.signed_in()
    visitor.register()
    visitor.post(f"/portal/phone/{NUMBER}/services", {"services": ["outage"]})
    with database.reading(portal.engine) as conn:
        row = conn.execute(select(phone)).one()
    assert (row.bill, row.reminder, row.outage) == (False, False, True)
    visitor.post(f"/portal/phone/{NUMBER}/end")
    assert registered(portal) == []


def test_a_phone_of_others_is_no_page_of_mine(portal: RunningPortal) -> None:
    portal.signed_in().register()
    other = portal.signed_in(STRANGER)
    assert other.get(f"/portal/phone/{NUMBER}/services").status_code == 404
    assert other.post(f"/portal/phone/{NUMBER}/end").status_code == 404
    assert NUMBER not in other.page("/portal/")
    assert NUMBER not in other.page("/portal/messages")
    assert registered(portal) == [(NUMBER, PERSON)]


def test_ending_a_shared_phone_ends_it_for_oneself_alone(portal: RunningPortal) -> None:
    visitor = portal.signed_in()
    visitor.register()
    with database.writing(portal.engine) as conn:
        subscriptions.subscribe(conn, NUMBER, [COMPANY], ["bill"], "bg-Latn", Channel.CENTRE, "elena", None, portal.now)
    visitor.post(f"/portal/phone/{NUMBER}/end")
    assert registered(portal) == [(NUMBER, COMPANY)]


def test_what_was_sent_is_shown_without_its_text(portal: RunningPortal) -> None:
    visitor = portal.signed_in()
    visitor.register()
    page = visitor.page("/portal/messages")
    assert NUMBER in page
    assert "kod" not in page


def test_an_sms_that_we_never_sent_is_called_a_strangers(portal: RunningPortal) -> None:
    visitor = portal.signed_in()
    visitor.register()
    asked = {"phone": NUMBER, "sender": "+359888999999", "day": "2020-01-01"}
    assert "alert-danger" in visitor.post("/portal/ours", asked).text


def test_nobody_asks_what_was_sent_to_a_phone_of_others(portal: RunningPortal) -> None:
    portal.signed_in().register()
    stranger = portal.signed_in(STRANGER)
    stranger.register("+359888000102", customers=[STRANGER])
    answer = stranger.post("/portal/ours", {"phone": NUMBER, "sender": "170077", "day": f"{portal.now:%Y-%m-%d}"})
    assert "alert-" not in answer.text


# every way in that is none

POSTS = ["/portal/phone", "/portal/code/1", f"/portal/phone/{NUMBER}/services", f"/portal/phone/{NUMBER}/end"]
POSTS += ["/portal/password", "/portal/ours", "/portal/sign-out"]


def test_every_form_is_in_the_list(portal: RunningPortal) -> None:
    """A new route that takes forms needs a row above."""
    rules = [rule for rule in portal.app.url_map.iter_rules() if "POST" in (rule.methods or ())]
    open_to_all = {"/portal/sign-in", "/portal/language", "/portal/kep"}
    known = {re.sub(r"/code/1$", "/code/<int:pending>", path).replace(NUMBER, "<number>") for path in POSTS}
    assert {rule.rule for rule in rules} - open_to_all == known


@pytest.mark.parametrize("path", POSTS)
def test_no_form_works_without_a_session(portal: RunningPortal, path: str) -> None:
    answer = portal.client().post(path, {"new": PASSWORD, "again": PASSWORD, "phone": NUMBER, "code": "123456"})
    assert answer.status_code == 302
    assert answer.headers["Location"] == "/portal/sign-in"


@pytest.mark.parametrize("path", [*POSTS, "/portal/sign-in", "/portal/kep", "/portal/language"])
def test_no_form_works_without_its_token(portal: RunningPortal, path: str) -> None:
    assert portal.signed_in().client.post(path, data={}).status_code == 400


@pytest.mark.parametrize("path", ["/portal/", "/portal/phone", "/portal/messages", "/portal/ours", "/portal/code/1"])
def test_no_page_shows_without_a_session(portal: RunningPortal, path: str) -> None:
    assert portal.client().get(path).headers["Location"] == "/portal/sign-in"


def test_the_portal_serves_nothing_of_the_panel(portal: RunningPortal) -> None:
    visitor = portal.signed_in()
    for path in ("/", "/live", "/sign-in", "/messages"):
        assert visitor.get(path).status_code == 404
    rules = {rule.rule for rule in portal.app.url_map.iter_rules()}
    assert all(rule.startswith(("/portal", "/bootstrap/portal")) for rule in rules)
