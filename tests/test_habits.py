"""What people are told to run is what `.ci/run` runs."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
CI = (ROOT / ".ci/run").read_text(encoding="utf-8")
README = (ROOT / "README.md").read_text(encoding="utf-8")


def commands() -> list[str]:
    """README's own test line, which `.ci/run` takes from there, and the linters."""
    (test,) = re.findall(r"^    python3 -m venv .* && (\.venv/bin/python -m pytest.*)$", README, re.MULTILINE)
    (long,) = re.findall(r'^long_line="(.*)"$', CI, re.MULTILINE)
    return [test, long, *re.findall(r"^\.venv/bin/.*$", CI, re.MULTILINE)]


def test_there_are_tests_and_linters() -> None:
    programs = [command.split()[0].rpartition("/")[2] for command in commands()]
    assert programs == ["python", "python", "ruff", "ruff", "mypy", "bandit"]


@pytest.mark.parametrize("command", commands())
def test_contributors_are_told_what_ci_runs(command: str) -> None:
    told = (ROOT / ".github/CONTRIBUTING.md").read_text(encoding="utf-8")
    assert re.search(rf"^    {re.escape(command)}( +#.*)?$", told, re.MULTILINE)


@pytest.mark.parametrize("command", commands())
def test_the_hooks_run_what_ci_runs(command: str) -> None:
    assert f"entry: {command}," in (ROOT / ".pre-commit-config.yaml").read_text(encoding="utf-8")


def test_readme_names_the_programs_that_ci_installs() -> None:
    (installed,) = re.findall(r"for package in (.*); do", CI)
    (named,) = re.findall(r"foreign programs.*?`apt install (.*?)`", README, re.DOTALL)
    assert named.split() == installed.split()


SECURITY = (ROOT / ".github/SECURITY.md").read_text(encoding="utf-8")


def test_every_test_that_the_security_page_names_exists() -> None:
    code = "\n".join(path.read_text(encoding="utf-8") for path in (ROOT / "tests").rglob("test_*.py"))
    there = set(re.findall(r"^(?:async )?def (test_\w+)", code, re.MULTILINE))
    assert set(re.findall(r"`(test_\w+)`", SECURITY)) - there == set()


def test_every_attack_of_the_security_page_has_its_test() -> None:
    rows = [
        row for row in re.findall(r"^\|(.*)\|$", SECURITY, re.MULTILINE) if "---" not in row and "attack" not in row
    ]
    attacks = [row.split("|") for row in rows]
    assert len(attacks) > 30
    assert [cells[0] for cells in attacks if "`test_" not in cells[2]] == []
