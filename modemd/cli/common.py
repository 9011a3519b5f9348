"""What several command groups share: the settings option, the database, and one way to print JSON.

Settings, database and bars are imported when a command wants them: `modemd pdu` and `modemd sim-text` want none.
"""

import getpass
import json
import socket
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from modemd.config import Settings

DEFAULT_SETTINGS = "/etc/modemd/modemd.toml"


def settings_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add `-c FILE`; the command receives `settings`."""
    return click.option(
        "-c",
        "--config",
        "settings",
        metavar="FILE",
        default=DEFAULT_SETTINGS,
        show_default=True,
        callback=lambda _ctx, _param, path: _load(Path(path)),
        help="The settings file (TOML).",
    )(command)


def _load(path: Path) -> "Settings":
    from modemd import config

    return config.load(path)


def json_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add `--json`; the command receives `as_json`."""
    return click.option("--json", "as_json", is_flag=True, help="Machine-readable output on stdout, nothing else.")(
        command
    )


def open_database(settings: "Settings") -> "Engine":
    """The database, at this program's revision: SQLite is created or migrated, PostgreSQL is only checked."""
    from modemd.store import database

    engine = database.connect(settings.database.url)
    if context := click.get_current_context(silent=True):
        context.call_on_close(engine.dispose)
    database.prepare(engine)
    return engine


@contextmanager
def progress_bar(what: str) -> Iterator[Callable[[int, int], None]]:
    """A bar on stderr, if that is a terminal; move it with (done, of)."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True)) as progress:
        task = progress.add_task(what, total=None)

        def move(done: int, total: int) -> None:
            progress.update(task, completed=done, total=total)

        yield move


def moment(_ctx: click.Context, _param: click.Parameter, text: str | None) -> datetime | None:
    """The callback of an option that takes a time; without an offset it is Sofia's."""
    from modemd.config import SOFIA

    if text is None:
        return None
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise click.BadParameter("write it as 2026-11-23T09:00 (Sofia) or 2026-11-23T09:00+02:00") from None
    return at if at.tzinfo else at.replace(tzinfo=SOFIA)


def now() -> datetime:
    return datetime.now(UTC)


def person() -> str:
    """Who gives the command, as the audit log and the consent history name him: the user of the operating system."""
    return f"{getpass.getuser()}@{socket.gethostname()}"[:64]


def at_terminal() -> bool:
    """Whether a person could be asked something; a script cannot."""
    return sys.stdin.isatty()


def stdin_lines() -> Iterator[str]:
    """What is piped in, a line at a time; bytes that are no UTF-8 become U+FFFD."""
    for line in sys.stdin.buffer:
        yield line.decode("utf-8", errors="replace")


def visible(written: str | None) -> str:
    """What others wrote, for a terminal: an escape sequence or a change of direction shows and does nothing."""
    return "".join(char if char.isprintable() else ascii(char)[1:-1] for char in written or "")


def print_json(value: object) -> None:
    """One JSON value on one line; times in ISO 8601 with an offset."""
    click.echo(json.dumps(value, ensure_ascii=True, default=_encode))


def _encode(value: object) -> str:
    if isinstance(value, datetime):
        return value.isoformat()
    raise TypeError(f"{type(value).__name__} has no JSON form")
