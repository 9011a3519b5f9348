from datetime import timedelta

import click

from modemd.cli.common import now, open_database, progress_bar, settings_option
from modemd.config import SOFIA, Settings
from modemd.scenarios import plans, writing


@click.command(name="sim-load")
@click.option("--scenario", type=click.Choice(["article", "year"]), required=True, help="What to write.")
@settings_option
def sim_load(scenario: str, settings: Settings) -> None:
    """Fill an empty database with invented customers and messages, the same ones each time.

    article: the published figures of 2022, from 1 January to 25 August. year: 3 million messages in the year up to
    yesterday (some 3 GB).

    \b
    modemd sim-load -c modemd.toml --scenario article
    modemd report -c modemd.toml --from 2022-01-01 --to 2022-08-25
    """
    yesterday = now().astimezone(SOFIA).date() - timedelta(days=1)
    plan = plans.article() if scenario == "article" else plans.year(yesterday)
    engine = open_database(settings)
    with progress_bar(scenario) as moved:
        writing.write(engine, plan, moved)
    click.echo(f"{plan.messages:,} messages from {plan.first} to {plan.last}, {plan.active:,} active registrations.")
