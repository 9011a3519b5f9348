"""An alert is one as long as it lasts."""

from datetime import timedelta

from sqlalchemy import Connection, func, select

from modemd.messages import AlertKind
from modemd.store import alerts
from modemd.store.alerts import Notice
from modemd.store.schema import alert
from tests.store.outbox_driver import HOST, NOW

PORT = "/dev/modem00"
LATER = NOW + timedelta(minutes=5)


def notice(
    text: str | None, kind: AlertKind = AlertKind.QUARANTINED, *, host: str = HOST, subject: str = PORT
) -> Notice:
    return Notice(host, subject, kind, "A1 first", text)


def test_what_is_raised_again_stays_one_alert_in_its_newest_words(conn: Connection) -> None:
    assert alerts.note(conn, [notice("no answer")], NOW) == [None]
    alerts.note(conn, [notice("still no answer")], LATER)
    (standing,) = alerts.standing(conn)
    assert (standing.text, standing.raised_at, standing.name) == ("still no answer", NOW, "A1 first")


def test_what_is_over_is_kept_and_stands_no_more(conn: Connection) -> None:
    alerts.note(conn, [notice("no answer")], NOW)
    alerts.note(conn, [notice(None)], LATER)
    assert alerts.standing(conn) == []
    assert conn.execute(select(alert.c.raised_at, alert.c.cleared_at)).all() == [(NOW, LATER)]
    alerts.note(conn, [notice("no answer")], LATER)
    assert [each.raised_at for each in alerts.standing(conn)] == [LATER]


def test_clearing_what_was_never_raised_is_nothing(conn: Connection) -> None:
    alerts.note(conn, [notice(None)], NOW)
    assert conn.scalar(select(func.count()).select_from(alert)) == 0


def test_each_subject_and_each_kind_has_its_own(conn: Connection) -> None:
    notices = [
        notice("a"),
        notice("b", AlertKind.PUK),
        notice("c", subject="/dev/modem01"),
        notice("d", host="gsm-host-2"),
    ]
    alerts.note(conn, notices, NOW)
    alerts.note(conn, [notice(None)], LATER)
    assert sorted(each.text for each in alerts.standing(conn)) == ["b", "c", "d"]


def test_of_several_notices_of_one_thing_the_last_counts(conn: Connection) -> None:
    alerts.note(conn, [notice("a"), notice(None), notice("b")], NOW)
    assert [each.text for each in alerts.standing(conn)] == ["b"]
    alerts.note(conn, [notice("c"), notice(None)], NOW)
    assert alerts.standing(conn) == []


def test_a_host_that_starts_finds_its_troubles_anew(conn: Connection) -> None:
    alerts.note(conn, [notice("a"), notice("b", host="gsm-host-2")], NOW)
    alerts.forget(conn, HOST, LATER)
    assert [each.host for each in alerts.standing(conn)] == ["gsm-host-2"]
