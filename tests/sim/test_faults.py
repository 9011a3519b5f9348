import re
from collections.abc import Callable
from random import Random

import pytest

from modemd.errors import SimulatorError
from modemd.pdu.submit import encode_message
from modemd.sim import faults
from tests.sim.bench import Bench, lines

PHONE = "+359888000101"
PART = encode_message(PHONE, "smetka")[0]


def test_silence_says_nothing_and_does_everything(bench: Bench) -> None:
    bench.fault("silence")
    assert bench.send(PHONE, "smetka") == []
    assert bench.shown(PHONE) == [(bench.modem.number, "smetka")]
    bench.modem.faults.clear()
    assert bench.ask("AT") == ["OK"]


def test_silence_can_be_over_after_some_seconds(bench: Bench) -> None:
    bench.fault("silence:seconds=5")
    bench.clock.advance(4)
    assert bench.ask("AT") == []
    bench.clock.advance(2)
    assert bench.ask("AT") == ["OK"]


def test_a_lost_answer_belongs_to_a_part_that_the_network_took(bench: Bench) -> None:
    bench.fault("answer-lost")
    assert bench.send(PHONE, "smetka") == []
    assert len(bench.shown(PHONE)) == 1
    assert bench.ask("AT") == ["OK"]
    assert bench.send(PHONE, "smetka")[-1] == "OK"


def test_a_late_answer_comes_before_the_answers_to_what_was_asked_meanwhile(bench: Bench) -> None:
    bench.fault("answer-late:seconds=20")
    assert bench.send(PHONE, "smetka", status_report=False) == []
    bench.clock.advance(19)
    assert bench.ask("\x1bAT") == []
    bench.clock.advance(1)
    said = lines(bench.heard())
    assert said[0].startswith("+CMGS: ")
    assert said[1:] == ["OK", "OK"]


def test_no_prompt_comes_and_the_next_command_is_answered(bench: Bench) -> None:
    bench.fault("no-prompt")
    assert bench.type(f"AT+CMGS={PART.length}\r".encode()) == b""
    assert bench.ask("\x1bAT") == ["OK"]
    assert bench.type(f"AT+CMGS={PART.length}\r".encode()) == b"\r\n> "


def test_a_cms_error_comes_at_its_rate_and_the_network_took_nothing(bench: Bench) -> None:
    bench.fault("cms-error:rate=0.3,code=38")
    refused = sum(bench.send(PHONE, "smetka") == ["+CMS ERROR: 38"] for _ in range(300))
    assert 60 <= refused <= 120
    assert len(bench.shown(PHONE)) == 300 - refused


def test_unplugging_hangs_up_now_or_when_the_network_has_taken_a_part(bench: Bench) -> None:
    bench.fault("unplug:seconds=3,port=modem77")
    assert bench.hang_ups == [(3.0, "modem77")]
    bench.come_back()
    bench.set_up()
    bench.fault("unplug:when=submit")
    assert bench.send(PHONE, "smetka") == []
    assert bench.hang_ups[1:] == [(1.0, "")]
    assert len(bench.shown(PHONE)) == 1
    bench.come_back()
    assert bench.ask("AT")[-1] == "OK"


def test_faults_add_up_and_a_modem_that_is_gone_says_nothing_when_it_is_back(bench: Bench) -> None:
    bench.fault("unplug:when=submit")
    bench.fault("answer-late:seconds=5")
    assert bench.send(PHONE, "smetka", status_report=False) == []
    bench.come_back()
    bench.clock.advance(10)
    assert bench.heard() == b""


def test_garbage_stands_before_what_the_modem_says(bench: Bench) -> None:
    bench.fault("garbage:length=20")
    said = bench.type(b"AT\r")
    assert said.endswith(b"\r\nOK\r\n")
    assert 1 <= len(said) - 6 <= 20


def test_bytes_can_come_one_at_a_time(bench: Bench) -> None:
    bench.fault("byte-at-a-time:seconds=0.01")
    assert bench.type(b"AT\r") == b"\r"
    heard = [bench.heard() for _ in range(5) if bench.clock.advance(0.01) is None]
    assert heard == [b"\n", b"O", b"K", b"\r", b"\n"]


def test_bytes_keep_their_order_when_they_come_slowly(bench: Bench) -> None:
    bench.fault("byte-at-a-time")
    bench.modem.received(b"AT+CGSN\r")
    bench.network.text(PHONE, "smetka")
    bench.clock.advance(1)
    assert lines(bench.heard()) == [bench.modem.identity.imei, "OK", '+CMTI: "SM",1']


def test_interleaved_lines_stand_before_every_frame_and_between_the_entries_of_a_listing(bench: Bench) -> None:
    for text in ("one", "two"):
        bench.network.text(PHONE, text)
    bench.heard()
    bench.fault("interleave:line=RING")
    assert [line[:5] for line in bench.ask("AT+CMGL=4")] == [
        "RING", "+CMGL", "07915", "RING", "+CMGL", "07915", "RING", "OK"
    ]  # fmt: skip
    assert bench.type(f"AT+CMGS={PART.length}\r".encode()) == b"\r\nRING\r\n\r\n> "
    said = lines(bench.type(PART.pdu.encode() + b"\x1a"))
    assert [line[:5] for line in said] == ["RING", "+CMGS", "RING", "OK"]


def test_slow_bytes_stay_in_front_of_those_that_came_after_the_fault_was_cleared(bench: Bench) -> None:
    bench.fault("byte-at-a-time")
    bench.modem.received(b"AT+CGSN\r")
    bench.modem.faults.clear()
    bench.modem.received(b"AT+CGMM\r")
    bench.clock.advance(1)
    assert lines(bench.heard()) == [bench.modem.identity.imei, "OK", "Standard", "OK"]


def test_a_fault_strikes_no_more_often_than_it_should_within_one_answer(bench: Bench) -> None:
    bench.fault("interleave:count=1,line=RING")
    assert bench.ask("AT+CGSN") == ["RING", bench.modem.identity.imei, "OK"]


def test_a_storm_blows_at_its_rate_until_it_is_over(bench: Bench) -> None:
    bench.fault("urc-storm:per_second=250,seconds=2")
    bench.clock.advance(10)
    assert 480 <= len(lines(bench.heard())) <= 505
    bench.fault("urc-storm")
    bench.modem.faults.clear()
    bench.heard()
    bench.clock.advance(10)
    assert bench.heard() == b""


def test_a_duplicate_is_the_same_pdu_twice(bench: Bench) -> None:
    bench.fault("duplicate")
    bench.network.text(PHONE, "smetka")
    one, two = bench.stored()
    assert one == two


def test_reports_can_be_missing_late_or_bad(bench: Bench) -> None:
    bench.fault("report-missing:count=1")
    bench.send(PHONE, "missing")
    bench.fault("report-late:count=1,seconds=30")
    bench.send(PHONE, "late")
    bench.fault("report-status:count=1,status=70")
    bench.send(PHONE, "bad")
    bench.clock.advance(2)
    assert [report.status for report in bench.stored("SR")] == [70]
    bench.clock.advance(30)
    assert [report.status for report in bench.stored("SR")] == [70, 0]


def test_a_locked_sim_asks_for_its_pin(bench: Bench) -> None:
    bench.fault("sim-pin:pin=4321,tries=2")
    assert bench.ask("AT+CPIN?") == ["+CPIN: SIM PIN", "OK"]
    assert bench.ask('AT+CPIN="1111"') == ["+CME ERROR: 16"]
    assert bench.ask('AT+CPIN="4321"') == ["OK"]


def test_a_sim_can_want_its_puk_or_be_out_for_some_time(bench: Bench) -> None:
    bench.fault("sim-puk")
    assert bench.ask("AT+CPIN?") == ["+CPIN: SIM PUK", "OK"]
    bench.fault("sim-removed:seconds=5")
    assert bench.ask("AT+CPIN?") == ["+CME ERROR: 10"]
    assert bench.ask(f"AT+CMGS={PART.length}") == ["+CMS ERROR: 310"]
    bench.clock.advance(5)
    assert bench.ask("AT+CPIN?") == ["+CPIN: SIM PUK", "OK"]


@pytest.mark.parametrize("fault", ["sim-pin", "sim-puk"])
def test_a_sim_lock_that_is_cleared_is_gone(bench: Bench, fault: str) -> None:
    bench.fault(fault)
    assert bench.ask("AT+CPIN?") != ["+CPIN: READY", "OK"]
    bench.modem.faults.clear()
    assert bench.ask("AT+CPIN?") == ["+CPIN: READY", "OK"]


def test_a_full_sim_holds_readable_messages(bench: Bench) -> None:
    bench.fault("sim-full")
    assert len(bench.stored()) == 50
    assert {pdu.text for pdu in bench.stored()} == {"m"}


def test_a_fault_strikes_so_often_and_not_before_its_time(bench: Bench) -> None:
    bench.fault("cms-error:after=1,count=2,code=41")
    results = [bench.send(PHONE, "smetka", status_report=False)[-1] for _ in range(5)]
    assert results == ["OK", "+CMS ERROR: 41", "+CMS ERROR: 41", "OK", "OK"]
    assert not bench.modem.faults


def test_random_faults_repeat_by_their_seed(make_bench: Callable[..., Bench]) -> None:
    def play() -> list[str]:
        bench = make_bench()
        bench.set_up()
        bench.fault("cms-error:rate=0.5")
        return [re.sub(r"\d+", "", bench.send(PHONE, "smetka")[0]) for _ in range(40)]

    assert play() == play()


def test_a_reboot_in_mid_send_comes_before_or_after_the_network_has_the_part(bench: Bench) -> None:
    bench.set_up()
    bench.fault("reboot:when=body")
    assert bench.send(PHONE, "lost") == []
    bench.come_back()
    assert bench.shown(PHONE) == []
    bench.fault("reboot")
    bench.send(PHONE, "taken")
    assert bench.hang_ups == [(1.0, ""), (1.0, "")]
    assert [text for _, text in bench.shown(PHONE)] == ["taken"]


def test_a_modem_can_hang_when_its_reference_has_come_to_its_end(bench: Bench) -> None:
    bench.set_up()
    reference = int(bench.send(PHONE, "one")[0].split(":")[1])
    bench.fault(f"wrap-hang:at={(reference + 2) % 256},seconds=5")
    assert bench.send(PHONE, "two")[-1] == "OK"
    assert bench.send(PHONE, "three") == []
    assert bench.ask("AT") == []
    bench.clock.advance(5.0)
    assert bench.ask("AT") == ["OK"]
    assert len(bench.shown(PHONE)) == 3


def test_an_echo_can_come_on_whatever_was_set(bench: Bench) -> None:
    bench.set_up()
    bench.fault("echo-on")
    assert bench.type(b"AT\r") == b"AT\r\r\nOK\r\n"
    bench.modem.faults.clear()
    assert bench.type(b"AT\r") == b"\r\nOK\r\n"


def test_the_parts_of_a_long_message_can_come_the_last_one_first(bench: Bench) -> None:
    bench.fault("out-of-order:count=1")
    for _ in range(2):
        bench.network.text(PHONE, "a" * 200)
    places = [pdu.concatenation.part for pdu in bench.stored()]
    assert places == [2, 1, 1, 2]


def test_the_catalogue_names_every_fault_and_what_it_does() -> None:
    lines = faults.catalogue().splitlines()
    assert [re.split(r"[: ]", line)[0] for line in lines] == [*faults.NAMES, faults.CLEAR]
    assert all(line.split("  ", 1)[1].endswith(".") for line in lines)


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("silense", "silence"),
        ("", "silence"),
        ("cms-error:cod=3", "code"),
        ("cms-error:code=x", "code cannot be 'x'"),
        ("unplug:when=later", "now or submit"),
        ("reboot:when=later", "now, submit or body"),
        ("unplug:port=../x", "name in the bank's folder"),
        ("silence:_over=1", "seconds"),
    ],
)
def test_a_fault_that_cannot_be_is_refused_with_what_there_is(text: str, hint: str) -> None:
    with pytest.raises(SimulatorError, match=hint):
        faults.parse(text)


def test_every_fault_has_a_name_of_its_own_and_its_defaults_work(bench: Bench) -> None:
    random = Random(1)
    for name in sorted(faults.NAMES, key=lambda _: random.random()):
        assert faults.parse(name).name == name
