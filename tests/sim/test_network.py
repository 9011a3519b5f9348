import json
from collections.abc import Callable
from datetime import timedelta
from itertools import pairwise
from pathlib import Path

import pytest

from modemd.errors import NotAPhone, SimulatorError, TextError
from tests.sim.bench import START, Bench, lines

PHONE = "+359888000101"
LONG = "Elektrohold: prosrocheni 112,40 EUR. " * 6


def reports(bench: Bench) -> list[tuple[int, int]]:
    return [(report.reference, report.status) for report in bench.stored("SR")]


# from phones


def test_a_text_arrives_as_it_was_sent_with_the_centre_and_its_time(bench: Bench) -> None:
    bench.network.text("0888000101", "Колко е? 😀")
    (pdu,) = bench.stored()
    assert (pdu.number.number, pdu.text, pdu.smsc.number) == (PHONE, "Колко е? 😀", bench.modem.smsc)
    assert (pdu.timestamp, pdu.timestamp.utcoffset()) == (START, timedelta(hours=2))


def test_time_stamps_between_two_numbers_grow_by_whole_seconds(bench: Bench) -> None:
    for _ in range(5):
        bench.network.text(PHONE, "smetka")
    bench.network.text("+359888000102", "smetka")
    stamps = [pdu.timestamp for pdu in bench.stored()]
    assert all(later - earlier == timedelta(seconds=1) for earlier, later in pairwise(stamps[:5]))
    assert stamps[5] == START


def test_a_long_text_is_cut_as_a_phone_cuts_it(bench: Bench) -> None:
    bench.network.text(PHONE, LONG)
    bench.network.text(PHONE, LONG)
    parts = bench.stored()
    assert "".join(part.text for part in parts[:2]) == LONG
    assert [(part.concatenation.total, part.concatenation.part) for part in parts] == [(2, 1), (2, 2)] * 2
    assert parts[0].concatenation.reference != parts[2].concatenation.reference


@pytest.mark.parametrize(("sender", "replyable"), [("170077", True), ("A1 BG", False), ("+359888000101", True)])
def test_a_sender_may_be_a_number_a_short_code_or_a_name(bench: Bench, sender: str, replyable: bool) -> None:
    bench.network.text(sender, "smetka")
    (pdu,) = bench.stored()
    assert (pdu.number.number, pdu.number.replyable) == (sender, replyable)


def test_texts_go_to_each_modem_in_turn_or_to_the_one_that_is_named(bench: Bench) -> None:
    bench.add()
    assert [bench.network.text(PHONE, "smetka") for _ in range(3)] == ["modem00", "modem01", "modem00"]
    assert bench.network.text(PHONE, "smetka", "modem01") == "modem01"


@pytest.mark.parametrize(
    ("sender", "text", "modem", "error"),
    [
        (PHONE, "", None, TextError),
        (PHONE, "x" * 1531, None, TextError),
        ("", "smetka", None, NotAPhone),
        ("123456789012345678901234", "smetka", None, NotAPhone),
        (PHONE, "smetka", "modem09", SimulatorError),
    ],
)
def test_what_no_phone_could_send_is_refused(
    bench: Bench, sender: str, text: str, modem: str | None, error: type[Exception]
) -> None:
    with pytest.raises(error):
        bench.network.text(sender, text, modem)
    assert bench.stored() == []


# to phones


def test_a_phone_shows_a_long_message_once_all_its_parts_are_there(bench: Bench) -> None:
    bench.send("0888000101", LONG)
    assert bench.shown(PHONE) == [(bench.modem.number, LONG)]


def test_one_phone_has_one_number_however_it_is_written(bench: Bench) -> None:
    bench.send("0888000101", "one")
    bench.send("+359888000101", "two")
    assert [text for _, text in bench.shown("00359888000101")] == ["one", "two"]
    assert bench.network.numbers() == [PHONE]


def test_a_modem_can_text_another_modem(bench: Bench) -> None:
    other = bench.add()
    bench.send(other.number, LONG)
    parts = [message for _, message in other.messaging.storages["SM"].items()]
    assert len(parts) == 2


# kept and reported


def test_a_modem_that_is_away_gets_its_messages_when_it_is_back(bench: Bench) -> None:
    bench.fault("unplug:seconds=5")
    bench.network.text(PHONE, "smetka")
    assert bench.stored() == []
    bench.come_back()
    assert [pdu.text for pdu in bench.stored()] == ["smetka"]


def test_a_modem_without_network_gets_its_messages_when_it_finds_it(bench: Bench) -> None:
    bench.fault("unregistered:seconds=5")
    bench.network.text(PHONE, "smetka")
    assert bench.heard() == b""
    bench.clock.advance(5)
    assert lines(bench.heard()) == ['+CMTI: "SM",1']


def test_a_report_tells_reference_recipient_and_both_times(bench: Bench) -> None:
    bench.clock.advance(10)
    reference = int(bench.send("0888000101", "smetka")[0].removeprefix("+CMGS: "))
    bench.clock.advance(0.9)
    assert bench.stored("SR") == []
    bench.clock.advance(0.2)
    (report,) = bench.stored("SR")
    assert (report.reference, report.status, report.recipient.number) == (reference, 0, "0888000101")
    assert report.timestamp == START + timedelta(seconds=10)
    assert report.discharge == START + timedelta(seconds=11)


def test_no_report_comes_that_was_not_asked_for(bench: Bench) -> None:
    bench.send(PHONE, "smetka", status_report=False)
    bench.clock.advance(60)
    assert bench.stored("SR") == []


def test_each_part_has_its_own_report_in_the_order_of_sending(bench: Bench) -> None:
    bench.send(PHONE, LONG)
    bench.clock.advance(0.5)
    bench.send(PHONE, "smetka")
    bench.clock.advance(0.7)
    assert len(reports(bench)) == 2
    bench.clock.advance(0.5)
    first = reports(bench)[0][0]
    assert reports(bench) == [((first + place) % 256, 0) for place in range(3)]


def test_a_report_for_a_modem_that_is_away_comes_when_it_is_back(bench: Bench) -> None:
    bench.send(PHONE, "smetka")
    bench.fault("unplug")
    bench.clock.advance(5)
    bench.modem.connect(lambda _data: None)
    bench.modem.power_on()
    bench.set_up()
    bench.clock.advance(1)
    assert len(reports(bench)) == 1


# the journal


def test_the_journal_tells_what_the_network_took_and_delivered(
    make_bench: Callable[..., Bench], tmp_path: Path
) -> None:
    bench = make_bench(journal=tmp_path / "log")
    bench.set_up()
    bench.network.text(PHONE, "smetka")
    bench.send(PHONE, LONG)
    bench.clock.advance(1)
    events = [json.loads(line) for line in (tmp_path / "log").read_text().splitlines()]
    assert [event["event"] for event in events] == ["deliver", "submit", "submit", "phone", "report", "report"]
    assert events[0] == {
        "event": "deliver",
        "modem": "modem00",
        "from": PHONE,
        "text": "smetka",
        "concat": None,
        "at": START.isoformat(),
    }
    assert events[1]["text"] + events[2]["text"] == LONG == events[3]["text"]
    assert events[2]["concat"] == {"reference": 0, "total": 2, "part": 2}
    assert (events[2]["modem"], events[2]["to"], events[2]["data"]) == ("modem00", PHONE, None)
    assert [event["reference"] for event in events[1:3]] == [event["reference"] for event in events[4:]]
    assert (events[3]["number"], events[3]["from"]) == (PHONE, bench.modem.number)


def test_the_journal_appends(make_bench: Callable[..., Bench], tmp_path: Path) -> None:
    for _ in range(2):
        make_bench(journal=tmp_path / "log").network.text(PHONE, "smetka")
    assert len((tmp_path / "log").read_text().splitlines()) == 2
