"""The `modemd` command. Each group's module is imported when it is called: `modemd explain` needs no database."""

import importlib
import logging
import sys

import click

from modemd import logs
from modemd.errors import ModemdError

log = logging.getLogger(__name__)

COMMANDS = {
    "audit": "modemd.cli.audit:audit",
    "bench": "modemd.cli.bench:bench",
    "customer": "modemd.cli.customer:customer",
    "db": "modemd.cli.db:db",
    "demo": "modemd.cli.demo:demo",
    "doctor": "modemd.cli.doctor:doctor",
    "doubt": "modemd.cli.doubt:doubt",
    "explain": "modemd.cli.explain:explain",
    "failed": "modemd.cli.failed:failed",
    "file": "modemd.cli.file:file",
    "import": "modemd.cli.customers:import_",
    "kep": "modemd.cli.kep:kep",
    "line": "modemd.cli.line:line",
    "messages": "modemd.cli.messages:messages",
    "modem": "modemd.cli.modem:modem",
    "outage": "modemd.cli.outage:outage",
    "pdu": "modemd.cli.pdu:pdu",
    "plan": "modemd.cli.plan:plan",
    "register": "modemd.cli.customers:register",
    "reminders": "modemd.cli.reminders:reminders",
    "report": "modemd.cli.report:report",
    "retention": "modemd.cli.retention:retention",
    "run": "modemd.cli.run:run",
    "send": "modemd.cli.messages:send",
    "sending": "modemd.cli.sending:sending",
    "setup": "modemd.cli.setup:setup",
    "sim": "modemd.cli.sim:sim",
    "sim-fault": "modemd.cli.sim:sim_fault",
    "sim-load": "modemd.cli.sim_load:sim_load",
    "sim-phone": "modemd.cli.sim:sim_phone",
    "sim-text": "modemd.cli.sim:sim_text",
    "status": "modemd.cli.status:status",
    "texts": "modemd.cli.texts:texts",
    "token": "modemd.cli.token:token",
    "unread": "modemd.cli.unread:unread",
    "user": "modemd.cli.user:user",
    "ussd": "modemd.cli.modem:ussd",
    "web": "modemd.cli.run:web",
}


class LazyGroup(click.Group):
    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module, name = COMMANDS[cmd_name].split(":")
        command: click.Command = getattr(importlib.import_module(module), name)
        return command


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="modemd")
@click.option(
    "--log-level",
    type=click.Choice(["debug", "info", "warning", "error"]),
    default="info",
    show_default=True,
    help="What goes to stderr. Only debug shows what modems say.",
)
def cli(log_level: str) -> None:
    """An SMS server that drives a bank of GSM modems.

    First look, with no hardware and nothing to set up:

        modemd demo
    """
    logs.begin(log_level.upper())


def main() -> None:
    """Run the command line. Exit status 0 good, 1 failed, 2 misuse."""
    try:
        cli()
    except ModemdError as error:
        click.echo(f"modemd: {error}", err=True)
        sys.exit(1)
    except OSError as error:
        if error.filename is None:
            raise
        log.debug("traceback", exc_info=True)
        click.echo(f"modemd: {error.filename} cannot be used: {error.strerror}.", err=True)
        sys.exit(1)
