import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING

import click

from modemd.cli.common import open_database, settings_option
from modemd.config import Settings

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication


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
    """The panel, the portal for customers, the API for programs ([web] serve); prints the address when it answers.

    \b
    modemd web -c /etc/modemd/modemd.toml
    """
    from modemd import demo
    from modemd.sim.control import SimulatedPhones
    from web.api.app import create_app as create_api
    from web.app import create_app
    from web.portal.app import create_app as create_portal
    from web.serve import serve, together

    open_database(settings).dispose()
    bank = settings.web.simulated_bank
    phones = SimulatedPhones(bank, [*demo.PHONES, demo.STRANGER]) if bank else None
    make: dict[str, Callable[[], WSGIApplication]] = {
        "panel": lambda: create_app(settings, phones=phones),
        "portal": lambda: create_portal(settings),
        "api": lambda: create_api(settings),
    }
    apps: dict[str, WSGIApplication] = {name: make[name]() for name in settings.web.serve}
    serve(together(apps), settings, lambda url: click.echo(url))
