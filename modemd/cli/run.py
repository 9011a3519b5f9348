import asyncio

import click

from modemd.cli.common import open_database, settings_option
from modemd.config import Settings


@click.command()
@settings_option
def run(settings: Settings) -> None:
    """The daemon: drives the modems until SIGTERM or Ctrl-C; then finishes what is in the air and stops.

    \b
    modemd run -c /etc/modemd/modemd.toml
    """
    from modemd import daemon  # the panel's process does not load the modem layer

    asyncio.run(daemon.run(settings))


@click.command()
@settings_option
def web(settings: Settings) -> None:
    """The panel for technicians, the portal for customers, or both ([web] serve); prints the address when it answers.

    \b
    modemd web -c /etc/modemd/modemd.toml
    """
    from modemd import demo
    from modemd.sim.control import SimulatedPhones
    from web.app import create_app
    from web.portal.app import create_app as create_portal
    from web.serve import serve, together

    open_database(settings).dispose()
    bank = settings.web.simulated_bank
    phones = SimulatedPhones(bank, [*demo.PHONES, demo.STRANGER]) if bank else None
    panel = create_app(settings, phones=phones) if "panel" in settings.web.serve else None
    portal = create_portal(settings) if "portal" in settings.web.serve else None
    serve(together(panel, portal), settings, lambda url: click.echo(url))
