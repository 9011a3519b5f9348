import json
import sys

import click

from modemd.cli.common import json_option, print_json, stdin_lines
from modemd.service.keywords import explain as read_keyword


@click.command()
@click.argument("text")
@json_option
def explain(text: str, as_json: bool) -> None:
    """Which keyword a text is read as: bill, stop, help, number or unknown.

    With - as TEXT, one JSON string a line is read from stdin, and one JSON object a line is printed.

    \b
    modemd explain "Моля smetka"
    modemd explain --json - < texts.jsonl
    """
    if text != "-":
        _show(text, as_json)
        return
    failed = False
    for number, line in enumerate(stdin_lines(), start=1):
        try:
            given = json.loads(line) if line.strip() else ""
        except json.JSONDecodeError as error:
            given = error
        if isinstance(given, str):
            _show(given, as_json=True)
        else:
            failed = True
            print_json({"error": f"line {number} is no JSON string"})
    sys.exit(1 if failed else 0)


def _show(text: str, as_json: bool) -> None:
    reading = read_keyword(text)
    if as_json:
        print_json({"text": text, "kind": reading.kind, "customer_numbers": list(reading.customer_numbers)})
    else:
        click.echo(" ".join([reading.kind, *reading.customer_numbers]))
