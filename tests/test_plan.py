"""`modemd plan`: the published loads give the published times."""

import json
from dataclasses import replace

import pytest
from click.testing import CliRunner

from modemd.cli.main import cli
from modemd.config import Settings
from modemd.plan import Load, plan

GROUP = Load(recipients=6750, parts=1, modems=3, seconds=4, per_day=0)


def test_a_billing_group_takes_what_the_domain_says() -> None:
    found = plan(GROUP)
    assert (found.total_parts, found.hours, found.days, found.limited_by) == (6750, 3.75, 1, "per_minute")


def test_ten_times_the_group_is_past_a_modem_bank_where_sims_have_caps_a_day() -> None:
    free, capped = plan(GROUP.times(10)), plan(replace(GROUP.times(10), per_day=1000))
    assert (free.hours, free.days, free.modems_for_a_day, free.smpp) == (37.5, 4, 12, False)
    assert (capped.hours, capped.days, capped.modems_for_a_day, capped.hosts_for_a_day) == (37.5, 25, 75, 3)
    assert capped.smpp


@pytest.mark.parametrize(
    ("load", "limit"),
    [
        (Load(1000, 2, 8, 8.0), "modem"),
        (Load(1000, 2, 8, 1.0), "per_minute"),
        (Load(9000, 2, 8, 1.0), "per_day"),
        (Load(90_000, 1, 32, 0.01, per_minute=0, per_day=0), "host"),
        (Load(90_000, 1, 320, 0.01, per_minute=0, per_day=0), "database"),
    ],
)
def test_it_says_what_sending_waits_for(load: Load, limit: str) -> None:
    assert plan(load).limited_by == limit


def test_the_cap_of_a_day_spreads_a_load_over_days() -> None:
    found = plan(Load(6750, 1, 3, 4.0))
    assert (found.hours, found.days, found.modems_for_a_day) == (3.75, 3, 8)


def test_what_is_kept_for_answers_no_campaign_can_use() -> None:
    load = Load(9000, 1, 3, 4.0)
    assert (plan(load).days, plan(load).modems_for_a_day) == (4, 10)
    unreserved = plan(replace(load, reserve=0.0))
    assert (unreserved.days, unreserved.modems_for_a_day) == (3, 9)


def test_a_plan_begins_with_what_the_settings_have() -> None:
    load, bank = Load(1, 1, 1, 4.0), Settings().bank
    assert (load.per_minute, load.per_day, load.reserve) == (bank.per_minute, bank.per_day, bank.answer_reserve)


def test_nobody_to_write_to_takes_no_time() -> None:
    found = plan(Load(0, 1, 3, 4.0))
    assert (found.hours, found.days, found.modems_for_a_day) == (0.0, 0, 0)


def test_json_holds_question_and_answer() -> None:
    arguments = ["plan", "--recipients", "6750", "--parts", "1", "--modems", "3", "--seconds", "4", "--json"]
    shown = json.loads(CliRunner().invoke(cli, arguments, catch_exceptions=False).stdout)
    assert (shown["recipients"], shown["hours"], shown["days"], shown["limited_by"]) == (6750, 3.75, 3, "per_day")


def test_people_see_today_ten_times_and_a_hundred_times_the_load() -> None:
    arguments = ["plan", "--recipients", "6750", "--modems", "3"]
    shown = CliRunner().invoke(cli, arguments, catch_exceptions=False).stdout
    assert [line.split()[0] for line in shown.splitlines()[::2]] == ["6,750", "67,500", "675,000"]
    assert "use SMPP instead" in shown
