"""Errors say what their docstrings say; a raise that leaves a fact out would end in a KeyError at the worst time."""

import ast
import importlib
import inspect
import pkgutil
import string
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import modemd
import web
from modemd.errors import ModemdError


def _modules() -> Iterator[ModuleType]:
    for package in (modemd, web):
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            if "migrations" not in module.name and not module.name.endswith("__main__"):
                yield importlib.import_module(module.name)


def _facts(error: object) -> set[str]:
    """What stands in braces in its docstring; nothing for what is no error of ours."""
    if not (isinstance(error, type) and issubclass(error, ModemdError)):
        return set()
    return {field for _, field, _, _ in string.Formatter().parse(inspect.getdoc(error) or "") if field}


def test_every_error_is_given_the_facts_that_it_says() -> None:
    missing, seen = [], 0
    for module in _modules():
        for call in ast.walk(ast.parse(Path(str(module.__file__)).read_text(encoding="utf-8"))):
            if isinstance(call, ast.Call) and isinstance(call.func, ast.Name):
                wanted = _facts(vars(module).get(call.func.id))
                given = {keyword.arg for keyword in call.keywords}
                seen += bool(wanted)
                if None not in given:
                    missing += [f"{module.__name__}:{call.lineno}: {fact}" for fact in wanted - given]
    assert missing == []
    assert seen > 50
