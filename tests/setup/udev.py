"""Enough of udev(7) to see what our rules do with a device; a rule that it does not know fails the test."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase

_TOKEN = re.compile(r'\s*([A-Z_]+)(?:\{([^}]+)\})?\s*(==|!=|\+=|=)\s*"([^"]*)"\s*(?:,|$)')


@dataclass(frozen=True)
class Parent:
    """One device above a port in sysfs."""

    subsystem: str
    attributes: dict[str, str]


@dataclass
class Device:
    """A device as the kernel tells of it, and what the rules have made of it."""

    subsystem: str
    kernel: str
    devpath: str
    env: dict[str, str] = field(default_factory=dict)
    attributes: dict[str, str] = field(default_factory=dict)
    parents: Sequence[Parent] = ()
    builtins: dict[str, dict[str, str]] = field(default_factory=dict)  # what usb_id and path_id would find
    group: str = "root"
    mode: str = "0600"
    links: set[str] = field(default_factory=set)
    programs: list[str] = field(default_factory=list)


def apply(rules: str, device: Device, action: str = "add") -> Device:
    """Run the rules over a device."""
    device.env["ACTION"] = action
    skip_to = None
    for line in re.sub(r"\\\n", "", rules).splitlines():
        if not line.strip() or line.startswith("#"):
            continue
        tokens = _tokens(line)
        label = next((value for key, _, _, value in tokens if key == "LABEL"), None)
        if skip_to is not None:
            skip_to = None if label == skip_to else skip_to
            continue
        if all(_matches(tokens, device)):
            skip_to = next((value for key, _, _, value in tokens if key == "GOTO"), None)
            for key, name, operator, value in tokens:
                _assign(device, key, name, operator, value)
    assert skip_to is None, f"no LABEL {skip_to}"
    return device


def _tokens(line: str) -> list[tuple[str, str, str, str]]:
    tokens, at = [], 0
    while at < len(line.rstrip()):
        found = _TOKEN.match(line, at)
        assert found, f"udev would not read: {line[at:]}"
        tokens.append((found[1], found[2] or "", found[3], found[4]))
        at = found.end()
    return tokens


def _fits(pattern: str, value: str | None) -> bool:
    return value is not None and any(fnmatchcase(value, each) for each in pattern.split("|"))


def _matches(tokens: list[tuple[str, str, str, str]], device: Device) -> list[bool]:
    results = []
    upwards = [(key, name, value) for key, name, _, value in tokens if key in ("SUBSYSTEMS", "ATTRS")]
    if upwards:  # all of them have to fit one and the same parent
        results.append(any(all(_fits_parent(each, parent) for each in upwards) for parent in device.parents))
    for key, name, operator, value in tokens:
        if operator not in ("==", "!=") or key in ("SUBSYSTEMS", "ATTRS"):
            continue
        here = {
            "ACTION": device.env["ACTION"],
            "SUBSYSTEM": device.subsystem,
            "KERNEL": device.kernel,
            "ENV": device.env.get(name, ""),
            "ATTR": device.attributes.get(name),
        }
        results.append(_fits(value, here[key]) == (operator == "=="))
    return results


def _fits_parent(wanted: tuple[str, str, str], parent: Parent) -> bool:
    key, name, pattern = wanted
    return _fits(pattern, parent.subsystem if key == "SUBSYSTEMS" else parent.attributes.get(name))


def _assign(device: Device, key: str, name: str, operator: str, value: str) -> None:
    if operator in ("==", "!=") or key in ("GOTO", "LABEL"):
        return
    value = value.replace("$sys", "/sys").replace("$devpath", device.devpath)
    value = re.sub(r"\$env\{(\w+)\}", lambda found: device.env[found[1]], value)
    match key, operator:
        case "ENV", "=":
            device.env[name] = value
        case "IMPORT", "=":
            assert name == "builtin"
            device.env |= device.builtins[value]
        case "GROUP", "=":
            device.group = value
        case "MODE", "=":
            device.mode = value
        case "SYMLINK", "+=":
            device.links.add(value)
        case "RUN", "+=":
            device.programs.append(value)
        case _:
            raise AssertionError(f"{key}{operator} is not known here")
