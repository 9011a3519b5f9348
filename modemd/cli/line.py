from dataclasses import asdict
from typing import Any

import click
from rich.console import Console
from rich.table import Table

from modemd import quota
from modemd.cli.common import json_option, now, open_database, print_json, settings_option
from modemd.config import Limits, Settings
from modemd.store import database, rules
from modemd.store.rules import LineOverview

DEFAULT = "default"


def _limit(_ctx: click.Context, _param: click.Parameter, value: str | None) -> int | str | None:
    if value is None or value == DEFAULT:
        return value
    if not value.isdecimal():
        raise click.BadParameter("give a number of parts, 0 for no limit, or default")
    return int(value)


@click.group()
def line() -> None:
    """The lines: SIMs, their names and what they may send. LINE is a name, an ICCID or the line's own number."""


@line.command(name="list")
@settings_option
@json_option
def list_(settings: Settings, as_json: bool) -> None:
    """Every SIM that was ever seen, its limits and what it has sent.

    \b
    modemd line list -c modemd.toml
    """
    at = now()
    with database.reading(open_database(settings)) as connection:
        found = rules.overview(connection, quota.day_start(at), quota.month_start(at))
    shown = [_shown(each, settings) for each in found]
    if as_json:
        print_json(shown)
        return
    table = Table(
        "line", "state", "number", "ICCID", "a minute", "a day", "a month", "today", "this month", "prefers", "port"
    )
    for row in shown:
        limits = [str(row[key] or "no limit") for key in Limits._fields]
        known = (row["number"] or "", row["iccid"] or "", *limits, str(row["sent_today"]), str(row["sent_this_month"]))
        table.add_row(row["name"], row["state"], *known, " ".join(row["prefixes"]), row["port"] or "")
    Console().print(table, markup=False)


def _shown(each: LineOverview, settings: Settings) -> dict[str, Any]:
    rule = each.rule
    limits = settings.limits_of(each.port or "", each.imei, rule.iccid)
    limits = limits.but(rule.per_minute, rule.per_day, rule.per_month)
    state = "waits" if not rule.adopted else "new" if rule.new else "adopted"
    known = {"name": rule.name, "number": rule.number, "iccid": rule.iccid, "prefixes": rule.prefixes}
    shown = {**known, "state": state, **limits._asdict()}
    return shown | {key: value for key, value in asdict(each).items() if key != "rule"}


@line.command()
@click.argument("lines", metavar="LINE...", nargs=-1, required=True)
@settings_option
def adopt(lines: tuple[str, ...], settings: Settings) -> None:
    """Let new SIMs send, and mark them as seen.

    \b
    modemd line adopt gsm3 -c modemd.toml
    """
    with database.writing(open_database(settings)) as connection:
        for who in lines:
            rules.adopt(connection, rules.find(connection, who).line_id, now())
    click.echo(f"adopted: {', '.join(lines)}")


@line.command()
@click.argument("who", metavar="LINE")
@click.argument("name")
@settings_option
def rename(who: str, name: str, settings: Settings) -> None:
    """Give a line a name; it wins over the one in the settings file.

    \b
    modemd line rename gsm3 "A1 first" -c modemd.toml
    """
    if not 0 < len(name) <= 64:
        raise click.BadParameter("a name has 1 to 64 characters", param_hint="NAME")
    with database.writing(open_database(settings)) as connection:
        rules.rename(connection, rules.find(connection, who).line_id, name)
    click.echo(f"{who} is called {name}.")


@line.command(name="set")
@click.argument("who", metavar="LINE")
@click.option("--per-minute", callback=_limit, help="Parts; 0: no limit; default: as the settings say.")
@click.option("--per-day", callback=_limit, help="The same for a day.")
@click.option("--per-month", callback=_limit, help="The same for a month.")
@click.option("--number", help="The SIM's own phone number; default: forget it.")
@click.option("--prefixes", help='Send to numbers that begin so if it can: "+35988 +35989"; default: to any.')
@settings_option
def set_(who: str, settings: Settings, **given: int | str | None) -> None:
    """Set what a line may send; it wins over the settings file, and holds at once.

    \b
    modemd line set gsm3 --per-day 500 --per-month 5000 -c modemd.toml
    modemd line set gsm3 --prefixes "+35988 +35989" -c modemd.toml
    modemd line set gsm3 --per-day default -c modemd.toml
    """
    columns = {name: None if value == DEFAULT else value for name, value in given.items() if value is not None}
    if not columns:
        raise click.UsageError("Say what to set.")
    with database.writing(open_database(settings)) as connection:
        rules.change(connection, rules.find(connection, who).line_id, **columns)
    click.echo(f"{who}: set {', '.join(columns)}.")
