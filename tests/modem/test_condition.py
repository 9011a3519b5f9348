"""What is watched: storage, clock, calls, and the operator's answers to USSD codes."""

import asyncio
from datetime import timedelta
from pathlib import Path

import pytest

from modemd.errors import ModemError
from modemd.messages import AlertKind
from modemd.modem.ussd import ANSWER_SECONDS, read
from tests.modem.bench import NOW, wired
from tests.modem.scripted_modem import ERROR, OK, line


async def test_a_storage_that_fills_up_is_told_and_its_emptying_too(tmp_path: Path) -> None:
    async with wired(tmp_path, ready=False) as bench:
        bench.peer.on(r"AT\+CPMS\?", line('+CPMS: "SM",3,30,"ME",90,100,"SM",3,30', "OK"))
        await bench.until(lambda: bench.gateway.alerts.get(AlertKind.STORAGE_FULL))
        assert "90 of 100" in str(bench.gateway.alerts[AlertKind.STORAGE_FULL])
        assert (bench.modem.condition.storage_used, bench.modem.condition.storage_total) == (90, 100)
        bench.peer.on(r"AT\+CPMS\?", line('+CPMS: "SM",3,30,"ME",10,100,"SM",3,30', "OK"))
        await bench.until(lambda: bench.gateway.alerts[AlertKind.STORAGE_FULL] is None)


@pytest.mark.parametrize(
    ("ahead", "offset", "told"),
    [
        (timedelta(seconds=30), 30, False),
        (timedelta(minutes=-10), -600, True),
        (timedelta(hours=2, seconds=5), 5, False),  # local time without its zone: Sofia in November
        (timedelta(hours=1), 3600, True),
    ],
)
async def test_a_clock_that_is_off_is_told(tmp_path: Path, ahead: timedelta, offset: int, told: bool) -> None:
    async with wired(tmp_path, ready=False) as bench:
        said = f'+CCLK: "{NOW + ahead:%y/%m/%d,%H:%M:%S}+00"'
        bench.peer.on(r"AT\+CTZU=1", OK)
        bench.peer.on(r"AT\+CCLK\?", line(said, "OK"))
        await bench.until(lambda: bench.modem.condition.clock_offset is not None)
        assert bench.modem.condition.clock_offset == offset
        assert bool(bench.gateway.alerts.get(AlertKind.CLOCK_OFF)) is told


async def test_a_modem_that_was_never_told_the_time_is_not_believed(tmp_path: Path) -> None:
    async with wired(tmp_path, ready=False) as bench:
        bench.peer.on(r"AT\+CCLK\?", line('+CCLK: "04/01/01,00:12:31+00"', "OK"))
        await bench.peer.until(r"AT\+CCLK\?")
        await asyncio.sleep(1)
        assert bench.modem.condition.clock_offset is None


@pytest.mark.parametrize("knows_chup", [True, False])
async def test_a_call_is_hung_up_and_counted_once(tmp_path: Path, knows_chup: bool) -> None:
    async with wired(tmp_path) as bench:
        bench.peer.on(r"AT\+CHUP", OK if knows_chup else ERROR)
        bench.peer.on("ATH", OK)
        hang_up = r"AT\+CHUP" if knows_chup else "ATH"
        bench.peer.say(line("RING", '+CLIP: "+359881234567",145'))
        await bench.peer.until(hang_up)
        await asyncio.sleep(5)
        bench.peer.say(line("RING"))
        await bench.peer.until(hang_up, 2)
        await asyncio.sleep(60)
        bench.peer.say(line("RING"))
        await bench.peer.until(hang_up, 3)
        assert len(bench.gateway.of("call")) == 2
        assert await bench.send() == 1


# USSD


async def test_the_operator_s_answer_comes_while_messages_go(tmp_path: Path) -> None:
    async with wired(tmp_path) as bench:
        bench.peer.on(r'AT\+CUSD=1,"\*100#",15', OK)
        asked = asyncio.create_task(bench.modem.ussd("*100#"))
        await bench.peer.until(r"AT\+CUSD.*")
        assert await bench.send() == 1
        bench.peer.say(line('+CUSD: 0,"Balans: 12,50 EUR\nOK",15'))
        assert await asked == "Balans: 12,50 EUR\nOK"


async def test_a_modem_that_wants_it_packed_gets_it_packed(tmp_path: Path) -> None:
    async with wired(tmp_path) as bench:
        bench.peer.on(r'AT\+CUSD=1,"AA180C3602",15', OK)
        asked = asyncio.create_task(bench.modem.ussd("*100#"))
        await bench.peer.until(r'AT\+CUSD=1,"AA180C3602",15')
        bench.peer.say(line('+CUSD: 1,"C2307BEC1E93D3",15'))
        await asked
        await bench.peer.until(r"AT\+CUSD=2")  # a menu is left again


@pytest.mark.parametrize(("said", "words"), [("+CUSD: 4", "does not know"), ("+CUSD: 2", "ended"), (None, "60 s")])
async def test_no_answer_is_said_in_words(tmp_path: Path, said: str | None, words: str) -> None:
    async with wired(tmp_path) as bench:
        bench.peer.on(r"AT\+CUSD=1.*", OK)
        if said is not None:
            asyncio.get_running_loop().call_later(ANSWER_SECONDS / 10, bench.peer.say, line(said))
        with pytest.raises(ModemError, match=words):
            await bench.modem.ussd("*100#")


async def test_no_code_can_smuggle_a_command_in(tmp_path: Path) -> None:
    async with wired(tmp_path) as bench:
        with pytest.raises(ModemError, match="digits"):
            await bench.modem.ussd('*100#",15\rAT+CMGD=1,4')
        assert not any("CMGD=1,4" in heard for heard in bench.peer.heard)


@pytest.mark.parametrize(
    ("said", "coding", "text"),
    [
        (b"Balans: 12,50 EUR", 15, "Balans: 12,50 EUR"),
        (b"04110430043b0430043d0441", 72, "Баланс"),
        (b"04110430043b0430043d0441", 15, "Баланс"),
        (b"C2303BEC9E836232560D06", 15, "Balans 12,50"),
        (b"1250", 15, "1250"),
        (b"\xff\xfe", 15, "\ufffd\ufffd"),
    ],
)
def test_an_answer_is_read_in_whatever_coding_it_comes(said: bytes, coding: int, text: str) -> None:
    assert read(said, coding)[: len(text)] == text
