from dataclasses import asdict

import click

from modemd.cli.common import json_option, print_json
from modemd.plan import MULTIPLES, Load
from modemd.plan import plan as planned


@click.command()
@click.option("--recipients", type=click.IntRange(min=0), required=True)
@click.option("--parts", type=click.IntRange(min=1), default=1, show_default=True, help="Of each message.")
@click.option("--modems", type=click.IntRange(min=1), required=True)
@click.option(
    "--seconds", type=click.FloatRange(min=0), default=4.0, show_default=True, help="That a modem needs for a part."
)
@click.option("--per-minute", type=click.IntRange(min=0), default=10, show_default=True, help="Parts a SIM; 0: no cap.")
@click.option("--per-day", type=click.IntRange(min=0), default=1000, show_default=True, help="The same for a day.")
@click.option(
    "--hours-a-day", type=click.FloatRange(0, 24, min_open=True), default=10.0, show_default=True, help="Of the window."
)
@click.option(
    "--reserve",
    type=click.FloatRange(0, 100, max_open=True),
    default=10.0,
    show_default=True,
    help="% for answers only.",
)
@json_option
def plan(
    recipients: int,
    parts: int,
    modems: int,
    seconds: float,
    per_minute: int,
    per_day: int,
    hours_a_day: float,
    reserve: float,
    as_json: bool,
) -> None:
    """How long it takes to write to so many people, what sending waits for, and how many modems would do it in a day.

    \b
    modemd plan --recipients 6750 --parts 1 --modems 3 --seconds 4
    """
    load = Load(recipients, parts, modems, seconds, per_minute, per_day, hours_a_day, reserve)
    if as_json:
        print_json(asdict(load) | asdict(planned(load)))
        return
    for multiple in MULTIPLES:
        of = load.times(multiple)
        found = planned(of)
        click.echo(
            f"{of.recipients:,} recipients, {found.total_parts:,} parts:"
            f" {found.hours:,.1f} h of sending on {modems} modems ({found.parts_a_second:,.2f} parts/s),"
            f" done on day {found.days}; it waits for: {found.limited_by}."
        )
        instead = "use SMPP instead" if found.smpp else f"{found.hosts_for_a_day} hosts"
        click.echo(f"  in one day: {found.modems_for_a_day:,} modems, {instead}")
