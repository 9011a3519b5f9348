"""`modemd setup`: from an installed program to running services, and back."""

from pathlib import Path

import click
from rich.console import Console

from modemd.cli.common import now
from modemd.errors import SetupRefused
from modemd.setup import steps
from modemd.setup.machine import Machine
from modemd.setup.steps import Found, Step

MARKS = {Found.MISSING: "[green]+[/] {}", Found.OTHER: "[yellow]~[/] {}  (not as this version ships it)"}


@click.command()
@click.option("--root", type=click.Path(path_type=Path), default="/", help="Set up this folder instead of the machine.")
@click.option("--admin", default="admin", show_default=True, help="The first admin's name, if there is none yet.")
@click.option("--dry-run", is_flag=True, help="Only show what would be done.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option("--remove", is_flag=True, help="Take the services away. The data stays.")
@click.option("--purge", is_flag=True, help="With --remove: take settings, data, backups and users away too.")
def setup(root: Path, admin: str, dry_run: bool, yes: bool, remove: bool, purge: bool) -> None:
    """Make this machine run modemd: users, folders, settings, udev rules, units, database, first admin.

    Shows first what it will do, asks before it replaces anything, and may be run again: after an upgrade of the
    program it backs the database up, migrates it and starts the services anew.

    \b
    sudo /opt/modemd/bin/modemd setup
    sudo /opt/modemd/bin/modemd setup --dry-run
    sudo /opt/modemd/bin/modemd setup --remove
    """
    if purge and not remove:
        raise click.UsageError("--purge goes with --remove")
    machine = Machine(root.resolve())
    console = Console(highlight=False, soft_wrap=True)
    if remove:
        _remove(machine, console, purge=purge, dry_run=dry_run, yes=yes)
        return
    _need_root(machine)
    program = steps.own_program() if machine.real else Path(steps.SHIPPED_PROGRAM)
    for step in _chosen(steps.plan(machine, now(), admin, program), console, dry_run=dry_run, yes=yes):
        said = step.apply()
        console.print(f"[green]✓[/] {step.what}" + (f": {said}" if said else ""))
    if not dry_run:
        console.print(f"Settings: {machine.path(steps.SETTINGS)}. What may be wrong: modemd doctor")


def _chosen(plan: list[Step], console: Console, *, dry_run: bool, yes: bool) -> list[Step]:
    """Show the plan; what people agree to of it."""
    found = [(step, step.look()) for step in plan]
    for step, look in found:
        if look is not Found.THERE:
            console.print(MARKS[look].format(step.what))
    todo = [(step, look) for step, look in found if look is not Found.THERE]
    if not todo:
        console.print("Everything is in place.")
    if dry_run or not todo:
        return []
    if not yes:
        click.confirm("Go on?", default=True, abort=True)
    return [
        step
        for step, look in todo
        if yes or look is Found.MISSING or not step.replaces or click.confirm(f"Replace {step.what}?")
    ]


def _remove(machine: Machine, console: Console, *, purge: bool, dry_run: bool, yes: bool) -> None:
    _need_root(machine)
    what = "the services, the settings and ALL DATA" if purge else "the services; settings and data stay"
    console.print(f"This takes away {what}.")
    if dry_run:
        return
    if not yes:
        click.confirm("Go on?", default=False, abort=True)
    for gone in steps.remove(machine, data=purge):
        console.print(f"[red]-[/] {gone}")


def _need_root(machine: Machine) -> None:
    if machine.real and not machine.is_root:
        raise SetupRefused(reason="only root may; say: sudo /opt/modemd/bin/modemd setup")
