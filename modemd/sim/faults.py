"""Every fault by its name: `name:key=value,key=value` makes one."""

from collections.abc import Callable
from dataclasses import fields

from modemd.errors import SimulatorError
from modemd.sim import card_faults, message_faults, port_faults, site_faults
from modemd.sim.affliction import Fault

CLEAR = "none"  # takes all faults from a modem
_CLASSES: dict[str, type[Fault]] = {
    cls.name: cls
    for module in (port_faults, message_faults, card_faults, site_faults)
    for cls in vars(module).values()
    if isinstance(cls, type) and issubclass(cls, Fault) and cls is not Fault
}
NAMES = tuple(sorted(_CLASSES))
_COMMON = {each.name for each in fields(Fault) if each.init}


def catalogue() -> str:
    """Every fault with its keys and their defaults, and what it does, one a line."""
    lines = []
    for name in NAMES:
        cls = _CLASSES[name]
        keys = ",".join(f"{each.name}={each.default}" for each in fields(cls) if each.init and each.name not in _COMMON)
        lines.append(f"{name}{keys and ':'}{keys}  {(cls.__doc__ or '').splitlines()[0]}")
    return "\n".join([*lines, f"{CLEAR}  Takes all faults from the modem."])


def parse(text: str) -> Fault:
    """The fault that `name:key=value,key=value` describes. Raises SimulatorError naming what there is."""
    name, _, tail = text.partition(":")
    if name not in _CLASSES:
        known = ", ".join((*NAMES, CLEAR))
        raise SimulatorError(dir="the bank", reason=f"there is no fault {name!r}, only {known}")
    cls = _CLASSES[name]
    kinds: dict[str, Callable[[str], object]] = {
        each.name: _READERS[each.type] for each in fields(cls) if each.init and isinstance(each.type, type)
    }
    values: dict[str, object] = {}
    for pair in filter(None, tail.split(",")):
        key, _, value = pair.partition("=")
        if key not in kinds:
            raise SimulatorError(dir="the bank", reason=f"{name} has no {key!r}, only {', '.join(sorted(kinds))}")
        try:
            values[key] = kinds[key](value)
        except ValueError:
            raise SimulatorError(dir="the bank", reason=f"{name}: {key} cannot be {value!r}") from None
    return _make(cls, values)


def _make(cls: type[Fault], values: dict[str, object]) -> Fault:
    try:
        return cls(**values)  # type: ignore[arg-type]
    except ValueError as error:
        raise SimulatorError(dir="the bank", reason=f"{cls.name}: {error}") from None


_READERS: dict[type, Callable[[str], object]] = {float: float, int: int, str: str}
