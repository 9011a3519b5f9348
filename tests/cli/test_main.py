import json
import subprocess
from pathlib import Path

import pytest
from click.testing import CliRunner

from modemd.cli.main import COMMANDS, cli
from tests import forked


def modemd(*arguments: str) -> subprocess.CompletedProcess[str]:
    return forked.run(*arguments, timeout=60)


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_every_command_explains_itself(name: str) -> None:
    result = CliRunner().invoke(cli, [name, "--help"])
    assert result.exit_code == 0, result.output
    assert "Usage:" in result.output


def test_an_unknown_key_is_refused_and_the_nearest_named(tmp_path: Path) -> None:
    config = tmp_path / "modemd.toml"
    config.write_text("[bank]\nport = ['/dev/ttyUSB0']\n")
    result = modemd("status", "-c", str(config))
    assert result.returncode == 1
    assert "bank.port is no setting; the nearest one is bank.ports" in result.stderr
    assert result.stdout == ""


def test_a_value_of_the_wrong_type_is_refused_with_its_key(tmp_path: Path) -> None:
    config = tmp_path / "modemd.toml"
    config.write_text("[bank]\nper_minute = 'ten'\n")
    result = modemd("run", "-c", str(config))
    assert result.returncode == 1
    assert "bank.per_minute" in result.stderr


@pytest.mark.parametrize("text", ["[bank", "\xff\xfe", "[bank]\nports = 3"])
def test_settings_that_cannot_be_read_are_refused_without_a_traceback(tmp_path: Path, text: str) -> None:
    config = tmp_path / "modemd.toml"
    config.write_bytes(text.encode("latin-1"))
    result = modemd("status", "-c", str(config))
    assert result.returncode == 1
    assert "Traceback" not in result.stderr
    assert str(config) in result.stderr


def test_one_value_where_a_list_belongs_is_refused_and_says_how_to_write_it(tmp_path: Path) -> None:
    config = tmp_path / "modemd.toml"
    config.write_text("[bank]\nports = '/dev/ttyUSB*'\n")
    result = modemd("status", "-c", str(config))
    assert result.returncode == 1
    assert "bank.ports: write a list, in square brackets" in result.stderr


@pytest.mark.parametrize("command", [("demo", "--once", "--data"), ("sim", "--modems", "1", "--dir")])
def test_a_folder_that_cannot_be_made_is_named_without_a_traceback(command: tuple[str, ...]) -> None:
    result = modemd(*command, "/proc/nowhere")
    assert result.returncode == 1
    assert "/proc/nowhere cannot be used: No such file or directory." in result.stderr
    assert "Traceback" not in result.stderr


def test_a_database_that_is_not_there_yet_is_made(tmp_path: Path) -> None:
    config = tmp_path / "modemd.toml"
    config.write_text(f"database.url = 'sqlite:///{tmp_path}/data/modemd.db'\n")
    result = modemd("status", "-c", str(config), "--json")
    assert (result.returncode, json.loads(result.stdout)["modems"]) == (0, []), result.stderr
    assert (tmp_path / "data/modemd.db").exists()


def test_settings_that_do_not_exist_are_refused(tmp_path: Path) -> None:
    result = modemd("status", "-c", str(tmp_path / "none.toml"))
    assert result.returncode == 1
    assert "does not exist" in result.stderr


def test_an_unknown_command_is_misuse() -> None:
    assert modemd("sned").returncode == 2


def test_a_transcript_that_is_cut_in_half_is_refused_and_says_what_to_mend(tmp_path: Path) -> None:
    (tmp_path / "half.txt").write_text("0.000 > AT\\r\n0.004 < \\r\\nO")
    result = modemd("sim", "--dir", str(tmp_path / "bank"), "--replay", str(tmp_path / "half.txt"))
    assert result.returncode == 1
    assert "half.txt cannot be replayed: line 2 breaks off: the file was cut" in result.stderr
    assert result.stdout == ""


def test_a_bank_without_modems_is_a_misuse(tmp_path: Path) -> None:
    assert CliRunner().invoke(cli, ["sim", "--dir", str(tmp_path)]).exit_code == 2
