import click

from modemd.cli.common import now, open_database, settings_option
from modemd.cli.reminders import actor, by_option
from modemd.config import Settings
from modemd.service import failures
from modemd.store import database


@click.group()
def failed() -> None:
    """Decide about messages that the network or the modem refused for good.

    \b
    modemd messages -c modemd.toml --state failed
    """


@failed.command()
@click.argument("message_ids", metavar="MESSAGE_ID...", nargs=-1, required=True, type=int)
@by_option
@settings_option
def resend(message_ids: tuple[int, ...], by: str | None, settings: Settings) -> None:
    """Send their texts again as new messages; only kinds manual and api.

    \b
    modemd failed resend 17 18 -c modemd.toml
    """
    with database.writing(open_database(settings)) as connection:
        sent = failures.resend(connection, message_ids, actor(connection, by).name, settings, now())
    for old, new in sent.items():
        click.echo(f"{old} is sent again as {new}.")


@failed.command()
@click.argument("message_ids", metavar="MESSAGE_ID...", nargs=-1, required=True, type=int)
@click.option("--note", required=True, help="Why nothing more is done.")
@by_option
@settings_option
def close(message_ids: tuple[int, ...], note: str, by: str | None, settings: Settings) -> None:
    """Settle them: nothing more is done, and the note says why.

    \b
    modemd failed close 17 18 --note "asked for the right number" -c modemd.toml
    """
    with database.writing(open_database(settings)) as connection:
        failures.close(connection, message_ids, note, actor(connection, by).name, now())
    click.echo(f"{len(set(message_ids))} closed.")
