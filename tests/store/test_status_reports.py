"""Status reports find their parts, however late, early, twice or oddly spelled they come (23.040, 9.2.3.15)."""

from datetime import timedelta

import pytest
from sqlalchemy import func, select

from modemd.messages import StatusReport
from modemd.store import outbox, status_reports, upkeep
from modemd.store.schema import status_report
from modemd.store.status_reports import Reported, outcome, same_phone
from tests.store.outbox_driver import NOW, Outbox

MINUTE = timedelta(minutes=1)
SECOND = timedelta(seconds=1)


@pytest.mark.parametrize(
    ("status", "state"),
    [
        (0x00, "delivered"),
        (0x01, "delivered"),
        (0x02, "delivered"),
        (0x1F, "delivered"),
        (0x20, None),
        (0x30, None),
        (0x3F, None),
        (0x40, "undelivered"),
        (0x45, "undelivered"),
        (0x46, "expired"),
        (0x5F, "undelivered"),
        (0x60, "undelivered"),
        (0x7F, "undelivered"),
        (0x80, "undelivered"),
        (0xFF, "undelivered"),
    ],
)
def test_every_tp_st_has_its_meaning(status: int, state: str | None) -> None:
    assert outcome(status) == state


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("+359888000001", "+359888000001", True),
        ("+359888000001", "0888000001", True),
        ("+359888000001", "00359888000001", True),
        ("+359888000001", "888000001", True),
        ("+359888000001", "+359888000002", False),
        ("170077", "170077", True),
        ("170077", "+359888170077", False),
        ("+359888000001", None, False),
        ("A1 BG", "A1 BG", True),
        ("A BG", "A BG", False),  # no digit to compare
    ],
)
def test_one_phone_may_be_spelled_in_many_ways(one: str, other: str | None, same: bool) -> None:
    assert same_phone(one, other) is same


def test_a_report_settles_its_part_and_its_message(out: Outbox, line_id: int) -> None:
    part_id = out.sending(line_id)
    out.sent(part_id, 7)
    out.report(line_id, 7, 0x00, discharged_at=NOW + MINUTE)
    row = out.part(part_id)
    assert (row.state, row.status, row.discharged_at) == ("delivered", 0, NOW + MINUTE)
    assert out.of_part(part_id).state == "delivered"


@pytest.mark.parametrize(
    ("status", "says"),
    [(0x46, "validity period expired"), (0x42, "reach them in another way"), (0x00, None), (0x20, None)],
)
def test_a_message_that_did_not_arrive_says_why_and_what_to_do(
    out: Outbox, line_id: int, status: int, says: str | None
) -> None:
    part_id = out.sending(line_id)
    out.sent(part_id, 7)
    out.report(line_id, 7, status)
    error = out.of_part(part_id).error
    assert (says in error) if says else error is None


def test_still_trying_changes_nothing_but_is_kept(out: Outbox, line_id: int) -> None:
    part_id = out.sending(line_id)
    out.sent(part_id, 7)
    out.report(line_id, 7, 0x30)
    assert (out.part(part_id).state, out.part(part_id).status) == ("sent", 0x30)
    out.report(line_id, 7, 0x00)
    assert out.part(part_id).state == "delivered"


def test_a_later_report_does_not_undo_a_final_one(out: Outbox, line_id: int) -> None:
    part_id = out.sending(line_id)
    out.sent(part_id, 7)
    out.report(line_id, 7, 0x00)
    out.report(line_id, 7, 0x41)
    assert (out.part(part_id).state, out.part(part_id).status) == ("delivered", 0)


def test_the_same_report_twice_is_kept_once(out: Outbox, line_id: int) -> None:
    part_id = out.sending(line_id)
    out.sent(part_id, 7)
    report = out.report(line_id, 7, 0x20)
    status_reports.reported(out.conn, line_id, [report, report], NOW)
    assert out.conn.scalar(select(func.count()).select_from(status_report)) == 1


def test_the_same_pdu_on_two_lines_is_two_reports(out: Outbox, line_id: int, other_line_id: int) -> None:
    report = out.report(line_id, 7)
    status_reports.reported(out.conn, other_line_id, [report], NOW)
    assert out.conn.scalar(select(func.count()).select_from(status_report)) == 2


@pytest.mark.parametrize(
    "wrong", [{"recipient": "+359888000002"}, {"recipient": None}, {"reference": 8}, {"smsc_time": NOW - 3 * MINUTE}]
)
def test_a_report_of_something_else_settles_nothing(out: Outbox, line_id: int, wrong: dict[str, object]) -> None:
    part_id = out.sending(line_id)
    out.sent(part_id, 7)
    out.report(**{"line_id": line_id, "reference": 7, **wrong})  # type: ignore[arg-type]
    assert out.part(part_id).state == "sent"


def test_another_line_s_report_settles_nothing(out: Outbox, line_id: int, other_line_id: int) -> None:
    part_id = out.sending(line_id)
    out.sent(part_id, 7)
    out.report(other_line_id, 7)
    assert out.part(part_id).state == "sent"


def test_the_centre_s_clock_may_be_two_minutes_behind(out: Outbox, line_id: int) -> None:
    part_id = out.sending(line_id)
    out.sent(part_id, 7)
    out.report(line_id, 7, smsc_time=NOW - 2 * MINUTE)
    assert out.part(part_id).state == "delivered"


def test_when_the_reference_has_wrapped_the_newest_part_before_the_stamp_is_meant(out: Outbox, line_id: int) -> None:
    old = out.sending(line_id)
    out.sent(old, 7)
    out.now += timedelta(hours=5)
    new = out.sending(line_id)
    out.sent(new, 7)
    out.now += timedelta(hours=1)
    out.report(line_id, 7, smsc_time=NOW + timedelta(hours=5))
    assert (out.part(old).state, out.part(new).state) == ("sent", "delivered")
    out.report(line_id, 7, smsc_time=NOW)
    assert out.part(old).state == "delivered"


def test_a_report_without_a_readable_stamp_means_the_newest(out: Outbox, line_id: int) -> None:
    old, new = out.sending(line_id), 0
    out.sent(old, 7)
    out.now += MINUTE
    new = out.sending(line_id)
    out.sent(new, 7)
    out.report(line_id, 7, smsc_time=None)
    assert (out.part(old).state, out.part(new).state) == ("sent", "delivered")


def test_a_report_that_comes_before_its_cmgs_is_matched_when_that_comes(out: Outbox, line_id: int) -> None:
    out.sent(out.sending(line_id, recipient="+359888000009"), 100)
    part_id = out.sending(line_id)
    out.report(line_id, 30)  # too far from the 101 that was expected to settle by itself
    assert out.part(part_id).state == "sending"
    assert out.sent(part_id, 30) == "delivered"
    assert out.part(part_id).reference == 30


def test_an_old_stray_report_is_not_taken_for_the_answer_to_a_new_part(out: Outbox, line_id: int) -> None:
    out.report(line_id, 7, smsc_time=NOW - timedelta(days=1), received_at=NOW - timedelta(days=1))
    part_id = out.sending(line_id)
    assert out.sent(part_id, 7) == "sent"


@pytest.mark.parametrize("used_up", [0, 1, 4])
def test_a_report_settles_doubt_when_the_reference_is_near_what_was_expected(
    out: Outbox, line_id: int, used_up: int
) -> None:
    out.sent(out.sending(line_id, recipient="+359888000009"), 254)
    part_id = out.sending(line_id)  # expects 255
    out.doubt(part_id)
    reference = (255 + used_up) % 256
    out.report(line_id, reference)
    row = out.part(part_id)
    assert (row.state, row.reference, out.of_part(part_id).state) == ("delivered", reference, "delivered")


@pytest.mark.parametrize("reference", [254, 4, 100])
def test_a_reference_far_from_what_was_expected_settles_no_doubt(out: Outbox, line_id: int, reference: int) -> None:
    out.sent(out.sending(line_id, recipient="+359888000009"), 254)
    part_id = out.sending(line_id)
    out.doubt(part_id)
    out.report(line_id, reference)
    assert out.part(part_id).state == "in_doubt"


def test_doubt_on_a_line_that_has_sent_nothing_yet_takes_any_reference(out: Outbox, line_id: int) -> None:
    part_id = out.sending(line_id)
    out.doubt(part_id)
    out.report(line_id, 200)
    assert out.part(part_id).state == "delivered"


def test_still_trying_proves_that_a_part_in_doubt_was_sent(out: Outbox, line_id: int) -> None:
    part_id = out.sending(line_id)
    out.doubt(part_id)
    out.report(line_id, 1, 0x20)
    assert out.part(part_id).state == "sent"


def test_of_two_in_doubt_the_one_submitted_nearest_to_the_stamp_is_meant(out: Outbox, line_id: int) -> None:
    first = out.sending(line_id)
    out.doubt(first)
    out.now += 30 * SECOND
    second = out.sending(line_id)
    out.doubt(second)
    out.report(line_id, 12, smsc_time=NOW + 31 * SECOND)
    assert (out.part(first).state, out.part(second).state) == ("in_doubt", "delivered")
    out.report(line_id, 11, smsc_time=NOW + SECOND)
    assert out.part(first).state == "delivered"


def test_two_reports_read_together_settle_two_parts_in_doubt(out: Outbox, line_id: int) -> None:
    parts = [out.sending(line_id), out.sending(line_id)]
    for each in parts:
        out.doubt(each)
    reports = [
        StatusReport(f"0011{reference}", "SR", reference, NOW, "+359888000001", reference, 0, NOW, NOW)
        for reference in (1, 2)
    ]
    status_reports.settle(out.conn, [Reported(line_id, each) for each in reports], NOW)
    assert [out.part(each).state for each in parts] == ["delivered", "delivered"]


def test_of_two_in_doubt_at_once_neither_is_settled_by_one_report_and_both_by_two(out: Outbox, line_id: int) -> None:
    first = out.sending(line_id)
    out.doubt(first)
    out.now += 3 * SECOND
    second = out.sending(line_id)
    out.doubt(second)
    out.report(line_id, 12, 0x46)
    assert (out.part(first).state, out.part(second).state) == ("in_doubt", "in_doubt")
    out.report(line_id, 11)
    assert (out.part(first).state, out.part(second).state) == ("delivered", "expired")
    assert (out.part(first).reference, out.part(second).reference) == (11, 12)


def test_a_report_that_could_be_of_two_waits_for_the_cmgs_of_one_of_them(out: Outbox, line_id: int) -> None:
    doubtful = out.sending(line_id)
    out.doubt(doubtful)
    sending = out.sending(line_id)
    out.report(line_id, 12)
    assert (out.part(doubtful).state, out.part(sending).state) == ("in_doubt", "sending")
    assert out.sent(sending, 12) == "delivered"
    assert out.part(doubtful).state == "in_doubt"
    out.report(line_id, 11)
    assert out.part(doubtful).state == "delivered"


@pytest.mark.parametrize(("references", "order"), [((255, 0), (255, 0)), ((0, 255), (255, 0)), ((3, 7), (3, 7))])
def test_of_two_in_doubt_the_first_has_the_first_reference_also_where_that_wraps(
    out: Outbox, line_id: int, references: tuple[int, int], order: tuple[int, int]
) -> None:
    parts = [out.sending(line_id), out.sending(line_id)]
    for each in parts:
        out.doubt(each)
    for reference in references:
        out.report(line_id, reference)
    assert tuple(out.part(each).reference for each in parts) == order


def test_three_in_doubt_of_which_two_are_reported_stay_in_doubt(out: Outbox, line_id: int) -> None:
    parts = [out.sending(line_id) for _ in range(3)]
    for each in parts:
        out.doubt(each)
    for reference in (1, 2):
        out.report(line_id, reference)
    assert [out.part(each).state for each in parts] == ["in_doubt"] * 3


@pytest.mark.parametrize("doubtful", [True, False])
def test_two_reports_of_one_part_read_together_both_count(out: Outbox, line_id: int, doubtful: bool) -> None:
    older = out.sending(line_id)
    out.doubt(older)
    out.now += 30 * SECOND
    part_id = out.sending(line_id)
    out.doubt(part_id) if doubtful else out.sent(part_id, 12)
    reports = [
        StatusReport(f"0012{status:02x}", "SR", 1, NOW, "+359888000001", 12, status, out.now, NOW)
        for status in (0x20, 0x00)
    ]
    status_reports.reported(out.conn, line_id, reports, out.now)
    assert (out.part(older).state, out.part(part_id).state) == ("in_doubt", "delivered")
    assert set(out.conn.scalars(select(status_report.c.part_id))) == {part_id}


def test_the_same_reference_to_another_phone_hides_no_part(out: Outbox, line_id: int) -> None:
    meant = out.sending(line_id)
    out.sent(meant, 7)
    out.now += SECOND
    newer = out.sending(line_id, recipient="+359888000009")
    out.sent(newer, 7)
    out.report(line_id, 7)
    assert (out.part(meant).state, out.part(newer).state) == ("delivered", "sent")


def test_an_exact_match_goes_before_doubt(out: Outbox, line_id: int) -> None:
    doubtful = out.sending(line_id)
    out.doubt(doubtful)
    sent = out.sending(line_id)
    out.sent(sent, 11)
    out.report(line_id, 11)
    assert (out.part(doubtful).state, out.part(sent).state) == ("in_doubt", "delivered")


def test_a_report_settles_a_held_part(out: Outbox, line_id: int) -> None:
    part_id = out.sending(line_id)
    out.doubt(part_id)
    out.now += timedelta(days=1)
    upkeep.settle(out.conn, {"manual": upkeep.DoubtPolicy(False, MINUTE)}, out.now)
    assert out.part(part_id).state == "held"
    out.report(line_id, 3, smsc_time=NOW)
    assert out.of_part(part_id).state == "delivered"


def test_a_report_of_the_first_attempt_stops_the_second(out: Outbox, line_id: int) -> None:
    part_id = out.sending(line_id)
    out.doubt(part_id)
    out.now += timedelta(hours=2)
    upkeep.settle(out.conn, {"manual": upkeep.DoubtPolicy(True, MINUTE)}, out.now)
    assert out.of_part(part_id).state == "queued"
    out.report(line_id, 3, smsc_time=NOW)
    assert out.of_part(part_id).state == "delivered"
    assert out.claim(line_id) == []


def test_a_refused_part_is_not_settled_by_another_s_report(out: Outbox, line_id: int) -> None:
    part_id = out.sending(line_id)
    out.refused(part_id, retry_after=None)
    out.report(line_id, 1)
    assert out.part(part_id).state == "queued"


def test_a_report_while_sending_settles_it_and_the_cmgs_that_follows_changes_nothing(out: Outbox, line_id: int) -> None:
    part_id = out.sending(line_id)
    out.report(line_id, 5)
    assert out.part(part_id).state == "delivered"
    assert out.sent(part_id, 5) == "delivered"


def test_one_undelivered_part_makes_the_message_undelivered(out: Outbox, line_id: int) -> None:
    message_id = out.queue(parts=2)
    (claim,) = out.claim(line_id)
    for each, reference in zip(claim.open_parts, (1, 2), strict=True):
        outbox.mark_sending(out.conn, [outbox.Sending(each.id, line_id)], NOW, "gsm-host-1")
        out.sent(each.id, reference)
    out.report(line_id, 1, 0x00)
    assert out.message(message_id).state == "sent"
    out.report(line_id, 2, 0x41)
    assert out.message(message_id).state == "undelivered"
