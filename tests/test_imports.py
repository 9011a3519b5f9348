"""What may import what (the picture that keeps the rooms apart)."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SHARED = {"causes", "config", "errors", "logs", "masks", "messages", "spreadsheets"}
ANYTHING = {"cli", "daemon", "demo", "bench", "rig", "__main__"}
MAY_IMPORT = {
    "at": set(),
    "pdu": set(),
    "store": set(),
    "sim": {"pdu"},
    "modem": {"at", "pdu"},
    "alerts": {"mail", "service", "store"},
    "audit": {"store"},
    "mail": set(),
    "reports": {"store"},
    "scenarios": {"service", "store", "pdu"},
    "service": {"audit", "quota", "store", "pdu"},
    "billing": {"audit", "service", "store", "pdu"},
    "web": {"audit", "quota", "reports", "service", "billing", "store", "pdu"},
    "quota": set(),
    "plan": set(),
    "held": {"store", "pdu"},
    "stagger": set(),
    "sender": {"held", "quota", "stagger", "modem", "store"},
    "identity": {"quota", "sender", "stagger", "modem", "store"},
    "answering": {"service", "store"},
    "gateway": {"answering", "identity", "sender", "service", "store", "modem", "pdu"},
    "backup": {"store"},
    "revocation": {"service"},
    "doctor": {"modem", "service", "store"},
    "setup": {"backup", "store"},
    "balance": {"modem", "store"},
    "handover": {"billing", "store"},
    "watchdog": {"store"},
    "retention": {"audit", "billing", "reports", "service", "store"},
    "wishes": {"modem", "store"},
    "campaigns": {"service", "store"},
    "pace": {"store"},
    "destinations": set(),
    "notify": set(),
    "lmtp": {"service", "store"},
    "forwards": {"mail", "service", "store"},
    "kannel": {"store"},
    "webhooks": {"destinations", "kannel", "store"},
}


def _modules() -> Iterator[tuple[str, Path]]:
    for path in sorted((ROOT / "modemd").rglob("*.py")):
        yield path.relative_to(ROOT / "modemd").parts[0].removesuffix(".py"), path
    for path in sorted((ROOT / "web").rglob("*.py")):
        yield "web", path


def _imported_rooms(path: Path) -> set[str]:
    rooms = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        names = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        for name in names:
            top, *rest = name.split(".")
            if top == "web":
                rooms.add("web")
            elif top == "modemd" and rest:
                rooms.add(rest[0])
    return rooms


@pytest.mark.parametrize(("room", "path"), [pytest.param(*m, id=str(m[1].relative_to(ROOT))) for m in _modules()])
def test_a_room_imports_only_what_the_map_allows(room: str, path: Path) -> None:
    imported = _imported_rooms(path) - {room}
    if room in SHARED or room == "__init__":
        assert imported <= SHARED
    elif room not in ANYTHING:
        assert room in MAY_IMPORT, f"{room} is a room that the map does not know"
        assert imported <= MAY_IMPORT[room] | SHARED


def test_only_port_py_imports_pyserial() -> None:
    found = [path for _, path in _modules() if "serial" in {name.split(".")[0] for name in _imports(path)}]
    assert [path.relative_to(ROOT).as_posix() for path in found] == ["modemd/modem/port.py"]


def _imports(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module


def test_init_modules_hold_no_logic() -> None:
    for _, path in _modules():
        if path.name == "__init__.py":
            body = ast.parse(path.read_text(encoding="utf-8")).body
            assert all(isinstance(node, ast.Expr) for node in body), path
