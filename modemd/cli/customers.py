from pathlib import Path

import click

from modemd import audit
from modemd.billing import importing
from modemd.cli.common import now, open_database, person, progress_bar, settings_option, visible
from modemd.config import Settings
from modemd.errors import FileHeld, FileRefused
from modemd.service import subscriptions
from modemd.store import database


@click.command(name="import")
@click.argument("paths", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="PATH...")
@click.option("--approved", is_flag=True, help="Take in also a file that was held because its figures moved so much.")
@settings_option
def import_(paths: tuple[Path, ...], approved: bool, settings: Settings) -> None:
    """Take in hand-over files from billing, each with its .sha256 beside it.

    \b
    modemd import -c modemd.toml customers-0001.csv openitems-0001.csv
    """
    engine = open_database(settings)
    failed = False
    for path in paths:
        try:
            with progress_bar(visible(path.name)) as moved:
                result = importing.import_file(
                    engine,
                    path,
                    now(),
                    reject_folder=settings.daemon.data / "reject",
                    progress=moved,
                    approved=approved,
                )
        except (FileRefused, FileHeld) as error:
            failed = True
            click.echo(visible(f"modemd: {error}"), err=True)
        else:
            if approved and not result.repeated:
                with database.writing(engine) as conn:
                    what = f"{result.type} {result.seq}"
                    audit.note(conn, person(), "file.approve", what, f"{path.name} by modemd import", now())
            click.echo(visible(f"{path.name}: {result}"))
    raise SystemExit(1 if failed else 0)


@click.command()
@click.argument("phone")
@click.argument("customer_numbers", metavar="CUSTOMER_NO...", nargs=-1, required=True)
@click.option("--services", default="bill,reminder,outage", show_default=True, help="Any of bill, reminder, outage.")
@click.option("--language", type=click.Choice(["bg-Latn", "bg-Cyrl", "en"]), help="Default: [service] language.")
@settings_option
def register(
    phone: str, customer_numbers: tuple[str, ...], services: str, language: str | None, settings: Settings
) -> None:
    """Tie a phone to customers, active at once.

    \b
    modemd register -c modemd.toml 0888123456 300000000001
    modemd register -c modemd.toml 0888123456 300000000001 300000000002 --services bill --language bg-Cyrl
    """
    wanted = [name.strip() for name in services.split(",") if name.strip()]
    with open_database(settings).begin() as connection:
        number = subscriptions.register(
            connection, phone, customer_numbers, wanted, language or settings.service.language, now(), person()
        )
    click.echo(f"{number} is registered for {', '.join(wanted)} of {', '.join(customer_numbers)}.")
