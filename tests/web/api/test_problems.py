"""Every error is an RFC 9457 problem, whoever finds it; hostile requests find nothing else."""

import json
import re
from typing import Any

import pytest
from sqlalchemy.exc import OperationalError

from tests.web.api.conftest import PHONE, RunningApi
from web.api import views
from web.api.openapi import document


def check(answer: Any, status: int) -> Any:
    assert answer.status_code == status, answer.text
    assert answer.mimetype == "application/problem+json"
    assert answer.json["status"] == status
    assert answer.json["type"] == "about:blank"
    assert answer.json["title"]
    return answer.json


def test_routing_answers_with_problems(api: RunningApi) -> None:
    client = api.client()
    for path in ("/nothing", "/messages/0x1", "/messages/9223372036854775808", "/messages/-1", "/messages/"):
        check(client.get(path), 404)
    answer = client.ask("PUT", "/messages")
    check(answer, 405)
    assert answer.headers["Allow"] == "POST"
    check(api.app.test_client().get("/elsewhere"), 404)


def test_a_body_of_another_type_is_415(api: RunningApi) -> None:
    client = api.client()
    for kind in ("text/plain", "application/x-www-form-urlencoded", ""):
        headers = {"Idempotency-Key": "a"}
        check(client.ask("POST", "/messages", data="{}", content_type=kind, headers=headers), 415)


@pytest.mark.parametrize(
    "body", [b"", b"{", b"\xff\xfe", b'{"to": "\xc3\x28"}', b"[" * 100_000, b'{"to": "\\ud800"}', b"{'to': 1}"]
)
def test_what_is_no_json_is_400(api: RunningApi, body: bytes) -> None:
    headers = {"Idempotency-Key": "a"}
    check(api.client().ask("POST", "/messages", data=body, content_type="application/json", headers=headers), 400)


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"to": PHONE}, "/text"),
        ({"to": PHONE, "text": ""}, "/text"),
        ({"to": PHONE, "text": "a\x00b"}, "/text"),
        ({"to": PHONE, "text": "x" * 1531}, "/text"),
        ({"to": PHONE, "text": 5}, "/text"),
        ({"to": "0888 123 456", "text": "x"}, "/to"),
        ({"to": f"{PHONE}\n", "text": "x"}, "/to"),
        ({"to": "A1", "text": "x"}, "/to"),
        ({"to": PHONE, "text": "x", "kind": "reply"}, "/kind"),
        ({"to": PHONE, "text": "x", "not_before": "2026-12-01T09:00:00"}, "/not_before"),
        ({"to": PHONE, "text": "x", "not_before": 1}, "/not_before"),
        ({"to": PHONE, "text": "x", "from": "A1"}, "/from"),
        ([], "/"),
    ],
)
def test_what_is_not_as_described_is_422_and_says_where(api: RunningApi, body: Any, pointer: str) -> None:
    problem = check(api.client().post("/messages", body), 422)
    assert [each["pointer"] for each in problem["errors"]] == [pointer]


def test_a_refusal_does_not_repeat_what_was_sent(api: RunningApi) -> None:
    answer = api.client().post("/messages", {"to": "<forged>", "text": "secret \x00"})
    assert "forged" not in answer.text
    assert "secret" not in answer.text


@pytest.mark.parametrize("key", ["", " ", "x" * 129, "ключ", "a\tb"])
def test_a_key_is_wanted_and_readable(api: RunningApi, key: str) -> None:
    headers = {"Idempotency-Key": key.encode().decode("latin-1")}
    check(api.client().ask("POST", "/messages", json={"to": PHONE, "text": "x"}, headers=headers), 400)
    assert not _is_described(key)


@pytest.mark.parametrize("key", ["x" * 128, "two words", "a ", "!", "~"])
def test_a_key_is_taken_as_the_description_says(api: RunningApi, key: str) -> None:
    body = {"to": PHONE, "text": "x"}
    assert api.client().ask("POST", "/messages", json=body, headers={"Idempotency-Key": key}).status_code == 201
    assert _is_described(key)


def _is_described(key: str) -> bool:
    (schema,) = (each["schema"] for each in document()["paths"]["/messages"]["post"]["parameters"])
    return schema["minLength"] <= len(key) <= schema["maxLength"] and bool(re.search(schema["pattern"], key))


@pytest.mark.parametrize("query", ["after=-1", "after=x", "limit=0", "limit=1001", "other=1", "after=1&after=2"])
def test_parameters_are_checked(api: RunningApi, query: str) -> None:
    check(api.client().get(f"/inbox?{query}"), 422)


@pytest.mark.parametrize(
    "days", ["first=2026-02-30&last=2026-03-01", "first=2026-03-02&last=2026-03-01", "first=0&last=1", ""]
)
def test_days_that_are_no_period_are_refused(api: RunningApi, days: str) -> None:
    check(api.client().get(f"/report?{days}"), 422)


def test_a_body_of_10_mb_is_413_and_nothing_is_queued(api: RunningApi) -> None:
    body = json.dumps({"to": PHONE, "text": "x" * 10_000_000})
    headers = {"Idempotency-Key": "a"}
    check(api.client().ask("POST", "/messages", data=body, content_type="application/json", headers=headers), 413)
    assert api.outbox() == []


def test_a_broken_database_is_503_and_a_fault_500(api: RunningApi, monkeypatch: pytest.MonkeyPatch) -> None:
    client = api.client()

    def broken(*_: object) -> None:
        raise OperationalError("SELECT secret", {}, Exception("gone"))

    monkeypatch.setattr(views.lines, "overview", broken)
    answer = client.get("/lines")
    assert "secret" not in str(check(answer, 503))
    assert answer.headers["Retry-After"] == "5"
    monkeypatch.setattr(views.lines, "overview", lambda *_: 1 / 0)
    check(client.get("/lines"), 500)


def test_headers_of_answers_cannot_be_written_by_a_client(api: RunningApi) -> None:
    """What is sent never stands in a header of an answer."""
    client = api.client()
    for answer in (
        client.send(text="a\r\nSet-Cookie: x=1", key="k"),
        client.get("/inbox?after=%0d%0aSet-Cookie:%20x=1"),
        client.get("/messages/%0d%0aSet-Cookie:%20x=1"),
    ):
        assert "Set-Cookie" not in answer.headers
        assert answer.headers["Cache-Control"] == "no-store"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"


def test_nothing_that_a_client_writes_stands_in_the_log(api: RunningApi, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    client = api.client()
    client.send(text="forged\nERROR root: all is lost")
    client.post("/messages", {"to": "forged\n", "text": "forged"})
    client.get("/messages/forged%0aERROR")
    assert "forged" not in caplog.text
    assert PHONE not in caplog.text
