from datetime import datetime
from pathlib import Path

import click
from rich.console import Console

from modemd.cli import common
from modemd.cli.common import json_option, moment, now, open_database, print_json, settings_option
from modemd.cli.reminders import actor, by_option, found, run_argument, show_list, show_status
from modemd.config import Settings
from modemd.errors import InputRefused
from modemd.service import campaigns, outages
from modemd.store import database
from modemd.store.schema import CampaignKind

LARGEST = 4_000_000  # octets of a list: more than all metering points of a supplier


@click.group()
def outage() -> None:
    """Planned outages: tell those with consent at the metering points, and tell them when one is called off.

    \b
    modemd outage announce --file points.txt --from 2026-12-02T09:00 --to 2026-12-02T14:00
    modemd outage cancel 7
    """


@outage.command()
@click.option("--file", "path", type=click.Path(path_type=Path), help="Metering points, one a line or with blanks.")
@click.option("--points", help="The same, pasted.")
@click.option("--from", "begins", required=True, metavar="TIME", callback=moment, help="ISO 8601, in Sofia.")
@click.option("--to", "ends", required=True, metavar="TIME", callback=moment, help="The same.")
@click.option("--text", default="", help="What the network company adds, in Bulgarian or English.")
@click.option("--yes", is_flag=True, help="Do not ask, as at a terminal it does.")
@by_option
@settings_option
@json_option
def announce(
    path: Path | None,
    points: str | None,
    begins: datetime,
    ends: datetime,
    text: str,
    yes: bool,
    by: str | None,
    settings: Settings,
    as_json: bool,
) -> None:
    """Tell the customers of these metering points when they will have no power. All points must be known.

    \b
    modemd outage announce --file points.txt --from 2026-12-02T09:00 --to 2026-12-02T14:00 --text "Remont"
    modemd outage announce --points "32Z1234567890123 32Z…" --from 2026-12-02T09:00 --to 2026-12-02T14:00 --yes
    """
    if (path is None) == (points is None):
        raise click.UsageError("Give --file or --points.")
    given = outages.read(points if points is not None else _read(path), begins, ends, text, now())
    engine = open_database(settings)
    with database.reading(engine) as connection:
        made = outages.prepare(connection, given, settings)
    counted = f"{len(made.recipients)} phones of {made.customers} customers, {made.parts} parts"
    if not as_json:
        console = Console()
        console.print(f"{len(given.points)} metering points, {counted}", markup=False)
        for sample in made.samples:
            console.print(f"  {sample}", markup=False, highlight=False)
    if not yes and common.at_terminal():
        click.confirm("Send it?", abort=True, err=True)
    with database.writing(engine) as connection:
        campaign_id = outages.announce(connection, made, actor(connection, by), now())
    if as_json:
        counts = {"points": len(given.points), "customers": made.customers, "recipients": len(made.recipients)}
        print_json({"campaign": campaign_id, **counts, "parts": made.parts, "samples": made.samples})
    else:
        click.echo(f"Announcement {campaign_id} is on its way. To call it off: modemd outage cancel {campaign_id}")


@outage.command()
@click.argument("announcement", type=int)
@by_option
@settings_option
def cancel(announcement: int, by: str | None, settings: Settings) -> None:
    """Call an outage off: nobody else is told of it, and whoever was told hears that it does not take place.

    \b
    modemd outage cancel 7 -c modemd.toml
    """
    with database.writing(open_database(settings)) as connection:
        second = outages.call_off(connection, announcement, actor(connection, by), settings, now())
    if second is None:
        click.echo(f"Announcement {announcement} is called off before anybody was told.")
    else:
        click.echo(f"Announcement {announcement} is called off; campaign {second} tells those who know of it.")


@outage.command()
@run_argument
@by_option
@settings_option
def pause(run: int | None, by: str | None, settings: Settings) -> None:
    """Tell nobody else for the moment.

    \b
    modemd outage pause 7 -c modemd.toml
    """
    with database.writing(open_database(settings)) as connection:
        run = found(connection, run, CampaignKind.OUTAGE)
        campaigns.pause(connection, run, actor(connection, by), now())
    click.echo(f"Announcement {run} is paused. To go on: modemd outage resume {run}")


@outage.command()
@run_argument
@by_option
@settings_option
def resume(run: int | None, by: str | None, settings: Settings) -> None:
    """Go on telling.

    \b
    modemd outage resume 7 -c modemd.toml
    """
    with database.writing(open_database(settings)) as connection:
        run = found(connection, run, CampaignKind.OUTAGE)
        campaigns.resume(connection, run, actor(connection, by), settings, now())
    click.echo(f"Announcement {run} goes on.")


@outage.command()
@run_argument
@settings_option
@json_option
def status(run: int | None, settings: Settings, as_json: bool) -> None:
    """How far an announcement is.

    \b
    modemd outage status -c modemd.toml
    """
    show_status(run, CampaignKind.OUTAGE, settings, as_json)


@outage.command(name="list")
@settings_option
@json_option
def list_(settings: Settings, as_json: bool) -> None:
    """The newest announcements.

    \b
    modemd outage list -c modemd.toml
    """
    show_list(CampaignKind.OUTAGE, settings, as_json)


def _read(path: Path | None) -> str:
    """Raises InputRefused for what is no short text file."""
    assert path is not None  # noqa: S101 -- the caller has looked
    try:
        if path.stat().st_size > LARGEST:
            raise InputRefused(name=path.name, reason=f"it has more than {LARGEST // 1_000_000} MB")
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InputRefused(name=path.name, reason=str(error)) from error
