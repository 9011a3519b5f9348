"""What a modem has been through: every state with its reason, and its signal sparsely."""

from collections.abc import Sequence
from datetime import timedelta

from sqlalchemy import Connection

from modemd.errors import PukRequired
from modemd.messages import Reason
from modemd.store import history, lines, modems
from modemd.store.modems import ModemRow
from tests.store.outbox_driver import HOST, NOW

IMEI = "350000000000001"


def save(conn: Connection, state: str, minutes: float = 0, reason: Reason | None = None, **columns: object) -> int:
    at = NOW + timedelta(minutes=minutes)
    row = ModemRow(HOST, "/dev/a", None, state, at, reason=reason, **{"imei": IMEI, **columns})  # type: ignore[arg-type]
    modems.save(conn, [row], at)
    (found,) = modems.named(conn, "/dev/a")
    return found.id


def minutes(samples: Sequence[history.Sample]) -> list[tuple[float, int | None]]:
    return [((each.at - NOW).total_seconds() / 60, each.dbm) for each in samples]


def test_each_state_is_kept_once_with_its_reason_and_facts(conn: Connection) -> None:
    save(conn, "starting")
    refused = Reason.of(PukRequired(port="/dev/a"))
    for minute in (1, 2, 3):
        modem = save(conn, "quarantined", minute, refused)
    newest, oldest = history.events(conn, modem)
    assert (newest.state, newest.at, newest.reason) == ("quarantined", NOW + timedelta(minutes=1), refused)
    assert newest.reason is not None
    assert newest.reason.code == "PukRequired"
    assert (oldest.state, oldest.reason) == ("starting", None)


def test_a_daemon_that_stops_leaves_its_modems_absent_in_their_history(conn: Connection) -> None:
    lines.host_started(conn, HOST, "first", 1, NOW)
    modem = save(conn, "ready", 1)
    lines.host_stopped(conn, HOST, "first", NOW + timedelta(minutes=2))
    lines.host_started(conn, HOST, "second", 1, NOW + timedelta(minutes=3))
    assert [(each.state, each.reason and each.reason.code) for each in history.events(conn, modem)] == [
        ("absent", "DaemonStopped"),
        ("ready", None),
    ]
    (seen,) = lines.overview(conn, NOW)
    assert seen.cause is not None
    assert seen.cause.code == "DaemonStopped"


def test_a_signal_that_stays_is_kept_every_ten_minutes_and_a_change_after_one(conn: Connection) -> None:
    for minute, dbm in ((0, -71), (1, -73), (9, -71), (10, -71), (11, -99), (11.5, -71), (12, -97), (13, -71)):
        modem = save(conn, "ready", minute, signal_dbm=dbm)
    assert minutes(history.signal(conn, modem, NOW)) == [(0, -71), (10, -71), (11, -99), (13, -71)]


def test_a_modem_that_is_gone_has_a_gap_and_no_rows_without_end(conn: Connection) -> None:
    save(conn, "ready", 0, signal_dbm=-71)
    for minute in (5, 20, 40, 60):
        modem = save(conn, "silent", minute, signal_dbm=-71)
    assert minutes(history.signal(conn, modem, NOW)) == [(0, -71), (5, None)]


def test_old_samples_and_events_are_forgotten(conn: Connection) -> None:
    save(conn, "ready", 0, signal_dbm=-71)
    modem = save(conn, "silent", 100 * 24 * 60)
    assert [each.state for each in history.events(conn, modem)] == ["silent"]
    assert [dbm for _, dbm in minutes(history.signal(conn, modem, NOW))] == [None]


def test_history_follows_a_modem_that_was_nameless_at_its_new_port(conn: Connection) -> None:
    modem = save(conn, "ready", 0)
    save(conn, "absent", 1)
    at = NOW + timedelta(minutes=2)
    modems.save(conn, [ModemRow(HOST, "/dev/b", None, "starting", at, signal_dbm=-71)], at)
    modems.save(conn, [ModemRow(HOST, "/dev/b", None, "ready", at, imei=IMEI, signal_dbm=-71)], at)
    assert [each.state for each in history.events(conn, modem)] == ["ready", "starting", "absent", "ready"]


def test_a_modem_is_ill_since_it_was_ready_however_often_it_was_tried_again(conn: Connection) -> None:
    modem_id = save(conn, "starting")
    assert history.ill_since(conn, [modem_id]) == {modem_id: NOW}, "it never was ready"
    again = ("starting", "quarantined")
    for minute, state in enumerate(("silent", "ready", "silent", "recovering", "quarantined", *again)):
        save(conn, state, minute + 1)
    assert history.ill_since(conn, [modem_id]) == {modem_id: NOW + timedelta(minutes=3)}
    save(conn, "ready", 60)
    assert history.ill_since(conn, [modem_id]) == {}
