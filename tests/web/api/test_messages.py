"""Queue, cancel, look: each wish once, and only for who made it."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

import pytest
from sqlalchemy import select

from modemd.store import database as opening
from modemd.store import outbox
from modemd.store.outbox import Sending, Want
from modemd.store.schema import message
from tests.web.api.conftest import PHONE, Client, RunningApi


def test_a_message_is_queued_and_looked_up(api: RunningApi) -> None:
    client = api.client()
    answer = client.send("Сметка")
    assert answer.status_code == 201
    assert answer.json == {"id": answer.json["id"], "state": "queued"}
    found = client.get(f"/messages/{answer.json['id']}").json
    assert (found["to"], found["text"], found["kind"], found["state"]) == (PHONE, "Сметка", "api", "queued")
    assert [each.text for each in api.outbox()] == ["Сметка"]


def test_the_same_key_sends_once_and_tells_of_the_first(api: RunningApi) -> None:
    client = api.client()
    first, second = client.send(key="a"), client.send(key="a")
    assert (first.status_code, second.status_code) == (201, 200)
    assert first.json == second.json
    assert len(api.outbox()) == 1


def test_another_body_under_a_key_is_a_conflict(api: RunningApi) -> None:
    client = api.client()
    client.send("one", key="a")
    for other in ({"text": "two"}, {"to": "+359888000102"}, {"kind": "otp"}, {"not_before": "2026-12-01T09:00:00Z"}):
        answer = client.send(key="a", **{"text": "one", **other})
        assert answer.status_code == 409
        assert answer.mimetype == "application/problem+json"
    assert [each.text for each in api.outbox()] == ["one"]


def test_keys_are_each_clients_own(api: RunningApi) -> None:
    assert api.client("billing").send(key="a").status_code == 201
    assert api.client("centre").send(key="a").status_code == 201


def test_one_key_at_the_same_time_sends_once(api: RunningApi) -> None:
    token = api.token(per_minute=0)

    def send(_: int) -> int:
        return Client(api.app.test_client(), token).send(key="a").status_code

    with ThreadPoolExecutor(8) as pool:
        assert sorted(pool.map(send, range(16))) == [200] * 15 + [201]
    assert len(api.outbox()) == 1


def test_what_was_not_queued_leaves_its_key_unused(api: RunningApi) -> None:
    client = api.client()
    assert client.send(to="+999000000", key="a").status_code == 422
    assert client.send(key="a").status_code == 201


def test_many_are_queued_all_or_none(api: RunningApi) -> None:
    client = api.client()
    good = {"to": PHONE, "text": "hello"}
    answer = client.post("/messages/batch", {"messages": [good, {"to": "+999000000", "text": "hello"}]})
    assert answer.status_code == 422
    assert "message 1" in answer.json["detail"]
    assert api.outbox() == []
    answer = client.post("/messages/batch", {"messages": [good] * 1000}, key="b")
    again = client.post("/messages/batch", {"messages": [good] * 1000}, key="b")
    assert (answer.status_code, again.status_code) == (201, 200)
    assert answer.json == again.json
    assert len(api.outbox()) == len({each["id"] for each in answer.json["messages"]}) == 1000


def test_a_message_is_cancelled_until_it_begins_to_leave(api: RunningApi) -> None:
    client = api.client()
    first, second = (client.send(str(n)).json["id"] for n in range(2))
    assert client.post(f"/messages/{first}/cancel").json["state"] == "cancelled"
    assert client.post(f"/messages/{first}/cancel").status_code == 409
    api.receive("a line comes into being")
    with opening.writing(api.engine) as conn:
        ((claim,),) = outbox.claim(conn, [Want(1, 1)], api.now, "h", timedelta(seconds=30))
        outbox.mark_sending(conn, [Sending(claim.open_parts[0].id, 1)], api.now, "h")
    assert claim.message_id == second
    answer = client.post(f"/messages/{second}/cancel")
    assert answer.status_code == 409
    assert "sending" in answer.json["detail"]


def test_the_history_tells_of_every_part(api: RunningApi) -> None:
    client = api.client()
    found = client.get(f"/messages/{client.send('x' * 200).json['id']}/history").json
    assert [part["state"] for part in found["each_part"]] == ["queued", "queued"]


@pytest.mark.parametrize("what", ["", "/history"])
def test_nobody_sees_another_clients_messages(api: RunningApi, what: str) -> None:
    own = api.client("billing").send().json["id"]
    other = api.client("centre")
    assert other.get(f"/messages/{own}{what}").status_code == 404
    assert other.post(f"/messages/{own}/cancel").status_code == 404
    assert [each.state for each in api.outbox()] == ["queued"]


def test_reminders_wait_for_their_window(make_api: Callable[..., RunningApi]) -> None:
    api = make_api()
    api.now = datetime.fromisoformat("2026-11-23T20:00:00+02:00")  # a Monday evening
    api.client().send(kind="reminder")
    with opening.reading(api.engine) as conn:
        row = conn.execute(select(message)).one()
    assert (row.not_before, row.due) == (datetime.fromisoformat("2026-11-24T09:00:00+02:00"), False)


def test_the_settings_of_the_kind_apply(make_api: Callable[..., RunningApi]) -> None:
    api = make_api(kinds={"api": {"priority": 3, "validity_hours": 2}})
    api.client().send()
    with opening.reading(api.engine) as conn:
        row = conn.execute(select(message)).one()
    assert (row.priority, row.expires_at) == (3, api.now + timedelta(hours=2))


def test_what_may_be_queued_in_a_day_is_limited(api: RunningApi) -> None:
    client = api.client(per_day=3)
    good = {"to": PHONE, "text": "hello"}
    assert client.post("/messages/batch", {"messages": [good] * 2}).status_code == 201
    refused = client.post("/messages/batch", {"messages": [good] * 2})
    assert (refused.status_code, refused.headers["Retry-After"]) == (429, "3600")
    assert client.send().status_code == 201
    assert client.send().status_code == 429
    api.now += timedelta(days=1)
    assert client.send().status_code == 201


@pytest.mark.parametrize("not_before", ["9999-12-31T23:59:59Z", "2028-01-01T00:00:00Z"])
def test_what_is_too_far_away_is_refused(api: RunningApi, not_before: str) -> None:
    assert api.client().send(not_before=not_before).status_code == 422


def test_a_time_that_has_passed_is_now(api: RunningApi) -> None:
    assert api.client().send(not_before="0001-01-01T00:00:00+14:00").status_code == 201
