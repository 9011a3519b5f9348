"""A settings file to begin with: every key of config.py, commented out, with its default and what its line says."""

import inspect
import json
import re
from collections.abc import Iterator
from pathlib import Path
from types import NoneType
from typing import Any, get_args

from modemd.config import Section, Settings

HEAD = """\
# Settings of modemd. Every key stands here with its default, behind "#": take the "#" away to change it. Times are in
# the unit that the key names. `modemd doctor` says what is wrong with this file; restart modemd after changing it.
"""
LINE = """\
# [[line]]  # what differs for one modem, found by port, imei or iccid; one such block for each
# port = "/dev/modemd/path-pci-0000:00:14.0-usb-0:1.2:1.0"
# name = "A1 first"
"""
FORWARD = """\
# [[forward]]  # SMS that come in go to these addresses as letters; one such block for each rule
# name = "desk"
# to = ["desk@example.bg"]
"""
EACH = {"line": LINE, "forward": FORWARD}


def settings(**given: object) -> str:
    """The text of the file. `given` are lines that are not commented out, as `section__key`."""
    blocks = [HEAD]
    for name, field in Settings.model_fields.items():
        if name in EACH:
            blocks.append(EACH[name])
            continue
        for path, section in _sections(name, field.get_default(call_default_factory=True)):
            chosen = {key.partition("__")[2]: value for key, value in given.items() if key.startswith(f"{path}__")}
            blocks.append(_section(path, section, chosen))
    return "\n".join(blocks)


def _sections(path: str, value: Any) -> Iterator[tuple[str, Section]]:
    """A section, or those that it is made of, each with its path."""
    within = list(value.items() if isinstance(value, dict) else value)
    if all(isinstance(each, Section) for _, each in within):
        for name, each in within:
            yield from _sections(f"{path}.{name}", each)
    else:
        yield path, value


def _section(name: str, section: Section, chosen: dict[str, object]) -> str:
    notes = _notes(type(section))
    lines = [f"[{name}]" if chosen else f"# [{name}]"]
    for key, field in type(section).model_fields.items():
        note = f"  # {notes[key]}" if key in notes else ""
        if key in chosen:
            lines.append(f"{key} = {_toml(chosen[key])}{note}")
        elif getattr(section, key) is None:
            lines.append(f"# {key} = {_example(field.annotation)}{note or '  #'}{' (not set)'}")
        else:
            lines.append(f"# {key} = {_toml(getattr(section, key))}{note}")
    return "\n".join(lines) + "\n"


def _notes(section: type[Section]) -> dict[str, str]:
    """What the lines of a section's class say behind their "#"."""
    found = re.findall(r"^    (\w+): [^#\n]*# (.*)$", inspect.getsource(section), re.MULTILINE)
    return {key: note for key, note in found if key in section.model_fields}


def _toml(value: Any) -> str:
    if isinstance(value, bool | int | float):
        return json.dumps(value)
    if isinstance(value, dict):
        return f"{{ {', '.join(f'{_toml(key)} = {_toml(each)}' for key, each in value.items())} }}"
    if isinstance(value, tuple | list):
        return f"[{', '.join(_toml(each) for each in value)}]"
    return json.dumps(str(value), ensure_ascii=False)


def _example(annotation: Any) -> str:
    kind = next((each for each in get_args(annotation) if each is not NoneType), str)
    return {Path: '"/etc/modemd/…"', str: '"…"'}.get(kind, "0")
