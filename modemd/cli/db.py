from pathlib import Path

import click

from modemd import backup
from modemd.cli.common import now, progress_bar, settings_option
from modemd.config import Settings
from modemd.store import database, moving


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


@db.command("copy")
@click.option(
    "--to", "url", metavar="URL", required=True, help="An empty database: postgresql+psycopg://user@host/name"
)
@settings_option
def copy_(url: str, settings: Settings) -> None:
    """Copy everything into another database, and compare counts and sums of both: from SQLite to PostgreSQL, or back.

    Stop modemd first, and name the new database in the settings afterwards. The old one stays as it is, but nothing is
    sent from it any more: its switch stands at `none`.

    \b
    modemd db copy --to postgresql+psycopg://modemd@db/modemd
    """
    source, target = database.connect(settings.database.url), database.connect(url)
    with progress_bar("Copying") as progress:
        rows = moving.copy(source, target, now(), progress)
    click.echo(f"{rows:,} rows copied; counts and sums are the same. Now set [database] url, and start modemd.")


@db.command("backup")
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False))
@click.option("--keep", type=click.IntRange(min=0), default=0, help="So many copies stay there. Default: all.")
@settings_option
def backup_(folder: Path, keep: int, settings: Settings) -> None:
    """Copy the database into FOLDER while it is in use, and read the copy back; prints the new file.

    To restore a copy of SQLite, stop modemd and put the file in the database's place; one of PostgreSQL goes into an
    empty database with pg_restore. Either way nothing is sent twice: what waited when the copy was made is in doubt
    until a status report or a person settles it (modemd messages --state in_doubt).

    \b
    modemd db backup /var/backups/modemd --keep 14
    """
    engine = database.connect(settings.database.url)
    database.check_revision(engine)
    with progress_bar("Copying") as progress:
        copy = backup.make(engine, folder, now(), keep, progress)
    click.echo(copy)
