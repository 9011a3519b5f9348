from collections.abc import Callable

import pytest

from tests.sim.bench import Bench, lines


def test_a_modem_says_who_it_is(bench: Bench) -> None:
    identity = bench.modem.identity
    answers = {
        "AT+CGMI": "Simulated",
        "AT+CGMM": "Standard",
        "AT+CGMR": "1.0",
        "AT+CGSN": identity.imei,
        "AT+GSN": identity.imei,
        "AT+CIMI": identity.imsi,
        "AT+CCID": f"+CCID: {identity.iccid}",
        "AT+CNUM": f'+CNUM: "","{identity.number}",145',
        "AT+CSCA?": f'+CSCA: "{identity.operator.smsc}",145',
        "AT+CPAS": "+CPAS: 0",
        "AT+CCLK?": '+CCLK: "26/11/23,10:00:00+08"',
    }
    assert {command: bench.ask(command) for command in answers} == {c: [a, "OK"] for c, a in answers.items()}


def test_models_differ_as_their_rows_say(make_bench: Callable[..., Bench]) -> None:
    simcom = make_bench(model="sim800")
    simcom.ask("ATE0")
    assert simcom.ask("AT+CCID") == [simcom.modem.identity.iccid, "OK"]
    huawei = make_bench(model="huawei-e173")
    huawei.ask("ATE0")
    assert huawei.ask("AT^ICCID?") == [f"^ICCID: {huawei.modem.identity.iccid}", "OK"]
    assert huawei.ask("AT+CCID") == ["ERROR"]
    assert huawei.ask("AT+CPMS=?")[0] == '+CPMS: ("SM","ME"),("SM","ME"),("SM","ME")'


def test_a_setting_keeps_what_is_in_its_range(bench: Bench) -> None:
    assert bench.ask("AT+CLIP=1;+CLIP?") == ["+CLIP: 1", "OK"]
    assert bench.ask("AT+CLIP=2") == ["+CME ERROR: 50"]
    assert bench.ask("AT+CLIP=?;+CLIP?") == ["+CLIP: (0-1)", "+CLIP: 1", "OK"]


def test_strings_are_written_in_the_character_set_that_was_chosen(bench: Bench) -> None:
    bench.ask('AT+CSCS="UCS2"')
    assert bench.ask("AT+COPS?")[0] == '+COPS: 0,0,"00410031002000420047",2'
    assert bench.ask('AT+CSCS="KLINGON"') == ["+CME ERROR: 50"]


def test_ussd_answers_with_a_balance_after_a_moment(bench: Bench) -> None:
    assert bench.ask('AT+CUSD=1,"*100#",15') == ["OK"]
    bench.clock.advance(1)
    (line,) = lines(bench.heard())
    assert line.startswith('+CUSD: 0,"Balans: ')
    assert line.endswith(' EUR",15')


def test_ussd_needs_a_network(bench: Bench) -> None:
    bench.fault("unregistered")
    assert bench.ask('AT+CUSD=1,"*100#",15') == ["+CME ERROR: 30"]


@pytest.mark.parametrize(
    "command", ["ATH", "AT+CHUP", "AT+CLCC", "AT&D2", "ATS0=0", "ATX4", "AT+IFC=0,0", "AT+CSMP=49,167,0,0"]
)
def test_what_programs_set_by_habit_is_taken(bench: Bench, command: str) -> None:
    assert bench.ask(command) == ["OK"]


def test_nobody_can_be_called(bench: Bench) -> None:
    assert bench.ask("ATD+359888000101;") == ["NO CARRIER"]
