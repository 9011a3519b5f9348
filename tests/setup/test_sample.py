"""The settings file that a set-up begins with."""

import re
import tomllib
from pathlib import Path

from modemd import config
from modemd.config import Settings
from modemd.setup import sample


def uncommented(text: str) -> str:
    """Every key that has a default, as if somebody had taken all the "#" away."""
    kept = [line for line in text.splitlines() if "(not set)" not in line]
    return "\n".join(re.sub(r"^# (?=\[|\w+ = )", "", line) for line in kept)


def test_each_key_stands_there_with_its_default(tmp_path: Path) -> None:
    text = sample.settings()
    for block in sample.EACH.values():  # of which there is none by default
        assert block in text
        text = text.replace(block, "")
    file = tmp_path / "modemd.toml"
    file.write_text(uncommented(text))
    assert config.load(file) == Settings()


def test_every_key_of_the_settings_is_named() -> None:
    text = sample.settings()
    for section, field in Settings.model_fields.items():
        default = field.get_default(call_default_factory=True)
        if section != "line" and isinstance(default, config.Section):
            assert re.search(rf"^# \[{section}[\].]", text, re.MULTILINE)
            for key in type(default).model_fields:
                assert re.search(rf"^# ({key} = |\[{section}\.{key}\])", text, re.MULTILINE), f"[{section}] {key}"


def test_what_is_given_is_not_commented_out() -> None:
    text = sample.settings(database__url="sqlite:////srv/modemd.db", web__secret_key_file="/etc/modemd/secret_key")
    given = tomllib.loads(text)
    assert given == {
        "database": {"url": "sqlite:////srv/modemd.db"},
        "web": {"secret_key_file": "/etc/modemd/secret_key"},
    }
