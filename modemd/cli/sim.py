import asyncio
import signal
from pathlib import Path

import click

from modemd.cli.common import json_option, print_json
from modemd.sim import bank, faults, models, recording
from modemd.sim.control import ControlClient, ControlServer
from modemd.sim.replay import Replay

EVERY = "every"  # model

_folder_option = click.option(
    "--dir",
    "folder",
    metavar="DIR",
    required=True,
    type=click.Path(path_type=Path, file_okay=False),
    help="The bank's folder.",
)


@click.command()
@_folder_option
@click.option("--modems", type=click.IntRange(0, bank.MAX_MODEMS), default=0, help="How many modems.")
@click.option(
    "--model",
    "names",
    type=click.Choice([*sorted(models.MODELS), EVERY]),
    multiple=True,
    default=["generic"],
    show_default=True,
    help="May be given several times: the modems take them in turn.",
)
@click.option("--send-seconds", type=click.FloatRange(min=0), default=0.0, help="From Ctrl-Z to +CMGS. Default: 0.")
@click.option("--send-jitter", type=click.FloatRange(0, 1), default=0.0, help="0.2: that time varies by 20 %.")
@click.option(
    "--report-seconds", type=click.FloatRange(min=0), default=1.0, show_default=True, help="To the status report."
)
@click.option("--seed", type=click.IntRange(min=0), default=1, show_default=True, help="Identities, signal, faults.")
@click.option("--pin", metavar="PIN", help="Every SIM wants this PIN. Default: none.")
@click.option(
    "--log", type=click.Path(path_type=Path, dir_okay=False), help="Append what happens here, a JSON object a line."
)
@click.option(
    "--replay",
    "transcripts",
    metavar="FILE",
    type=click.Path(path_type=Path),
    multiple=True,
    help="One more modem, which does again what this transcript has. May be given several times.",
)
@click.option(
    "--pace",
    type=click.FloatRange(min=0),
    default=1.0,
    show_default=True,
    help="Of a transcript's pauses: 0.1 is a tenth of each, 0 none.",
)
def sim(
    folder: Path,
    modems: int,
    names: tuple[str, ...],
    send_seconds: float,
    send_jitter: float,
    report_seconds: float,
    seed: int,
    pin: str | None,
    log: Path | None,
    transcripts: tuple[Path, ...],
    pace: float,
) -> None:
    """The simulated bank: modems on DIR/modem00 …, prints `ready`; runs until SIGTERM or Ctrl-C.

    \b
    modemd sim --dir bank --modems 4
    modemd sim --dir bank --replay /var/lib/modemd/transcripts/gsm1-20261123T100000Z.txt
    """
    if not modems and not transcripts:
        raise click.UsageError("How many modems (--modems 4), or which transcript (--replay FILE)?")
    if modems + len(transcripts) > bank.MAX_MODEMS:
        raise click.UsageError(f"No more than {bank.MAX_MODEMS} modems in one bank.")
    chosen = tuple(models.MODELS) if EVERY in names else names
    replays = tuple(Replay(recording.read(path), pace) for path in transcripts)
    options = bank.Options(modems, chosen, send_seconds, send_jitter, report_seconds, seed, pin, log, replays)
    asyncio.run(_run(folder, options))


async def _run(folder: Path, options: bank.Options) -> None:
    simulated = bank.Bank(folder, options)
    stopped = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    server = ControlServer(simulated)
    try:
        await server.start()
        simulated.open()
        click.echo("ready")
        await stopped.wait()
    finally:
        await server.stop()
        simulated.close()


@click.command("sim-text")
@_folder_option
@click.argument("number", metavar="FROM")
@click.argument("text")
@click.option("--modem", metavar="modem00", help="The modem that gets it. Default: each in turn.")
def sim_text(folder: Path, number: str, text: str, modem: str | None) -> None:
    """A simulated phone texts the service.

    \b
    modemd sim-text --dir bank 0888000101 smetka
    """
    ControlClient(folder).text(number, text, modem)


@click.command("sim-phone")
@_folder_option
@click.argument("number")
@json_option
def sim_phone(folder: Path, number: str, as_json: bool) -> None:
    """What a simulated phone has received, the oldest first.

    \b
    modemd sim-phone --dir bank 0888000101 --json
    """
    for shown in ControlClient(folder).phone(number):
        if as_json:
            print_json(shown)
        else:
            click.echo(f"{shown['at']}  {shown['from']}: {shown['text']}")


@click.command(
    "sim-fault",
    epilog=f"\b\nFAULT is one of these; rate=, count= and after= say how often it strikes:\n{faults.catalogue()}",
)
@_folder_option
@click.argument("modem")
@click.argument("fault")
def sim_fault(folder: Path, modem: str, fault: str) -> None:
    """Make something go wrong with a modem, or with all of them.

    \b
    modemd sim-fault --dir bank modem01 silence
    modemd sim-fault --dir bank modem01 none
    modemd sim-fault --dir bank all cms-error:rate=0.1,code=38
    """
    ControlClient(folder).fault(modem, fault)
