import sys
from collections.abc import Iterable
from typing import Any

import click

from modemd.cli.common import json_option, print_json, stdin_lines
from modemd.errors import PduError
from modemd.pdu import submit, tpdu


@click.group()
def pdu() -> None:
    """Decode and encode PDUs as modems give and take them (3GPP 23.040)."""


@pdu.command()
@click.argument("pdus", metavar="HEX...", nargs=-1, required=True)
@json_option
def decode(pdus: tuple[str, ...], as_json: bool) -> None:
    """Show what PDUs hold; SMSC prefix included. With - one PDU a line is read from stdin.

    \b
    modemd pdu decode 07915398080003F0040C9153898811223300006211321095810006F37699BE0E03
    modemd pdu decode --json - < pdus.txt
    """
    failed = False
    lines: Iterable[str] = stdin_lines() if pdus == ("-",) else pdus
    for line in lines:
        described = _describe(line.strip())
        failed |= "error" in described
        if as_json:
            print_json(described)
        else:
            click.echo("\n".join(f"{key}: {value}" for key, value in described.items() if value is not None) + "\n")
    sys.exit(1 if failed else 0)


def _describe(text: str) -> dict[str, Any]:
    try:
        return tpdu.describe(tpdu.decode(bytes.fromhex(text)))
    except ValueError:
        return {"error": "not a string of hexadecimal octets"}
    except PduError as error:
        return {"error": str(error)}


@pdu.command()
@click.option("--to", "number", required=True, metavar="N", help="The recipient: +359881234567 or a short code.")
@click.option("--text", required=True, metavar="T")
@click.option("--reference", type=click.IntRange(0, 255), default=0, help="Concatenation reference of a long text.")
@click.option("--no-status-report", is_flag=True, help="Ask for no status report.")
@click.option("--flash", is_flag=True, help="Class 0: shown at once, not stored.")
@json_option
def encode(number: str, text: str, reference: int, no_status_report: bool, flash: bool, as_json: bool) -> None:
    """Encode a text as SMS-SUBMIT, one PDU a part, with the length that AT+CMGS wants.

    \b
    modemd pdu encode --to +359881234567 --text smetka
    """
    parts = submit.encode_message(
        number, text, concat_reference=reference, status_report=not no_status_report, flash=flash
    )
    if as_json:
        print_json([{"length": part.length, "pdu": part.pdu} for part in parts])
    else:
        for part in parts:
            click.echo(f"AT+CMGS={part.length}\n{part.pdu}")
