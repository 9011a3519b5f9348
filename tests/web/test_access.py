"""Route × role: who may open what. A route without a row here fails."""

from itertools import product

import pytest

from modemd.store.staff import Role
from tests.panels import RunningPanel

NOBODY_NEEDED = {"static", "bootstrap.static", "language.choose", "sign_in.page"}
ALL = {"technician", "operator", "manager", "admin"}
MAY = {
    "bank.page": ALL,
    "bank.live": ALL,
    "sign_in.out": ALL,
    "sign_in.password": ALL,
    "phone.page": {"technician", "admin"},
    "phone.live": {"technician", "admin"},
    "phone.text": {"technician", "admin"},
}
PATHS = {
    "bank.page": "/",
    "bank.live": "/live",
    "sign_in.out": "/sign-out",
    "sign_in.password": "/password",
    "phone.page": "/phone/",
    "phone.live": "/phone/live?number=%2B359888000101",
    "phone.text": "/phone/",
}
POSTS = {"sign_in.out": {}, "sign_in.password": {}, "phone.text": {"number": "+359888000101", "text": "smetka"}}
POST_PATHS = [*(PATHS[endpoint] for endpoint in POSTS), "/sign-in", "/language"]


def test_every_route_has_a_row(panel: RunningPanel) -> None:
    assert {rule.endpoint for rule in panel.app.url_map.iter_rules()} == NOBODY_NEEDED | set(MAY)


def test_every_role_has_a_column() -> None:
    assert set(Role) == ALL


def test_every_post_is_tried_here(panel: RunningPanel) -> None:
    posts = {rule.rule for rule in panel.app.url_map.iter_rules() if "POST" in (rule.methods or ())}
    assert posts == set(POST_PATHS)


@pytest.mark.parametrize(("endpoint", "role"), list(product(MAY, sorted(ALL))))
def test_a_role_opens_its_pages_and_no_other(panel: RunningPanel, endpoint: str, role: str) -> None:
    visitor = panel.signed_in(role)
    if endpoint in POSTS:
        response = visitor.post(PATHS[endpoint], POSTS[endpoint], form_at="/")
    else:
        response = visitor.get(PATHS[endpoint])
    if role in MAY[endpoint]:
        assert response.status_code in (200, 302)
    else:
        assert response.status_code == 403
        assert "Вашата роля няма достъп" in response.text


@pytest.mark.parametrize("endpoint", MAY)
def test_nothing_opens_without_a_sign_in(panel: RunningPanel, endpoint: str) -> None:
    visitor, path = panel.client(), PATHS[endpoint]
    response = visitor.post(path, POSTS[endpoint]) if endpoint in POSTS else visitor.get(path)
    assert response.status_code == 302
    assert response.headers["Location"] == "/sign-in"
    assert panel.phones.said == {}


@pytest.mark.parametrize("path", POST_PATHS)
@pytest.mark.parametrize("token", [None, "", "wrong"])
def test_no_post_passes_without_its_token(panel: RunningPanel, path: str, token: str | None) -> None:
    visitor = panel.signed_in()
    fields = {"number": "+359888000101", "text": "smetka", "language": "en", "name": "elena", "password": "x"}
    response = visitor.client.post(path, data=fields if token is None else {**fields, "csrf_token": token})
    assert response.status_code == 400
    assert "Формулярът е остарял" in response.text
    assert panel.phones.said == {}
    assert visitor.get("/").status_code == 200


def test_a_token_of_another_person_is_worth_nothing(panel: RunningPanel) -> None:
    other = panel.signed_in(name="boris").token("/")
    visitor = panel.signed_in()
    assert visitor.client.post("/sign-out", data={"csrf_token": other}).status_code == 400


def test_a_route_that_nobody_gave_a_row_is_open_to_nobody(panel: RunningPanel) -> None:
    panel.app.add_url_rule("/forgotten", "forgotten", lambda: "secret")
    assert panel.client().get("/forgotten").status_code == 302
    assert panel.signed_in().get("/forgotten").status_code == 403


def test_pages_that_a_role_may_not_open_are_not_offered(panel: RunningPanel) -> None:
    assert 'href="/phone/"' in panel.signed_in("admin").page("/")
    assert 'href="/phone/"' not in panel.signed_in("manager", "boris").page("/")


def test_a_session_of_a_password_that_was_replaced_opens_nothing(panel: RunningPanel) -> None:
    visitor = panel.signed_in()
    panel.add_person()
    assert visitor.get("/").headers["Location"] == "/sign-in"
