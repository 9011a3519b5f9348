import click

from modemd import retention as job
from modemd.cli.common import now, open_database, settings_option
from modemd.config import Settings


@click.command()
@settings_option
def retention(settings: Settings) -> None:
    """Do now what the daemon does every night: redact and delete what is kept long enough.

    Texts of messages are kept for 12 months, imported files for 30 days, consents for 5 years after their end.
    """
    swept = job.sweep(open_database(settings), settings, now())
    swept.files = job.sweep_files(settings.daemon.data, now())
    click.echo(f"{swept}.")
