"""The commands for texts that were not understood, over a real database."""

import json
import shutil
from datetime import UTC, datetime
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from modemd.cli.main import cli
from modemd.config import Settings, load
from modemd.errors import ModemdError
from modemd.messages import ReceivedSms
from modemd.service import router
from modemd.store import database, inbox, lines

NOW = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)
TEXTS = ("nyama tok", "kolko dalzha", "=HYPERLINK(1)[red]\x1b[2J\u202e")


@pytest.fixture
def config(tmp_path: Path, sqlite_template: Path) -> Path:
    """Settings of a database in which three texts wait for a person: 1, 2 and 3."""
    path = tmp_path / "modemd.toml"
    path.write_text(f'[database]\nurl = "sqlite:///{tmp_path}/modemd.db"\n')
    shutil.copy(sqlite_template, tmp_path / "modemd.db")
    engine = database.connect(load(path).database.url)
    with database.writing(engine) as conn:
        line = lines.identify(conn, lines.Sim("89359010000000000001", None), "host", "/dev/modem00", NOW, adopt=True)
        for number, text in enumerate(TEXTS):
            sms = ReceivedSms(
                pdu=f"00{number:08x}", storage="SM", index=1, received_at=NOW, number=f"+35988800010{number}",
                replyable=True, text=text, data=None, smsc_time=NOW,
            )  # fmt: skip
            inbox.record(conn, line.id, [sms], NOW)
        for question in inbox.pending(conn, 10):
            router.answer(conn, question, Settings(), NOW)
    engine.dispose()
    return path


def run(config: Path, *arguments: str) -> Result:
    return CliRunner().invoke(cli, [*arguments, "-c", str(config)])


def listed(config: Path) -> list[int]:
    return [text["id"] for text in json.loads(run(config, "unread", "list", "--json").stdout)]


def test_the_list_is_one_json_value_with_the_canned_answer(config: Path) -> None:
    found = json.loads(run(config, "unread", "list", "--json").stdout)
    assert [(text["text"], text["canned"]) for text in found] == list(zip(TEXTS, ("no_power", None, None), strict=True))
    assert found[0]["number"] == "+35988•••100"
    assert found[0]["received_at"] == "2026-11-23T10:00:00+00:00"


@pytest.mark.parametrize("command", [["unread", "list"], ["messages"]])
def test_a_table_shows_hostile_texts_and_does_nothing_of_what_they_say(
    config: Path, command: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    shown = run(config, *command).output
    assert r"=HYPERLINK(1)[red]\x1b[2J\u202e" in shown
    assert not {"\x1b", "\u202e"} & set(shown)


def test_texts_are_answered_dropped_and_taught(config: Path) -> None:
    assert run(config, "unread", "answer", "1", "--canned", "no_power").output == "1 answered.\n"
    assert run(config, "unread", "drop", "3").output == "1 dropped.\n"
    assert run(config, "unread", "spelling", "2", "bill").output.startswith("'kolko dalzha' is read as bill")
    assert listed(config) == []
    assert json.loads(run(config, "explain", "kolko dalzha", "--json").stdout)["kind"] == "bill"
    assert "kolko dalzha" in run(config, "unread", "spellings").output
    assert json.loads(run(config, "unread", "spellings", "--json").stdout)[0]["kind"] == "bill"
    assert run(config, "unread", "forget", "kolko dalzha").exit_code == 0
    assert run(config, "explain", "kolko dalzha").output == "unknown\n"


def test_explain_without_settings_knows_only_the_keywords(config: Path) -> None:
    run(config, "unread", "spelling", "2", "bill")
    assert CliRunner().invoke(cli, ["explain", "kolko dalzha"]).output == "unknown\n"


def test_all_are_answered_or_none(config: Path) -> None:
    run(config, "unread", "drop", "2")
    with pytest.raises(ModemdError, match="text 2 was dropped"):
        CliRunner().invoke(
            cli, ["unread", "answer", "1", "2", "--text", "Da", "-c", str(config)], catch_exceptions=False
        )
    assert listed(config) == [1, 3]


@pytest.mark.parametrize("arguments", [["1"], ["1", "--text", "Da", "--canned", "no_power"], ["x", "--text", "Da"], []])
def test_an_answer_that_is_not_said_clearly_is_misuse(config: Path, arguments: list[str]) -> None:
    assert run(config, "unread", "answer", *arguments).exit_code == 2
