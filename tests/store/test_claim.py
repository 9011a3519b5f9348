"""Who gets which message: pinned ones go to their line, the rest to anyone, at a cost that stays."""

import re
import threading
from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy import Connection, Engine, func, literal, select, text

from modemd.store import candidates, claims, outbox, status_reports, upkeep
from modemd.store.outbox import Want
from modemd.store.schema import message, part
from tests.store.outbox_driver import HOST, LEASE, NOW, Outbox, compose


def test_the_most_urgent_comes_first_and_then_the_oldest(out: Outbox, line_id: int) -> None:
    bulk, early, late, answer = (out.queue(priority=each) for each in (9, 5, 5, 0))
    assert out.claimed(line_id, count=4) == [answer, early, late, bulk]


def test_a_claimed_message_is_given_once(out: Outbox, line_id: int, other_line_id: int) -> None:
    message_id = out.queue()
    assert out.claimed(line_id) == [message_id]
    assert out.claimed(other_line_id) == []


def test_rule_8_a_pinned_message_waits_for_its_line(out: Outbox, line_id: int, other_line_id: int) -> None:
    reply = out.queue(line_id=line_id, priority=0)
    assert out.claimed(other_line_id, count=5) == []
    assert out.claimed(line_id, count=5) == [reply]


def test_pinned_and_common_messages_merge_by_urgency(out: Outbox, line_id: int) -> None:
    pinned_bulk = out.queue(line_id=line_id, priority=9)
    common = out.queue(priority=5)
    answer = out.queue(line_id=line_id, priority=0)
    assert out.claimed(line_id, count=2) == [answer, common]
    assert out.claimed(line_id, count=2) == [pinned_bulk]


def test_a_full_line_takes_only_what_is_more_urgent(out: Outbox, line_id: int) -> None:
    out.queue(priority=5)
    answer = out.queue(line_id=line_id, priority=0)
    out.queue(line_id=line_id, priority=5)
    assert out.claimed(line_id, count=5, max_priority=4) == [answer]
    assert out.claimed(line_id, count=5, max_priority=4) == []


def test_wants_of_one_round_share_the_queue_fairly(out: Outbox, line_id: int, other_line_id: int) -> None:
    ids = [out.queue() for _ in range(4)]
    reply = out.queue(line_id=other_line_id, priority=0)
    wants = [Want(line_id, 3), Want(other_line_id, 2)]
    first, second = outbox.claim(out.conn, wants, NOW, HOST, LEASE)
    assert [claim.message_id for claim in first] == [ids[0], ids[1], ids[3]]
    assert [claim.message_id for claim in second] == [reply, ids[2]]


def test_of_lines_that_come_together_the_one_with_the_most_left_is_served_first(
    out: Outbox, line_id: int, other_line_id: int
) -> None:
    out.queue()
    wants = [Want(line_id, 1, burden=(0.5, 10)), Want(other_line_id, 1, burden=(0.1, 100))]
    assert [len(claims) for claims in outbox.claim(out.conn, wants, NOW, HOST, LEASE)] == [0, 1]
    out.queue()
    wants = [Want(line_id, 1, burden=(0.0, 11)), Want(other_line_id, 1, burden=(0.0, 10))]
    assert [len(claims) for claims in outbox.claim(out.conn, wants, NOW, HOST, LEASE)] == [0, 1]


def test_a_line_leaves_to_another_what_that_one_prefers(out: Outbox, line_id: int, other_line_id: int) -> None:
    theirs = out.queue(recipient="+359888000001")
    ours = out.queue(recipient="+359878000001")
    both = Want(line_id, 5, prefers=("+359888000001",), leaves=("+35988",))
    (claims,) = outbox.claim(out.conn, [Want(line_id, 5, leaves=("+35988", "+35989"))], NOW, HOST, LEASE)
    assert [claim.message_id for claim in claims] == [ours]
    assert outbox.claim(out.conn, [Want(line_id, 5, leaves=("+35988",))], NOW, HOST, LEASE) == [[]]
    (claims,) = outbox.claim(out.conn, [both], NOW, HOST, LEASE)
    assert [claim.message_id for claim in claims] == [theirs]


def test_where_many_wait_for_the_line_that_is_preferred_another_helps(
    out: Outbox, line_id: int, other_line_id: int
) -> None:
    ids = [out.queue() for _ in range(claims.LOOK_AHEAD + 2)]
    helps, prefers = Want(line_id, 1, leaves=("+35988",)), Want(other_line_id, 1, prefers=("+35988",))
    (helped, preferred) = outbox.claim(out.conn, [helps, prefers], NOW, HOST, LEASE)
    assert [claim.message_id for claim in preferred] == ids[:1]
    assert [claim.message_id for claim in helped] == ids[-1:]


def test_a_want_of_bulk_does_not_hide_what_a_choosy_one_may_have(out: Outbox, line_id: int, other_line_id: int) -> None:
    answer, bulk = out.queue(priority=0), out.queue(priority=9)
    wants = [Want(line_id, 2, max_priority=0), Want(other_line_id, 2)]
    claims = outbox.claim(out.conn, wants, NOW, HOST, LEASE)
    assert [[claim.message_id for claim in each] for each in claims] == [[answer], [bulk]]


def test_a_claim_names_host_line_and_lease_and_stays_queued(out: Outbox, line_id: int) -> None:
    message_id = out.queue()
    out.claim(line_id)
    row = out.message(message_id)
    assert (row.state, row.claimed_by, row.claimed_line_id, row.lease_until, row.line_id) == (
        "queued",
        HOST,
        line_id,
        NOW + LEASE,
        None,
    )


def test_what_is_not_due_is_not_given(out: Outbox, line_id: int) -> None:
    out.queue(not_before=NOW + timedelta(seconds=1))
    due = out.queue(not_before=NOW)
    assert out.claimed(line_id, count=5) == [due]


def test_what_has_expired_is_not_given_and_says_so(out: Outbox, line_id: int) -> None:
    stale = [out.queue(expires_at=NOW, parts=2), out.queue(expires_at=NOW, line_id=line_id)]
    fresh = out.queue()
    assert out.claimed(line_id, count=1) == [fresh]
    assert [out.message(each).state for each in stale] == ["expired", "expired"]
    assert {row.state for row in out.parts(stale[0])} == {"expired"}


def test_a_long_queue_of_expired_messages_is_passed_in_one_claim(out: Outbox, line_id: int) -> None:
    outbox.enqueue(out.conn, [compose(expires_at=NOW) for _ in range(1200)], NOW)
    fresh = out.queue(priority=9)
    assert out.claimed(line_id) == [fresh]


def test_an_empty_queue_gives_nothing(out: Outbox, line_id: int, other_line_id: int) -> None:
    assert outbox.claim(out.conn, [Want(line_id, 1), Want(other_line_id, 1)], NOW, HOST, LEASE) == [[], []]


def _plan(conn: Connection, statement: object, **values: object) -> str:
    """How the database would do it, in its own words."""
    compiled = statement.compile(dialect=conn.dialect, compile_kwargs={"literal_binds": False})  # type: ignore[attr-defined]
    explain = "EXPLAIN QUERY PLAN " if conn.dialect.name == "sqlite" else "EXPLAIN "
    parameters = {**compiled.params, **values}
    if compiled.positional:
        parameters = tuple(parameters[name] for name in compiled.positiontup)
    return "\n".join(str(row) for row in conn.exec_driver_sql(explain + str(compiled), parameters))


@pytest.fixture(params=["with statistics", "without"])
def long_queue(request: pytest.FixtureRequest, out: Outbox, line_id: int) -> Connection:
    """20,480 messages, half of them pinned, in a database that knows its sizes and in one that does not yet."""
    messages = [compose(priority=each % 10, line_id=line_id if each % 2 else None) for each in range(20)]
    outbox.enqueue(out.conn, messages, NOW)
    columns = [column for column in message.c if column is not message.c.id]
    for _ in range(10):  # doubled by the database itself: queueing each took a second and a half
        out.conn.execute(message.insert().from_select(columns, select(*columns)))
    without_part = select(message.c.id, literal(1), literal("queued")).where(message.c.id > len(messages))
    out.conn.execute(part.insert().from_select(["message_id", "number", "state"], without_part))
    assert out.conn.scalar(select(func.count()).select_from(part)) == 20_480
    if request.param == "with statistics":
        out.conn.execute(text("ANALYZE"))
    return out.conn


def test_queues_are_read_in_the_order_of_their_partial_indexes(long_queue: Connection, line_id: int) -> None:
    plan = _plan(long_queue, candidates.POOL, max_priority=9, most=4)
    assert "ix_message_any_line" in plan
    assert not any(slow in plan for slow in ("SCAN message\n", "TEMP B-TREE", "Seq Scan", "Sort"))

    plan = _plan(long_queue, candidates.PINNED[long_queue.dialect.name], lines=f"[{line_id}]", most=4)
    assert "ix_message_one_line" in plan
    assert not any(slow in plan for slow in ("SCAN message", "Seq Scan on message"))


def test_parts_in_doubt_are_found_without_reading_all_parts(long_queue: Connection, line_id: int) -> None:
    near = {"line_id": line_id, "first": NOW.isoformat(), "last": NOW.isoformat()}
    assert "ix_part_unanswered" in _plan(long_queue, upkeep._IN_DOUBT)
    assert "ix_part_unanswered" in _plan(long_queue, status_reports._UNANSWERED, **near)
    assert "ix_part_repeated" in _plan(long_queue, status_reports._REPEATED, **near)


def test_the_part_of_a_report_is_found_near_its_time_on_its_line(long_queue: Connection, line_id: int) -> None:
    near = {"line_id": line_id, "reference": 7, "first": NOW.isoformat(), "last": NOW.isoformat()}
    plan = _plan(long_queue, status_reports._ANSWERED, **near)
    assert "ix_part_line_id" in plan
    assert re.search(r"submitted_at>\? AND submitted_at<\?|Index Cond: .*submitted_at >= .*reference =", plan)


def test_two_hosts_that_claim_at_once_never_get_the_same_message(
    database: Engine, make_line: Callable[[Connection, int], int]
) -> None:
    with database.begin() as conn:
        lines = [make_line(conn, number) for number in range(2)]
        ids = outbox.enqueue(conn, [compose() for _ in range(200)], NOW)
    taken: list[list[int]] = [[], []]

    def take(which: int) -> None:
        for _ in range(50):
            with database.begin() as conn:
                (claims,) = outbox.claim(conn, [Want(lines[which], 2)], NOW, f"gsm-host-{which}", LEASE)
            taken[which] += [claim.message_id for claim in claims]

    threads = [threading.Thread(target=take, args=(which,)) for which in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(taken[0] + taken[1]) == ids


@pytest.mark.parametrize("engine", ["postgresql"], indirect=True)
def test_a_host_that_waits_does_not_make_another_wait(
    database: Engine, make_line: Callable[[Connection, int], int]
) -> None:
    with database.begin() as conn:
        lines = [make_line(conn, number) for number in range(2)]
        first, second = outbox.enqueue(conn, [compose(), compose()], NOW)
    with database.begin() as slow, database.begin() as quick:
        quick.execute(text("SET lock_timeout = '2s'"))
        (one,) = outbox.claim(slow, [Want(lines[0], 1)], NOW, "gsm-host-1", LEASE)
        (other,) = outbox.claim(quick, [Want(lines[1], 1)], NOW, "gsm-host-2", LEASE)
    assert ([claim.message_id for claim in one], [claim.message_id for claim in other]) == ([first], [second])


def test_parts_that_are_listed_are_found_by_their_index(long_queue: Connection) -> None:
    listed = "[1, 2]" if long_queue.dialect.name == "sqlite" else "{1,2}"
    plan = _plan(long_queue, claims._OPEN_PARTS, ids=listed)
    assert not any(slow in plan for slow in ("SCAN part", "Seq Scan on part"))
