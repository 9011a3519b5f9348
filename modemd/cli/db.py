import click

from modemd.cli.common import settings_option
from modemd.config import Settings
from modemd.store import database


@click.group()
def db() -> None:
    """Look after the database."""


@db.command()
@settings_option
def upgrade(settings: Settings) -> None:
    """Create the database, or bring it to this program's revision.

    \b
    modemd db upgrade -c /etc/modemd/modemd.toml
    """
    engine = database.connect(settings.database.url)
    before, after = database.upgrade(engine)
    click.echo(
        f"The database is at revision {after}." if before == after else f"Revision {before or 'none'} -> {after}."
    )
