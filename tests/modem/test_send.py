import asyncio
from pathlib import Path

import pytest

from modemd.errors import CommandRefused, NotSent, SendInDoubt, VerbFailed
from modemd.modem.lifecycle import State
from tests.modem.bench import a_part, done, wired
from tests.modem.scripted_modem import OK, line

CMTI = line('+CMTI: "SM",3')
CDS = line("+CDS: 26")[:-2] + b"\r\n" + b"00" + b"06" * 26 + b"\r\n"


async def test_a_part_goes_out_and_its_reference_comes_back(tmp_path: Path) -> None:
    async with wired(tmp_path) as bench:
        assert await bench.send() == 1
        assert bench.peer.heard[-2:] == ["AT+CMGS=22", a_part().pdu]


async def test_nothing_but_the_send_is_said_for_a_message(tmp_path: Path) -> None:
    async with wired(tmp_path) as bench:
        del bench.peer.heard[:]
        for _ in range(3):
            await bench.send()
        assert bench.peer.heard == ["AT+CMGS=22", a_part().pdu] * 3


async def test_rule_2_ctrl_z_waits_for_the_commit(tmp_path: Path) -> None:
    async with wired(tmp_path) as bench:
        committed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        sending = asyncio.create_task(bench.modem.send(a_part(), committed))
        await bench.peer.until("AT.CMGS=22")
        await asyncio.sleep(3)
        assert bench.peer.at_prompt
        assert a_part().pdu not in bench.peer.heard
        committed.set_result(None)
        assert await sending == 1


async def test_rule_2_without_the_commit_nothing_is_sent_and_the_prompt_is_left(tmp_path: Path) -> None:
    async with wired(tmp_path) as bench:
        committed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        committed.set_exception(VerbFailed(reason="invented"))
        with pytest.raises(NotSent):
            await bench.modem.send(a_part(), committed)
        assert await bench.send(a_part(8)) == 1
        assert a_part().pdu not in bench.peer.heard
        assert bench.modem.state is State.READY


async def test_a_cancelled_send_leaves_the_prompt(tmp_path: Path) -> None:
    async with wired(tmp_path) as bench:
        never: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        sending = asyncio.create_task(bench.modem.send(a_part(), never))
        await bench.peer.until("AT.CMGS=22")
        await asyncio.sleep(0.1)
        sending.cancel()
        with pytest.raises(asyncio.CancelledError):
            await sending
        assert await bench.send(a_part(8)) == 1


async def test_a_refusal_says_whether_it_is_permanent(tmp_path: Path) -> None:
    async with wired(tmp_path) as bench:
        for text, permanent in (("+CMS ERROR: 38", False), ("+CMS ERROR: 28", True), ("ERROR", False)):
            bench.peer.on_pdu = lambda pdu, text=text: line(text)
            with pytest.raises(CommandRefused) as refused:
                await bench.send()
            assert refused.value.permanent is permanent
        bench.peer.on_pdu = bench.peer.take
        assert await bench.send() == 1


async def test_a_refusal_in_place_of_the_prompt_is_a_refusal(tmp_path: Path) -> None:
    async with wired(tmp_path) as bench:
        bench.peer.next(r"AT\+CMGS=22", line("+CMS ERROR: 304"))
        with pytest.raises(CommandRefused) as refused:
            await bench.send()
        assert refused.value.permanent
        assert a_part().pdu not in bench.peer.heard


async def test_no_prompt_means_nothing_was_sent(tmp_path: Path) -> None:
    async with wired(tmp_path) as bench:
        bench.peer.next(r"AT\+CMGS=22", None)
        with pytest.raises(NotSent):
            await bench.send()
        await bench.state(State.READY)
        assert bench.peer.escapes >= 2
        assert await bench.send() == 1


async def test_a_prompt_that_comes_after_its_time_out_takes_no_command_for_a_text(tmp_path: Path) -> None:
    async with wired(tmp_path) as bench:

        def late_prompt(command: str) -> None:
            bench.peer.say_later(5.2, b"\r\n> ", prompt=True)

        bench.peer.next(r"AT\+CMGS=22", late_prompt)
        with pytest.raises(NotSent):
            await bench.send()
        await bench.state(State.READY)
        assert await bench.send(a_part(8)) == 1
        assert bench.peer.dropped == []


async def test_no_answer_to_ctrl_z_is_doubt_and_its_late_reference_settles_it(tmp_path: Path) -> None:
    async with wired(tmp_path) as bench:

        def late(pdu: str) -> None:
            bench.peer.deaf = True
            bench.peer.say_later(63, line("+CMGS: 41", "OK"), deaf=False)

        bench.peer.on_pdu = late
        with pytest.raises(SendInDoubt):
            await bench.send(a_part(7))
        assert bench.modem.state in (State.SILENT, State.RECOVERING)
        await bench.told("late")
        assert bench.gateway.of("late") == [(7, 41)]
        await bench.state(State.READY)
        bench.peer.on_pdu = bench.peer.take
        assert await bench.send(a_part(8)) == 1


async def test_a_late_refusal_settles_it_too(tmp_path: Path) -> None:
    async with wired(tmp_path) as bench:

        def late(pdu: str) -> None:
            bench.peer.say_later(60.2, line("+CMS ERROR: 38"))

        bench.peer.on_pdu = late
        with pytest.raises(SendInDoubt):
            await bench.send(a_part(7))
        await bench.told("late")
        ((part_id, outcome),) = bench.gateway.of("late")
        assert part_id == 7
        assert isinstance(outcome, CommandRefused)
        assert not outcome.permanent


async def test_rule_5_after_a_time_out_comes_esc_then_at_before_any_other_command(tmp_path: Path) -> None:
    async with wired(tmp_path) as bench:
        bench.peer.on_pdu = lambda pdu: None
        escapes = bench.peer.escapes
        with pytest.raises(SendInDoubt):
            await bench.send()
        del bench.peer.heard[:]
        await bench.state(State.READY)
        assert bench.peer.escapes > escapes
        assert bench.peer.heard[0] == "AT"


async def test_rule_5_an_answer_that_comes_late_is_not_the_next_command_s(tmp_path: Path) -> None:
    """The modem answers 3 s late, each time: the reference of part 7 must never be given to part 8."""
    async with wired(tmp_path, send_timeout=2.0) as bench:
        references = iter(range(100, 200))

        def slow(pdu: str) -> None:
            bench.peer.say_later(3.0, line(f"+CMGS: {next(references)}", "OK"))

        bench.peer.on_pdu = slow
        with pytest.raises(SendInDoubt):
            await bench.send(a_part(7))
        await bench.told("late")
        await bench.state(State.READY)
        bench.peer.on_pdu = lambda pdu: line(f"+CMGS: {next(references)}", "OK")
        assert await bench.send(a_part(8)) == 101
        assert bench.gateway.of("late") == [(7, 100)]


async def test_a_hang_up_before_ctrl_z_means_nothing_was_sent(tmp_path: Path) -> None:
    async with wired(tmp_path) as bench:
        bench.peer.next(r"AT\+CMGS=22", lambda command: bench.peer.hang_up())
        loop = asyncio.get_running_loop()
        before = loop.time()
        with pytest.raises(NotSent):
            await bench.send()
        assert loop.time() - before < 1


async def test_a_hang_up_while_the_commit_is_awaited_means_nothing_was_sent(tmp_path: Path) -> None:
    async with wired(tmp_path) as bench:
        committed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        sending = asyncio.create_task(bench.modem.send(a_part(), committed))
        await bench.peer.until("AT.CMGS=22")
        await asyncio.sleep(0.1)  # the prompt arrives
        bench.peer.hang_up()
        await bench.state(State.ABSENT)
        committed.set_result(None)
        with pytest.raises(NotSent):
            await sending


async def test_a_modem_that_leaves_its_prompt_before_the_commit_gets_no_pdu(tmp_path: Path) -> None:
    async with wired(tmp_path) as bench:
        committed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        sending = asyncio.create_task(bench.modem.send(a_part(), committed))
        await bench.peer.until("AT.CMGS=22")
        bench.peer.at_prompt = False
        bench.peer.say(line("+CMS ERROR: 500"))
        await asyncio.sleep(1)
        committed.set_result(None)
        with pytest.raises(NotSent):
            await sending
        assert await bench.send(a_part(8)) == 1
        assert a_part().pdu not in bench.peer.heard


async def test_a_hang_up_after_ctrl_z_is_doubt_at_once(tmp_path: Path) -> None:
    async with wired(tmp_path) as bench:
        bench.peer.on_pdu = lambda pdu: bench.peer.hang_up()
        loop = asyncio.get_running_loop()
        before = loop.time()
        with pytest.raises(SendInDoubt):
            await bench.send()
        assert loop.time() - before < 1


async def test_a_reference_whose_ok_is_lost_counts(tmp_path: Path) -> None:
    async with wired(tmp_path) as bench:
        bench.peer.on_pdu = lambda pdu: line("+CMGS: 9", "O\xffK")
        assert await bench.send() == 9


async def test_an_ok_without_a_reference_is_doubt(tmp_path: Path) -> None:
    async with wired(tmp_path) as bench:
        bench.peer.on_pdu = lambda pdu: OK
        with pytest.raises(SendInDoubt):
            await bench.send()


@pytest.mark.parametrize("urc", [CMTI, CDS, line("^RSSI:17"), line("RING"), b"\xff\x00\xfe"])
@pytest.mark.parametrize("place", ["command and prompt", "body and reference", "reference and ok"])
async def test_rule_4_a_urc_in_every_place_of_a_send(tmp_path: Path, urc: bytes, place: str) -> None:
    async with wired(tmp_path) as bench:
        bench.peer.on(r"AT\+CMGR=3", line("+CMGR: 0,,23") + b"00" + b"04" * 23 + b"\r\n" + OK)
        if place == "command and prompt":
            bench.peer.next(r"AT\+CMGS=22", urc + b"\r\n> ")
        first, second = (urc, b"") if place == "body and reference" else (b"", urc)
        if place != "command and prompt":
            bench.peer.on_pdu = lambda pdu: first + line("+CMGS: 5") + second + OK
        assert await bench.send() == (1 if place == "command and prompt" else 5)
        if urc is CMTI:
            await bench.told("sms")
        if urc is CDS:
            await bench.peer.until(r"AT\+CNMA")


@pytest.mark.parametrize("chunk", [1, 3])
async def test_bytes_may_come_one_at_a_time_and_echoed(tmp_path: Path, chunk: int) -> None:
    async with wired(tmp_path) as bench:
        bench.peer.chunk = chunk
        bench.peer.echo = True
        assert [await bench.send() for _ in range(3)] == [1, 2, 3]


async def test_one_command_at_a_time(tmp_path: Path) -> None:
    async with wired(tmp_path) as bench:
        del bench.peer.heard[:]
        references = await asyncio.gather(*(bench.send(a_part(number)) for number in (1, 2, 3)))
        assert references == [1, 2, 3]
        assert bench.peer.heard == [text for n in (1, 2, 3) for text in ("AT+CMGS=22", a_part(n).pdu)]


async def test_a_read_that_waits_behind_a_send_goes_before_the_next_send(tmp_path: Path) -> None:
    async with wired(tmp_path) as bench:

        def slow(pdu: str) -> None:
            bench.peer.say(CMTI)
            bench.peer.say_later(2.0, line("+CMGS: 1", "OK"))

        bench.peer.on_pdu = slow
        bench.peer.on(r"AT\+CMGR=3", line("+CMGR: 0,,23") + b"00" + b"04" * 23 + b"\r\n" + OK)
        del bench.peer.heard[:]
        await asyncio.gather(bench.send(a_part(1)), bench.send(a_part(2)))
        told = [heard for heard in bench.peer.heard if heard[:7] in ("AT+CMGR", "AT+CMGS")]
        assert told == ["AT+CMGS=22", "AT+CMGR=3", "AT+CMGS=22"]


async def test_a_modem_that_is_not_there_sends_nothing(tmp_path: Path) -> None:
    async with wired(tmp_path, start=False) as bench:
        with pytest.raises(NotSent):
            await bench.modem.send(a_part(), done())


async def test_the_next_part_is_not_sent_when_the_modem_hung_up_in_the_midst_of_the_one_before(tmp_path: Path) -> None:
    async with wired(tmp_path) as bench:
        bench.peer.on_pdu = lambda pdu: bench.peer.hang_up()
        first, second = (asyncio.create_task(bench.send(a_part(part_id))) for part_id in (7, 8))
        with pytest.raises(SendInDoubt):
            await first
        with pytest.raises(NotSent):
            await second
