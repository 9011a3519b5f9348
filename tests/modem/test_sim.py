"""A SIM that goes, locks itself or is another one while the modem runs is noticed, and said in words."""

import asyncio
from pathlib import Path

import pytest

from modemd.messages import AlertKind
from modemd.modem.lifecycle import State
from tests.modem.bench import Bench, wired
from tests.modem.scripted_modem import line

OUT = line("+CREG: 1,0", "OK")
IN = line("+CREG: 1,1", "OK")


def lose_network(bench: Bench) -> None:
    bench.peer.on(r"AT\+CREG\?", OUT)
    bench.peer.say(line("+CREG: 0"))


async def test_a_sim_that_is_pulled_is_missed_and_taken_up_again(tmp_path: Path) -> None:
    async with wired(tmp_path) as bench:
        bench.peer.on(r"AT\+CPIN\?", line("+CME ERROR: 10"))
        lose_network(bench)
        await bench.state(State.QUARANTINED)
        assert "no SIM" in str(bench.modem.reason)
        bench.peer.on(r"AT\+CPIN\?", line("+CPIN: READY", "OK"))
        bench.peer.on(r"AT\+CREG\?", IN)
        await bench.state(State.READY)
        assert await bench.send() == 1


async def test_a_sim_that_asks_for_its_pin_again_is_started_with_anew(tmp_path: Path) -> None:
    pin_file = tmp_path / "pin"
    pin_file.write_text("1234")
    async with wired(tmp_path, pin_file=pin_file) as bench:
        bench.peer.on(r"AT\+CPIN\?", line("+CPIN: SIM PIN", "OK"))
        bench.peer.on(
            r'AT\+CPIN="1234"', lambda _: bench.peer.on(r"AT\+CPIN\?", line("+CPIN: READY", "OK")) or line("OK")
        )
        lose_network(bench)
        await bench.until(lambda: bench.gateway.accepted)
        bench.peer.on(r"AT\+CREG\?", IN)
        await bench.state(State.READY)
        assert State.QUARANTINED not in bench.gateway.states


async def test_a_sim_that_wants_its_puk_gets_no_pin_and_is_an_alert(tmp_path: Path) -> None:
    pin_file = tmp_path / "pin"
    pin_file.write_text("1234")
    async with wired(tmp_path, pin_file=pin_file) as bench:
        bench.peer.on(r"AT\+CPIN\?", line("+CPIN: SIM PUK", "OK"))
        lose_network(bench)
        await bench.until(lambda: bench.gateway.alerts.get(AlertKind.PUK))
        await asyncio.sleep(600)
        assert bench.modem.state is State.QUARANTINED
        assert not [heard for heard in bench.peer.heard if heard.startswith("AT+CPIN=")]


@pytest.mark.parametrize("imsi", ["284010000000001", "284030000000009"])
async def test_another_sim_is_asked_who_it_is_and_the_same_one_goes_on(tmp_path: Path, imsi: str) -> None:
    async with wired(tmp_path) as bench:
        lose_network(bench)
        await bench.state(State.UNREGISTERED)
        bench.peer.on(r"AT\+CIMI", line(imsi, "OK"))
        bench.peer.on(r"AT\+CREG\?", IN)
        bench.peer.say(line("+CREG: 1"))
        if imsi == bench.modem.imsi:
            await bench.state(State.READY)
            assert State.STARTING not in bench.gateway.states[2:]
        else:
            await bench.until(lambda: bench.modem.state is State.READY and bench.modem.imsi == imsi)
            assert "SIM was changed" in str(bench.gateway.reasons)


async def test_a_modem_that_knows_no_pin_and_tells_no_imsi_is_only_out_of_its_network(tmp_path: Path) -> None:
    async with wired(tmp_path, start=False) as bench:
        bench.peer.on(r"AT\+CPIN\?", line("ERROR"))
        bench.peer.on(r"AT\+CIMI", line("ERROR"))
        life = asyncio.create_task(bench.modem.run())
        await bench.state(State.READY)
        lose_network(bench)
        await bench.state(State.UNREGISTERED)
        bench.peer.on(r"AT\+CREG\?", IN)
        await bench.state(State.READY)
        assert State.STARTING not in bench.gateway.states[2:]
        life.cancel()
        await asyncio.gather(life, return_exceptions=True)
