"""People are told of an alert once, again when it lasts, and when it is over; not each time that it comes and goes."""

from datetime import timedelta

import pytest
from sqlalchemy import Connection

from modemd.messages import AlertKind
from modemd.store import alerts, told
from modemd.store.alerts import Notice
from modemd.store.told import Pace
from tests.store.outbox_driver import HOST, NOW

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
PACE = Pace(after=2 * MINUTE, pause=HOUR, repeat=24 * HOUR)


class People:
    """Told whenever something is due, at a time that tests move."""

    def __init__(self, conn: Connection) -> None:
        self.conn = conn
        self.at = NOW

    def note(self, text: str | None, subject: str = "p1", host: str = HOST) -> None:
        alerts.note(self.conn, [Notice(host, subject, AlertKind.QUARANTINED, "gsm1", text)], self.at)

    def hear(self, later: timedelta, channel: str = "email") -> list[str]:
        self.at += later
        due = told.due(self.conn, HOST, channel, PACE, self.at)
        told.mark(self.conn, HOST, channel, due, self.at)
        return [each.text for each in due.raised] + [f"over: {each.text}" for each in due.over]


@pytest.fixture
def people(conn: Connection) -> People:
    return People(conn)


def test_what_lasts_is_told_once(people: People) -> None:
    people.note("no answer")
    assert people.hear(MINUTE) == []
    assert people.hear(MINUTE) == ["no answer"]
    assert people.hear(MINUTE) == []
    people.note("still no answer")
    assert people.hear(HOUR) == []


def test_what_lasts_for_long_is_told_again(people: People) -> None:
    people.note("no answer")
    people.hear(2 * MINUTE)
    assert people.hear(23 * HOUR) == []
    assert people.hear(HOUR) == ["no answer"]
    assert people.hear(HOUR) == []


def test_what_passes_by_itself_is_not_told(people: People) -> None:
    people.note("no answer")
    people.hear(MINUTE)
    people.note(None)
    assert people.hear(HOUR) == []


def test_that_it_is_over_is_told_once(people: People) -> None:
    people.note("no answer")
    people.hear(2 * MINUTE)
    people.note(None)
    assert people.hear(MINUTE) == []
    assert people.hear(MINUTE) == ["over: no answer"]
    assert people.hear(MINUTE) == []


def test_what_is_there_again_at_once_was_never_over(people: People) -> None:
    people.note("no answer")
    people.hear(2 * MINUTE)
    alerts.forget(people.conn, HOST, people.at)  # the daemon starts anew
    people.at += MINUTE
    people.note("no answer")
    assert people.hear(5 * MINUTE) == []


def test_what_comes_and_goes_is_not_told_each_time(people: People) -> None:
    heard = []
    for _ in range(12):  # ten minutes of each
        people.note("no answer")
        heard += people.hear(5 * MINUTE)
        people.note(None)
        heard += people.hear(5 * MINUTE)
    assert heard == ["no answer", "over: no answer"] * 2


def test_each_way_of_telling_and_each_subject_stands_alone(people: People) -> None:
    people.note("no answer")
    assert people.hear(2 * MINUTE) == ["no answer"]
    assert people.hear(MINUTE, "sms") == ["no answer"]
    people.note("hung up", subject="p2")
    assert people.hear(2 * MINUTE) == ["hung up"]


def test_another_hosts_alerts_are_its_own_business(people: People) -> None:
    people.note("no answer", host="gsm-host-2")
    assert people.hear(HOUR) == []
