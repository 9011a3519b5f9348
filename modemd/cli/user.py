import click

from modemd.cli.common import now, open_database, settings_option
from modemd.config import Settings
from modemd.store import staff


@click.group()
def user() -> None:
    """People who sign in to the panel."""


@user.command()
@click.argument("name")
@click.option("--role", type=click.Choice([str(role) for role in staff.Role]), required=True)
@settings_option
def add(name: str, role: str, settings: Settings) -> None:
    """Add a person and print a one-time password, to be changed at the first sign-in.

    \b
    modemd user add elena --role technician -c modemd.toml
    """
    with open_database(settings).begin() as connection:
        click.echo(staff.add(connection, name, staff.Role(role), now()))
