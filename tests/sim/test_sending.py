from collections.abc import Callable
from itertools import pairwise

import pytest

from modemd.pdu.submit import Submit, encode_message
from tests.sim.bench import Bench, lines

PHONE = "+359888000101"
PART = encode_message(PHONE, "smetka")[0]


def test_the_network_takes_the_part_when_its_time_is_over_and_then_the_modem_says_so(
    make_bench: Callable[..., Bench],
) -> None:
    bench = make_bench(send_seconds=2.0)
    bench.set_up()
    bench.send(PHONE, "smetka")
    bench.clock.advance(1.9)
    assert (bench.shown(PHONE), bench.heard()) == ([], b"")
    bench.clock.advance(0.2)
    assert bench.shown(PHONE) == [(bench.modem.number, "smetka")]
    assert lines(bench.heard())[0].startswith("+CMGS: ")


def test_the_time_it_takes_counts_from_ctrl_z_however_long_we_read(
    make_bench: Callable[..., Bench], monkeypatch: pytest.MonkeyPatch
) -> None:
    bench = make_bench(send_seconds=2.0)
    bench.set_up()
    bench.network.times.begin()
    decode = Submit.decode

    def slowly(octets: bytes) -> Submit:
        bench.clock.advance(0.5)
        return decode(octets)

    monkeypatch.setattr(Submit, "decode", slowly)
    began = bench.clock.seconds()
    bench.send(PHONE, "smetka")
    bench.clock.advance(began + 2 - bench.clock.seconds())
    assert lines(bench.heard())[0].startswith("+CMGS: ")
    assert bench.network.times.measured()["modems"]["modem00"] == {"handed_over": [0.0], "answered": [2.0]}


def test_times_vary_by_the_jitter_and_no_more(make_bench: Callable[..., Bench]) -> None:
    bench = make_bench(send_seconds=1.0, send_jitter=0.2)
    bench.set_up()
    times = []
    for _ in range(50):
        began = bench.clock.seconds()
        bench.send(PHONE, "smetka", status_report=False)
        while not bench.heard():
            bench.clock.advance(0.01)
        times.append(bench.clock.seconds() - began)
    assert min(times) >= 0.79
    assert max(times) <= 1.22
    assert max(times) - min(times) > 0.2


def test_references_count_up_in_each_modem_and_wrap_after_255(bench: Bench) -> None:
    numbers = [int(bench.send(PHONE, "smetka")[0].removeprefix("+CMGS: ")) for _ in range(300)]
    assert all((one + 1) % 256 == next_one for one, next_one in pairwise(numbers))


@pytest.mark.parametrize(
    ("length", "body"),
    [
        (PART.length + 1, PART.pdu),
        (PART.length, PART.pdu[:-2]),
        (PART.length, "no hex at all"),
        (PART.length, ""),
        (PART.length, PART.pdu + "0"),
        (PART.length, PART.pdu[:2] + "20" + PART.pdu[4:]),  # of another type
    ],
)
def test_a_body_that_is_no_submit_of_that_length_is_refused(bench: Bench, length: int, body: str) -> None:
    bench.type(f"AT+CMGS={length}\r".encode())
    assert lines(bench.type(body.encode() + b"\x1a")) == ["+CMS ERROR: 304"]
    assert bench.ask("AT") == ["OK"]


@pytest.mark.parametrize("command", ["AT+CMGS", "AT+CMGS=", "AT+CMGS=x", 'AT+CMGS="+359888000101"'])
def test_no_prompt_without_a_length(bench: Bench, command: str) -> None:
    assert bench.ask(command) == ["+CMS ERROR: 304"]


def test_a_modem_without_network_refuses(bench: Bench) -> None:
    bench.fault("unregistered")
    assert bench.send(PHONE, "smetka") == ["+CMS ERROR: 331"]


def test_a_network_lost_on_the_way_refuses_and_takes_nothing(make_bench: Callable[..., Bench]) -> None:
    bench = make_bench(send_seconds=2.0)
    bench.set_up()
    bench.send(PHONE, "smetka")
    bench.fault("unregistered")
    bench.clock.advance(2)
    assert lines(bench.heard()) == ["+CMS ERROR: 331"]
    assert bench.shown(PHONE) == []


def test_a_modem_that_goes_in_mid_send_sends_nothing_and_says_nothing_later(make_bench: Callable[..., Bench]) -> None:
    bench = make_bench(send_seconds=2.0)
    bench.set_up()
    bench.send(PHONE, "smetka")
    bench.fault("unplug:seconds=1")
    bench.come_back()
    bench.heard()
    bench.clock.advance(10)
    assert (bench.heard(), bench.shown(PHONE)) == (b"", [])


def test_a_message_written_to_storage_is_sent_from_there(bench: Bench) -> None:
    bench.type(f"AT+CMGW={PART.length}\r".encode())
    assert lines(bench.type(PART.pdu.encode() + b"\x1a")) == ["+CMGW: 1", "OK"]
    assert bench.ask("AT+CMGR=1")[0] == f"+CMGR: 2,,{PART.length}"
    assert bench.ask("AT+CMSS=1")[0].startswith("+CMSS: ")
    assert bench.shown(PHONE) == [(bench.modem.number, "smetka")]
    assert bench.ask("AT+CMGR=1")[0] == f"+CMGR: 3,,{PART.length}"
    assert bench.ask("AT+CMSS=2") == ["+CMS ERROR: 321"]
