from dataclasses import asdict
from typing import Any

import click
from rich.console import Console
from rich.table import Table

from modemd.cli.common import json_option, now, open_database, print_json, settings_option
from modemd.config import SOFIA, Settings
from modemd.store import lines, listing


@click.command()
@settings_option
@json_option
def status(settings: Settings, as_json: bool) -> None:
    """The modems of the bank and what waits in the queue.

    \b
    modemd status -c modemd.toml
    modemd status -c modemd.toml --json
    """
    at = now()
    midnight = at.astimezone(SOFIA).replace(hour=0, minute=0, second=0, microsecond=0)
    with open_database(settings).connect() as connection:
        modems = [asdict(modem) for modem in lines.overview(connection, midnight)]
        outbox, inbox = listing.counts(connection)
    report = {"modems": modems, "outbox": dict(outbox), "inbox": dict(inbox)}
    if as_json:
        print_json(report)
    else:
        _show(report)


def _show(report: dict[str, Any]) -> None:
    console = Console()
    table = Table("line", "state", "operator", "signal", "sent today", "received today", "port", "why")
    for modem in report["modems"]:
        signal = "" if modem["signal_dbm"] is None else f"{modem['signal_dbm']} dBm"
        counts = (str(modem["sent_today"]), str(modem["received_today"]))
        table.add_row(
            modem["name"],
            modem["state"],
            modem["operator"] or "",
            signal,
            *counts,
            modem["port"],
            modem["reason"] or "",
        )
    console.print(table)
    if not report["modems"]:
        console.print("No modem has been seen yet. Is the daemon running (modemd run), and does [bank] ports match?")
    for box in ("outbox", "inbox"):
        waiting = ", ".join(f"{count} {state}" for state, count in report[box].items() if count)
        console.print(f"{box}: {waiting or 'empty'}")
