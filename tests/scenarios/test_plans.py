"""The plans hold the published figures of DOMAIN's first section."""

from datetime import date, timedelta
from itertools import pairwise

import pytest

from modemd.scenarios import plans
from modemd.store.schema import Channel


def test_the_article_has_the_published_figures() -> None:
    plan = plans.article()
    assert (plan.first, plan.last, len(plan.months)) == (date(2022, 1, 1), date(2022, 8, 25), 8)
    assert plan.active == 203_300
    assert sum(plan.new.values()) > 2_700
    assert plan.new[Channel.KEP] + plan.new[Channel.PASSWORD] == pytest.approx(2_000, abs=50)
    checks, reminders = sum(month.checks for month in plan.months), sum(month.reminders for month in plan.months)
    assert (checks, reminders, plan.messages) == (10_000, 190_000, 200_000)
    assert all(20_000 <= month.reminders <= 27_000 for month in plan.months)
    assert plan.months[-1].reminders == 20_000
    assert all(950 <= month.checking <= 1_050 <= month.checks for month in plan.months)


@pytest.mark.parametrize("last", [date(2026, 11, 24), date(2024, 2, 29), date(2026, 12, 31), date(2026, 1, 1)])
def test_the_year_has_3_million_messages_in_365_days(last: date) -> None:
    plan = plans.year(last)
    assert plan.messages == 3_000_000
    assert (plan.last - plan.first).days == 364
    assert all(one.last + timedelta(days=1) == next_.first for one, next_ in pairwise(plan.months))
    assert all(month.checking <= month.checks for month in plan.months)


@pytest.mark.parametrize(
    ("total", "weights", "shares"), [(10, [1, 1, 1], [3, 4, 3]), (0, [1, 2], [0, 0]), (7, [0.5, 0, 1.5], [2, 0, 5])]
)
def test_shares_add_up_to_the_whole(total: int, weights: list[float], shares: list[int]) -> None:
    assert plans.spread(total, weights) == shares
