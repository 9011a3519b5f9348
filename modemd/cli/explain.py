import json
import sys
from pathlib import Path

import click

from modemd.cli.common import json_option, open_database, print_json, stdin_lines
from modemd.service.keywords import NOTHING_TAUGHT, Taught
from modemd.service.keywords import explain as read_keyword


@click.command()
@click.argument("text")
@click.option("-c", "--config", "path", type=click.Path(path_type=Path), metavar="FILE", help="With what was taught.")
@json_option
def explain(text: str, path: Path | None, as_json: bool) -> None:
    """Which keyword a text is read as: bill, stop, help, number or unknown.

    With - as TEXT, one JSON string a line is read from stdin, and one JSON object a line is printed. With -c FILE also
    the spellings count that people have taught (see modemd unread).

    \b
    modemd explain "Моля smetka"
    modemd explain --json - < texts.jsonl
    modemd explain -c modemd.toml "kolko dalzha"
    """
    taught = _taught(path)
    if text != "-":
        _show(text, taught, as_json)
        return
    failed = False
    for number, line in enumerate(stdin_lines(), start=1):
        try:
            given = json.loads(line) if line.strip() else ""
        except json.JSONDecodeError as error:
            given = error
        if isinstance(given, str):
            _show(given, taught, as_json=True)
        else:
            failed = True
            print_json({"error": f"line {number} is no JSON string"})
    sys.exit(1 if failed else 0)


def _taught(path: Path | None) -> Taught:
    if path is None:
        return NOTHING_TAUGHT
    from modemd import config  # these three take ten times as long as all else here
    from modemd.service import spellings
    from modemd.store import database

    with database.reading(open_database(config.load(path))) as connection:
        return spellings.known(connection)


def _show(text: str, taught: Taught, as_json: bool) -> None:
    reading = read_keyword(text, taught)
    if as_json:
        print_json({"text": text, "kind": reading.kind, "customer_numbers": list(reading.customer_numbers)})
    else:
        click.echo(" ".join([reading.kind, *reading.customer_numbers]))
