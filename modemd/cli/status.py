import json
from dataclasses import asdict
from typing import Any

import click
from rich.console import Console
from rich.table import Table

from modemd.cli.common import json_option, now, open_database, print_json, settings_option
from modemd.config import SOFIA, Settings
from modemd.modem.models import model_of
from modemd.store import alerts, lines, listing, switch
from modemd.store.switch import Allowed

SWITCHED_OFF = {
    Allowed.ANSWERS: "Only answers are sent; everything else waits. To send again: modemd sending all",
    Allowed.NONE: "Nothing is sent. To send again: modemd sending all",
}


@click.command()
@settings_option
@json_option
def status(settings: Settings, as_json: bool) -> None:
    """The modems of the bank, what waits in the queue, what is wrong, and whether sending is switched off.

    \b
    modemd status -c modemd.toml
    modemd status -c modemd.toml --json
    """
    at = now()
    midnight = at.astimezone(SOFIA).replace(hour=0, minute=0, second=0, microsecond=0)
    with open_database(settings).connect() as connection:
        modems = [_with_source(modem) for modem in lines.overview(connection, midnight)]
        outbox, inbox = listing.counts(connection)
        allowed = switch.sending(connection).allowed
        wrong = [asdict(alert) for alert in alerts.standing(connection)]
    report = {"modems": modems, "outbox": dict(outbox), "inbox": dict(inbox), "sending": allowed, "alerts": wrong}
    if as_json:
        print_json(report)
    else:
        _show(report)


def _with_source(modem: lines.ModemOverview) -> dict[str, Any]:
    """`model_source`: where what we know of its model was read; null: nowhere, or the modem has not told its model yet.
    `model_doubt`: what of it is unverified; null: nothing.

    `ports`: those of its stick, which one is taken and why the others are not; empty where it shows one.
    """
    known = model_of(modem.manufacturer, modem.model)
    told = asdict(modem)
    del told["cause"]  # the panel's: `reason` says the same
    return {
        **told,
        "ports": json.loads(modem.ports or "[]"),
        "model_source": known.source or None,
        "model_doubt": known.doubt,
    }


def _show(report: dict[str, Any]) -> None:
    console = Console(markup=False, emoji=False)  # what modems and settings are called says nothing of colours
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
    doubts = {(modem["model"], modem["model_doubt"]) for modem in report["modems"] if modem["model"]}
    for model, doubt in sorted((model, doubt) for model, doubt in doubts if doubt):
        console.print(f"{model}: an unverified model: {doubt}")
    for modem in report["modems"]:
        for port in modem["ports"]:
            left = "taken" if port["chosen"] else "left alone"
            console.print(f"{modem['name']}: {port['port']} is {left}: {port['why']}")
    for alert in report["alerts"]:
        at = alert["raised_at"].astimezone(SOFIA)
        console.print(f"! {alert['name']}: {alert['text']} (since {at:%d.%m. %H:%M})")
    if report["sending"] != Allowed.ALL:
        console.print(SWITCHED_OFF[report["sending"]])
    for box in ("outbox", "inbox"):
        waiting = ", ".join(f"{count} {state}" for state, count in report[box].items() if count)
        console.print(f"{box}: {waiting or 'empty'}")
