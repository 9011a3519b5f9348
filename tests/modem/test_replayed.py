"""From the field to a failing test: what the flight recorder kept, replayed, fails in the same way again."""

import asyncio
from pathlib import Path

from modemd.config import Daemon, Settings
from modemd.modem.lifecycle import State
from modemd.modem.modem import Modem
from modemd.sim import recording
from modemd.sim.bank import Bank, Options
from modemd.sim.replay import Replay
from tests.modem.bench import NOW, RecordingGateway, wired

LOOKS = 40


async def a_modem_that_dies_at_a_look(folder: Path) -> Path:
    """Work with a scripted modem for a long time until it falls silent; the transcript that is kept."""
    folder.mkdir()
    async with wired(folder) as bench:
        await bench.send()
        await bench.peer.until("AT.CSQ", LOOKS)
        bench.peer.deaf = True
        await bench.state(State.SILENT, State.RECOVERING)
        kept = folder / "transcripts"
        while not list(kept.glob("*.txt")):
            await asyncio.sleep(1)
    return next(kept.glob("*.txt"))


async def test_a_modem_that_died_after_many_looks_dies_again_at_the_second_look(tmp_path: Path) -> None:
    path = await a_modem_that_dies_at_a_look(tmp_path / "field")
    bank = Bank(tmp_path / "bank", Options(modems=0, replays=(Replay(recording.read(path)),)))
    bank.open()
    gateway = RecordingGateway()
    modem = Modem(str(tmp_path / "bank/modem00"), Settings(daemon=Daemon(data=tmp_path)), gateway, lambda: NOW)
    life = asyncio.create_task(modem.run())
    loop = asyncio.get_running_loop()
    await gateway.happened.until(lambda: modem.state is State.READY)
    began = loop.time()
    assert (modem.manufacturer, modem.model) == ("Invented", "M1")
    await gateway.happened.until(lambda: modem.state is State.SILENT)
    assert loop.time() - began < 600
    assert "no answer" in str(modem.reason)
    life.cancel()
    await asyncio.gather(life, return_exceptions=True)
    bank.close()
