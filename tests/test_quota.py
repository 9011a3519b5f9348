"""Parts a minute, a day and a month for one SIM, and the reserve for answers."""

from datetime import UTC, datetime, timedelta

from modemd.config import Limits
from modemd.quota import Quota, day_start, month_start

AT = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)
MIDNIGHT = datetime(2026, 11, 23, 22, 0, tzinfo=UTC)  # of Sofia
MONTH_END = datetime(2026, 11, 30, 22, 0, tzinfo=UTC)


def free(quota: Quota, at: datetime = AT, *, answer: bool = False) -> datetime:
    return quota.free_at(at, answer=answer)


def test_no_more_parts_leave_in_a_minute_than_the_quota_allows() -> None:
    quota = Quota(Limits(per_minute=2), 10, AT, recent=[AT - timedelta(seconds=50)])
    assert free(quota) == AT
    quota.count(AT)
    assert free(quota) == free(quota, answer=True) == AT + timedelta(seconds=10)
    assert free(quota, AT + timedelta(seconds=10)) == AT + timedelta(seconds=10)


def test_a_day_of_the_quota_ends_at_midnight_in_sofia() -> None:
    quota = Quota(Limits(per_day=1), 10, AT, today=1)
    assert free(quota) == MIDNIGHT
    assert free(quota, MIDNIGHT) == MIDNIGHT
    quota.count(MIDNIGHT)
    assert free(quota, MIDNIGHT) == MIDNIGHT + timedelta(days=1)


def test_a_month_of_the_quota_ends_with_the_month_in_sofia() -> None:
    quota = Quota(Limits(per_day=5, per_month=8), 0, AT, today=5, this_month=8)
    assert free(quota) == MONTH_END
    assert free(quota, MIDNIGHT) == MONTH_END
    assert free(quota, MONTH_END) == MONTH_END


def test_a_year_ends_like_any_month() -> None:
    december = datetime(2026, 12, 31, 21, 59, tzinfo=UTC)
    quota = Quota(Limits(per_month=1), 0, december, this_month=1)
    assert free(quota, december) == december + timedelta(minutes=1)


def test_the_last_tenth_of_day_and_month_is_for_answers() -> None:
    for limits in (Limits(per_day=20), Limits(per_month=20)):
        quota = Quota(limits, 10, AT, today=17, this_month=17)
        assert free(quota) == AT
        quota.count(AT)
        assert free(quota) > AT
        assert free(quota, answer=True) == AT
        quota.count(AT)
        quota.count(AT)
        assert free(quota, answer=True) > AT


def test_a_reserve_of_less_than_one_part_is_none() -> None:
    assert free(Quota(Limits(per_day=5), 10, AT, today=4)) == AT


def test_a_clock_that_is_set_back_does_not_shut_the_line_for_as_long() -> None:
    quota = Quota(Limits(per_minute=1), 10, AT)
    quota.count(AT)
    assert free(quota, AT - timedelta(days=1)) == AT - timedelta(days=1)
    quota.count(AT)
    assert free(quota, AT - timedelta(seconds=10)) == AT + timedelta(minutes=1)  # that much every clock is corrected by


def test_zero_is_no_limit() -> None:
    assert free(Quota(Limits(), 10, AT, today=5000, this_month=90000, recent=[AT] * 5000)) == AT


def test_the_burden_is_the_greatest_share_used_then_the_parts_of_the_day() -> None:
    assert Quota(Limits(0, 100, 1000), 10, AT, today=20, this_month=500).burden(AT) == (0.5, 20)
    assert Quota(Limits(0, 100, 1000), 10, AT, today=60, this_month=500).burden(AT) == (0.6, 60)
    assert Quota(Limits(10), 10, AT, today=7).burden(AT) == (0.0, 7)
    assert Quota(Limits(0, 100), 10, AT, today=7).burden(MIDNIGHT) == (0.0, 0)


def test_other_limits_hold_at_once_and_keep_the_count() -> None:
    quota = Quota(Limits(per_minute=1), 10, AT)
    quota.count(AT)
    quota.limits = Limits(per_minute=3)
    assert free(quota) == AT
    quota.limits = Limits(per_day=1)
    assert free(quota) == MIDNIGHT


def test_days_and_months_begin_at_midnight_in_sofia_in_summer_too() -> None:
    assert day_start(AT) == MIDNIGHT - timedelta(days=1)
    assert month_start(AT) == datetime(2026, 10, 31, 22, 0, tzinfo=UTC)
    assert day_start(datetime(2026, 7, 1, 12, 0, tzinfo=UTC)) == datetime(2026, 6, 30, 21, 0, tzinfo=UTC)
