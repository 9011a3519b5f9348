import asyncio
import logging
from pathlib import Path

import pytest

from modemd.errors import ModemError
from modemd.modem.lifecycle import State
from tests.modem.bench import living, wired
from tests.modem.scripted_modem import ERROR, OK, line

USABLE = ["AT", "ATE0"]


async def test_a_modem_is_asked_who_it_is_and_set_up(tmp_path: Path) -> None:
    async with wired(tmp_path) as bench:
        modem = bench.modem
        assert (modem.manufacturer, modem.model, modem.firmware) == ("Invented", "M1", "1.0")
        assert (modem.imei, modem.iccid, modem.imsi) == (
            "351234567890123",
            "8935901000000000001",
            "284010000000001",
        )
        assert (modem.operator, modem.signal_dbm, modem.registration) == ("A1 BG", -73, "home")
        assert (modem.line_id, modem.line_name, modem.name) == (1, "gsm1", "gsm1")
        assert bench.gateway.states == [State.STARTING, State.READY]
        assert "AT+CNMI=2,1,0,2,0" in bench.peer.heard


async def test_the_port_is_cleared_with_esc_and_at_before_anything_else(tmp_path: Path) -> None:
    async with wired(tmp_path, start=False) as bench:
        bench.peer.at_prompt = True  # a program was killed in the middle of a message
        async with living(bench):
            await bench.state(State.READY)
        assert bench.peer.escapes >= 1
        assert bench.peer.heard[0] == "AT"


async def test_without_a_storage_for_reports_they_come_straight_to_us(tmp_path: Path) -> None:
    async with wired(tmp_path, ready=False) as bench:
        bench.peer.on(r"AT\+CPMS=\?", line('+CPMS: ("SM","ME"),("SM","ME"),("SM","ME")', "OK"))
        bench.peer.on(r"AT\+CNMI=2,1,0,1,1", OK)
        await bench.state(State.READY)
        assert [heard for heard in bench.peer.heard if "CNMI" in heard] == ["AT+CNMI=2,1,0,1,0", "AT+CNMI=2,1,0,1,1"]


async def test_a_modem_that_only_answers_at_takes_pdu_mode_and_sends_is_ready(tmp_path: Path) -> None:
    async with wired(tmp_path, ready=False) as bench:
        bench.peer.on(r"AT.+", ERROR)
        bench.peer.on(r"AT\+CMGF=0", OK)
        bench.peer.on(r"AT\+CMGS=22", b"\r\n> ")
        await bench.state(State.READY)
        assert await bench.send() == 1


async def test_a_modem_that_says_nothing_to_what_it_does_not_know_is_ready_too(tmp_path: Path) -> None:
    async with wired(tmp_path, ready=False) as bench:
        bench.peer.on(r"AT.+", None)
        bench.peer.on(r"AT\+CMGF=0", OK)
        bench.peer.on(r"AT\+CMGS=22", b"\r\n> ")
        await bench.state(State.READY)
        assert await bench.send() == 1
        await asyncio.sleep(120)  # now it has been asked everything
        del bench.gateway.states[:]
        await asyncio.sleep(120)
        assert bench.gateway.states in ([], [State.READY])


async def test_a_modem_that_says_ok_to_everything_is_ready(tmp_path: Path) -> None:
    async with wired(tmp_path, ready=False) as bench:
        bench.peer.on(r"AT.*", OK)
        bench.peer.on(r"AT\+CMGS=22", b"\r\n> ")
        await bench.state(State.READY)
        assert await bench.send() == 1


@pytest.mark.parametrize("framing", ["echo", "cr only", "no leading blank line", "byte at a time"])
async def test_other_framings_than_the_standard_s(tmp_path: Path, framing: str) -> None:
    async with wired(tmp_path, ready=False) as bench:
        peer = bench.peer
        peer.echo = framing == "echo"
        peer.chunk = 1 if framing == "byte at a time" else None
        say = peer.say
        if framing == "cr only":
            peer.say = lambda data: say(data.replace(b"\r\n\r\n", b"\r").replace(b"\r\n", b"\r"))
        if framing == "no leading blank line":
            peer.say = lambda data: say(data.replace(b"\r\n\r\n", b"\r\n").lstrip(b"\r\n"))
        await bench.state(State.READY)
        assert bench.modem.iccid == "8935901000000000001"
        assert [await bench.send() for _ in range(3)] == [1, 2, 3]


async def test_a_modem_that_answers_only_after_a_while(tmp_path: Path) -> None:
    async with wired(tmp_path, ready=False) as bench:
        bench.peer.deaf = True
        asyncio.get_running_loop().call_later(8, setattr, bench.peer, "deaf", False)
        await bench.state(State.READY)
        assert await bench.send() == 1


@pytest.mark.parametrize("seconds", [0.4, 0.7, 1.2, 2.5, 4.5])
async def test_a_slow_modem_s_answers_are_not_mixed_up(tmp_path: Path, seconds: float) -> None:
    async with wired(tmp_path, ready=False) as bench:
        usual = bench.peer.reaction

        def slow(command: str) -> None:
            answer = usual(command)
            bench.peer.say_later(seconds, answer or b"", prompt=bool(answer and answer.endswith(b"> ")))

        bench.peer.reaction = slow
        await bench.state(State.READY)
        assert (bench.modem.imei, bench.modem.imsi) == ("351234567890123", "284010000000001")
        assert bench.modem.operator == "A1 BG"


async def test_what_answers_no_at_is_no_modem_and_is_tried_again(tmp_path: Path) -> None:
    async with wired(tmp_path, ready=False) as bench:
        bench.peer.deaf = True
        await bench.state(State.SILENT)
        assert "does not answer AT" in (bench.modem.reason or "")
        bench.peer.deaf = False
        await bench.state(State.READY)


async def test_a_modem_without_pdu_mode_is_refused_in_words(tmp_path: Path) -> None:
    async with wired(tmp_path, ready=False) as bench:
        bench.peer.on(r"AT\+CMGF=0", line("+CMS ERROR: 303"))
        await bench.state(State.QUARANTINED)
        assert "AT+CMGF=0" in (bench.modem.reason or "")
        assert "operation not supported" in (bench.modem.reason or "")
        bench.peer.on(r"AT\+CMGF=0", OK)
        await bench.state(State.READY)


async def test_a_sim_that_is_busy_after_power_up_is_waited_for(tmp_path: Path) -> None:
    async with wired(tmp_path, ready=False) as bench:
        busy = line("+CMS ERROR: 314")
        bench.peer.next(r"AT\+CPIN\?", line("+CME ERROR: 14"), line("+CME ERROR: 10"))
        bench.peer.next(r"AT\+CPMS=\?", busy, busy)
        bench.peer.next(r"AT\+CNMI=2,1,0,2,0", busy, busy)
        await bench.state(State.READY)
        assert [heard for heard in bench.peer.heard if "CNMI" in heard] == ["AT+CNMI=2,1,0,2,0"] * 3


async def test_without_a_sim_it_says_so(tmp_path: Path) -> None:
    async with wired(tmp_path, ready=False) as bench:
        bench.peer.on(r"AT\+CPIN\?", line("+CME ERROR: 10"))
        await bench.state(State.QUARANTINED)
        assert "no SIM" in (bench.modem.reason or "")
        bench.peer.on(r"AT\+CPIN\?", line("+CPIN: READY", "OK"))
        await bench.state(State.READY)


async def test_a_modem_that_the_gateway_refuses_rests(tmp_path: Path) -> None:
    async with wired(tmp_path, ready=False) as bench:
        bench.gateway.refuse = ModemError(port=bench.peer.path, reason="nobody wants it")
        await bench.state(State.QUARANTINED)
        assert "nobody wants it" in (bench.modem.reason or "")
        bench.gateway.refuse = None
        await bench.state(State.READY)


async def test_a_fault_in_the_gateway_is_logged_and_the_modem_tried_again(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with wired(tmp_path, ready=False) as bench:
        bench.gateway.refuse = ZeroDivisionError("invented")  # type: ignore[assignment]
        await bench.state(State.QUARANTINED)
        bench.gateway.refuse = None
        await bench.state(State.READY)
    assert "ZeroDivisionError" in caplog.text


# registration


async def test_in_no_network_it_is_unregistered_until_it_is_in_one(tmp_path: Path) -> None:
    async with wired(tmp_path, ready=False) as bench:
        bench.peer.on(r"AT\+CREG\?", line("+CREG: 1,2", "OK"))
        await bench.state(State.UNREGISTERED)
        assert "searching" in (bench.modem.reason or "")
        bench.peer.on(r"AT\+CREG\?", line("+CREG: 1,5", "OK"))
        await bench.state(State.READY)
        assert bench.modem.registration == "roaming"


async def test_a_lost_network_is_known_by_its_urc(tmp_path: Path) -> None:
    async with wired(tmp_path) as bench:
        bench.peer.on(r"AT\+CREG\?", line("+CREG: 1,2", "OK"))
        bench.peer.say(line("+CREG: 2"))
        async with asyncio.timeout(5):
            await bench.state(State.UNREGISTERED)


async def test_a_modem_in_lte_alone_is_registered(tmp_path: Path) -> None:
    async with wired(tmp_path, ready=False) as bench:
        bench.peer.on(r"AT\+CREG\?", line("+CREG: 1,0", "OK"))
        bench.peer.on(r"AT\+CEREG\?", line("+CEREG: 0,1", "OK"))
        await bench.state(State.READY)


async def test_a_modem_that_does_not_tell_its_registration_is_believed_to_be_registered(tmp_path: Path) -> None:
    async with wired(tmp_path, ready=False) as bench:
        bench.peer.on(r"AT\+C(|G|E)REG\?", ERROR)
        await bench.state(State.READY)
        assert bench.modem.registration is None


# rule 12


async def test_rule_12_no_number_no_text_and_no_pin_at_info(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    (tmp_path / "pin").write_text("4711\n")
    async with wired(tmp_path, ready=False, pin_file=tmp_path / "pin") as bench:
        bench.peer.next(r"AT\+CPIN\?", line("+CPIN: SIM PIN", "OK"))
        bench.peer.on(r'AT\+CPIN="4711"', OK)
        await bench.state(State.READY)
        bench.peer.on(r"AT\+CMGR=1", line("+CMGR: 0,,25", "00040c9153891832547600006211328000000006f37699be0e03", "OK"))
        bench.peer.say(line('+CMTI: "SM",1'))
        await bench.told("deleted")
        await bench.send()
    assert "4711" not in caplog.text
    assert "359881234567" not in caplog.text
    assert "smetka" not in caplog.text
