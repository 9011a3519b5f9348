from tests.sim.bench import Bench, lines


def test_registration_is_announced_as_far_as_it_was_asked_for(bench: Bench) -> None:
    bench.ask("AT+CREG=2;+CGREG=1")
    bench.fault("unregistered:seconds=5")
    assert lines(bench.heard()) == ["+CREG: 2", "+CGREG: 2"]
    bench.clock.advance(5)
    home = f'1,"{bench.modem.identity.area:04X}","{bench.modem.identity.cell:04X}"'
    assert lines(bench.heard()) == [f"+CREG: {home}", "+CGREG: 1"]
    assert bench.ask("AT+CREG?;+CEREG?")[:2] == [f"+CREG: 2,{home}", "+CEREG: 0,1"]


def test_the_operator_is_told_in_the_format_that_was_chosen(bench: Bench) -> None:
    assert bench.ask("AT+COPS?")[0] == '+COPS: 0,0,"A1 BG",2'
    bench.ask("AT+COPS=3,2")
    assert bench.ask("AT+COPS?")[0] == '+COPS: 0,2,"28401",2'
    bench.fault("unregistered")
    assert bench.ask("AT+COPS?")[0] == "+COPS: 0"


def test_operators_take_turns_in_a_bank(bench: Bench) -> None:
    assert [bench.modem.identity.operator.name, *(bench.add().identity.operator.name for _ in range(3))] == [
        "A1 BG",
        "Vivacom",
        "Yettel",
        "A1 BG",
    ]


def test_the_signal_varies_a_little_and_is_unknown_without_a_network(bench: Bench) -> None:
    seen = {int(bench.ask("AT+CSQ")[0].removeprefix("+CSQ: ").split(",")[0]) for _ in range(50)}
    assert seen == {bench.modem.identity.rssi + step for step in (-1, 0, 1)}
    bench.fault("unregistered")
    assert bench.ask("AT+CSQ")[0] == "+CSQ: 99,99"


def test_flight_mode_leaves_the_network_and_comes_back(bench: Bench) -> None:
    bench.ask("AT+CREG=1")
    assert bench.ask("AT+CFUN=4") == ["+CREG: 0", "OK"]
    bench.network.text("0888000101", "smetka")
    assert bench.ask("AT+CFUN?") == ["+CFUN: 4", "OK"]
    assert bench.ask("AT+CFUN=1") == ["+CREG: 1", '+CMTI: "SM",1', "OK"]
    assert bench.ask("AT+CFUN=7") == ["+CME ERROR: 50"]


def test_a_reset_answers_first_and_hangs_up_then(bench: Bench) -> None:
    assert bench.ask("AT+CFUN=1,1") == ["OK"]
    assert bench.hang_ups == []
    bench.clock.advance(0.2)
    assert len(bench.hang_ups) == 1
