from typing import Any

import click
from rich.console import Console
from rich.table import Table

from modemd.billing import decisions
from modemd.billing.cells import money
from modemd.billing.decisions import File
from modemd.cli.common import json_option, now, open_database, person, print_json, settings_option, visible
from modemd.config import SOFIA, Settings
from modemd.store import database
from modemd.store.schema import FileState


@click.group()
def file() -> None:
    """Files from billing: what came, what is held, and what you decide about it."""


@file.command(name="list")
@click.option(
    "--state", type=click.Choice([str(state) for state in FileState]), help="Only these; `held` waits for you."
)
@click.option("--limit", type=click.IntRange(1), default=50, show_default=True)
@json_option
@settings_option
def list_(state: str | None, limit: int, as_json: bool, settings: Settings) -> None:
    """The files that came, newest first, and why one is held or was refused.

    \b
    modemd file list -c modemd.toml --state held
    """
    with database.reading(open_database(settings)) as conn:
        found = decisions.files(conn, limit, state=FileState(state) if state else None)
    if as_json:
        for each in found:
            print_json({name: getattr(each, name) for name in File.__slots__})
        return
    table = Table("id", "when", "file", "rows", "bad", "open", "before", "state", "why")
    for each in found:
        table.add_row(*map(_visible, _cells(each)))
    Console(markup=False, emoji=False).print(table)


def _cells(each: File) -> list[str]:
    what = f"{each.type} {each.mode} {each.seq} of {each.source}\n{each.name}"
    before = f"{each.previous_rows} rows\n{money(each.previous_cents or 0)}" if each.previous_rows is not None else ""
    state = f"{each.state}\nby {each.decided_by}" if each.decided_by else str(each.state)
    figures = [str(each.rows), str(each.rejected), money(each.open_cents)]
    return [
        str(each.id),
        f"{each.at.astimezone(SOFIA):%Y-%m-%d %H:%M}",
        what,
        *figures,
        before,
        state,
        each.reason or "",
    ]


def _visible(cell: str) -> str:
    return "\n".join(map(visible, cell.split("\n")))


def _verb(name: str, help_: str, verb: Any, done: str) -> None:
    @file.command(name=name, help=help_)
    @click.argument("file_ids", metavar="ID...", nargs=-1, required=True, type=int)
    @settings_option
    def command(file_ids: tuple[int, ...], settings: Settings) -> None:
        engine = open_database(settings)
        for file_id in file_ids:
            with database.writing(engine) as conn:
                decided = verb(conn, file_id, person(), now())
            click.echo(f"{visible(decided.name)}: {done}")


_verb(
    "approve",
    "Held files are right after all: the daemon takes them from the drop folder next.",
    decisions.approve,
    "approved; the daemon takes it, or: modemd import",
)
_verb(
    "decline",
    "Held files are wrong: the daemon puts them into reject/.",
    decisions.decline,
    "declined; goes to reject/",
)
