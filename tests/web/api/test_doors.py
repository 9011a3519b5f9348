"""Who comes in: tokens with their scopes, and what everybody else hears."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from modemd import audit
from modemd.errors import TokenRefused
from modemd.service import tokens
from modemd.service.tokens import Scope
from modemd.store import database as opening
from modemd.store.schema import api_token
from tests.web.api.conftest import Client, RunningApi
from web.api.operations import OPERATIONS, Operation


def refusal(api: RunningApi, token: str | None, **headers: str) -> tuple[Any, ...]:
    answer = Client(api.app.test_client(), token).ask("GET", "/inbox", headers=headers)
    return answer.status_code, answer.text, answer.headers["WWW-Authenticate"], answer.mimetype


def test_whatever_is_wrong_with_a_token_is_refused_the_same_way(api: RunningApi) -> None:
    expired, revoked = api.token("expired", days=1), api.token("revoked")
    api.now += timedelta(days=1)
    with opening.writing(api.engine) as conn:
        tokens.revoke(conn, "revoked", "elena", api.now)
    without = api.token("without", [Scope.SEND])
    good = api.token("good")
    unknown = f"{good[:-1]}{'A' if good[-1] != 'A' else 'B'}"
    wrong = [expired, revoked, without, unknown, "", "nonsense", "x" * 100_000, "\u00ff\u00fe", good.upper()]
    refused = {refusal(api, each) for each in wrong}
    refused |= {refusal(api, good, Authorization=each) for each in ("", good, f"Basic {good}", f"Bearer\t{good}")}
    assert len(refused) == 1
    assert refused.pop()[0] == 401
    assert Client(api.app.test_client(), good).get("/inbox").status_code == 200


def test_a_refusal_costs_one_look_at_the_database_whatever_is_wrong(api: RunningApi) -> None:
    from sqlalchemy import event

    without = api.token("without", [Scope.SEND])
    asked: list[str] = []
    event.listen(api.engine, "before_cursor_execute", lambda _c, _cu, statement, *_: asked.append(statement))
    seen = set()
    for each in (without, "", "nonsense"):
        asked.clear()
        refusal(api, each)
        seen.add(tuple(asked))
    assert len(seen) == 1


@pytest.mark.parametrize("each", OPERATIONS, ids=lambda each: each.name)
def test_each_operation_wants_its_scope(api: RunningApi, each: Operation) -> None:
    others = api.client("others", [scope for scope in Scope if scope is not each.scope])
    own = api.client("own", [each.scope])
    path = each.path.replace("<int(max=9223372036854775807):message_id>", "1")
    assert others.ask(each.method, path).status_code == 401
    assert own.ask(each.method, path).status_code not in (401, 403)


def test_the_database_holds_no_token(api: RunningApi) -> None:
    token = api.token()
    with opening.reading(api.engine) as conn:
        row = conn.execute(select(api_token)).one()
    assert token.startswith("modemd_")
    assert len(token) >= 50
    assert token not in str(row)


def test_requests_a_minute_are_limited_by_rows(api: RunningApi) -> None:
    client = api.client(per_minute=3)
    assert [client.get("/lines").status_code for _ in range(4)] == [200, 200, 200, 429]
    assert client.get("/lines").headers["Retry-After"] == "60"
    assert api.client("other").get("/lines").status_code == 200
    api.now += timedelta(minutes=1)
    assert client.get("/lines").status_code == 200


@pytest.mark.parametrize(
    ("name", "scopes", "days"),
    [
        ("A", [Scope.SEND], 1),
        ("a\nb", [Scope.SEND], 1),
        ("good", [], 1),
        ("good", [Scope.SEND], 0),
        ("taken", [Scope.SEND], 1),
    ],
)
def test_a_token_needs_a_name_a_scope_and_an_end(api: RunningApi, name: str, scopes: list[Scope], days: int) -> None:
    api.token("taken")
    with pytest.raises(TokenRefused), opening.writing(api.engine) as conn:
        tokens.issue(conn, name, scopes, days, "elena", api.now)


def test_the_audit_log_tells_who_made_and_revoked_a_token(api: RunningApi) -> None:
    api.token("billing", [Scope.SEND])
    with opening.writing(api.engine) as conn:
        tokens.revoke(conn, "billing", "boris", api.now)
        with pytest.raises(TokenRefused):
            tokens.revoke(conn, "billing", "boris", api.now)
        told = [(each.who, each.action, each.subject) for each in audit.entries(conn, 10)]
    assert told == [("boris", "token.revoke", "billing"), ("elena", "token.add", "billing")]
