from dataclasses import asdict
from pathlib import Path

import click
from rich.console import Console

from modemd import doctor as doctors
from modemd.cli.common import DEFAULT_SETTINGS, json_option, now, print_json
from modemd.doctor import Finding, Level

MARKS = {Level.FINE: "[green]✓[/]", Level.WARNING: "[yellow]![/]", Level.ERROR: "[red]✗[/]"}


@click.command()
@click.option(
    "-c",
    "--config",
    "path",
    metavar="FILE",
    type=click.Path(path_type=Path),
    default=DEFAULT_SETTINGS,
    show_default=True,
    help="The settings file (TOML).",
)
@json_option
def doctor(path: Path, as_json: bool) -> None:
    """What is wrong here, and what to do about it: settings, files, revocation lists, database,
    ports, SIMs, signal, clock, disk.

    Where the daemon does not run, the ports are looked at from here: no PIN is entered and nothing is sent. Exit status
    1 if anything is wrong that keeps messages from coming or going.

    \b
    modemd doctor -c /etc/modemd/modemd.toml
    sudo -u modemd modemd doctor --json
    """
    found: list[Finding] = []
    console = Console(highlight=False, soft_wrap=True)
    for finding in doctors.examine(path, now()):
        found.append(finding)
        if not as_json:
            _show(console, finding)
    worst = doctors.worst(found)
    if as_json:
        print_json({"worst": worst, "findings": [asdict(each) for each in found]})
    elif worst is Level.FINE:
        console.print("All is well.")
    raise SystemExit(1 if worst is Level.ERROR else 0)


def _show(console: Console, finding: Finding) -> None:
    console.print(MARKS[finding.level], end=" ")
    console.print(f"{finding.subject}: {finding.what}", markup=False)
    if finding.advice and finding.level is not Level.FINE:
        console.print(f"    → {finding.advice}", markup=False)
