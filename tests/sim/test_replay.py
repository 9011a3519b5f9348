"""A recorded modem does again what it did; clocks and bytes only, no port."""

from random import Random

import pytest

from modemd.pdu.submit import encode_message
from modemd.sim import identity
from modemd.sim.journal import Journal
from modemd.sim.network import Network
from modemd.sim.recording import Piece, Recording, Who
from modemd.sim.replay import MOST_UNHEARD, Replay, ReplayedModem
from tests.sim.bench import ManualClock, lines

OK = "\r\nOK\r\n"
PART = encode_message("+359888000101", "smetka")[0]


class Player:
    """A replayed modem, and what it says: `Player("> AT", "< OK", 2.5, "! hung up")`; a number is a pause."""

    def __init__(self, *script: str | float, pace: float = 1.0, **facts: str) -> None:
        pieces, at = [], 0.0
        for step in script:
            if isinstance(step, str):
                who, _, text = step.partition(" ")
                octets = {"!": ""}.get(
                    who, text if text.endswith(("\r", "\n", "\x1a", "\x1b", "> ")) else _framed(who, text)
                )
                pieces.append(Piece(at, Who(who), octets.encode("latin-1")))
            else:
                at += step
        self.clock = ManualClock()
        self.network = Network(self.clock, report_seconds=1.0, journal=Journal(None))
        self.said = bytearray()
        self.hang_ups: list[float] = []
        self.modem = ReplayedModem(
            "modem00",
            identity.invent(1, 0),
            Replay(Recording("x.txt", facts, tuple(pieces)), pace),
            self.network,
            self.clock,
            Random(1),
            hang_up=lambda seconds, _name: self._hang_up(seconds),
        )
        self.plug_in()

    def plug_in(self) -> None:
        self.modem.connect(self.said.extend)
        if self.hang_ups:
            self.modem.power_on()

    def _hang_up(self, seconds: float) -> None:
        self.hang_ups.append(seconds)
        self.modem.power_off()

    def ask(self, *requests: str) -> list[str]:
        """Write them; the lines that come at once."""
        self.said.clear()
        for request in requests:
            self.modem.received(request.encode() if request.endswith(("\x1a", "\x1b")) else f"{request}\r".encode())
        return lines(bytes(self.said))

    def after(self, seconds: float) -> list[str]:
        self.said.clear()
        self.clock.advance(seconds)
        return lines(bytes(self.said))


def _framed(who: str, text: str) -> str:
    return f"{text}\r" if who == ">" else f"\r\n{text}\r\n"


def test_each_question_gets_the_answer_it_got() -> None:
    player = Player("> AT", "< OK", "> AT+CSQ", "< +CSQ: 7,99", "< OK", "> AT+FOO", "< +CME ERROR: 100")
    assert player.ask("AT+FOO") == ["+CME ERROR: 100"]
    assert player.ask("AT") == ["OK"]
    assert player.ask("AT+CSQ") == ["+CSQ: 7,99", "OK"]


def test_a_question_asked_again_gets_its_next_answer_and_then_the_last_one_again() -> None:
    player = Player("> AT+COPS=3,0", "< ERROR", "> AT+COPS=3,0", "< OK")
    assert [player.ask("AT+COPS=3,0") for _ in range(3)] == [["ERROR"], ["OK"], ["OK"]]


def test_what_the_transcript_knows_nothing_of_a_simulated_modem_of_its_model_answers() -> None:
    player = Player("> AT", "< OK", manufacturer="Quectel", model="EC25")
    assert player.ask("AT+CGMM") == ["EC25", "OK"]
    assert player.ask("AT+CMGR=9") == ["+CMS ERROR: 321"]
    assert player.ask("AT+NONSENSE") == ["ERROR"]
    assert player.ask(f"AT+CMGS={PART.length}") == ["> "]
    assert player.ask(PART.pdu + "\x1a")[-1] == "OK"


def test_the_simulated_modem_announces_where_the_transcript_has_the_settings() -> None:
    player = Player("> AT+CNMI=2,1,0,2,0", "< OK")
    player.ask("AT+CNMI=2,1,0,2,0")
    player.said.clear()
    player.network.text("+359888000101", "smetka", "modem00")
    assert lines(bytes(player.said)) == ['+CMTI: "SM",1']


SILENT_SEND = (
    *("> AT", "< OK", "> AT+CSQ", "< +CSQ: 9,99", "< OK"),
    *("> AT+CMGS=23", "< > ", "> 0001\x1a", 60.0, "> \x1b", "> AT", 0.5, "> AT"),
)


def test_a_send_whose_answer_never_came_gets_none_and_the_modem_stays_silent() -> None:
    player = Player(*SILENT_SEND)
    assert [player.ask("AT") for _ in range(5)] == [["OK"]] * 5  # the silence is not told before its time
    assert player.ask("AT+CSQ") == ["+CSQ: 9,99", "OK"]
    assert player.ask(f"AT+CMGS={PART.length}") == ["> "]
    assert player.ask(PART.pdu + "\x1a") == []
    assert player.after(3600.0) == []
    assert player.ask("\x1b", "AT", "AT", "AT+CGMI") == []


def test_a_front_that_is_cut_away_does_not_bring_the_failure_forward() -> None:
    player = Player(*SILENT_SEND[5:])
    assert player.ask("\x1b", "AT", "ATE0", "AT+CSQ")[:2] == ["OK", "OK"]
    assert player.ask("AT+CMGS=22", "00\x1a", "\x1b", "AT") == ["> "]


def test_a_late_answer_comes_with_the_question_that_it_came_with() -> None:
    player = Player("> AT+CMGS=23", "< > ", "> 0001\x1a", 60.0, "> \x1b", "> AT", "< +CMGS: 7", "< OK", "< OK")
    assert player.ask("AT") == ["OK"]
    assert player.ask("AT+CMGS=23", "0001\x1a") == ["> "]
    assert player.ask("\x1b", "AT") == ["+CMGS: 7", "OK", "OK"]


def test_hours_of_looks_are_told_once_and_then_the_modem_dies_as_it_did() -> None:
    looks: list[str | float] = []
    for signal in range(9, 30):
        looks += ["> AT+CSQ", f"< +CSQ: {signal},99", "< OK", 60.0]
    player = Player("> AT", "< OK", *looks, "> AT+CSQ", 5.0, "> \x1b", "> AT", 0.5, "> AT")
    assert player.ask("AT") == ["OK"]
    assert player.ask("AT+CSQ") == ["+CSQ: 29,99", "OK"]
    assert player.ask("AT+CSQ", "\x1b", "AT", "AT") == []


GOOD_SEND = ("> AT+CMGS=23", "< > ", "> 0001\x1a", "< +CMGS: {}", "< OK")


def test_of_the_messages_that_went_well_the_last_before_a_failure_is_told() -> None:
    good = [step.format(number) for number in range(1, 50) for step in GOOD_SEND]
    player = Player("> AT", "< OK", *good, *SILENT_SEND[5:])
    assert player.ask("AT+CMGS=22", "00\x1a") == ["> ", "+CMGS: 49", "OK"]
    assert player.ask("AT+CMGS=22", "00\x1a", "\x1b", "AT") == ["> "]


def test_a_modem_that_dies_at_a_look_does_so_without_the_messages_that_it_sent_before() -> None:
    good = [step.format(7) for step in GOOD_SEND]
    player = Player("> AT+CSQ", "< OK", *good, "> AT+CSQ", 5.0, "> \x1b", "> AT")
    assert player.ask("AT+CSQ") == ["OK"]
    assert player.ask("AT+CSQ", "AT") == []


def test_one_question_that_got_no_answer_does_not_hold_up_the_rest() -> None:
    player = Player("> AT+OLD", 5.0, "> \x1b", "> AT", "< OK", "> AT+CMGF=0", "< ERROR")
    assert player.ask("AT+CMGF=0") == ["ERROR"]
    assert player.ask("AT+OLD") == []
    assert player.ask("AT") == ["OK"]


def test_garbage_is_told_octet_for_octet() -> None:
    player = Player("> AT+CSQ", "< \xff\x00\x81OK~\r\n", 3.0, "> \x1b", "> AT")
    player.ask("AT+CSQ")
    assert bytes(player.said) == b"\xff\x00\x81OK~\r\n"
    assert player.ask("AT", "AT") == []


def test_a_hang_up_comes_where_it_came_and_the_port_is_back_when_it_was() -> None:
    player = Player(
        *("> AT+CMGS=23", "< > ", "> 0001\x1a", 1.5, "! hung up", 8.0, "< RDY", "> AT", "< OK"),
    )
    player.ask("AT+CMGS=23", "0001\x1a")
    player.clock.advance(1.4)
    assert player.hang_ups == []
    player.clock.advance(0.1)
    assert player.hang_ups == [8.0]
    player.said.clear()
    player.plug_in()
    assert player.ask("AT") == ["OK"]


def test_pauses_are_as_recorded_or_scaled_or_left_out() -> None:
    script = ("> AT+CPMS?", 2.0, "< OK", 30.0, '< +CMTI: "SM",1')
    for pace in (1.0, 0.1):
        player = Player(*script, pace=pace)
        assert player.ask("AT+CPMS?") == []
        assert player.after(1.9 * pace) == []
        assert player.after(0.2 * pace) == ["OK"]
        assert player.after(29.0 * pace) == []
        assert player.after(2.0 * pace) == ['+CMTI: "SM",1']
    assert Player(*script, pace=0).ask("AT+CPMS?") == ["OK", '+CMTI: "SM",1']


def test_no_pause_is_longer_than_a_minute() -> None:
    player = Player("> AT", "< OK", 7200.0, '< +CMTI: "SM",1')
    assert player.ask("AT") == ["OK"]
    assert player.after(60.0) == ['+CMTI: "SM",1']


def test_who_asks_before_the_recorded_one_did_hears_first_what_that_one_heard() -> None:
    player = Player("> AT", "< OK", 20.0, '< +CMTI: "SM",1', 20.0, "> AT+CMGR=1", "< ERROR")
    player.ask("AT")
    assert player.ask("AT+CMGR=1") == ['+CMTI: "SM",1', "ERROR"]


def test_a_message_is_read_once_and_not_again() -> None:
    player = Player("> AT+CMGR=1", "< +CMGR: 0,,23", "< 0000", "< OK")
    assert player.ask("AT+CMGR=1")[-1] == "OK"
    assert player.ask("AT+CMGR=1") == ["+CMS ERROR: 321"]


def test_a_pin_and_a_text_that_are_masked_are_asked_for_with_any_other() -> None:
    player = Player('> AT+CPIN="****"', "< +CME ERROR: 16", "> AT+CMGS=30", "< +CMS ERROR: 500")
    assert player.ask('AT+CPIN="1234"') == ["+CME ERROR: 16"]
    assert player.ask("AT+CMGS=22") == ["+CMS ERROR: 500"]


def test_what_the_modem_said_first_it_says_when_it_is_plugged_in() -> None:
    player = Player("< RDY", 1.0, "< Call Ready", "> AT", "< OK")
    assert lines(bytes(player.said)) == ["RDY"]
    assert player.after(1.0) == ["Call Ready"]


@pytest.mark.parametrize("pace", [0.0, 1.0])
def test_a_line_without_end_takes_no_more_memory_than_a_modem_has(pace: float) -> None:
    player = Player("> AT", "< OK", pace=pace)
    for _ in range(100):
        player.modem.received(b"x" * 1000)
    assert len(player.modem._heard) <= MOST_UNHEARD
