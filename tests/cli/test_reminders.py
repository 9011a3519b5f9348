"""Reminders and outages from the command line, on a database of its own."""

import json
import shutil
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from modemd.cli import common
from modemd.cli.main import cli
from modemd.config import Settings
from modemd.errors import CampaignRefused, InputRefused, TemplateRefused
from modemd.store import database, lines, listing, staff
from modemd.store.schema import customer as customers
from tests.service.desk import Desk
from tests.service.runs import Runs, customer
from tests.service.test_outages import itn

Run = Callable[..., Result]


@pytest.fixture
def config(tmp_path: Path, sqlite_template: Path) -> Path:
    """Settings and a database with two people who owe, one who has a dispute, and a staff of three."""
    path = tmp_path / "modemd.toml"
    path.write_text(f'database.url = "sqlite:///{tmp_path}/modemd.db"\n')
    now = datetime.now(UTC)
    shutil.copy(sqlite_template, tmp_path / "modemd.db")
    engine = database.connect(f"sqlite:///{tmp_path}/modemd.db")
    with database.writing(engine) as conn:
        line = lines.identify(conn, lines.Sim("8935901000000000001", None), "h", "p", now, adopt=True)
        runs = Runs(Desk(conn, line.id, Settings(), now), Settings(), now)
        runs.people(1, 2, 3)
        for number in (1, 2, 3):
            dates = {"due_date": now.date() - timedelta(days=20), "cutoff_date": now.date() + timedelta(days=40)}
            runs.owes(number, flags="D" if number == 3 else "", **dates)
        runs.data(now - timedelta(hours=1))
        conn.execute(customers.update().where(customers.c.customer_no == customer(1)).values(itn=itn(1)))
        for name, role in (("elena", "operator"), ("boris", "manager"), ("ivan", "technician")):
            staff.add(conn, name, role, now)
    engine.dispose()
    return path


@pytest.fixture
def run(config: Path) -> Run:
    def invoke(*arguments: str, stdin: str = "") -> Result:
        return CliRunner().invoke(cli, [*arguments, "-c", str(config)], input=stdin)

    return invoke


def queued(config: Path) -> int:
    engine = database.connect(f"sqlite:///{config.parent}/modemd.db")
    with database.reading(engine) as conn:
        count = len(listing.find(conn, direction="mt"))
    engine.dispose()
    return count


def test_a_preview_adds_up_to_the_file_and_says_what_would_be_sent(run: Run, config: Path) -> None:
    found = json.loads(run("reminders", "preview", "--json", "--by", "elena").stdout)
    assert found["file"] == found["items"] + sum(found["left_out"].values()) == 3
    assert found["left_out"] == {"disputed": 1}
    assert (found["recipients"], found["parts"], found["campaign"]) == (2, 2, 1)
    assert found["forecast"] == {
        "parts": 2, "finish_at": None, "days": 0, "late_parts": 2, "last_day": found["forecast"]["last_day"],
        "in_time": False,
    }  # fmt: skip
    assert queued(config) == 0
    shown = run("reminders", "preview", "--by", "elena").stdout
    assert "left out: disputed" in shown
    assert "2 people (2 bg-Latn), 2 parts" in shown
    assert "No line can send at this moment" in shown
    assert "modemd reminders approve 1" in shown


def test_two_people_start_a_run_and_anybody_stops_it(run: Run) -> None:
    run("reminders", "preview", "--by", "elena")
    assert "is approved" in run("reminders", "approve", "--by", "boris").stdout
    assert "Run 1 has started" in run("reminders", "start", "--by", "elena").stdout
    assert "0 messages went back" in run("reminders", "pause", "--reason", "look first").stdout
    found = json.loads(run("reminders", "status", "--json").stdout)
    assert (found["state"], found["reason"], found["by_state"]) == ("paused", "look first", {"waiting": 2})
    assert (found["created_by"], found["approved_by"], found["started_by"]) == ("elena", "boris", "elena")
    assert "goes on" in run("reminders", "resume", "--by", "elena").stdout
    assert "2 people get nothing" in run("reminders", "cancel", "1", "--by", "elena").stdout
    assert "cancelled by elena" in run("reminders", "status", "1").stdout
    assert [row["state"] for row in json.loads(run("reminders", "list", "--json").stdout)] == ["cancelled"]
    assert "cancelled" in run("reminders", "list").stdout


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (("approve", "--by", "ivan"), "only a manager"),
        (("approve", "--by", "elena"), "only a manager"),
        (("approve",), "only a manager"),
        (("start", "--recipients", "2", "--by", "elena"), "would have to be approved"),
        (("approve", "99", "--by", "boris"), "no campaign 99"),
        (("resume", "--by", "elena"), "would have to be paused"),
    ],
)
def test_what_is_refused_ends_with_the_reason(run: Run, arguments: tuple[str, ...], reason: str) -> None:
    run("reminders", "preview", "--by", "elena")
    result = run("reminders", *arguments)
    assert result.exit_code == 1
    assert isinstance(result.exception, CampaignRefused)
    assert reason in str(result.exception)


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """A person sits there who can be asked."""
    monkeypatch.setattr(common, "at_terminal", lambda: True)


@pytest.mark.usefixtures("terminal")
def test_who_types_the_wrong_number_starts_nothing_and_who_types_the_right_one_does(run: Run) -> None:
    run("reminders", "preview", "--by", "elena")
    run("reminders", "approve", "--by", "boris")
    assert "2 recipients and not 20" in str(run("reminders", "start", "--by", "elena", stdin="20\n").exception)
    assert run("reminders", "start", "--by", "elena", stdin="").exit_code == 1
    assert json.loads(run("reminders", "status", "--json").stdout)["state"] == "approved"
    assert "Run 1 has started" in run("reminders", "start", "--by", "elena", stdin="2\n").stdout


@pytest.mark.usefixtures("terminal")
def test_who_does_not_confirm_an_announcement_tells_nobody(run: Run) -> None:
    when = ("--from", "2099-12-02T09:00", "--to", "2099-12-02T14:00")
    assert run("outage", "announce", "--points", itn(1), *when, stdin="n\n").exit_code == 1
    assert json.loads(run("outage", "list", "--json").stdout) == []
    assert "is on its way" in run("outage", "announce", "--points", itn(1), *when, stdin="y\n").stdout


def test_before_the_first_run_there_is_none(run: Run) -> None:
    assert json.loads(run("reminders", "status", "--json").stdout) == {"campaign": None}
    assert "none yet" in run("reminders", "status").stdout
    assert "none yet" in str(run("reminders", "pause").exception)


def test_an_outage_is_announced_and_called_off(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "points.txt"
    path.write_text(itn(1))
    when = ("--from", "2099-12-02T09:00", "--to", "2099-12-02T14:00")
    announced = run("outage", "announce", "--file", str(path), *when, "--yes", "--json", "--by", "elena")
    assert json.loads(announced.stdout) == {
        "campaign": 1, "points": 1, "customers": 1, "recipients": 1, "parts": 1,
        "samples": [
            "Elektrohold: planirano spirane na toka 02.12.2099 09:00-14:00, klient ***0001. Info 070010010. Otkaz: STOP"
        ],
    }  # fmt: skip
    assert "paused" in run("outage", "pause").stdout
    assert "goes on" in run("outage", "resume").stdout
    assert json.loads(run("outage", "status", "--json").stdout)["by_state"] == {"waiting": 1}
    assert "called off before anybody was told" in run("outage", "cancel", "1", "--by", "elena").stdout


@pytest.mark.parametrize(
    ("arguments", "error", "reason"),
    [
        (("--points", "32Z0"), CampaignRefused, "no metering point"),
        (("--file", "/nowhere/points.txt"), InputRefused, "No such file"),
        (("--points", itn(9)), CampaignRefused, f"no active customer has {itn(9)}"),
    ],
)
def test_a_bad_announcement_is_refused(
    run: Run, arguments: tuple[str, ...], error: type[Exception], reason: str
) -> None:
    when = ("--from", "2099-12-02T09:00", "--to", "2099-12-02T14:00", "--yes")
    result = run("outage", "announce", *arguments, *when)
    assert isinstance(result.exception, error)
    assert reason in str(result.exception)


def test_an_announcement_needs_points_and_times(run: Run) -> None:
    assert run("outage", "announce", "--points", itn(1)).exit_code == 2
    assert run("outage", "announce", "--from", "2099-12-02T09:00", "--to", "2099-12-02T14:00").exit_code == 2
    assert run("outage", "announce", "--points", itn(1), "--from", "tomorrow", "--to", "later").exit_code == 2


def test_texts_are_listed_changed_and_taken_back(run: Run) -> None:
    new = "{supplier}: welcome, {customers}. Info {info}"
    assert "is changed" in run("texts", "set", "welcome", "en", new).stdout
    rows = {(row["name"], row["language"]): row for row in json.loads(run("texts", "list", "--json").stdout)}
    assert len(rows) == 21
    assert (rows["welcome", "en"]["text"], rows["welcome", "en"]["changed"]) == (new, True)
    assert "welcome" in run("texts", "list").stdout
    assert isinstance(run("texts", "set", "welcome", "en", "hello").exception, TemplateRefused)
    assert "as it comes" in run("texts", "reset", "welcome", "en").stdout
