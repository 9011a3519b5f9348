import getpass
import time

import click
from rich.console import Console
from rich.table import Table
from sqlalchemy import Engine

from modemd.cli.common import json_option, now, open_database, print_json, settings_option
from modemd.config import Settings
from modemd.errors import ModemUnknown, WishNotAnswered, WishRefused
from modemd.store import database, glance, modems, recovery, wishes
from modemd.store.schema import WishState, WishVerb

WAIT_SECONDS = 180.0
LOOK_SECONDS = 0.1


@click.group()
def modem() -> None:
    """What a technician wants of one modem: the daemon does it and answers.

    NAME is the name of its line, its port, its IMEI or its USB path, as `modemd status` shows them.
    """


@modem.command()
@click.argument("name")
@settings_option
def pause(name: str, settings: Settings) -> None:
    """Let go of its port until `resume`, also over restarts. What is in the air is finished first."""
    click.echo(_wish(settings, name, WishVerb.PAUSE))


@modem.command()
@click.argument("name")
@settings_option
def resume(name: str, settings: Settings) -> None:
    """Use a paused modem again."""
    click.echo(_wish(settings, name, WishVerb.RESUME))


@modem.command()
@click.argument("name")
@settings_option
def restart(name: str, settings: Settings) -> None:
    """Close its port and start with it anew: a new SIM, a corrected PIN."""
    click.echo(_wish(settings, name, WishVerb.RESTART))


@modem.command()
@click.argument("name")
@settings_option
def reset(name: str, settings: Settings) -> None:
    """Let the modem itself start anew (AT+CFUN=1,1) and wait until it is back."""
    click.echo(_wish(settings, name, WishVerb.RESET))


@modem.command(name="recovery")
@settings_option
@json_option
def recovery_(settings: Settings, as_json: bool) -> None:
    """How often each rung of the recovery ladder was tried on each model, and how often it has helped."""
    with open_database(settings).connect() as connection:
        found = recovery.records(connection)
    if as_json:
        print_json([{name: getattr(each, name) for name in each.__slots__} for each in found])
        return
    table = Table("model", "rung", "tried", "helped", "seconds")
    for each in found:
        table.add_row(each.model, each.rung, str(each.tries), str(each.successes), f"{each.seconds:g}")
    Console().print(table)


@click.command()
@click.argument("name")
@click.argument("code")
@settings_option
def ussd(name: str, code: str, settings: Settings) -> None:
    """Send a USSD code through a modem and print what the operator answers.

    \b
    modemd ussd "A1 first" "*100#" -c modemd.toml
    """
    click.echo(_wish(settings, name, WishVerb.USSD, code))


def _wish(settings: Settings, name: str, verb: WishVerb, argument: str | None = None) -> str:
    """Ask, wait, and give the answer. Raises ModemUnknown, WishRefused, WishNotAnswered."""
    engine = open_database(settings)
    with database.writing(engine) as connection:
        found = modems.named(connection, name)
        if len(found) != 1:
            ports = ", ".join(each.port for each in found)
            raise ModemUnknown(name=name, reason=f"more than one has it: {ports}" if found else "none has it")
        if not any(each.running and each.name == found[0].host for each in glance.daemons(connection, now())):
            raise WishNotAnswered(name=name, reason=f"the daemon {found[0].host} is not running")
        wish_id = wishes.ask(connection, found[0].id, verb, argument, getpass.getuser(), now())
    return _wait_for(engine, wish_id, name)


def _wait_for(engine: Engine, wish_id: int, name: str) -> str:
    deadline = time.monotonic() + WAIT_SECONDS
    while time.monotonic() < deadline:
        with database.reading(engine) as connection:
            outcome = wishes.outcome(connection, wish_id)
        if outcome.state is WishState.DONE:
            return outcome.answer or ""
        if outcome.state is WishState.REFUSED:
            raise WishRefused(name=name, reason=outcome.answer)
        time.sleep(LOOK_SECONDS)
    raise WishNotAnswered(name=name, reason=f"no answer in {WAIT_SECONDS:g} s")
