"""A settings file to begin with: every key of config.py, commented out, with its default and what its line says."""

import inspect
import json
import re
from pathlib import Path
from types import NoneType
from typing import Any, get_args

from modemd import config
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


def settings(**given: object) -> str:
    """The text of the file. `given` are lines that are not commented out, as `section__key`."""
    blocks = [HEAD]
    for name, field in Settings.model_fields.items():
        if name == "line":
            blocks.append(LINE)
        elif isinstance(field.default, config.Kinds):
            blocks += [_section(f"{name}.{kind}", of_kind, {}) for kind, of_kind in field.default]
        else:
            chosen = {key.partition("__")[2]: value for key, value in given.items() if key.startswith(f"{name}__")}
            blocks.append(_section(name, field.default, chosen))
    return "\n".join(blocks)


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
    if isinstance(value, tuple | list):
        return f"[{', '.join(_toml(each) for each in value)}]"
    return json.dumps(str(value), ensure_ascii=False)


def _example(annotation: Any) -> str:
    kind = next((each for each in get_args(annotation) if each is not NoneType), str)
    return {Path: '"/etc/modemd/…"', str: '"…"'}.get(kind, "0")
