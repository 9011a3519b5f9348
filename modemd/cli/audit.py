import click
from rich.console import Console
from rich.table import Table

from modemd import audit as log
from modemd.audit import Head
from modemd.cli.common import json_option, open_database, print_json, settings_option, visible
from modemd.config import SOFIA, Settings
from modemd.store import database


@click.group()
def audit() -> None:
    """The log of what people of staff did."""


def _head(_ctx: click.Context, _param: click.Parameter, written: str | None) -> Head | None:
    if written is None:
        return None
    try:
        return log.parse_head(written)
    except ValueError as error:
        raise click.BadParameter(str(error)) from None


@audit.command()
@click.option("--head", "known", metavar="N:HASH", callback=_head, help="A head printed earlier: is it still in there?")
@settings_option
def verify(known: Head | None, settings: Settings) -> None:
    """Go through the whole log; exit status 1 if somebody has altered it.

    Prints the log's head. Note it outside this machine: with --head the next check also finds an end that was cut off
    and a log that was made anew.

    \b
    modemd audit verify -c modemd.toml
    modemd audit verify -c modemd.toml --head 12:3f0a…
    """
    with database.reading(open_database(settings)) as conn:
        head = log.verify(conn, known)
    click.echo(f"{head.id} entries, none altered. Head: {head}")


@audit.command(name="list")
@click.option("--limit", type=click.IntRange(1), default=50, show_default=True)
@json_option
@settings_option
def list_(limit: int, as_json: bool, settings: Settings) -> None:
    """The newest entries, newest first."""
    with database.reading(open_database(settings)) as conn:
        found = log.entries(conn, limit)
    if as_json:
        for entry in found:
            names = ("id", "at", "who", "action", "subject", "detail")
            print_json({name: getattr(entry, name) for name in names})
        return
    table = Table("", "when", "who", "what", "whom", "detail")
    for entry in found:
        when = f"{entry.at.astimezone(SOFIA):%Y-%m-%d %H:%M:%S}"
        table.add_row(str(entry.id), when, *map(visible, (entry.who, entry.action, entry.subject, entry.detail)))
    Console(markup=False, emoji=False).print(table)
