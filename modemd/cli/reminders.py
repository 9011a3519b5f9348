import json
from typing import Any

import click
from rich.console import Console
from rich.progress_bar import ProgressBar
from rich.table import Table
from sqlalchemy import Connection

from modemd.cli import common
from modemd.cli.common import json_option, now, open_database, person, print_json, settings_option
from modemd.config import SOFIA, Settings
from modemd.errors import Because, CampaignRefused
from modemd.service import campaigns
from modemd.service.campaigns import Actor, Standing
from modemd.service.reminders import preview as previews
from modemd.service.reminders.forecast import Forecast
from modemd.service.reminders.rules import Reason
from modemd.store import campaigns as store
from modemd.store import database, staff
from modemd.store.campaigns import Campaign
from modemd.store.schema import CampaignKind, CampaignState

WORDS = {reason.key: reason.value for reason in Reason}
by_option = click.option("--by", metavar="NAME", help="Who does it: a user of the panel.")
run_argument = click.argument("run", type=int, required=False)


def actor(connection: Connection, name: str | None) -> Actor:
    """Who acts: with the role that he has in the panel, or as whoever sits at this machine, who has none."""
    if name is None:
        return Actor(person(), None)
    known = staff.named(connection, name)
    return Actor(staff.tidy(name), known.role if known else None)


def found(connection: Connection, run: int | None, kind: CampaignKind) -> int:
    """The campaign named, or the one that people mean when they name none. Raises CampaignRefused."""
    if run is not None:
        return run
    current = campaigns.current(connection, kind)
    if current is None:
        raise CampaignRefused(what="It", reason=Because("there is none yet"))
    return current.id


@click.group()
def reminders() -> None:
    """Reminders of overdue invoices, before supply is cut.

    One person previews a run, a second one (a manager) approves it, and somebody other than him starts it:

    \b
    modemd reminders preview --by elena
    modemd reminders approve --by boris
    modemd reminders start --by elena
    modemd reminders status

    RUN is the number of a run; without it the one that runs is meant, or else the newest.
    """


@reminders.command()
@by_option
@settings_option
@json_option
def preview(by: str | None, settings: Settings, as_json: bool) -> None:
    """Count who would be reminded and why the others are not, and forecast the end. Nothing is sent.

    \b
    modemd reminders preview -c modemd.toml
    modemd reminders preview -c modemd.toml --json
    """
    engine, at = open_database(settings), now()
    with database.reading(engine) as connection:
        made = previews.preview(connection, settings, at)
    run = None
    if made.recipients:
        with database.writing(engine) as connection:
            run = previews.propose(connection, made, settings, actor(connection, by).name, at)
    facts = {"campaign": run, "data_at": made.data.at, "fingerprint": made.fingerprint, **made.figures()}
    if as_json:
        print_json({**facts, "forecast": _forecast(made.forecast)})
        return
    _show_figures(facts)
    _show_forecast(made.forecast)
    if run is None:
        click.echo("Nobody is to be reminded.")
    elif settings.reminders.two_people:
        click.echo(f"A manager other than you approves it with: modemd reminders approve {run} --by NAME")
    else:
        click.echo(f"To send it: modemd reminders start {run}")


@reminders.command()
@run_argument
@by_option
@settings_option
def approve(run: int | None, by: str | None, settings: Settings) -> None:
    """Approve a previewed run, as a manager who has not previewed it.

    \b
    modemd reminders approve 7 --by boris -c modemd.toml
    """
    with database.writing(open_database(settings)) as connection:
        run = found(connection, run, CampaignKind.REMINDER)
        campaigns.approve(connection, run, actor(connection, by), settings, now())
    click.echo(f"Run {run} is approved. Somebody else starts it with: modemd reminders start {run}")


@reminders.command()
@run_argument
@click.option("--recipients", type=int, help="How many people it goes to; asked for at a terminal.")
@by_option
@settings_option
def start(run: int | None, recipients: int | None, by: str | None, settings: Settings) -> None:
    """Start an approved run. Its messages leave while the sending window is open.

    \b
    modemd reminders start 7 --recipients 6750 --by elena -c modemd.toml
    """
    engine = open_database(settings)
    with database.reading(engine) as connection:
        run = found(connection, run, CampaignKind.REMINDER)
        known = store.get(connection, run).recipients
    if recipients is None:
        asked = f"How many people does run {run} go to? Type their number"
        recipients = click.prompt(asked, type=int, err=True) if common.at_terminal() else known
    with database.writing(engine) as connection:
        campaigns.start(connection, run, recipients, actor(connection, by), settings, now())
    click.echo(f"Run {run} has started. Watch it with: modemd reminders status {run}")


@reminders.command()
@run_argument
@click.option("--reason", default="", help="Shown to whoever looks at it.")
@by_option
@settings_option
def pause(run: int | None, reason: str, by: str | None, settings: Settings) -> None:
    """Stop a run at once; only what a modem has in hand at this moment still leaves.

    \b
    modemd reminders pause -c modemd.toml --reason "the amounts look wrong"
    """
    with database.writing(open_database(settings)) as connection:
        run = found(connection, run, CampaignKind.REMINDER)
        back = campaigns.pause(connection, run, actor(connection, by), now(), reason)
    click.echo(f"Run {run} is paused; {back} messages went back. To go on: modemd reminders resume {run}")


@reminders.command()
@run_argument
@by_option
@settings_option
def resume(run: int | None, by: str | None, settings: Settings) -> None:
    """Go on with a paused run where it stopped.

    \b
    modemd reminders resume --by elena -c modemd.toml
    """
    with database.writing(open_database(settings)) as connection:
        run = found(connection, run, CampaignKind.REMINDER)
        campaigns.resume(connection, run, actor(connection, by), settings, now())
    click.echo(f"Run {run} goes on.")


@reminders.command()
@run_argument
@by_option
@settings_option
def cancel(run: int | None, by: str | None, settings: Settings) -> None:
    """End a run for good. Whoever has not been reminded may be in the next one.

    \b
    modemd reminders cancel 7 --by elena -c modemd.toml
    """
    with database.writing(open_database(settings)) as connection:
        run = found(connection, run, CampaignKind.REMINDER)
        spared = campaigns.cancel(connection, run, actor(connection, by), settings, now())
    click.echo(f"Run {run} is cancelled; {spared} people get nothing from it.")


@reminders.command()
@run_argument
@settings_option
@json_option
def status(run: int | None, settings: Settings, as_json: bool) -> None:
    """How far a run is, what was skipped and why, and when it will be through.

    \b
    modemd reminders status -c modemd.toml
    modemd reminders status 7 --json -c modemd.toml
    """
    show_status(run, CampaignKind.REMINDER, settings, as_json)


@reminders.command(name="list")
@settings_option
@json_option
def list_(settings: Settings, as_json: bool) -> None:
    """The newest runs.

    \b
    modemd reminders list -c modemd.toml
    """
    show_list(CampaignKind.REMINDER, settings, as_json)


def show_status(run: int | None, kind: CampaignKind, settings: Settings, as_json: bool) -> None:
    """Print a campaign and how far it is."""
    with database.reading(open_database(settings)) as connection:
        if run is None and campaigns.current(connection, kind) is None:
            if as_json:
                print_json({"campaign": None})
            else:
                click.echo("There is none yet.")
            return
        standing = campaigns.standing(connection, found(connection, run, kind), settings, now())
    if as_json:
        print_json(_as_json(standing))
        return
    done, of_it = standing.progress, standing.campaign
    console = Console()
    console.print(f"{of_it.kind} {of_it.id}: {of_it.state}{f', {of_it.reason}' if of_it.reason else ''}", markup=False)
    if of_it.state not in (CampaignState.PROPOSED, CampaignState.APPROVED, CampaignState.VOID):
        console.print(ProgressBar(total=of_it.recipients, completed=of_it.recipients - done.open, width=60))
    for state, count in sorted(done.by_state.items()):
        console.print(f"  {count:>7} {state}", markup=False)
    for reason, count in sorted(done.skipped.items()):
        console.print(f"  {count:>7} not sent: {reason}", markup=False)
    if standing.forecast is not None:
        _show_forecast(standing.forecast)


def show_list(kind: CampaignKind, settings: Settings, as_json: bool) -> None:
    """Print the newest campaigns of a kind."""
    with database.reading(open_database(settings)) as connection:
        rows = store.newest(connection, kind)
    if as_json:
        print_json([_facts(row) for row in rows])
        return
    table = Table("id", "state", "people", "parts", "started", "made, approved, started by")
    for row in rows:
        started = f"{row.started_at.astimezone(SOFIA):%d.%m.%Y %H:%M}" if row.started_at else ""
        people = ", ".join(name or "–" for name in (row.created_by, row.approved_by, row.started_by))
        table.add_row(str(row.id), row.state, str(row.recipients), str(row.parts), started, people)
    Console().print(table, markup=False)


def _facts(row: Campaign) -> dict[str, Any]:
    names = ("kind", "state", "reason", "recipients", "parts", "data_at", "begins_at", "ends_at", "calls_off")
    people = ("created_by", "created_at", "approved_by", "approved_at", "started_by", "started_at", "finished_at")
    return {"campaign": row.id, **{name: getattr(row, name) for name in (*names, *people)}}


def _as_json(standing: Standing) -> dict[str, Any]:
    done = standing.progress
    return {
        **_facts(standing.campaign),
        "preview": json.loads(standing.campaign.figures),
        "by_state": dict(done.by_state),
        "open": done.open,
        "told": done.told,
        "skipped": dict(done.skipped),
        "forecast": None if standing.forecast is None else _forecast(standing.forecast),
    }


def _forecast(of: Forecast) -> dict[str, Any]:
    last_day = of.last_day.isoformat() if of.last_day else None
    facts = {"parts": of.parts, "finish_at": of.finish_at, "days": of.days}
    return {**facts, "late_parts": of.late_parts, "last_day": last_day, "in_time": of.late_parts == 0}


def _show_figures(facts: dict[str, Any]) -> None:
    console = Console()
    at = facts["data_at"].astimezone(SOFIA)
    table = Table("rows of billing's data", "", title=f"Data of {at:%d.%m.%Y %H:%M}", title_justify="left")
    table.add_row("to be reminded of", str(facts["items"]))
    for key, count in facts["left_out"].items():
        table.add_row(f"left out: {WORDS[key]}", str(count))
    table.add_section()
    table.add_row("in all", str(facts["file"]))
    console.print(table)
    languages = ", ".join(f"{count} {language}" for language, count in facts["languages"].items())
    console.print(f"{facts['recipients']} people ({languages or 'nobody'}), {facts['parts']} parts", markup=False)
    for sample in facts["samples"]:
        console.print(f"  {sample['text']}", markup=False, highlight=False)


def _show_forecast(of: Forecast) -> None:
    if of.finish_at is None:
        click.echo("No line can send at this moment, so there is no telling when it will be through.")
    else:
        end = f"{of.finish_at.astimezone(SOFIA):%d.%m.%Y %H:%M}"
        click.echo(f"Through on {end}, after {of.days} days of sending, if all lines keep on as they are.")
    if of.late_parts and of.last_day:
        click.echo(
            f"Too late: {of.late_parts} parts would leave less than 3 working days before the cut-off"
            f" (the first must be out on {of.last_day:%d.%m.%Y}), and will be skipped."
        )
