"""`modemd status` for people."""

from pathlib import Path

from click.testing import CliRunner

from modemd.cli.main import cli


def test_what_stands_in_brackets_is_no_markup(tmp_path: Path, sqlite_template: Path) -> None:
    config = tmp_path / "modemd.toml"
    config.write_text(f'database.url = "sqlite:///{sqlite_template}"\n')
    said = CliRunner().invoke(cli, ["status", "-c", str(config)], catch_exceptions=False).output
    assert "does [bank] ports match?" in " ".join(said.split())
