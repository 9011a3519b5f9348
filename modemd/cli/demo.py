import contextlib
import logging
import signal
import socket
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import click

from modemd.cli.common import json_option, print_json
from modemd.demo import EGN, PHONES, STRANGER, USER, Demo, Exchange

DEFAULT_PORT = 8080


@click.command()
@click.option("--modems", type=click.IntRange(1, 64), default=4, show_default=True, help="Modems in the bank.")
@click.option("--port", type=click.IntRange(0, 65535), help="The panel's port. Default: 8080, or a free one.")
@click.option(
    "--data", type=click.Path(path_type=Path), help="Keep everything in this folder. Default: a temporary one."
)
@click.option("--once", is_flag=True, help="Play one exchange, print it and stop.")
@json_option
def demo(modems: int, port: int | None, data: Path | None, once: bool, as_json: bool) -> None:
    """The whole service with no hardware and nothing to set up; Ctrl-C stops it.

    Starts a simulated bank of modems, the daemon and the panel with invented customers; a phone texts `smetka`
    and gets its bill.

    \b
    modemd demo
    modemd demo --once --json
    """
    for number in (signal.SIGTERM, signal.SIGINT):  # a shell has its background jobs ignore SIGINT
        signal.signal(number, _interrupt)
    logging.getLogger("modemd").setLevel(logging.WARNING)  # its children keep their logs in the folder
    with _folder(data) as folder:
        service = Demo(folder, modems, _free_port() if port is None else port)
        try:
            click.echo(f"Preparing {service.folder} …", err=True)
            service.prepare()
            service.start(lambda what: click.echo(f"Waiting for {what} …", err=True))
            exchange = service.text(next(iter(PHONES)), "smetka")
            if as_json:
                _print(service, exchange)
            else:
                _show(exchange)
            if not once:
                if not as_json:
                    _show_the_way(service)
                service.wait()
        except KeyboardInterrupt:
            click.echo("\nStopping …", err=True)
        finally:
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
            signal.signal(signal.SIGINT, signal.SIG_IGN)
            service.stop()


def _print(service: Demo, exchange: Exchange) -> None:
    print_json(
        {
            "url": service.url,
            "user": USER,
            "password": service.password,
            "bank": str(service.bank),
            "config": str(service.settings_path),
            "phone": exchange.phone,
            "question": exchange.question,
            "answer": exchange.answer,
            "line": exchange.line,
            "seconds": round(exchange.seconds, 3),
        }
    )


def _show(exchange: Exchange) -> None:
    click.echo(
        f"""
{exchange.phone} texts:  {exchange.question}
{exchange.line} answers after {exchange.seconds:.2f} s:
    {exchange.answer}
"""
    )


def _show_the_way(service: Demo) -> None:
    *others, last = list(PHONES)[1:]
    customer_no, egn = next(iter(EGN.items()))
    modemd = sys.argv[0] if Path(sys.argv[0]).name == "modemd" else f"{sys.executable} -m modemd"
    click.echo(
        f"""The panel:  {service.url}
  sign in:  {USER}  {service.password}

Text from another phone ({", ".join(others)}, {last}; {STRANGER} is not registered):
    {modemd} sim-text --dir {service.bank} {last} smetka
    {modemd} sim-phone --dir {service.bank} {last}
Register a phone for customer {customer_no} at the desk of a customer centre: the ЕГН in the document is {egn}.
Its settings, for every other command:  -c {service.settings_path}
Ctrl-C stops everything."""
    )


@contextlib.contextmanager
def _folder(data: Path | None) -> Iterator[Path]:
    if data is not None:
        yield data
        return
    with tempfile.TemporaryDirectory(prefix="modemd-demo-", ignore_cleanup_errors=True) as temporary:
        yield Path(temporary)


def _free_port() -> int:
    """8080 when it is free; otherwise 0, and the panel takes what the system gives."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", DEFAULT_PORT))
        except OSError:
            return 0
    return DEFAULT_PORT


def _interrupt(_number: int, _frame: object) -> None:
    raise KeyboardInterrupt
