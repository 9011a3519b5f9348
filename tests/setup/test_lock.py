"""What the service is installed by: every library with its version and its hashes, for each Python that we run on."""

import re
import tomllib
from functools import cache
from importlib.metadata import requires
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
LOCK = ROOT / "modemd/setup/requirements.lock"
PYTHONS = ("3.11", "3.13")


@cache
def locked() -> dict[str, tuple[Requirement, int]]:
    """By name: the requirement, and how many hashes it has."""
    entries = LOCK.read_text(encoding="utf-8").replace("\\\n", " ").splitlines()
    found = {}
    for entry in entries:
        requirement = Requirement(entry.partition("--hash")[0].strip())
        found[canonicalize_name(requirement.name)] = requirement, len(re.findall(r"--hash=sha256:[0-9a-f]{64}", entry))
    return found


def wanted(requirement: Requirement, python: str, extras: set[str]) -> bool:
    """Whether this Python on Linux needs it."""
    if requirement.marker is None:
        return True
    here = {"python_version": python, "python_full_version": f"{python}.0", "sys_platform": "linux"}
    return any(requirement.marker.evaluate({**here, "extra": extra}) for extra in extras or {""})


def given() -> list[Requirement]:
    """What the program needs, and what builds it."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    return list(map(Requirement, (*project["project"]["dependencies"], *project["build-system"]["requires"])))


@pytest.mark.parametrize("python", PYTHONS)
def test_whatever_the_service_needs_is_there_in_a_version_that_fits(python: str) -> None:
    asked, seen = [(each, f"pyproject.toml on {python}") for each in given()], set()
    while asked:
        requirement, by = asked.pop()
        name = canonicalize_name(requirement.name)
        assert name in locked(), f"{by} needs {name}"
        lock, _ = locked()[name]
        (version,) = lock.specifier
        assert version.operator == "=="
        assert requirement.specifier.contains(version.version, prereleases=True), f"{by} needs {requirement}"
        assert wanted(lock, python, set()), f"{name} is not for Python {python}"
        if (name, *requirement.extras) not in seen:
            seen.add((name, *requirement.extras))
            further = map(Requirement, requires(name) or ())
            asked += [(each, name) for each in further if wanted(each, python, requirement.extras)]


def test_everything_has_its_hashes() -> None:
    assert all(hashes for _, hashes in locked().values())


def test_nothing_says_where_it_comes_from() -> None:
    """Whoever installs it has a registry of his own choice."""
    assert "://" not in LOCK.read_text(encoding="utf-8")
    assert all(requirement.url is None for requirement, _ in locked().values())


def test_readme_installs_by_it_and_lets_no_other_in() -> None:
    (line,) = re.findall(r"^    sudo sh -c '(.*)'$", (ROOT / "README.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert f"pip install -q --require-hashes -r {LOCK.relative_to(ROOT)} " in line
    assert "pip install -q --no-build-isolation --no-deps ." in line


def test_what_builds_it_is_the_one_that_is_locked() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    (builder,) = project["build-system"]["requires"]
    assert project["project"]["optional-dependencies"]["build"] == [builder]
    assert str(locked()["hatchling"][0]) == builder
