"""Answers whose line is gone leave through another of the same operator; all others stay with theirs (rule 8)."""

from datetime import datetime, timedelta

import pytest
from sqlalchemy import Connection

from modemd.store import leases, lines, modems, standins
from modemd.store.modems import ModemRow
from modemd.store.schema import line_rule
from modemd.store.standins import GONE_FOR
from tests.store.outbox_driver import HOST, NOW, Outbox

SECOND = timedelta(seconds=1)
OTHER_HOST = "gsm-host-2"
IMSI = "28405000000000"


class Bank:
    """Lines with a modem each; the first one's host is HOST."""

    def __init__(self, out: Outbox) -> None:
        self.out = out
        self.conn = out.conn
        self._count = 0
        for name in (HOST, OTHER_HOST):
            lines.host_started(self.conn, name, name, 1, NOW)

    def line(self, imsi: str = IMSI, *, host: str = OTHER_HOST, adopt: bool = True) -> int:
        self._count += 1
        sim = lines.Sim(f"8935905{self._count:012}", f"{imsi}{self._count}")
        line_id = lines.identify(self.conn, sim, host, f"p{self._count}", NOW, adopt=adopt).id
        self.modem(line_id, "ready", NOW, host=host)
        return line_id

    def modem(self, line_id: int, state: str, since: datetime, *, host: str = HOST) -> None:
        row = ModemRow(host, f"of {line_id}", line_id, state, since)
        modems.save(self.conn, [row], since)

    def seen(self, *hosts: str, at: datetime) -> None:
        for name in hosts:
            lines.host_seen(self.conn, name, name, at)

    def reply(self, line_id: int) -> int:
        return self.out.queue(kind="reply", line_id=line_id, priority=0)

    def line_of(self, message_id: int) -> int:
        return int(self.out.message(message_id).line_id)


@pytest.fixture
def bank(out: Outbox) -> Bank:
    return Bank(out)


LATER = NOW + GONE_FOR


def test_an_answer_goes_to_a_line_of_the_same_operator_when_its_own_is_gone(bank: Bank) -> None:
    own, _foreign, alike = bank.line(host=HOST), bank.line("28401000000000"), bank.line()
    reply, bulk = bank.reply(own), bank.out.queue(line_id=own)
    bank.modem(own, "absent", NOW)
    bank.seen(HOST, OTHER_HOST, at=LATER)
    assert standins.hand_over(bank.conn, LATER - SECOND) == 0
    assert standins.hand_over(bank.conn, LATER) == 1
    assert (bank.line_of(reply), bank.line_of(bulk)) == (alike, own)


def test_the_lines_of_a_host_that_died_are_gone(bank: Bank) -> None:
    own, alike = bank.line(host=HOST), bank.line()
    reply = bank.reply(own)
    bank.seen(OTHER_HOST, at=LATER)
    assert standins.hand_over(bank.conn, LATER) == 1
    assert bank.line_of(reply) == alike


@pytest.mark.parametrize("state", ["ready", "unregistered", "silent", "recovering", "starting"])
def test_a_line_whose_modem_works_or_is_being_mended_keeps_its_answers(bank: Bank, state: str) -> None:
    own, _alike = bank.line(host=HOST), bank.line()
    bank.reply(own)
    bank.modem(own, state, NOW)
    bank.seen(HOST, OTHER_HOST, at=LATER)
    assert standins.hand_over(bank.conn, LATER) == 0


def test_no_other_operator_and_no_line_that_cannot_send_stands_in(bank: Bank) -> None:
    own = bank.line(host=HOST)
    bank.line("28401000000000")
    bank.line(adopt=False)
    bank.modem(bank.line(), "unregistered", NOW, host=OTHER_HOST)
    bank.reply(own)
    bank.modem(own, "quarantined", NOW)
    bank.seen(HOST, OTHER_HOST, at=LATER)
    assert standins.hand_over(bank.conn, LATER) == 0


def test_the_stand_in_that_a_technician_named_comes_first(bank: Bank) -> None:
    own, _alike, named = bank.line(host=HOST), bank.line(), bank.line("28401000000000")
    bank.conn.execute(line_rule.insert(), {"line_id": named, "replaces": own})
    reply = bank.reply(own)
    bank.modem(own, "absent", NOW)
    bank.seen(HOST, OTHER_HOST, at=LATER)
    assert standins.hand_over(bank.conn, LATER) == 1
    assert bank.line_of(reply) == named


def test_an_answer_that_has_begun_to_leave_stays(bank: Bank) -> None:
    own, _alike = bank.line(host=HOST), bank.line()
    bank.out.queue(kind="reply", line_id=own, priority=0, parts=2)
    bank.out.sent(bank.out.begin(bank.out.claim(own)[0]))
    leases.recover(bank.conn, HOST, NOW)
    bank.modem(own, "absent", NOW)
    bank.seen(HOST, OTHER_HOST, at=LATER)
    assert standins.hand_over(bank.conn, LATER) == 0


def test_with_nothing_that_waits_nothing_is_looked_up(bank: Bank, conn: Connection) -> None:
    assert standins.hand_over(conn, LATER) == 0


def test_a_host_that_has_just_started_is_given_time_to_find_its_modems(bank: Bank) -> None:
    own, _alike = bank.line(host=HOST), bank.line()
    bank.reply(own)
    bank.modem(own, "absent", NOW)
    bank.seen(OTHER_HOST, at=LATER)
    lines.host_started(bank.conn, HOST, HOST, 2, LATER)
    assert standins.hand_over(bank.conn, LATER) == 0
    bank.seen(HOST, OTHER_HOST, at=LATER + GONE_FOR)
    assert standins.hand_over(bank.conn, LATER + GONE_FOR) == 1
