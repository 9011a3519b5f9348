"""What programs read: the inbox by a cursor, lines, figures, and the description of it all."""

import json
import re
import threading

from sqlalchemy import Engine

from modemd.store import database as opening
from modemd.store import inbox, lines, modems, reassembly
from modemd.store.dialects import together
from modemd.store.lines import Sim
from modemd.store.modems import ModemRow
from tests.panels import HOST
from tests.web.api.conftest import RunningApi
from web.api.operations import OPERATIONS


def test_the_cursor_gives_each_incoming_message_once(api: RunningApi) -> None:
    client = api.client()
    assert client.get("/inbox").json == {"messages": [], "next": 0}
    for n in range(5):
        api.receive(f"text {n}")
    texts, cursor = [], 0
    for _ in range(4):
        page = client.get(f"/inbox?after={cursor}&limit=2").json
        texts += [each["text"] for each in page["messages"]]
        cursor = page["next"]
    assert texts == [f"text {n}" for n in range(5)]
    assert client.get(f"/inbox?after={cursor}").json == {"messages": [], "next": cursor}


def test_the_cursor_passes_by_nothing_that_is_not_committed_yet(database: Engine) -> None:
    """A reader waits for a host that has an id and has not committed: else a later id would hide it for ever."""
    if database.dialect.name == "sqlite":
        return  # one writer at a time: ids are committed in their order
    writer, told = threading.Event(), threading.Event()

    def write() -> None:
        with opening.writing(database) as conn:
            together(conn, reassembly.NUMBERED)
            writer.set()
            told.wait(10)

    thread = threading.Thread(target=write)
    thread.start()
    writer.wait(10)
    seen: list[int] = []

    def read() -> None:
        with opening.writing(database) as conn:
            seen.append(inbox.settled_up_to(conn))

    reader = threading.Thread(target=read)
    reader.start()
    reader.join(0.2)
    assert seen == []
    told.set()
    reader.join(10)
    thread.join(10)
    assert seen == [0]


def test_lines_tell_how_the_bank_is(api: RunningApi) -> None:
    with opening.writing(api.engine) as conn:
        row = lines.identify(conn, Sim("8935901000000000001", None), HOST, "/dev/p", api.now, adopt=True, name="A1")
        modems.save(conn, [ModemRow(HOST, "/dev/p", row.id, "ready", state_since=api.now, signal_dbm=-71)], api.now)
    client = api.client()
    client.send()
    found = client.get("/lines").json
    assert (found["sending"], found["queued"]) == ("all", 1)
    assert [(each["name"], each["state"], each["signal_dbm"]) for each in found["lines"]] == [("A1", "ready", -71)]


def test_a_report_is_that_of_the_command_line(api: RunningApi) -> None:
    found = api.client().get("/report?first=2026-11-01&last=2026-11-23").json
    assert (found["from"], found["to"], found["messages"]["total"]) == ("2026-11-01", "2026-11-23", 0)


def test_the_description_names_every_operation_and_all_it_refers_to(api: RunningApi) -> None:
    answer = api.app.test_client().get("/api/v1/openapi.json")
    document = answer.json
    named = {each["operationId"] for methods in document["paths"].values() for each in methods.values()}
    assert named == {each.name for each in OPERATIONS}
    for reference in re.findall(r'"#/components/schemas/(\w+)"', json.dumps(document)):
        assert reference in document["components"]["schemas"]


def test_the_page_shows_every_operation_and_loads_nothing_from_elsewhere(api: RunningApi) -> None:
    answer = api.app.test_client().get("/api/v1/")
    assert answer.status_code == 200
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
    for each in OPERATIONS:
        assert f'id="{each.name}"' in answer.text
    loaded = re.findall(r'(?:src|href)="([^"#]+)"', answer.text)
    assert loaded
    assert not [each for each in loaded if "//" in each]
    for each in loaded:
        if each.startswith("/"):
            assert api.app.test_client().get(each, buffered=True).status_code == 200, each
