import asyncio
from datetime import timedelta
from pathlib import Path

import pytest

from modemd.errors import NotSent, SendInDoubt, VerbFailed
from modemd.messages import Reason
from modemd.modem.lifecycle import MOVES, Lifecycle, State
from tests.modem.bench import NOW, a_part, wired
from tests.modem.scripted_modem import OK, line


async def test_a_modem_that_falls_silent_recovers_and_says_why(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    async with wired(tmp_path) as bench:
        bench.peer.on_pdu = lambda pdu: None
        with pytest.raises(SendInDoubt):
            await bench.send()
        await bench.state(State.READY)
        told = dict(zip(bench.gateway.states, bench.gateway.reasons, strict=True))
        assert told[State.SILENT] == "no answer to AT+CMGS=22 in 60 s"
        assert bench.gateway.states[-4:] == [State.READY, State.SILENT, State.RECOVERING, State.READY]
    assert "gsm1: READY -> SILENT: no answer to AT+CMGS=22 in 60 s" in caplog.messages


async def test_a_modem_that_dies_while_idle_is_noticed(tmp_path: Path) -> None:
    async with wired(tmp_path) as bench:
        bench.peer.deaf = True
        await bench.state(State.SILENT)
        bench.peer.deaf = False
        await bench.state(State.READY)


async def test_a_modem_that_dies_in_its_prompt_is_silent_at_the_next_send(tmp_path: Path) -> None:
    async with wired(tmp_path) as bench:
        failed = asyncio.get_running_loop().create_future()
        failed.set_exception(VerbFailed(reason="invented"))
        with pytest.raises(NotSent):
            await bench.modem.send(a_part(), failed)
        bench.peer.deaf = True
        with pytest.raises(NotSent):
            await bench.send(a_part(8))
        assert bench.modem.state in (State.SILENT, State.RECOVERING)
        bench.peer.deaf = False
        await bench.state(State.READY)


async def test_a_modem_that_stays_silent_gets_its_port_closed_and_opened_again(tmp_path: Path) -> None:
    async with wired(tmp_path) as bench:
        bench.peer.deaf = True
        await bench.until(lambda: "does not answer AT" in (bench.modem.reason or ""))
        assert bench.modem.state is State.SILENT
        bench.peer.deaf = False
        await bench.state(State.READY)
        assert bench.peer.heard.count("AT+CMGF=0") == 2


async def test_while_silent_it_sends_nothing_and_a_part_is_refused_at_once(tmp_path: Path) -> None:
    async with wired(tmp_path) as bench:
        bench.peer.on_pdu = lambda pdu: setattr(bench.peer, "deaf", True)
        with pytest.raises(SendInDoubt):
            await bench.send()
        loop = asyncio.get_running_loop()
        before = loop.time()
        with pytest.raises(Exception, match=r"the modem is (silent|recovering)"):
            await bench.send(a_part(8))
        assert loop.time() - before < 0.5


async def test_an_unplugged_modem_is_absent_and_ready_again_when_it_returns(tmp_path: Path) -> None:
    async with wired(tmp_path) as bench:
        bench.peer.hang_up()
        await bench.state(State.ABSENT)
        await asyncio.sleep(300)
        bench.peer.plug_in()
        await bench.state(State.READY)
        assert await bench.send() == 1


async def test_a_modem_that_restarts_by_itself_is_set_up_again(tmp_path: Path) -> None:
    async with wired(tmp_path) as bench:
        del bench.peer.heard[:]
        bench.peer.say(line("RDY", "+CFUN: 1", "Call Ready", "SMS Ready"))
        await bench.peer.until(r"AT\+CNMI=2,1,0,2,0")
        await bench.peer.until("AT.CMGL=4", 2)
        assert "AT+CMGF=0" in bench.peer.heard


async def test_signal_and_operator_are_kept_current(tmp_path: Path) -> None:
    async with wired(tmp_path) as bench:
        bench.peer.on(r"AT\+CSQ", line("+CSQ: 5,99", "OK"))
        await bench.until(lambda: bench.modem.signal_dbm == -103)


async def test_an_idle_modem_is_left_alone_most_of_the_time(tmp_path: Path) -> None:
    async with wired(tmp_path) as bench:
        del bench.peer.heard[:]
        await asyncio.sleep(300)
        assert len(bench.peer.heard) <= 25


async def test_noise_between_messages_does_no_harm(tmp_path: Path) -> None:
    async with wired(tmp_path) as bench:
        bench.peer.say(bytes(range(256)) * 4 + b"\r\n")
        bench.peer.say(b"\xff" * 10_000)
        assert await bench.send() in (1, 2)


async def test_bytes_without_end_do_no_harm(tmp_path: Path) -> None:
    async with wired(tmp_path) as bench:
        bench.peer.say(b"x" * 200_000)
        await asyncio.sleep(1)
        bench.peer.say(b"\r\n")
        assert await bench.send() == 1


async def test_a_stop_lets_the_command_under_way_end(tmp_path: Path) -> None:
    async with wired(tmp_path) as bench:
        bench.peer.on_pdu = lambda pdu: bench.peer.say_later(3, line("+CMGS: 9", "OK"))
        sending = asyncio.create_task(bench.send())
        await bench.peer.until(a_part().pdu)
        await bench.modem.stop()
        assert await sending == 9
        with pytest.raises(Exception, match="handed"):
            await bench.send()


async def test_a_modem_says_ok_after_the_fence_only_when_it_is_in_step(tmp_path: Path) -> None:
    """Three answers are late at once; none of them is given to a later question."""
    async with wired(tmp_path) as bench:
        bench.peer.next(r"AT\+CSQ", lambda command: bench.peer.say_later(5.1, line("+CSQ: 1,99", "OK")))
        bench.peer.next("AT", lambda command: bench.peer.say_later(0.9, OK))
        await bench.state(State.SILENT)
        await bench.state(State.READY)
        assert bench.modem.signal_dbm == -73
        assert await bench.send() == 1


# the states


def test_every_move_that_the_table_has_can_be_made_and_no_other() -> None:
    for start, ends in MOVES.items():
        for end in State:
            life = Lifecycle(lambda: NOW, lambda: None)
            life.state = start
            if end in ends or end is start:
                life.move("gsm1", end)
                assert life.state is end
            else:
                with pytest.raises(RuntimeError):
                    life.move("gsm1", end)


def test_from_every_state_a_modem_can_come_to_be_ready() -> None:
    reach = {State.READY}
    for _ in State:
        reach |= {state for state in State if MOVES[state] & reach}
    assert reach == set(State)


def test_a_move_is_told_and_a_stay_only_with_a_new_reason() -> None:
    told: list[str | None] = []
    life = Lifecycle(lambda: NOW, lambda: told.append(life.reason))
    life.move("gsm1", State.STARTING)
    life.move("gsm1", State.QUARANTINED, Reason("no SIM"))
    life.move("gsm1", State.QUARANTINED, Reason("no SIM"))
    life.move("gsm1", State.QUARANTINED, Reason("PUK"))
    assert told == [None, "no SIM", "PUK"]
    assert life.since == NOW


async def test_one_that_is_brought_back_tells_its_rung_of_how_many_and_until_when(tmp_path: Path) -> None:
    async with wired(tmp_path) as bench:
        bench.peer.deaf = True
        await bench.until(lambda: bench.modem.reason is not None and bench.modem.reason.code == "OnRung")
        first = bench.modem.reason
        assert first is not None
        assert (first.facts["rung"], first.facts["step"], first.facts["of"]) == ("resync", 1, 3)
        assert first.facts["until"] == (NOW + timedelta(seconds=90)).isoformat()
        await bench.until(lambda: bench.modem.reason is not None and bench.modem.reason.facts.get("step") == 3)
        await bench.until(lambda: bench.modem.reason is not None and bench.modem.reason.code == "NothingHelped")
        assert bench.modem.reason is not None
        assert bench.modem.reason.facts["again_at"] == (NOW + timedelta(minutes=1)).isoformat()
