from datetime import timedelta

import click

from modemd.cli.common import now, open_database, settings_option
from modemd.config import Settings
from modemd.store import database
from modemd.store import doubt as held


@click.group()
def doubt() -> None:
    """Decide about held messages: the network may have taken them, and nobody knows.

    \b
    modemd messages -c modemd.toml --state held
    """


@doubt.command()
@click.argument("message_ids", metavar="MESSAGE_ID...", nargs=-1, required=True, type=int)
@settings_option
def resend(message_ids: tuple[int, ...], settings: Settings) -> None:
    """Send held messages once more; whoever got one gets it twice.

    \b
    modemd doubt resend 17 18 -c modemd.toml
    """
    validity = {name: timedelta(hours=kind.validity_hours) for name, kind in settings.kinds}
    with database.writing(open_database(settings)) as connection:
        held.resend(connection, message_ids, now(), validity)
    click.echo(f"{len(set(message_ids))} back in the queue.")


@doubt.command()
@click.argument("message_ids", metavar="MESSAGE_ID...", nargs=-1, required=True, type=int)
@settings_option
def drop(message_ids: tuple[int, ...], settings: Settings) -> None:
    """Leave held messages as they are; they become cancelled.

    \b
    modemd doubt drop 17 18 -c modemd.toml
    """
    with database.writing(open_database(settings)) as connection:
        held.drop(connection, message_ids, now())
    click.echo(f"{len(set(message_ids))} cancelled.")
