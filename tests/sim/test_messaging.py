from collections.abc import Callable

import pytest

from modemd.pdu.address import Address
from modemd.pdu.submit import Submit
from tests.sim.bench import Bench, lines

PHONE = "+359888000101"


def incoming(bench: Bench, *texts: str) -> list[str]:
    for text in texts:
        bench.network.text(PHONE, text, "modem00")
    return lines(bench.heard())


@pytest.mark.parametrize(
    ("cnmi", "heads", "stored"),
    [
        ("2,0,0,0,0", [], 1),
        ("2,1,0,0,0", ['+CMTI: "SM",1'], 1),
        ("2,2,0,0,0", ["+CMT: ,25"], 0),
        ("2,3,0,0,0", ['+CMTI: "SM",1'], 1),
        ("1,1,0,0,0", ['+CMTI: "SM",1'], 1),
        ("3,1,0,0,0", ['+CMTI: "SM",1'], 1),
    ],
)
def test_cnmi_decides_what_becomes_of_a_message(bench: Bench, cnmi: str, heads: list[str], stored: int) -> None:
    assert bench.ask(f"AT+CNMI={cnmi}") == ["OK"]
    assert incoming(bench, "smetka")[:1] == heads
    assert len(bench.stored()) == stored


@pytest.mark.parametrize(("ds", "heads", "stored"), [(0, [], 0), (1, ["+CDS: 25"], 0), (2, ['+CDSI: "SR",1'], 1)])
def test_cnmi_decides_what_becomes_of_a_status_report(bench: Bench, ds: int, heads: list[str], stored: int) -> None:
    bench.ask(f"AT+CNMI=2,1,0,{ds},0")
    bench.send(PHONE, "smetka")
    bench.clock.advance(1)
    assert lines(bench.heard())[:1] == heads
    assert len(bench.stored("SR")) == stored


@pytest.mark.parametrize(
    ("mt", "message_class", "head"),
    [
        (2, 1, "+CMT: ,"),
        (2, 2, "+CMTI: "),
        (3, 1, "+CMTI: "),
        (3, 2, "+CMTI: "),
        (3, 3, "+CMT: ,"),
    ],
)
def test_the_message_class_decides_with_cnmi_what_is_routed(
    bench: Bench, mt: int, message_class: int, head: str
) -> None:
    bench.ask(f"AT+CNMI=2,{mt}")
    pdu = Submit(number=Address.parse(bench.modem.number), dcs=0xF0 | message_class, text="smetka")
    bench.network.submit(bench.add().name, pdu, 0)
    assert lines(bench.heard())[0].startswith(head)


def test_a_routed_message_brings_its_pdu_on_the_next_line(bench: Bench) -> None:
    bench.ask("AT+CNMI=2,2")
    head, pdu = incoming(bench, "smetka")
    assert head == f"+CMT: ,{len(pdu) // 2 - 1 - int(pdu[:2], 16)}"


def test_mode_0_holds_what_there_is_to_say_until_the_mode_changes(bench: Bench) -> None:
    bench.ask("AT+CNMI=0,1,0,0,0")
    assert incoming(bench, "one", "two") == []
    assert bench.ask("AT+CNMI=2,1,0,0,0") == ['+CMTI: "SM",1', '+CMTI: "SM",2', "OK"]


def test_mode_0_drops_what_it_held_when_bfr_says_so(bench: Bench) -> None:
    bench.ask("AT+CNMI=0,1,0,0,0")
    incoming(bench, "one")
    assert bench.ask("AT+CNMI=2,1,0,0,1") == ["OK"]


@pytest.mark.parametrize("cnmi", ["", "4", "2,9", "2,1,0,3", "2,1,0,0,2", "x", "2,1,0,0,0,0", ",,,,"])
def test_cnmi_refuses_what_27_005_does_not_know(bench: Bench, cnmi: str) -> None:
    assert bench.ask(f"AT+CNMI={cnmi}")[0].startswith("+CMS ERROR: ")
    assert bench.ask("AT+CNMI?")[0] == "+CNMI: 2,1,0,2,0"


def test_a_model_that_cannot_store_reports_refuses_ds_2(make_bench: Callable[..., Bench]) -> None:
    bench = make_bench(model="sim800")
    bench.set_up("2,1,0,1,0")
    assert bench.ask("AT+CNMI=2,1,0,2,0") == ["+CMS ERROR: 303"]
    assert bench.ask("AT+CNMI=?")[0] == "+CNMI: (0-3),(0-3),(0,2,3),(0,1),(0,1)"


# acknowledgement


def test_in_phase_2_plus_the_next_routed_message_waits_for_the_acknowledgement(bench: Bench) -> None:
    bench.ask("AT+CSMS=1")
    bench.ask("AT+CNMI=2,2,0,1,0")
    assert len(incoming(bench, "one", "two")) == 2
    said = bench.ask("AT+CNMA")
    assert [line[:5] for line in said if line[0] == "+"] == ["+CMT:"]
    assert bench.ask("AT+CNMA=1") == ["OK"]
    assert bench.ask("AT+CNMA") == ["+CMS ERROR: 340"]


def test_without_an_acknowledgement_the_modem_routes_no_more_and_the_message_is_kept(bench: Bench) -> None:
    bench.ask("AT+CSMS=1")
    bench.ask("AT+CNMI=2,2,0,1,0")
    incoming(bench, "one")
    bench.clock.advance(15)
    assert bench.ask("AT+CNMI?")[0] == "+CNMI: 2,0,0,0,0"
    bench.clock.advance(5)
    assert [pdu.text for pdu in bench.stored()] == ["one"]


def test_a_negative_acknowledgement_is_none(bench: Bench) -> None:
    bench.ask("AT+CSMS=1")
    bench.ask("AT+CNMI=2,2")
    incoming(bench, "one")
    assert bench.ask("AT+CNMA=2") == ["OK"]
    bench.clock.advance(5)
    assert [pdu.text for pdu in bench.stored()] == ["one"]


def test_a_modem_that_goes_before_the_acknowledgement_gets_the_message_again(bench: Bench) -> None:
    bench.ask("AT+CSMS=1")
    bench.ask("AT+CNMI=2,2")
    incoming(bench, "one")
    bench.fault("unplug")
    bench.come_back()
    bench.clock.advance(5)
    assert [pdu.text for pdu in bench.stored()] == ["one"]


# storages


def test_reading_marks_a_message_as_read_and_changes_nothing_else(bench: Bench) -> None:
    incoming(bench, "smetka")
    first, again = bench.ask("AT+CMGR=1"), bench.ask("AT+CMGR=1")
    assert first[0].startswith("+CMGR: 0,,")
    assert again[0].startswith("+CMGR: 1,,")
    assert first[1:] == again[1:]


def test_a_listing_shows_the_state_that_is_asked_for_and_marks_it_read(bench: Bench) -> None:
    incoming(bench, "one", "two")
    bench.ask("AT+CMGR=1")
    assert [line for line in bench.ask("AT+CMGL=0") if line[0] == "+"] == ["+CMGL: 2,0,,22"]
    assert len([line for line in bench.ask("AT+CMGL=1") if line[0] == "+"]) == 2
    assert len([line for line in bench.ask("AT+CMGL=4") if line[0] == "+"]) == 2
    assert bench.ask("AT+CMGL=0") == ["OK"]
    assert bench.ask("AT+CMGL=5") == ["+CMS ERROR: 302"]


def test_an_empty_slot_cannot_be_read_and_can_be_deleted(bench: Bench) -> None:
    assert bench.ask("AT+CMGR=7") == ["+CMS ERROR: 321"]
    assert bench.ask("AT+CMGD=7") == ["OK"]
    assert bench.ask("AT+CMGD=51") == ["+CMS ERROR: 321"]


@pytest.mark.parametrize(("flag", "left"), [(1, ["two"]), (2, ["two"]), (3, ["two"]), (4, [])])
def test_flags_delete_by_state(bench: Bench, flag: int, left: list[str]) -> None:
    incoming(bench, "one", "two")
    bench.ask("AT+CMGR=1")
    assert bench.ask(f"AT+CMGD=1,{flag}") == ["OK"]
    assert [pdu.text for pdu in bench.stored()] == left


def test_a_full_storage_makes_the_network_keep_messages_in_their_order(bench: Bench) -> None:
    texts = [f"text {number}" for number in range(55)]
    assert len(incoming(bench, *texts)) == 50
    bench.ask("AT+CMGD=3")
    assert bench.stored()[2].text == "text 50"
    bench.ask("AT+CMGD=1,4")
    bench.ask("AT+CMGL=4")
    assert [pdu.text for pdu in bench.stored()] == [f"text {number}" for number in range(51, 55)]


def test_a_full_storage_for_messages_holds_no_report_back(bench: Bench) -> None:
    bench.fault("sim-full")
    assert incoming(bench, "smetka") == []
    bench.send(PHONE, "smetka")
    bench.clock.advance(1)
    assert lines(bench.heard()) == ['+CDSI: "SR",1']


def test_reports_that_find_no_room_come_when_there_is_some(bench: Bench) -> None:
    for _ in range(60):
        bench.send(PHONE, "smetka")
    bench.clock.advance(1)
    assert len(bench.stored("SR")) == 50
    bench.ask('AT+CPMS="SR"')
    bench.heard()
    said = bench.ask("AT+CMGD=1,4")
    assert len([line for line in said if line.startswith("+CDSI")]) == 10


def test_mt_is_both_storages_with_one_count(bench: Bench) -> None:
    bench.ask('AT+CPMS="MT","ME","SM"')
    incoming(bench, "on the SIM")
    assert bench.ask("AT+CPMS?")[0] == '+CPMS: "MT",1,150,"ME",0,100,"SM",1,50'
    assert bench.ask("AT+CMGL=4")[0].startswith("+CMGL: 101,0,,")
    assert bench.ask("AT+CMGD=101") == ["OK"]
    assert bench.stored() == []


def test_messages_for_mt_go_where_there_is_room(bench: Bench) -> None:
    bench.ask('AT+CPMS="MT","MT","MT"')
    bench.fault("sim-full:storage=ME")
    assert incoming(bench, "smetka") == ['+CMTI: "MT",101']


@pytest.mark.parametrize("wanted", ['"XX"', '"SM","SR"', '""', '"SM","SM","XX"'])
def test_cpms_refuses_storages_that_there_are_not(bench: Bench, wanted: str) -> None:
    assert bench.ask(f"AT+CPMS={wanted}") == ["+CMS ERROR: 302"]
    assert bench.ask("AT+CPMS?")[0] == '+CPMS: "SM",0,50,"SM",0,50,"SM",0,50'


def test_messages_stay_when_the_modem_restarts(bench: Bench) -> None:
    incoming(bench, "smetka")
    bench.fault("unplug")
    bench.come_back()
    assert [pdu.text for pdu in bench.stored()] == ["smetka"]
    assert "+CNMI: 0,0,0,0,0" in bench.ask("AT+CNMI?")


def test_text_mode_is_not_offered(bench: Bench) -> None:
    assert bench.ask("AT+CMGF=?") == ["+CMGF: (0)", "OK"]
    assert bench.ask("AT+CMGF=1") == ["+CMS ERROR: 303"]
