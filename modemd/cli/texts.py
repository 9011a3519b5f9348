import click
from rich.console import Console
from rich.table import Table

from modemd.cli.common import json_option, now, open_database, print_json, settings_option
from modemd.cli.reminders import actor, by_option
from modemd.config import Settings
from modemd.service import notices
from modemd.store import database


@click.group()
def texts() -> None:
    """The texts of reminders, outages, welcome and codes, in three languages."""


@texts.command(name="list")
@settings_option
@json_option
def list_(settings: Settings, as_json: bool) -> None:
    """Every text, how many parts it needs at its worst, and whether people have changed it.

    \b
    modemd texts list -c modemd.toml
    """
    with database.reading(open_database(settings)) as connection:
        rows = notices.overview(connection, settings.service)
    if as_json:
        print_json(
            [{name: getattr(row, name) for name in ("name", "language", "text", "changed", "parts")} for row in rows]
        )
        return
    table = Table("name", "language", "parts", "changed", "text")
    for row in rows:
        table.add_row(row.name, row.language, str(row.parts), "yes" if row.changed else "", row.text)
    Console().print(table, markup=False)


@texts.command(name="set")
@click.argument("name")
@click.argument("language")
@click.argument("text")
@by_option
@settings_option
def set_(name: str, language: str, text: str, by: str | None, settings: Settings) -> None:
    """Change a text. One that could need more than two parts is refused.

    \b
    modemd texts set welcome en "{supplier}: welcome, customer {customers}. Info {info}" -c modemd.toml
    """
    with database.writing(open_database(settings)) as connection:
        notices.save(connection, name, language, text, settings.service, actor(connection, by).name, now())
    click.echo(f"{name} in {language} is changed. A previewed run keeps the text it was previewed with.")


@texts.command()
@click.argument("name")
@click.argument("language")
@by_option
@settings_option
def reset(name: str, language: str, by: str | None, settings: Settings) -> None:
    """Take back the text that comes with the program.

    \b
    modemd texts reset welcome en -c modemd.toml
    """
    with database.writing(open_database(settings)) as connection:
        notices.save(connection, name, language, None, settings.service, actor(connection, by).name, now())
    click.echo(f"{name} in {language} is as it comes with the program.")
