import logging
from dataclasses import asdict
from itertools import product

import click
from rich.box import SIMPLE
from rich.console import Console
from rich.measure import Measurement
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn
from rich.table import Table

from modemd import bench as benches
from modemd.bench import Burst, Case, Figures, Percentiles
from modemd.cli.common import json_option, print_json
from modemd.sim.bank import MAX_MODEMS

SQLITE = "sqlite"


@click.command()
@click.option("--modems", type=click.IntRange(1, MAX_MODEMS), help="Default: 1, 8, 32 and 64, one after the other.")
@click.option("--messages", type=click.IntRange(min=1), help="To send. Default: what takes about 20 s.")
@click.option(
    "--send-seconds", type=click.FloatRange(min=0), help="From Ctrl-Z to +CMGS. Default: 0, then 0.1, then 2."
)
@click.option("--jitter", type=click.FloatRange(0, 1), default=0.2, show_default=True, help="0.2: it varies by ± 20 %.")
@click.option(
    "--questions", type=click.IntRange(min=0), default=benches.QUESTIONS, show_default=True, help="One a second."
)
@click.option("--burst", type=click.IntRange(min=0), default=0, help="Questions to each modem at once. Default: none.")
@click.option(
    "--queue",
    "queues",
    type=click.IntRange(min=0),
    multiple=True,
    help="So many messages wait before the daemon starts; may be given several times.",
)
@click.option(
    "--report-seconds",
    type=click.FloatRange(min=0),
    help="Until the status report of a message. Default: after the end.",
)
@click.option(
    "--hosts",
    type=click.IntRange(1),
    multiple=True,
    help="So many daemons share the modems; may be given several times. More than 1 want PostgreSQL.",
)
@click.option("--matrix", is_flag=True, help="1, 8, 32 and 64 modems at 0, 0.1 and 2 s, also on SQLite.")
@click.option(
    "--database",
    "databases",
    metavar="URL",
    multiple=True,
    help="PostgreSQL, in a schema of its own, or the word sqlite: a temporary folder. May be given several times.",
)
@json_option
def bench(
    modems: int | None,
    messages: int | None,
    send_seconds: float | None,
    jitter: float,
    questions: int,
    burst: int,
    queues: tuple[int, ...],
    report_seconds: float | None,
    hosts: tuple[int, ...],
    matrix: bool,
    databases: tuple[str, ...],
    as_json: bool,
) -> None:
    """This machine's figures: daemon and simulated bank as two processes, timed at the simulated modems.

    \b
    modemd bench --modems 32 --send-seconds 0.1
    modemd bench --modems 8 --send-seconds 0.1 --burst 60
    modemd bench --modems 32 --send-seconds 0 --messages 1000 --queue 1000 --queue 100000 --queue 1000000
    modemd bench --matrix --database postgresql+psycopg://modemd@db/modemd --json
    modemd bench --modems 24 --send-seconds 0 --hosts 1 --hosts 2 --hosts 3 --database postgresql+psycopg://…
    """
    logging.getLogger("modemd").setLevel(logging.WARNING)
    if messages and any(0 < queue < messages for queue in queues):
        raise click.UsageError("--queue must hold at least --messages")
    if matrix:
        modems = send_seconds = None
        databases = (SQLITE, *(url for url in databases if url != SQLITE))
    if max(hosts, default=1) > 1 and SQLITE in (databases or (SQLITE,)):
        raise click.UsageError("several --hosts want PostgreSQL: name it with --database")
    cases = [
        case
        for queue in queues or (0,)
        for sharing in hosts or (1,)
        for case in benches.matrix(
            benches.MODEMS if modems is None else (modems,),
            benches.SEND_SECONDS if send_seconds is None else (send_seconds,),
            messages,
            jitter=jitter,
            questions=questions,
            burst=burst,
            queue=queue,
            report_seconds=benches.NEVER if report_seconds is None else report_seconds,
            hosts=sharing,
        )
    ]
    urls = [None if url == SQLITE else url for url in databases or (SQLITE,)]
    console = Console(stderr=True)
    minutes = len(urls) * sum(case.forecast for case in cases) / 60
    console.print(f"About {minutes:.0f} min for {len(urls) * len(cases)} measurements.")
    figures = _run(cases, urls, console)
    if as_json:
        print_json([asdict(each) for each in figures] if len(figures) > 1 else asdict(figures[0]))
    else:
        print_table(figures)


def _run(cases: list[Case], urls: list[str | None], console: Console) -> list[Figures]:
    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[what]}"), TimeElapsedColumn())
    figures = []
    with Progress(*columns, console=console) as progress:
        for url, case in product(urls, cases):
            engine = SQLITE if url is None else "PostgreSQL"
            task = progress.add_task(f"{engine}, {case.modems} modems, {case.send_seconds:g} s", what="", total=None)

            def say(what: str, done: float, total: float, task: TaskID = task) -> None:
                progress.update(task, what=what, completed=done, total=total)

            figures.append(benches.run(case, url, say))
            say("done", 1, 1)
    return figures


def print_table(figures: list[Figures]) -> None:
    """In its whole width: where it goes into a file or the terminal is narrower, no figure shall be cut off."""
    console, table = Console(), _table(figures)
    console.width = max(console.width, Measurement.get(console, console.options.update(max_width=1000), table).maximum)
    console.print(table, crop=False)


def _table(figures: list[Figures]) -> Table:
    """Without the columns that no measurement has anything for."""
    table = Table(title="times in ms: median / 95 %", box=SIMPLE)
    rows = [_row(each) for each in figures]
    for number, heading in enumerate(rows[0]):
        if any(row[heading] for row in rows):
            table.add_column(heading, justify="right" if number else "left")
    for row in rows:
        table.add_row(*(row[str(column.header)] or "–" for column in table.columns))
    return table


def _row(each: Figures) -> dict[str, str]:
    """By heading; empty where there is nothing to tell."""
    case = each.case
    return {
        "database": each.database,
        "queue": f"{case.queue:,}" if case.queue else "",
        "modems": f"{case.modems}" if case.hosts == 1 else f"{case.modems} on {case.hosts} hosts",
        "s a\nmessage": f"{case.send_seconds:g}",
        "messages/s": f"{each.messages_per_second:,.1f}",
        "transmitting": "" if each.transmitting is None else f"{100 * each.transmitting:.2f} %",
        "gap": _pair(each.gap_ms),
        "CPU a\nmessage": f"{each.cpu_ms_per_message:.3f} ms",
        "idle\nCPU": "" if each.idle_cpu_percent is None else f"{each.idle_cpu_percent:.1f} %",
        "answer,\nidle": _pair(each.answer_idle_ms),
        "answer,\nloaded": _pair(each.answer_loaded_ms),
        "burst": _burst(each.burst),
        "memory": f"{each.peak_memory_mb:.0f} MB",
    }


def _pair(given: Percentiles | None) -> str:
    return "" if given is None else f"{given.p50:,.1f} / {given.p95:,.1f}"


def _burst(given: Burst | None) -> str:
    return "" if given is None else f"{given.answered} of {given.questions}, {given.per_second:.0f}/s"
