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
