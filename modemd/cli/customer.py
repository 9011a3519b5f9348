import json
import os
from dataclasses import asdict
from datetime import date, datetime
from pathlib import Path

import click
from rich.console import Console
from rich.table import Table

from modemd import masks
from modemd.billing.cells import money
from modemd.cli.common import json_option, now, open_database, person, print_json, settings_option, visible
from modemd.config import SOFIA, Settings
from modemd.errors import InputRefused
from modemd.service import customers, erasure, identities, subscriptions
from modemd.service.consent import Consent
from modemd.service.customers import Customer
from modemd.store import database
from modemd.store.schema import Channel


@click.group()
def customer() -> None:
    """Customers: find, show, hand out, erase; and phones that are not theirs."""


@customer.command()
@click.argument("term")
@settings_option
def find(term: str, settings: Settings) -> None:
    """The customer numbers that a customer number, a phone or a metering point leads to.

    \b
    modemd customer find -c modemd.toml 0888123456
    modemd customer find -c modemd.toml 32Z000000000001M
    """
    with database.reading(open_database(settings)) as conn:
        found = customers.search(conn, term)
    for customer_no in found:
        click.echo(customer_no)
    raise SystemExit(0 if found else 1)


@customer.command()
@click.argument("customer_no")
@json_option
@settings_option
def show(customer_no: str, as_json: bool, settings: Settings) -> None:
    """What is known of a customer: phones, invoices and the consent history. Numbers of phones are masked."""
    with database.reading(open_database(settings)) as conn:
        found, history = customers.show(conn, customer_no), customers.history(conn, customer_no)
    if as_json:
        shown = {**asdict(found), "consents": [asdict(each) for each in history]}
        for each in shown["phones"]:
            each["number"] = masks.phone(each["number"])
        for each in shown["consents"]:
            each["phone"] = masks.phone(each["phone"])
        print_json(json.loads(_json(shown)))
        return
    _print(found, history)


@customer.command()
@click.argument("customer_no")
@click.argument("path", type=click.Path(path_type=Path))
@settings_option
def export(customer_no: str, path: Path, settings: Settings) -> None:
    """Write all data of a customer into a JSON file that only you may read. Audited.

    \b
    modemd customer export -c modemd.toml 300000000001 customer.json
    """
    with database.writing(open_database(settings)) as conn:
        data = customers.export(conn, customer_no, person(), now())
        _write_private(path, _json(data))
    click.echo(f"{path}: all data of customer {masks.customer(customer_no)}")


@customer.command()
@click.argument("customer_no")
@click.option("--yes", is_flag=True, help="Do not ask.")
@settings_option
def erase(customer_no: str, yes: bool, settings: Settings) -> None:
    """Forget a customer's phones and texts; the consent history keeps its proof under a pseudonym. Audited.

    What billing hands over is billing's: it comes again with the next file. Export the data first if they are wanted.
    """
    secret = identities.key(settings.service)
    if not yes:
        click.confirm(f"Erase customer {customer_no} for good?", abort=True)
    with database.writing(open_database(settings)) as conn:
        erased = erasure.erase(conn, customer_no, secret, person(), now())
    click.echo(f"{masks.customer(customer_no)}: {erased.phones} phones forgotten, {erased.texts} texts redacted.")


@customer.command(name="end")
@click.argument("phone")
@click.argument("customer_numbers", metavar="[CUSTOMER_NO]...", nargs=-1)
@click.option("--services", help="End only these, for all its customers: any of bill, reminder, outage.")
@settings_option
def end(phone: str, customer_numbers: tuple[str, ...], services: str | None, settings: Settings) -> None:
    """End the registration of a phone, for some customers or for all."""
    if services is not None and customer_numbers:
        raise click.UsageError("Give customer numbers or --services: services are those of the phone.")
    chosen = None if services is None else [name.strip() for name in services.split(",") if name.strip()]
    with database.writing(open_database(settings)) as conn:
        number = subscriptions.end(
            conn, phone, Channel.COMMAND, person(), now(), customer_numbers=customer_numbers or None, services=chosen
        )
    click.echo(f"{masks.phone(number)}: ended.")


@customer.command(name="wrong-number")
@click.argument("phone")
@settings_option
def wrong_number(phone: str, settings: Settings) -> None:
    """This phone is not its customer's: nothing goes there any more, and it loses its customers. Audited."""
    with database.writing(open_database(settings)) as conn:
        number = subscriptions.mark_wrong_number(conn, phone, settings.service.language, person(), now())
    click.echo(f"{masks.phone(number)}: nothing goes there any more.")


@customer.command(name="right-number")
@click.argument("phone")
@settings_option
def right_number(phone: str, settings: Settings) -> None:
    """Lift the mark of a wrong number: the phone may be registered again. Audited."""
    with database.writing(open_database(settings)) as conn:
        number = subscriptions.lift_wrong_number(conn, phone, person(), now())
    click.echo(f"{masks.phone(number)}: it may be registered again.")


def _write_private(path: Path, text: str) -> None:
    """Only the owner may read it, from the first octet on; a file that is there already is not touched."""
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    except OSError as error:
        raise InputRefused(name=str(path), reason=f"it cannot be written: {error.strerror}") from error
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(f"{text}\n")


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, indent=2, default=_encode)


def _encode(value: object) -> str:
    if isinstance(value, date | datetime):
        return value.isoformat()
    raise TypeError(f"{type(value).__name__} has no JSON form")


def _print(found: Customer, history: list[Consent]) -> None:
    console = Console(markup=False, emoji=False, highlight=False)
    state = "active" if found.active else "not active" if found.known else "billing does not know it"
    console.print(f"Customer {found.customer_no}: {state}; metering point {found.itn or '-'}")
    table = Table("phone", "services", "language", "since", "")
    for each in found.phones:
        marks = [word for word, at in (("stopped", each.stopped_at), ("wrong number", each.wrong_number_at)) if at]
        since = f"{each.since.astimezone(SOFIA):%Y-%m-%d}"
        table.add_row(masks.phone(each.number), ", ".join(each.services), each.language, since, ", ".join(marks))
    console.print(table)
    table = Table("invoice", "due", "cut-off", "open", "status")
    for item in found.items:
        cutoff = str(item.cutoff_date or "")
        table.add_row(item.invoice_no, str(item.due_date), cutoff, money(item.open_cents), item.status)
    console.print(table)
    table = Table("phone", "services", "from", "by", "to", "by")
    for row in history:
        begun, ended = (f"{at.astimezone(SOFIA):%Y-%m-%d %H:%M}" if at else "" for at in (row.begun_at, row.ended_at))
        by, ended_by = visible(f"{row.channel} {row.who}"), visible(f"{row.end_channel or ''} {row.ended_by or ''}")
        table.add_row(masks.phone(row.phone), ", ".join(row.services), begun, by, ended, ended_by)
    console.print(table)
