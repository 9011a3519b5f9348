from pathlib import Path

import pytest
from click.testing import CliRunner

from modemd.cli.main import cli
from modemd.store.staff import Role


@pytest.mark.parametrize("role", Role)
def test_a_person_is_added_in_every_role_as_it_is_written(tmp_path: Path, role: Role) -> None:
    config = tmp_path / "modemd.toml"
    config.write_text(f'database.url = "sqlite:///{tmp_path}/modemd.db"\n')
    result = CliRunner().invoke(cli, ["user", "add", "elena", "--role", str(role), "-c", str(config)])
    assert result.exit_code == 0, result.output
    assert len(result.output.strip()) == 19
