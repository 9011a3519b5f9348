import time
from datetime import datetime
from pathlib import Path
from typing import get_args

import click
from rich.console import Console
from rich.table import Table
from sqlalchemy import Engine

from modemd.cli.common import json_option, moment, now, open_database, print_json, settings_option, visible
from modemd.config import SOFIA, KindName, Settings
from modemd.service import compose
from modemd.store import database, intake, listing, outbox
from modemd.store.schema import InboxState, MessageState

KINDS = click.Choice(get_args(KindName))
STILL_MOVING = {MessageState.QUEUED, MessageState.SENDING, MessageState.IN_DOUBT}
GOOD = {MessageState.SENT, MessageState.DELIVERED}


@click.command()
@click.argument("to", required=False)
@click.argument("text", required=False)
@click.option("--csv", "csv_path", type=click.Path(path_type=Path, exists=True), help="Columns to,text and maybe id.")
@click.option("--kind", type=KINDS, default="manual", show_default=True)
@click.option("--at", "not_before", metavar="TIME", callback=moment, help="Not before this time (ISO 8601).")
@click.option("--wait", is_flag=True, help="Return when every message has been sent, or cannot be.")
@settings_option
def send(
    to: str | None,
    text: str | None,
    csv_path: Path | None,
    kind: KindName,
    not_before: datetime | None,
    wait: bool,
    settings: Settings,
) -> None:
    """Queue one SMS and print its id, or a CSV file of them, all or nothing.

    \b
    modemd send -c modemd.toml +359888123456 "Zdravey"
    modemd send -c modemd.toml --csv notices.csv --at 2026-11-24T09:00
    """
    if (csv_path is None) == (to is None) or (to is None) != (text is None):
        raise click.UsageError("Give TO and TEXT, or --csv FILE.")
    at = now()
    if csv_path is not None:
        with Console(stderr=True).status(f"reading {csv_path.name}") as status:
            composed = compose.read_csv(csv_path, kind, settings, at, not_before)
            engine = open_database(settings)
            status.update(f"queueing {len(composed):,} messages")
            ids = intake.enqueue_all(engine, composed, at)
    else:
        composed = [compose.message(kind, str(to), str(text), settings, at, not_before)]
        engine = open_database(settings)
        with database.writing(engine) as connection:
            ids = outbox.enqueue(connection, composed, at)
    click.echo("\n".join(map(str, ids)))
    if wait:
        raise SystemExit(0 if _wait(engine, ids) else 1)


def _wait(engine: Engine, ids: list[int]) -> bool:
    while True:
        with database.reading(engine) as connection:
            states = listing.states(connection, ids)
        if not STILL_MOVING & set(states.values()):
            for message_id, state in states.items():
                click.echo(f"{message_id}: {state}", err=True)
            return set(states.values()) <= GOOD
        time.sleep(0.2)


@click.command()
@click.option("--direction", type=click.Choice(["mo", "mt"]), help="mo: received. mt: sent by us.")
@click.option("--state", type=click.Choice([str(state) for state in (*MessageState, *InboxState)]))
@click.option("--number", help="Only to or from this number.")
@click.option("--limit", type=click.IntRange(1), default=None, help="The newest so many. Default: 50; all with --json.")
@settings_option
@json_option
def messages(
    direction: listing.Direction | None,
    state: str | None,
    number: str | None,
    limit: int | None,
    settings: Settings,
    as_json: bool,
) -> None:
    """Messages received and sent, the newest last; a long message is one row.

    \b
    modemd messages -c modemd.toml --direction mo
    modemd messages -c modemd.toml --state held --json
    """
    if limit is None and not as_json:
        limit = 50
    with database.reading(open_database(settings)) as connection:
        rows = listing.find(connection, direction=direction, state=state, number=number, limit=limit)
        if as_json:
            for row in rows:
                print_json(listing.as_dict(row))
            return
    table = Table("id", "", "number", "state", "kind", "line", "time", "text")
    for row in rows:
        arrow = "→" if row.direction == "mt" else "←"
        at = row.created_at.astimezone(SOFIA).strftime("%d.%m. %H:%M:%S")
        table.add_row(
            str(row.id), arrow, visible(row.number), row.state, row.kind or "", row.line or "", at, visible(row.text)
        )
    Console().print(table, markup=False)
