"""Route × role: who may open what. A route without a row here fails."""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
from sqlalchemy import text

from modemd.service import webhooks
from modemd.store import wishes
from modemd.store.schema import HookEvent, WishState, WishVerb, metadata
from modemd.store.staff import Role
from tests.panels import RunningPanel
from tests.web import billing

WATCHERS = {"watch.figures", "watch.live", "watch.ready"}  # machines: tests/web/test_watch.py
NOBODY_NEEDED = {"static", "bootstrap.static", "language.choose", "sign_in.page", "sign_in.code", *WATCHERS}
ALL = {"technician", "operator", "manager", "admin"}
TECHNICIANS = {"technician", "admin"}
ADMIN = {"admin"}
OFFICE = {"operator", "manager", "admin"}
MANAGERS = {"manager", "admin"}
SMS = {"number": "+359888000101", "text": "smetka"}


class Route(NamedTuple):
    """One row: who may, where it is, and what is posted (None: it is a GET)."""

    may: set[str]
    path: str
    fields: dict[str, str] | None = None


ROUTES = {
    "bank.page": Route(ALL, "/"),
    "bank.live": Route(ALL, "/live"),
    "bank.sending": Route({"technician", "manager", "admin"}, "/sending", {"allowed": "none"}),
    "sign_in.out": Route(ALL, "/sign-out", {}),
    "sign_in.password": Route(ALL, "/password", {}),
    "queues.unread": Route(OFFICE, "/messages/unread", {"id": "1", "do": "drop"}),
    "queues.resend_failed": Route(OFFICE, "/messages/failed/resend", {"id": "1"}),
    "queues.close_failed": Route(ALL, "/messages/failed/close", {"id": "1", "note": "x"}),
    "customers.page": Route(ALL, "/customers/"),
    "customers.find": Route(ALL, "/customers/", {"term": "300000000001"}),
    "customers.one": Route(ALL, "/customers/300000000001"),
    "customers.conversation": Route(ALL, "/customers/300000000001/phone/0/conversation", {}),
    "desk.page": Route(OFFICE, "/customers/300000000001/desk/"),
    "desk.identity": Route(OFFICE, "/customers/300000000001/desk/identity", {"number": "1"}),
    "desk.vouch": Route(OFFICE, "/customers/300000000001/desk/vouch", {}),
    "desk.register": Route(OFFICE, "/customers/300000000001/desk/register", {}),
    "desk.confirm": Route(OFFICE, "/customers/300000000001/desk/confirm/1", {"code": "1"}),
    "desk.account": Route(OFFICE, "/customers/300000000001/desk/account", {}),
    "customers.phone": Route(OFFICE, "/customers/300000000001/phone/0/end", {}),
    "write.page": Route(OFFICE, "/write/"),
    "write.measure": Route(OFFICE, "/write/measure", {"text": "x"}),
    "write.send": Route(OFFICE, "/write/", {"to": "0888000101", "text": "x", "do": "check"}),
    "reminders.page": Route(OFFICE, "/reminders/"),
    "reminders.preview": Route(OFFICE, "/reminders/preview", {}),
    "reminders.one": Route(OFFICE, "/reminders/1"),
    "reminders.live": Route(OFFICE, "/reminders/1/live"),
    "reminders.approve": Route(MANAGERS, "/reminders/1/approve", {}),
    "reminders.act": Route(OFFICE, "/reminders/1/cancel", {}),
    "reminders.test": Route(OFFICE, "/reminders/1/test", {"number": "0888000101"}),
    "reminders.outage": Route(OFFICE, "/reminders/outage", {}),
    "texts.page": Route(MANAGERS, "/reminders/texts/"),
    "texts.save": Route(MANAGERS, "/reminders/texts/welcome/en", {"reset": "1"}),
    "texts.count": Route(MANAGERS, "/reminders/texts/welcome/en/count", {"text": "x"}),
    "texts.versions": Route(MANAGERS, "/reminders/texts/welcome/en/versions"),
    "texts.restore": Route(MANAGERS, "/reminders/texts/welcome/en/restore", {"version": "0"}),
    "files.page": Route(OFFICE, "/files/"),
    "files.decide": Route(MANAGERS, "/files/1/approve", {}),
    "reports.page": Route(ALL, "/reports/"),
    "reports.table": Route(ALL, "/reports/figures.csv"),
    "me.page": Route(ALL, "/me/"),
    "me.factor": Route(ALL, "/me/factor", {"code": "123456"}),
    "me.no_factor": Route(ALL, "/me/no-factor", {"code": "123456"}),
    "me.end": Route(ALL, "/me/end", {"id": "x"}),
    "people.page": Route(ADMIN, "/people"),
    "people.add": Route(ADMIN, "/people", {"name": "maria", "role": "operator"}),
    "people.change": Route(ADMIN, "/people/1/role", {"role": "operator"}),
    "people.audit": Route({"manager", "admin"}, "/audit"),
    "programs.page": Route(ADMIN, "/programs/"),
    "programs.add": Route(ADMIN, "/programs/", {"name": "billing", "scopes": "send", "days": "1"}),
    "programs.revoke": Route(ADMIN, "/programs/billing/revoke", {}),
    "webhooks.page": Route(ADMIN, "/webhooks/"),
    "webhooks.add": Route(ADMIN, "/webhooks/", {"name": "erp", "url": "https://erp.example.bg/", "events": "state"}),
    "webhooks.one": Route(ADMIN, "/webhooks/1"),
    "webhooks.end": Route(ADMIN, "/webhooks/1/end", {}),
    "webhooks.resend": Route(ADMIN, "/webhooks/1/1/resend", {}),
    "phone.page": Route(TECHNICIANS, "/phone/"),
    "phone.live": Route(TECHNICIANS, "/phone/live?number=%2B359888000101"),
    "phone.text": Route(TECHNICIANS, "/phone/", SMS),
    "modem.page": Route(TECHNICIANS, "/modem/1"),
    "modem.live": Route(TECHNICIANS, "/modem/1/live"),
    "modem.wish": Route(TECHNICIANS, "/modem/1/wish/restart", {}),
    "modem.ussd": Route(TECHNICIANS, "/modem/1/ussd", {"code": "*100#"}),
    "modem.pin": Route(TECHNICIANS, "/modem/1/pin", {"pin": "4711", "again": "4711", "sure": "y"}),
    "modem.test": Route(TECHNICIANS, "/modem/1/test", SMS),
    "modem.line": Route(TECHNICIANS, "/modem/1/line", {"name": "A1 first", "replaces": "0"}),
    "modem.transcript": Route(TECHNICIANS, "/modem/1/transcript/1.txt"),
    "modem.console": Route(ADMIN, "/modem/1/console"),
    "modem.said": Route(ADMIN, "/modem/1/console/live"),
    "modem.say": Route(ADMIN, "/modem/1/console", {"command": "AT+CSQ"}),
    "messages.page": Route(ALL, "/messages/"),
    "messages.find": Route(ALL, "/messages/find", {"number": "+359881234567"}),
    "messages.one": Route(ALL, "/messages/mo/1"),
    "messages.live": Route(ALL, "/messages/mo/1/live"),
    "messages.reveal": Route(ALL, "/messages/mo/1/reveal", {"why": "he asked to be called"}),
    "messages.conversation": Route(ALL, "/messages/mo/1/phone"),
    "queues.page": Route(ALL, "/messages/queue/held"),
    "queues.decide": Route(ALL, "/messages/decide", {"id": "1", "verdict": "drop"}),
    "messages.is_ours": Route(ALL, "/messages/ours", {"recipient": "0888000101", "day": "2026-11-23"}),
}
POSTS = {endpoint: route for endpoint, route in ROUTES.items() if route.fields is not None}
COUNTED = sorted(set(metadata.tables) - {"limit_use", "staff_session"})
COUNT_ALL = text("SELECT " + ", ".join(f"(SELECT count(*) FROM {name}) AS {name}" for name in COUNTED))
POST_PATHS = [*(route.path for route in POSTS.values()), "/sign-in", "/sign-in/code", "/language"]


def furnish(panel: RunningPanel) -> RunningPanel:
    """Give it what the paths of the table name: a modem, a text, a wish that is done."""
    panel.start_daemon()
    panel.receive(panel.add_modem(1), "smetka")
    billing.a_run(panel)
    with panel.writing() as conn:
        webhooks.subscribe(conn, "crm", "https://crm.example.bg/", [HookEvent.STATE], "elena", panel.now)
        wish = wishes.ask(conn, 1, WishVerb.TRANSCRIPT, None, "elena", panel.now)
        wishes.answer(conn, wish, WishState.DONE, "# end: 0", panel.now)
    return panel


@pytest.fixture
def panel(panel: RunningPanel) -> RunningPanel:
    return furnish(panel)


@pytest.fixture(scope="module")
def untouched_panel(tmp_path_factory: pytest.TempPathFactory, sqlite_template: Path) -> Iterator[RunningPanel]:
    """One for all the tests that see that they change nothing."""
    panel = furnish(RunningPanel(tmp_path_factory.mktemp("untouched"), sqlite_template))
    yield panel
    panel.close()


def state_of(panel: RunningPanel) -> object:
    """Everything that a post of the table could have changed."""
    with panel.writing() as conn:
        return conn.execute(COUNT_ALL).one(), {number: len(said) for number, said in panel.phones.said.items()}


def test_every_route_has_a_row(panel: RunningPanel) -> None:
    assert {rule.endpoint for rule in panel.app.url_map.iter_rules()} == NOBODY_NEEDED | set(ROUTES)


def test_every_role_has_a_column() -> None:
    assert set(Role) == ALL


def test_every_post_is_tried_here(panel: RunningPanel) -> None:
    posts = {rule.endpoint for rule in panel.app.url_map.iter_rules() if "POST" in (rule.methods or ())}
    assert posts == set(POSTS) | {"sign_in.page", "sign_in.code", "language.choose"}


@pytest.mark.parametrize("role", sorted(ALL))
def test_a_role_opens_its_pages_and_no_other(panel: RunningPanel, role: str) -> None:
    visitor = panel.signed_in(role)
    token = visitor.token("/")
    for endpoint, route in sorted(ROUTES.items(), key=lambda item: item[0] == "sign_in.out"):  # last: it ends all
        before = None if role in route.may else state_of(panel)
        if route.fields is None:
            response = visitor.get(route.path)
        else:
            response = visitor.client.post(route.path, data={**route.fields, "csrf_token": token})
        if role in route.may:
            assert response.status_code in (200, 302), endpoint
            assert response.headers.get("Location") != "/sign-in" or endpoint == "sign_in.out", endpoint
        else:
            assert response.status_code == 403, endpoint
            assert "Вашата роля няма достъп" in response.text
            assert state_of(panel) == before, endpoint


@pytest.mark.parametrize("endpoint", ROUTES)
def test_nothing_opens_without_a_sign_in(untouched_panel: RunningPanel, endpoint: str) -> None:
    visitor, route = untouched_panel.client(), ROUTES[endpoint]
    before = state_of(untouched_panel)
    response = visitor.get(route.path) if route.fields is None else visitor.post(route.path, route.fields)
    assert response.status_code == 302
    assert response.headers["Location"] == "/sign-in"
    assert state_of(untouched_panel) == before


@pytest.mark.parametrize("token", [None, "", "wrong"])
def test_no_post_passes_without_its_token(panel: RunningPanel, token: str | None) -> None:
    visitor = panel.signed_in()
    before = state_of(panel)
    of_everybody = {"language": "en", "name": "elena", "password": "x"}
    for path in POST_PATHS:
        fields = of_everybody | next((route.fields or {} for route in POSTS.values() if route.path == path), {})
        response = visitor.client.post(path, data=fields if token is None else {**fields, "csrf_token": token})
        assert response.status_code == 400, path
        assert "Формулярът е остарял" in response.text
    assert state_of(panel) == before
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
