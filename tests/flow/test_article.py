"""The published figures of 2022: `modemd sim-load --scenario article` writes them, `modemd report` gives them back."""

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from modemd.cli.main import cli


def report(article: Path, first: str, last: str) -> dict[str, Any]:
    arguments = ["report", "-c", str(article), "--from", first, "--to", last, "--json"]
    found: dict[str, Any] = json.loads(CliRunner().invoke(cli, arguments, catch_exceptions=False).stdout)
    return found


@pytest.mark.long
def test_the_report_gives_back_exactly_the_published_figures(tmp_path: Path) -> None:
    """One test, because the figures take their time to be written."""
    article = tmp_path / "modemd.toml"
    article.write_text(f'[database]\nurl = "sqlite:///{tmp_path}/modemd.db"\n')
    loaded = CliRunner().invoke(cli, ["sim-load", "-c", str(article), "--scenario", "article"], catch_exceptions=False)
    assert "200,000 messages from 2022-01-01 to 2022-08-25, 203,300 active registrations." in loaded.stdout
    check_the_whole_period(report(article, "2022-01-01", "2022-08-25"))
    halves = report(article, "2022-01-01", "2022-03-31"), report(article, "2022-04-01", "2022-08-25")
    assert sum(half["messages"]["total"] for half in halves) == 200_000
    assert sum(half["registrations"]["new"] for half in halves) == 2_740
    assert halves[1]["registrations"]["active"] == 203_300


def check_the_whole_period(found: dict[str, Any]) -> None:
    registrations, messages = found["registrations"], found["messages"]
    assert registrations["active"] == 203_300
    assert registrations["new"] == 2_740
    assert registrations["by_channel"] == {"kep": 830, "password": 1_190, "centre": 720}
    assert (messages["total"], messages["by_kind"]["bill"], messages["by_kind"]["reminder"]) == (
        200_000,
        10_000,
        190_000,
    )
    assert (messages["shares"]["bill"], messages["shares"]["reminder"]) == (0.05, 0.95)
    assert found["reminders_per_month"] == {
        "2022-01": 24_100, "2022-02": 22_700, "2022-03": 26_600, "2022-04": 25_300,
        "2022-05": 23_900, "2022-06": 24_800, "2022-07": 22_600, "2022-08": 20_000,
    }  # fmt: skip
    assert found["checking_customers_per_month"] == {
        "2022-01": 1_012, "2022-02": 968, "2022-03": 1_031, "2022-04": 994,
        "2022-05": 1_018, "2022-06": 1_003, "2022-07": 1_009, "2022-08": 951,
    }  # fmt: skip
    assert 0.95 < found["delivery_rate"] < 1
    assert 3 < found["answer_seconds"]["p50"] < found["answer_seconds"]["p95"] < 20
    assert sum(found["parts_per_line"].values()) >= 200_000
    assert len(found["parts_per_line"]) == 3
