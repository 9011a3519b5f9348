"""A modem that never stops talking: it delays no other, stops nothing, fills no memory and no log, and works after it.

Time is judged by the processor time of one turn of the loop, which a busy machine does not change.
"""

import asyncio
import contextlib
import itertools
import os
import random
import select
import threading
import time
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from modemd.modem import port as ports
from modemd.modem.channel import Channel
from modemd.modem.lifecycle import State
from tests.modem.bench import SMETKA, SMETKA_LENGTH, Bench, a_part, wired
from tests.modem.scripted_modem import line

TURN_SECONDS = 0.05  # that one modem may keep the others waiting
FLOOD_OCTETS = 192 * 1024
GROWTH_OCTETS = 1 << 19  # what is kept of a flood is bounded: it would be a multiple of it otherwise

_counter = itertools.count()

FLOODS: dict[str, Callable[[], bytes]] = {
    "chatter": lambda: line("^RSSI:17"),
    "announcements": lambda: line(f'+CMTI: "SM",{next(_counter) % 20_000}'),
    "announcements in storages that there are not": lambda: line(f'+CMTI: "S{chr(65 + next(_counter) % 26)}",1'),
    "reports announced": lambda: line(f'+CDSI: "SR",{next(_counter) % 300}'),
    "one SMS again and again": lambda: line(f"+CMT: ,{SMETKA_LENGTH}", SMETKA.upper()),
    "headers without their PDU": lambda: line("+CMT: ,24"),
    "calls": lambda: line("RING", '+CLIP: "+359881234567",145'),
    "registrations": lambda: line("+CREG: 1"),
    "restarts": lambda: line("RDY"),
    "full storages": lambda: line("^SMMEMFULL: 1"),
    "answers to nothing": lambda: line("+CSQ: 20,99", "OK"),
    "refusals": lambda: line("+CMS ERROR: 500"),
    "prompts": lambda: b">",
    "a text that does not end": lambda: line('+CUSD: 0,"a'),
    "a line that does not end": lambda: b"x" * 64,
    "noise": lambda: random.Random(next(_counter)).randbytes(64),
}


@contextmanager
def flooding(master: int, piece: Callable[[], bytes]) -> Iterator[threading.Event]:
    """Write FLOOD_OCTETS to the port from a thread, as fast as it takes them; gives an event for the end of it."""
    over, stop = threading.Event(), threading.Event()

    def flood() -> None:
        left, data = FLOOD_OCTETS, b""
        while left > 0 and not stop.is_set():
            data = data or b"".join(piece() for _ in range(64))
            if select.select([], [master], [], 0.1)[1]:
                with contextlib.suppress(BlockingIOError):
                    written = os.write(master, data)
                    left, data = left - written, data[written:]
        over.set()

    thread = threading.Thread(target=flood, daemon=True)
    thread.start()
    try:
        yield over
    finally:
        stop.set()
        thread.join(10)


@pytest.fixture
def turns(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The processor time of each turn in which a modem was heard."""
    spent: list[float] = []
    real = Channel.bytes_received

    def measured(channel: Channel, data: bytes) -> None:
        began = time.thread_time()
        real(channel, data)
        spent.append(time.thread_time() - began)

    monkeypatch.setattr(Channel, "bytes_received", measured)
    return spent


@pytest.mark.long
@pytest.mark.parametrize("name", FLOODS)
async def test_a_flood_delays_nobody_fills_nothing_and_passes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, turns: list[float], name: str
) -> None:
    monkeypatch.setattr(ports, "RATE", 16 * ports.RATE)  # what comes in three seconds in a fifth of one
    caplog.set_level("INFO")
    (tmp_path / "loud").mkdir()
    (tmp_path / "other").mkdir()
    async with wired(tmp_path / "loud", pin_file=None) as loud, wired(tmp_path / "other") as other:
        caplog.clear()
        monkeypatch.setattr(loud.gateway, "_tell", lambda _what, _details: None)  # it would keep what it is told
        with flooding(loud.peer.master, FLOODS[name]) as over:
            references = [await other.send(a_part(number)) for number in range(20)]
            await _until(over.is_set)
        assert references == list(range(1, 21))
        assert max(turns) < TURN_SECONDS
        tracemalloc.start(1)
        try:
            with flooding(loud.peer.master, FLOODS[name]) as over:
                await _until(over.is_set)
                kept, _ = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
        assert kept < GROWTH_OCTETS
        assert other.modem.state is State.READY
        assert len(caplog.records) < 40
        await _well_again(loud)


async def _until(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(3600):
        while not true():
            await asyncio.sleep(0.01)


async def _well_again(bench: Bench) -> None:
    bench.peer.say(b"\r\n\r\n")  # the end of a line that had none
    async with asyncio.timeout(3600):
        while True:
            await bench.state(State.READY)
            try:
                await bench.send()
            except Exception:
                await asyncio.sleep(1)
            else:
                return
