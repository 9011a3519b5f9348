"""`modemd setup` into a folder that stands for the machine."""

import os
import re
import sqlite3
import stat
import tomllib
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from modemd.cli.main import cli
from modemd.errors import ModemdError, SetupRefused
from modemd.setup import steps
from modemd.setup.machine import Machine
from modemd.store import database

SetUp = Callable[..., Result]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "etc").mkdir()
    return tmp_path


@pytest.fixture
def setup(root: Path) -> SetUp:
    def run(*options: str, answers: str = "") -> Result:
        return CliRunner().invoke(cli, ["setup", "--root", str(root), *options], input=answers, catch_exceptions=False)

    return run


def owner(root: Path, path: str) -> tuple[str, str, int]:
    """User, group and mode of a file, by the names of the scratch machine."""

    def name(table: str, number: int) -> str:
        rows = [row.split(":") for row in (root / table).read_text().splitlines()]
        return next((row[0] for row in rows if row[2] == str(number)), "root")

    found = (root / path).stat()
    return name("etc/passwd", found.st_uid), name("etc/group", found.st_gid), stat.S_IMODE(found.st_mode)


def everything(root: Path) -> dict[str, tuple[int, bytes]]:
    """Every file of the machine with its mode and bytes."""
    files = [path for path in root.rglob("*") if path.is_file()]
    return {str(path): (path.stat().st_mode, path.read_bytes()) for path in files}


def test_an_empty_machine_gets_everything_that_the_services_need(setup: SetUp, root: Path) -> None:
    result = setup("--yes")
    assert result.exit_code == 0, result.output
    assert owner(root, "var/lib/modemd") == ("modemd", "modemd-db", 0o2770)
    assert owner(root, "var/lib/modemd/modemd.db") == ("modemd", "modemd-db", 0o660)
    assert owner(root, "etc/modemd/modemd.toml") == ("root", "modemd-db", 0o640)
    assert owner(root, "etc/modemd/secret_key") == ("root", "modemd-web", 0o440)
    assert owner(root, "var/lib/modemd/crl") == ("modemd", "modemd-db", 0o2755)
    assert owner(root, "var/backups/modemd") == ("modemd", "modemd", 0o700)
    assert (root / "etc/udev/rules.d/60-modemd.rules").exists()
    for unit in steps.UNITS:
        assert (root / "etc/systemd/system" / unit).exists()
    assert re.search(r"as admin with the one-time password \S{19}", result.output)


def test_the_settings_that_are_made_are_good_and_name_the_key(setup: SetUp, root: Path) -> None:
    setup("--yes")
    given = tomllib.loads((root / "etc/modemd/modemd.toml").read_text())
    assert given["database"]["url"] == "sqlite:////var/lib/modemd/modemd.db"
    key = given["web"]["secret_key_file"]
    assert len((root / key.lstrip("/")).read_text().strip()) == 64


def test_a_second_run_changes_nothing(setup: SetUp, root: Path) -> None:
    setup("--yes")
    before = everything(root)
    again = setup("--yes")
    assert "Everything is in place" in again.output
    assert everything(root) == before


def test_an_upgrade_makes_the_folders_that_are_new(setup: SetUp, root: Path) -> None:
    setup("--yes")
    (root / "var/lib/modemd/crl").rmdir()
    setup("--yes")
    assert (root / "var/lib/modemd/crl").is_dir()


def test_a_dry_run_changes_nothing(setup: SetUp, root: Path) -> None:
    result = setup("--dry-run")
    assert "60-modemd.rules" in result.output
    assert everything(root) == {}


def test_it_asks_first_and_a_no_changes_nothing(setup: SetUp, root: Path) -> None:
    assert setup(answers="n\n").exit_code == 1
    assert everything(root) == {}


def test_what_people_have_changed_is_replaced_only_when_they_agree_and_a_copy_stays(setup: SetUp, root: Path) -> None:
    setup("--yes")
    unit = root / "etc/systemd/system/modemd.service"
    shipped = unit.read_text()
    unit.write_text("mine\n")
    assert "~ /etc/systemd/system/modemd.service" in setup(answers="y\nn\n").output
    assert unit.read_text() == "mine\n"
    setup(answers="y\ny\n")
    assert unit.read_text() == shipped
    assert unit.with_name("modemd.service.old").read_text() == "mine\n"


def test_settings_and_key_are_never_replaced(setup: SetUp, root: Path) -> None:
    setup("--yes")
    settings, key = root / "etc/modemd/modemd.toml", root / "etc/modemd/secret_key"
    settings.write_text('[database]\nurl = "sqlite:////var/lib/modemd/modemd.db"\n[service]\nsupplier = "Tok"\n')
    kept = settings.read_text(), key.read_text()
    setup("--yes")
    assert (settings.read_text(), key.read_text()) == kept


def test_an_older_database_is_backed_up_before_it_is_migrated(setup: SetUp, root: Path) -> None:
    setup("--yes")
    file = root / "var/lib/modemd/modemd.db"
    older(file)
    result = setup("--yes")
    (copy,) = (root / "var/backups/modemd").iterdir()
    assert str(copy) in result.output.replace("\n", "")
    assert owner(root, str(copy.relative_to(root))) == ("modemd", "modemd", 0o600)
    with closing(sqlite3.connect(copy)) as old:
        assert old.execute("SELECT version_num FROM alembic_version").fetchone() == ("0001",)
    engine = database.connect(f"sqlite:///{file}")
    database.check_revision(engine)
    engine.dispose()


def older(file: Path) -> None:
    """Put a database of the first revision in a database's place."""
    for each in file.parent.glob(f"{file.name}*"):
        each.unlink()
    engine = database.connect(f"sqlite:///{file}")
    database.upgrade(engine, "0001")
    engine.dispose()


def test_remove_leaves_settings_and_data(setup: SetUp, root: Path) -> None:
    setup("--yes")
    setup("--remove", "--yes")
    left = {path for path in everything(root) if "/etc/passwd" not in path and "/etc/group" not in path}
    assert {Path(path).name for path in left if "/etc/modemd/" in path} == {"modemd.toml", "secret_key"}
    assert (root / "var/lib/modemd/modemd.db").exists()
    assert not list((root / "etc/systemd/system").iterdir())
    assert not list((root / "etc/udev/rules.d").iterdir())


def test_purge_takes_everything_away(setup: SetUp, root: Path) -> None:
    setup("--yes")
    result = setup("--remove", "--purge", "--yes")
    assert result.exit_code == 0, result.output
    assert not (root / "etc/modemd").exists()
    assert not (root / "var/lib/modemd").exists()
    assert not (root / "var/backups/modemd").exists()
    for table in ("passwd", "group"):
        assert "modemd" not in (root / "etc" / table).read_text()


def test_purge_alone_is_misuse(setup: SetUp) -> None:
    assert setup("--purge").exit_code == 2


@pytest.mark.parametrize("folder", ["/home", "/root", "/tmp", "/var/tmp"])
def test_a_program_that_services_may_not_see_is_refused(folder: str) -> None:
    with pytest.raises(SetupRefused, match="/opt"):
        steps.check_program(Path(folder, "elena/.venv/bin/modemd"))


def test_a_program_whose_python_services_may_not_see_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(steps, "PRIVATE_FOLDERS", (str(tmp_path / "root"),))
    program = tmp_path / "opt/modemd/bin/modemd"
    program.parent.mkdir(parents=True)
    steps.check_program(program)
    program.with_name("python3").symlink_to(tmp_path / "root/.pyenv/bin/python3")
    with pytest.raises(SetupRefused, match=r"pyenv.*may not look"):
        steps.check_program(program)


def test_a_missing_tool_is_named(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(root))
    with pytest.raises(SetupRefused, match="systemd-sysusers is not here"):
        Machine(root).run("systemd-sysusers")


def test_settings_that_cannot_be_read_are_named_and_nothing_is_done(setup: SetUp, root: Path) -> None:
    (root / "etc/modemd").mkdir()
    (root / "etc/modemd/modemd.toml").write_text("[database\n")
    with pytest.raises(ModemdError, match=r"modemd\.toml cannot be read"):
        setup("--yes")
    assert list(everything(root)) == [str(root / "etc/modemd/modemd.toml")]


def test_the_real_machine_wants_root(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with pytest.raises(SetupRefused, match="only root may"):
        CliRunner().invoke(cli, ["setup", "--yes"], catch_exceptions=False)
