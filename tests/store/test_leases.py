"""A host that stops, restarts or dies loses no message and repeats none (rule 11)."""

import threading
from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy import Connection, Engine, select, text

from modemd.errors import VerbFailed
from modemd.store import leases, outbox
from modemd.store.leases import Returned
from modemd.store.outbox import Sending, Sent, Want
from modemd.store.schema import message, part
from tests.store.outbox_driver import HOST, LEASE, NOW, Outbox, compose

SECOND = timedelta(seconds=1)


def test_rule_11_at_start_claims_return_and_what_was_in_the_air_is_in_doubt(out: Outbox, line_id: int) -> None:
    in_the_air = out.sending(line_id, parts=2)
    claimed = out.queue()
    out.claim(line_id)
    assert leases.recover(out.conn, "gsm-host-1", NOW) == Returned(queued=1, in_doubt=1)
    assert [row.state for row in out.parts(out.part(in_the_air).message_id)] == ["in_doubt", "queued"]
    assert out.claimed(line_id, count=5) == [claimed]


def test_recovery_is_for_a_host_s_own_claims(out: Outbox, line_id: int) -> None:
    message_id = out.queue()
    out.claim(line_id, host="gsm-host-2")
    assert leases.recover(out.conn, "gsm-host-1", NOW) == Returned(0, 0)
    assert out.message(message_id).claimed_by == "gsm-host-2"


def test_recovery_with_nothing_claimed_does_nothing(out: Outbox, line_id: int) -> None:
    out.sent(out.sending(line_id))
    assert leases.recover(out.conn, "gsm-host-1", NOW) == Returned(0, 0)


def test_a_dead_host_s_claims_return_when_the_lease_has_ended(out: Outbox, line_id: int, other_line_id: int) -> None:
    claimed, in_the_air = out.queue(), 0
    (claim,) = out.claim(line_id)
    in_the_air = out.sending(line_id)
    assert leases.reclaim_expired(out.conn, NOW + LEASE) == Returned(0, 0)
    assert leases.reclaim_expired(out.conn, NOW + LEASE + SECOND) == Returned(queued=1, in_doubt=1)
    assert out.part(in_the_air).state == "in_doubt"
    assert [each.message_id for each in out.claim(other_line_id, 5, host="gsm-host-2")] == [claimed]
    with pytest.raises(VerbFailed):
        out.begin(claim)  # the host was only cut off: it may not begin what another has


def test_a_living_host_renews_its_leases(out: Outbox, line_id: int) -> None:
    message_id = out.queue()
    out.claim(line_id)
    leases.renew(out.conn, "gsm-host-1", NOW + 20 * SECOND, LEASE)
    assert out.message(message_id).lease_until == NOW + 20 * SECOND + LEASE
    assert leases.reclaim_expired(out.conn, NOW + 40 * SECOND) == Returned(0, 0)


def test_a_result_that_comes_after_the_lease_still_counts(out: Outbox, line_id: int) -> None:
    part_id = out.sending(line_id)
    leases.reclaim_expired(out.conn, NOW + timedelta(hours=1))
    assert out.sent(part_id) == "sent"


def test_a_long_message_between_two_parts_goes_on_after_a_restart(out: Outbox, line_id: int) -> None:
    part_id = out.sending(line_id, parts=2)
    out.sent(part_id)
    leases.recover(out.conn, "gsm-host-1", NOW)
    (again,) = out.claim(line_id)
    assert [each.number for each in again.open_parts] == [2]


def test_a_restart_makes_up_for_what_should_have_followed_a_sent_part(out: Outbox, line_id: int) -> None:
    part_id = out.sending(line_id)
    outbox.sent(out.conn, [Sent(part_id, 7, line_id=line_id)], NOW)  # then the daemon was killed
    leases.recover(out.conn, HOST, NOW + SECOND)
    owner = out.of_part(part_id)
    assert (owner.state, owner.sent_at, owner.line_id, owner.claimed_by) == ("sent", NOW, line_id, None)
    assert out.land(out.sending(line_id)).expected_reference == 8


def test_a_restart_settles_a_part_by_the_report_that_came_before_it_was_sent(out: Outbox, line_id: int) -> None:
    part_id = out.sending(line_id)
    out.conn.execute(part.update().values(expected_reference=100))  # the report fits nothing yet
    out.report(line_id, 7)
    outbox.sent(out.conn, [Sent(part_id, 7)], NOW)
    leases.recover(out.conn, HOST, NOW + SECOND)
    assert (out.part(part_id).state, out.of_part(part_id).state) == ("delivered", "delivered")


class Race:
    """One claimed message, and two transactions that meet at it on PostgreSQL."""

    def __init__(self, database: Engine, make_line: Callable[[Connection, int], int]) -> None:
        self.database = database
        with database.begin() as conn:
            line_id = make_line(conn, 0)
            outbox.enqueue(conn, [compose()], NOW)
            ((claim,),) = outbox.claim(conn, [Want(line_id, 1)], NOW, HOST, LEASE)
        self.sending = Sending(claim.open_parts[0].id, line_id)

    def mark(self, conn: Connection) -> None:
        outbox.mark_sending(conn, [self.sending], NOW, HOST)

    def reclaim(self, conn: Connection) -> None:
        leases.reclaim_expired(conn, NOW + LEASE + SECOND)

    def meet(self, first: Callable[[Connection], None], second: Callable[[Connection], None]) -> list[VerbFailed]:
        """Run `second` while `first` has not committed yet; returns what `second` complained of."""
        failed: list[VerbFailed] = []

        def late() -> None:
            try:
                with self.database.begin() as conn:
                    second(conn)
            except VerbFailed as error:
                failed.append(error)

        thread = threading.Thread(target=late)
        with self.database.begin() as conn:
            first(conn)
            thread.start()
            self._wait_until_blocked()
        thread.join()
        return failed

    def _wait_until_blocked(self) -> None:
        blocked = text("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'")
        with self.database.connect().execution_options(isolation_level="AUTOCOMMIT") as conn:
            while not conn.scalar(blocked):
                pass

    def states(self) -> tuple[object, ...]:
        with self.database.begin() as conn:
            owner = conn.execute(select(message.c.state, message.c.claimed_by)).one()
            return (*owner, conn.scalar(select(part.c.state)))


@pytest.mark.parametrize("engine", ["postgresql"], indirect=True)
def test_a_message_taken_over_is_not_begun_by_the_host_that_was_late(
    database: Engine, make_line: Callable[[Connection, int], int]
) -> None:
    race = Race(database, make_line)
    assert len(race.meet(race.reclaim, race.mark)) == 1
    assert race.states() == ("queued", None, "queued")


@pytest.mark.parametrize("engine", ["postgresql"], indirect=True)
def test_a_message_begun_just_before_it_was_taken_over_is_in_doubt(
    database: Engine, make_line: Callable[[Connection, int], int]
) -> None:
    race = Race(database, make_line)
    assert race.meet(race.mark, race.reclaim) == []
    assert race.states() == ("in_doubt", None, "in_doubt")
