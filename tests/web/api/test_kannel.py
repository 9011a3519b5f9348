"""Kannel's sendsms, word for word as its smsbox answers."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from urllib.parse import quote, urlencode

import pytest
from sqlalchemy import select
from werkzeug.test import TestResponse

from modemd.store import database as opening
from modemd.store import lines, modems, switch
from modemd.store.lines import Sim
from modemd.store.modems import ModemRow
from modemd.store.schema import api_message, message
from modemd.store.switch import Allowed
from tests.web.api.conftest import RunningApi


@pytest.fixture
def api(make_api: Callable[..., RunningApi]) -> RunningApi:
    return make_api(api={"kannel": True})


def ready(api: RunningApi) -> None:
    with opening.writing(api.engine) as conn:
        row = lines.identify(conn, Sim("8935901000000000001", None), "h", "/dev/p", api.now, adopt=True)
        modems.save(conn, [ModemRow("h", "/dev/p", row.id, "ready", state_since=api.now)], api.now)


def ask(api: RunningApi, token: str | None = None, query: str | None = None, **fields: Any) -> TestResponse:
    if query is None:
        given = {"username": "billing", "password": token or "x", "to": "+359888000101", "text": "hello", **fields}
        query = urlencode({name: value for name, value in given.items() if value is not None})
    return api.app.test_client().get(f"/cgi-bin/sendsms?{query}")


def said(answer: TestResponse) -> tuple[int, str]:
    return answer.status_code, answer.text


def test_it_is_not_there_until_it_is_switched_on(make_api: Callable[..., RunningApi]) -> None:
    assert ask(make_api()).status_code == 404


def test_a_message_is_accepted_and_queued(api: RunningApi) -> None:
    ready(api)
    assert said(ask(api, api.token())) == (202, "0: Accepted for delivery")
    (row,) = api.outbox()
    assert (row.number, row.text, row.kind) == ("+359888000101", "hello", "api")


def test_what_cannot_leave_now_is_queued_for_later(api: RunningApi) -> None:
    token = api.token()
    assert said(ask(api, token)) == (202, "3: Queued for later delivery")
    ready(api)
    with opening.writing(api.engine) as conn:
        switch.allow(conn, Allowed.ANSWERS, api.now)
    assert said(ask(api, token)) == (202, "3: Queued for later delivery")
    assert len(api.outbox()) == 2


def test_who_is_not_let_in_hears_one_thing(api: RunningApi) -> None:
    token = api.token()
    refused = {
        said(ask(api, password, username=name))
        for name, password in (("billing", "x"), ("other", token), ("", token), ("billing", ""), (None, token))
    }
    api.now += timedelta(days=31)
    refused.add(said(ask(api, token)))
    assert refused == {(403, "Authorization failed for sendsms")}
    assert api.outbox() == []


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"to": None}, "Missing receiver number, rejected"),
        ({"to": ""}, "Empty receiver number not allowed, rejected"),
        ({"coding": "1"}, "Coding field misformed, rejected"),
        ({"coding": "x"}, "Coding field misformed, rejected"),
        ({"charset": "martian"}, "Charset or body misformed, rejected"),
        ({"charset": "UTF-8", "text": b"\xff"}, "Charset or body misformed, rejected"),
        ({"text": "a\x00b"}, "Charset or body misformed, rejected"),
        ({"charset": "base64"}, "Charset or body misformed, rejected"),
        ({"udh": "060504"}, "UDH field misformed, rejected"),
        ({"dlr-mask": "-1"}, "DLR-Mask field misformed, rejected"),
        ({"dlr-mask": "31", "dlr-url": "file:///etc/passwd"}, "DLR-URL field misformed, rejected"),
        ({"deferred": "soon"}, "Deferred field misformed, rejected"),
    ],
)
def test_what_is_wrong_is_said_in_kannels_words(api: RunningApi, fields: dict[str, Any], words: str) -> None:
    assert said(ask(api, api.token(), **fields)) == (400, words)
    assert api.outbox() == []


@pytest.mark.parametrize("wrong", [{"to": "A1"}, {"text": ""}, {"text": "x" * 2000}])
def test_what_cannot_be_sent_is_rejected(api: RunningApi, wrong: dict[str, str]) -> None:
    assert ask(api, api.token(), **wrong).status_code == 400
    assert api.outbox() == []


@pytest.mark.parametrize(
    ("fields", "raw"),
    [
        ("", "Сметка €".encode()),
        ("&charset=UTF-8&coding=0", "Сметка €".encode()),
        ("&charset=windows-1251", "Сметка €".encode("cp1251")),
        ("&coding=2", "Сметка €".encode("utf-16-be")),
        ("&coding=2&charset=UTF-8", "Сметка €".encode()),
    ],
)
def test_the_text_is_read_in_its_charset(api: RunningApi, fields: str, raw: bytes) -> None:
    query = f"username=billing&password={api.token()}&to=0888000101&text={quote(raw)}{fields}"
    assert ask(api, query=query).status_code == 202
    assert [each.text for each in api.outbox()] == ["Сметка €"]


@pytest.mark.parametrize("number", ["+359888000101", "359888000101", "00359888000101", "0888000101"])
def test_numbers_are_read_as_kannels_clients_write_them(api: RunningApi, number: str) -> None:
    ask(api, api.token(), to=number)
    assert [each.number for each in api.outbox()] == ["+359888000101"]


def test_several_receivers_get_it_all_or_none(api: RunningApi) -> None:
    token = api.token()
    assert ask(api, token, to="0888000101 x").status_code == 400
    assert ask(api, token, to="0888000101 0888000102").status_code == 202
    assert [each.number for each in api.outbox()] == ["+359888000101", "+359888000102"]


def test_reports_are_noted_and_deferred_ones_wait(api: RunningApi) -> None:
    url = "http://example.bg/dlr?type=%d&to=%P"
    assert ask(api, api.token(), **{"dlr-mask": "31", "dlr-url": url, "deferred": "60"}).status_code == 202
    with opening.reading(api.engine) as conn:
        noted = select(api_message.c.dlr_mask, api_message.c.dlr_url, message.c.not_before).join(message)
        row = conn.execute(noted).one()
    assert row == (31, url, api.now + timedelta(hours=1))


def test_limits_are_told_as_kannel_tells_them(api: RunningApi) -> None:
    token = api.token(per_minute=2, per_day=1)
    told = [said(ask(api, token)) for _ in range(3)]
    later = (503, "Temporal failure, try again later.")
    assert told[1:] == [later, later]
    assert len(api.outbox()) == 1


def test_line_ends_in_a_text_stay_out_of_headers_and_log(api: RunningApi, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG", "modemd")
    answer = ask(api, api.token(), text="forged\r\nSet-Cookie: x=1")
    assert answer.status_code == 202
    assert "Set-Cookie" not in answer.headers
    assert "forged" not in caplog.text
