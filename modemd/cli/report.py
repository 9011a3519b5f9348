from collections.abc import Mapping
from datetime import date, datetime

import click
from rich.bar import Bar
from rich.console import Console
from rich.table import Column, Table
from rich.text import Text

from modemd import reports, spreadsheets
from modemd.cli.common import json_option, now, open_database, print_json, settings_option
from modemd.config import SOFIA, Settings
from modemd.errors import PeriodRefused
from modemd.reports import Period, Report
from modemd.store import database

BAR = 30  # columns


def _day(_ctx: click.Context, _param: click.Parameter, written: str | None) -> date | None:
    if written is None:
        return None
    for form in ("%Y-%m-%d", "%d.%m.%Y"):
        try:
            return datetime.strptime(written, form).date()  # noqa: DTZ007 -- a day has no zone
        except ValueError:
            continue
    raise click.BadParameter(f"{written!r} is no day; write it as 2026-11-23 or 23.11.2026")


@click.command()
@click.option("--from", "first", metavar="DAY", callback=_day, help="The first day. Default: the first of this month.")
@click.option("--to", "last", metavar="DAY", callback=_day, help="The last day, included. Default: today.")
@click.option("--csv", "as_csv", is_flag=True, help="A table for a spreadsheet program on stdout, nothing else.")
@settings_option
@json_option
def report(first: date | None, last: date | None, as_csv: bool, settings: Settings, as_json: bool) -> None:
    """The figures of the service for a period of days in Sofia.

    \b
    modemd report -c modemd.toml
    modemd report -c modemd.toml --from 2026-01-01 --to 2026-08-25
    modemd report -c modemd.toml --from 01.10.2026 --to 31.10.2026 --csv > october.csv
    """
    if as_csv and as_json:
        raise click.UsageError("Give --csv or --json, not both.")
    today = now().astimezone(SOFIA).date()
    try:
        last = last or max(today, first or today)
        period = Period(first or last.replace(day=1), last)
    except PeriodRefused as error:
        raise click.UsageError(str(error)) from error
    with database.reading(open_database(settings)) as connection:
        found = reports.report(connection, period)
    if as_json:
        print_json(found.as_dict())
    elif as_csv:
        click.echo(spreadsheets.csv_text(("figure", "of", "value"), found.rows()), nl=False)
    else:
        _show(found, Console())


def _show(found: Report, console: Console) -> None:
    registrations, messages, waited = found.registrations, found.messages, found.answer_seconds
    console.print(f"{found.period.first:%d.%m.%Y} – {found.period.last:%d.%m.%Y}", style="bold")
    console.print(f"{_number(registrations.active)} active registrations, {_number(registrations.new)} new")
    console.print(_chart("service", registrations.by_service))
    console.print(_chart("new, by channel", registrations.by_channel))
    console.print(f"{_number(messages.total)} messages")
    console.print(_chart("kind", messages.by_kind, messages.shares))
    console.print(_chart("reminders", found.reminders_per_month))
    console.print(_chart("customers who checked", found.checking_customers_per_month))
    console.print(_chart("parts, by line", found.parts_per_line))
    rate = "–" if found.delivery_rate is None else f"{found.delivery_rate:.1%}"
    console.print(f"Delivered: {rate}")
    console.print(f"From question to answer: {_seconds(waited.p50)} (median), 95 % within {_seconds(waited.p95)}")


def _chart(title: str, counts: Mapping[str, int], shares: Mapping[str, float] | None = None) -> Table:
    """One bar for each count, as long as its part of the longest."""
    table = Table(title, Column(justify="right"), "", Column(justify="right"), box=None, pad_edge=False)
    most = max(counts.values(), default=0)
    for name, count in counts.items():
        share = "" if shares is None else f"{shares[name]:.1%}"
        table.add_row(Text(name), _number(count), Bar(most or 1, 0, count, width=BAR), share)
    return table


def _number(count: int) -> str:
    return f"{count:,}".replace(",", "\N{NARROW NO-BREAK SPACE}")


def _seconds(seconds: float | None) -> str:
    return "–" if seconds is None else f"{seconds:.1f} s"
