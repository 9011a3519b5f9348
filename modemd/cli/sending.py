import click

from modemd.cli.common import now, open_database, settings_option
from modemd.config import Settings
from modemd.store import database, switch
from modemd.store.switch import Allowed


@click.command()
@click.argument("allowed", type=click.Choice([str(each) for each in Allowed]))
@settings_option
def sending(allowed: str, settings: Settings) -> None:
    """Switch sending off or on, for every daemon on this database at once.

    \b
    modemd sending none       nothing leaves any more, but what a modem has in hand at this moment
    modemd sending answers    only answers and codes leave
    modemd sending all        everything leaves
    """
    with database.writing(open_database(settings)) as connection:
        before = switch.sending(connection).allowed
        switch.allow(connection, Allowed(allowed), now())
    click.echo(f"sending: {before} -> {allowed}")
