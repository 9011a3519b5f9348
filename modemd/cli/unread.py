from dataclasses import asdict
from typing import get_args

import click
from rich.console import Console
from rich.table import Table

from modemd import masks
from modemd.cli.common import json_option, now, open_database, person, print_json, settings_option, visible
from modemd.config import SOFIA, Settings
from modemd.service import spellings as taught
from modemd.service import unread as texts
from modemd.service.keywords import Keyword
from modemd.store import database
from modemd.store import unread as store

ids_argument = click.argument("message_ids", metavar="MESSAGE_ID...", nargs=-1, required=True, type=int)


@click.group()
def unread() -> None:
    """Texts that no keyword was read in: answer them, teach a spelling, or drop them.

    \b
    modemd unread list -c modemd.toml
    """


@unread.command(name="list")
@click.option("--after", type=int, default=0, metavar="ID", help="Only texts with a higher id.")
@click.option("--limit", type=click.IntRange(1), default=50, show_default=True, help="The oldest so many.")
@settings_option
@json_option
def list_(after: int, limit: int, settings: Settings, as_json: bool) -> None:
    """What waits for a person, oldest first, and which canned answer seems to fit.

    \b
    modemd unread list -c modemd.toml
    modemd unread list -c modemd.toml --after 1200 --json
    """
    with database.reading(open_database(settings)) as connection:
        found = texts.queue(connection, settings, after=after, limit=limit)
    if as_json:
        print_json([asdict(text) | {"number": text.number and masks.phone(text.number)} for text in found])
        return
    table = Table("id", "from", "time", "text", "canned answer")
    for text in found:
        at = text.received_at.astimezone(SOFIA).strftime("%d.%m. %H:%M")
        fits = text.canned or "" if text.answerable else "(takes no answer)"
        table.add_row(str(text.id), visible(masks.phone(text.number or "")), at, visible(text.text), fits)
    Console().print(table, markup=False)


@unread.command()
@ids_argument
@click.option("--text", help="The answer, in your own words: at most 2 parts.")
@click.option("--canned", "name", metavar="NAME", help="The answer [canned.NAME], in the language of the phone.")
@settings_option
def answer(message_ids: tuple[int, ...], text: str | None, name: str | None, settings: Settings) -> None:
    """Answer texts through the lines that received them, all of them or none.

    \b
    modemd unread answer 17 --text "Tokat vi e vazstanoven. Info 070010010" -c modemd.toml
    modemd unread answer 18 19 --canned no_power -c modemd.toml
    """
    if (text is None) == (name is None):
        raise click.UsageError("Give --text TEXT or --canned NAME.")
    at, who = now(), person()
    with database.writing(open_database(settings)) as connection:
        if name is not None:
            sent = texts.answer_canned(connection, message_ids, name, who, settings, at)
        else:
            sent = texts.answer(connection, message_ids, text or "", who, settings, at)
    click.echo(f"{len(sent)} answered.")


@unread.command()
@click.argument("message_id", type=int)
@click.argument("keyword", type=click.Choice(get_args(Keyword)))
@click.option("--words", help="The words of the text that mean it. Default: the whole text.")
@settings_option
def spelling(message_id: int, keyword: Keyword, words: str | None, settings: Settings) -> None:
    """Read a text as a keyword, from now on wherever its words stand; it and others like it are answered at once.

    \b
    modemd unread spelling 17 bill -c modemd.toml
    modemd unread spelling 18 stop --words "ne pishete" -c modemd.toml
    """
    with database.writing(open_database(settings)) as connection:
        lesson = taught.teach(connection, message_id, keyword, person(), settings.service, now(), words=words)
    click.echo(f"{lesson.words!r} is read as {keyword} from now on; {len(lesson.read_again)} waiting for its answer.")


@unread.command()
@ids_argument
@settings_option
def drop(message_ids: tuple[int, ...], settings: Settings) -> None:
    """Leave texts without an answer.

    \b
    modemd unread drop 17 18 -c modemd.toml
    """
    with database.writing(open_database(settings)) as connection:
        texts.drop(connection, message_ids, person(), now())
    click.echo(f"{len(set(message_ids))} dropped.")


@unread.command(name="spellings")
@settings_option
@json_option
def spellings_(settings: Settings, as_json: bool) -> None:
    """The spellings that people have taught, who and when.

    \b
    modemd unread spellings -c modemd.toml
    """
    with database.reading(open_database(settings)) as connection:
        found = store.spellings(connection)
    if as_json:
        print_json([asdict(each) for each in found])
        return
    table = Table("words", "read as", "taught by", "on")
    for each in found:
        table.add_row(each.words, each.kind, each.by, f"{each.at.astimezone(SOFIA):%d.%m.%Y}")
    Console().print(table, markup=False)


@unread.command()
@click.argument("words")
@settings_option
def forget(words: str, settings: Settings) -> None:
    """Take a spelling back: texts with these words wait for a person again.

    \b
    modemd unread forget "ne pishete" -c modemd.toml
    """
    with database.writing(open_database(settings)) as connection:
        forgotten = taught.forget(connection, words, person(), now())
    click.echo(f"{forgotten!r} is read as nothing any more.")
