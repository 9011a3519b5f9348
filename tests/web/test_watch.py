"""What machines are told, and which machines."""

import re
from collections.abc import Callable, Mapping
from datetime import timedelta
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import text

from modemd.config import Settings
from modemd.messages import AlertKind
from modemd.store import alerts, database, recovery, switch
from modemd.store.recovery import Tried
from modemd.store.schema import dataset
from modemd.store.switch import Allowed
from tests.panels import HOST, RunningPanel
from web.peer import BehindProxy

README = Path(__file__).parents[2] / "README.md"
PATHS = ("/metrics", "/health/live", "/health/ready")
Labels = tuple[tuple[str, str], ...]


def measured(panel: RunningPanel) -> Mapping[tuple[str, Labels], float]:
    """Every figure by name and labels."""
    page = panel.client().page("/metrics")
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(page)
        for sample in family.samples
    }


def ready(panel: RunningPanel) -> tuple[int, list[str]]:
    told = panel.client().get("/health/ready")
    assert told.json is not None
    assert told.json["ready"] is (told.status_code == 200)
    return told.status_code, told.json["why"]


# figures


def test_the_bank_is_measured(panel: RunningPanel) -> None:
    panel.start_daemon()
    panel.add_modem(1, name="A1 first")
    panel.add_modem(2, "quarantined")
    with panel.writing() as conn:
        alerts.note(conn, [alerts.Notice(HOST, "p", AlertKind.QUARANTINED, "gsm2", "no answer")], panel.now)
        recovery.count(conn, [Tried("huawei E173", "resync", helped, 1.0) for helped in (True, False)], panel.now)
        switch.allow(conn, Allowed.ANSWERS, panel.now)
    told = measured(panel)
    assert told["modemd_database_up", ()] == 1
    assert told["modemd_daemon_up", (("host", HOST),)] == 1
    assert told["modemd_modems", (("host", HOST), ("state", "ready"))] == 1
    assert told["modemd_modems", (("host", HOST), ("state", "quarantined"))] == 1
    assert told["modemd_modems", (("host", HOST), ("state", "silent"))] == 0
    assert told["modemd_signal_dbm", (("line", "A1 first"),)] == -71
    assert told["modemd_alerts", (("kind", "quarantined"),)] == 1
    assert told["modemd_alerts", (("kind", "clock_off"),)] == 0
    rung = (("model", "huawei E173"), ("rung", "resync"))
    assert (told["modemd_recovery_tries_total", rung], told["modemd_recovery_successes_total", rung]) == (2, 1)
    assert [told["modemd_sending", (("allowed", each),)] for each in Allowed] == [0, 1, 0]


def test_messages_and_answers_are_measured(panel: RunningPanel) -> None:
    panel.start_daemon()
    line = panel.add_modem(1, name="A1 first")
    asked = panel.receive(line, "smetka")
    panel.now += timedelta(seconds=4)
    panel.send(line, in_reply_to=asked)
    panel.queue(kind="otp")
    panel.receive(line, "smetka")
    panel.now += timedelta(seconds=30)
    with panel.writing() as conn:
        conn.execute(
            dataset.insert(), {"type": "OPENITEMS", "generation": 1, "data_at": panel.now - timedelta(hours=37)}
        )
    told = measured(panel)
    assert told["modemd_messages", (("state", "queued"),)] == 1
    assert told["modemd_inbox", (("state", "new"),)] == 2
    assert told["modemd_queue_age_seconds", (("what", "answers"),)] == 30
    assert told["modemd_queue_age_seconds", (("what", "others"),)] == 0
    assert told["modemd_answer_seconds_p95", ()] == 4
    assert told["modemd_data_age_seconds", ()] == 37 * 3600
    assert told["modemd_quota_left_parts", (("line", "A1 first"), ("period", "day"))] == 999


def test_readme_names_every_figure(panel: RunningPanel) -> None:
    panel.start_daemon()
    line = panel.add_modem(1)
    panel.send(line, in_reply_to=panel.receive(line, "smetka"))
    with panel.writing() as conn:
        recovery.count(conn, [Tried("huawei E173", "resync", True, 1.0)], panel.now)
        conn.execute(dataset.insert(), {"type": "OPENITEMS", "generation": 1, "data_at": panel.now})
    (row,) = re.findall(r"^\| `/metrics` \|.*$", README.read_text(encoding="utf-8"), re.MULTILINE)
    assert set(re.findall(r"`(modemd_\w+)`", row)) == {name for name, _ in measured(panel)}


def test_no_figure_names_a_number_or_a_customer(panel: RunningPanel) -> None:
    panel.start_daemon()
    line = panel.add_modem(1, name="A1 first")
    panel.receive(line, "smetka 300000000001")
    panel.send(line)
    page = panel.client().page("/metrics")
    assert "359" not in page
    assert "300000000001" not in page


def test_a_daemon_that_is_not_seen_any_more_is_down(panel: RunningPanel) -> None:
    panel.start_daemon()
    panel.now += timedelta(minutes=1)
    assert measured(panel)["modemd_daemon_up", (("host", HOST),)] == 0


def test_without_its_database_only_that_is_told(panel: RunningPanel, monkeypatch: pytest.MonkeyPatch) -> None:
    with panel.writing() as conn:
        conn.execute(text("ALTER TABLE host RENAME TO elsewhere"))
    assert measured(panel) == {("modemd_database_up", ()): 0}


# health


def test_ready_where_questions_are_answered_and_messages_sent(panel: RunningPanel) -> None:
    panel.start_daemon()
    panel.add_modem(1)
    assert ready(panel) == (200, [])


def test_a_process_that_answers_lives_whatever_else_is_down(panel: RunningPanel) -> None:
    panel.engine.dispose()
    told = panel.client().get("/health/live")
    assert (told.status_code, told.json) == (200, {"alive": True})


def test_not_ready_before_a_daemon_has_run(panel: RunningPanel) -> None:
    assert ready(panel) == (503, ["no daemon has ever run", "no modem is ready"])


def test_not_ready_while_the_daemon_is_down_whatever_it_wrote_last(panel: RunningPanel) -> None:
    panel.start_daemon()
    panel.add_modem(1)
    panel.now += timedelta(minutes=1)
    assert ready(panel) == (503, [f"the daemon {HOST} does not run", "no modem is ready"])


def test_not_ready_without_a_line(panel: RunningPanel) -> None:
    panel.start_daemon()
    panel.add_modem(1, "unregistered")
    assert ready(panel) == (503, ["no modem is ready"])


@pytest.mark.parametrize(("hours", "why"), [(47, []), (49, ["the data from billing is stale"])], ids=["old", "stale"])
def test_not_ready_with_stale_data(panel: RunningPanel, hours: int, why: list[str]) -> None:
    panel.start_daemon()
    panel.add_modem(1)
    with panel.writing() as conn:
        conn.execute(
            dataset.insert(), {"type": "OPENITEMS", "generation": 1, "data_at": panel.now - timedelta(hours=hours)}
        )
    assert ready(panel)[1] == why


@pytest.mark.parametrize(
    ("allowed", "why"), [(Allowed.ANSWERS, []), (Allowed.NONE, ["sending is switched off"])], ids=["answers", "none"]
)
def test_not_ready_while_nothing_is_sent(panel: RunningPanel, allowed: Allowed, why: list[str]) -> None:
    panel.start_daemon()
    panel.add_modem(1)
    with panel.writing() as conn:
        switch.allow(conn, allowed, panel.now)
    assert ready(panel)[1] == why


def test_not_ready_with_another_versions_database(panel: RunningPanel) -> None:
    with panel.writing() as conn:
        conn.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    assert ready(panel) == (503, ["the database is not of this program's version"])


def test_not_ready_without_the_database(panel: RunningPanel, monkeypatch: pytest.MonkeyPatch) -> None:
    gone = database.connect("postgresql+psycopg://nobody@127.0.0.1:1/nothing")
    monkeypatch.setattr(database, "check_revision", lambda _engine, check=database.check_revision: check(gone))
    assert ready(panel) == (503, ["the database does not answer"])


# who may ask


@pytest.mark.parametrize("path", PATHS)
def test_only_who_is_named_is_answered(make_panel: Callable[..., RunningPanel], path: str) -> None:
    client = make_panel(watchers=("192.0.2.0/24",)).client()
    asked = {address: client.get(path, environ_base={"REMOTE_ADDR": address}).status_code for address in ADDRESSES}
    assert {address for address, status in asked.items() if status != 404} == {"192.0.2.7"}


ADDRESSES = ("192.0.2.7", "198.51.100.7", "127.0.0.1", "::1", "", "localhost")


@pytest.mark.parametrize("path", PATHS)
def test_this_machine_is_answered_unless_the_settings_say_other(panel: RunningPanel, path: str) -> None:
    asked = {a: panel.client().get(path, environ_base={"REMOTE_ADDR": a}).status_code for a in ADDRESSES}
    assert {address for address, status in asked.items() if status != 404} == {"127.0.0.1", "::1"}


@pytest.mark.parametrize("path", PATHS)
def test_who_comes_through_a_proxy_that_is_not_trusted_is_not_this_machine(panel: RunningPanel, path: str) -> None:
    panel.app.wsgi_app = BehindProxy(panel.app.wsgi_app, None)  # type: ignore[method-assign]
    client = panel.client()
    assert client.get(path).status_code != 404
    assert client.get(path, headers={"X-Forwarded-For": "198.51.100.7"}).status_code == 404


@pytest.mark.parametrize("path", PATHS)
def test_behind_a_trusted_proxy_it_is_the_client_who_asks(panel: RunningPanel, path: str) -> None:
    panel.app.wsgi_app = BehindProxy(panel.app.wsgi_app, "127.0.0.1")  # type: ignore[method-assign]
    assert panel.client().get(path, headers={"X-Forwarded-For": "198.51.100.7"}).status_code == 404


def test_machines_are_not_sent_to_https(make_panel: Callable[..., RunningPanel]) -> None:
    client = make_panel(force_https=True).client()
    assert client.get("/health/live").status_code == 200
    assert client.get("/").status_code == 302


def test_a_watcher_that_is_no_address_is_refused() -> None:
    with pytest.raises(ValueError, match="does not appear to be an IPv4 or IPv6 network"):
        Settings.model_validate({"web": {"watchers": ["monitor.example.bg"]}})
