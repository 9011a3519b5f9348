import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modemd.at import commands
from modemd.at.dialogue import Answer, Dialogue, DialogueState, Event, LateResult, Prompted, Stray
from modemd.at.results import OK, Final
from modemd.at.urc import Urc

PDU = "000100" + "11" * 20
LENGTH = len(PDU) // 2 - 1
ONE = b"00" + b"AB" * 23
TWO = b"00" + b"CD" * 30
REPORT = b"00" + b"06" * 26

CMTI = b'+CMTI: "SM",3'
CMTI_URC = Urc("+CMTI", CMTI)


def lines(*texts: bytes) -> bytes:
    return b"".join(b"\r\n" + text + b"\r\n" for text in texts)


def asking(command: commands.Command = commands.ATTENTION) -> Dialogue:
    dialogue = Dialogue()
    dialogue.ask(command)
    return dialogue


def prompted(part_id: int = 7) -> Dialogue:
    dialogue = Dialogue()
    assert dialogue.ask(commands.submit(LENGTH, 60), part_id=part_id) == b"AT+CMGS=%d\r" % LENGTH
    assert dialogue.receive(b"\r\n> ") == [Prompted(True)]
    return dialogue


def sending(part_id: int = 7) -> Dialogue:
    dialogue = prompted(part_id)
    assert dialogue.body(PDU) == PDU.encode() + b"\x1a"
    return dialogue


def answers(events: list[Event]) -> list[Answer]:
    return [event for event in events if isinstance(event, Answer)]


# the four states


def test_a_command_is_answered_by_its_final_result() -> None:
    dialogue = Dialogue()
    assert dialogue.state is DialogueState.IDLE
    assert dialogue.ask(commands.SIGNAL) == b"AT+CSQ\r"
    assert dialogue.state is DialogueState.WAITING_RESULT
    (answer,) = answers(dialogue.receive(lines(b"+CSQ: 20,99", b"OK")))
    assert answer.final is OK
    assert commands.SIGNAL.parse(answer.replies) == -73
    assert dialogue.state is DialogueState.IDLE


def test_a_part_goes_out_after_the_prompt_and_is_answered_by_its_reference() -> None:
    dialogue = sending()
    assert dialogue.state is DialogueState.WAITING_RESULT
    (answer,) = answers(dialogue.receive(lines(b"+CMGS: 12", b"OK")))
    assert commands.submit(LENGTH, 60).parse(answer.replies) == 12


def test_one_command_at_a_time() -> None:
    with pytest.raises(RuntimeError):
        asking().ask(commands.SIGNAL)


def test_no_pdu_before_the_prompt() -> None:
    dialogue = Dialogue()
    dialogue.ask(commands.submit(LENGTH, 60), part_id=7)
    with pytest.raises(RuntimeError):
        dialogue.body(PDU)


def test_a_refusal_in_place_of_the_prompt_ends_the_command() -> None:
    dialogue = Dialogue()
    dialogue.ask(commands.submit(LENGTH, 60), part_id=7)
    (answer,) = answers(dialogue.receive(lines(b"+CMS ERROR: 304")))
    assert answer.final.code == 304
    assert dialogue.state is DialogueState.IDLE


def test_a_modem_that_leaves_its_prompt_ends_the_command() -> None:
    dialogue = prompted()
    assert len(answers(dialogue.receive(lines(b"ERROR")))) == 1
    with pytest.raises(RuntimeError):
        dialogue.body(PDU)


def test_an_ok_in_place_of_the_prompt_answers_something_older() -> None:
    dialogue = Dialogue()
    dialogue.ask(commands.submit(LENGTH, 60), part_id=7)
    assert dialogue.receive(lines(b"OK")) == []
    assert dialogue.receive(b"\r\n> ") == [Prompted(True)]


def test_the_end_of_a_call_answers_nothing() -> None:
    dialogue = asking()
    assert dialogue.receive(lines(b"RING", b"NO CARRIER")) == [Urc("RING", b"RING"), Urc("NO CARRIER", b"NO CARRIER")]
    assert dialogue.state is DialogueState.WAITING_RESULT


# echo


@pytest.mark.parametrize("command", [commands.MANUFACTURER, commands.IMEI, commands.SIGNAL, commands.ATTENTION])
def test_an_echo_is_no_answer(command: commands.Command) -> None:
    dialogue = asking(command)
    (answer,) = answers(dialogue.receive(command.text.encode() + b"\r" + lines(b"OK")))
    assert not answer.replies


def test_the_echo_of_the_pdu_is_no_answer_and_no_pdu_of_a_urc() -> None:
    dialogue = sending()
    events = dialogue.receive(lines(b"+CDS: 26") + PDU.encode() + b"\x1a\r\n" + REPORT + lines(b"+CMGS: 12", b"OK"))
    assert events[0] == Urc("+CDS", b"+CDS: 26", REPORT)
    assert commands.submit(LENGTH, 60).parse(answers(events)[0].replies) == 12


# rule 4: a URC in every place

TWO_LINES = [(CMTI, CMTI_URC), (b"+CDS: 26\r\n" + REPORT, Urc("+CDS", b"+CDS: 26", REPORT))]
TWO_LINES += [(b"+CMT: ,23\r\n" + ONE, Urc("+CMT", b"+CMT: ,23", ONE)), (b"^RSSI:19", Urc("^RSSI", b"^RSSI:19"))]


@pytest.mark.parametrize(("text", "urc"), TWO_LINES)
def test_a_urc_while_nothing_is_asked(text: bytes, urc: Urc) -> None:
    assert Dialogue().receive(lines(text)) == [urc]


@pytest.mark.parametrize(("text", "urc"), TWO_LINES)
def test_a_urc_between_the_command_and_the_prompt(text: bytes, urc: Urc) -> None:
    dialogue = Dialogue()
    dialogue.ask(commands.submit(LENGTH, 60), part_id=7)
    assert dialogue.receive(lines(text) + b"\r\n> ") == [urc, Prompted(True)]


@pytest.mark.parametrize(("text", "urc"), TWO_LINES)
def test_a_urc_between_the_prompt_and_the_pdu(text: bytes, urc: Urc) -> None:
    dialogue = prompted()
    assert dialogue.receive(lines(text)) == [urc]
    assert dialogue.body(PDU)


@pytest.mark.parametrize(("text", "urc"), TWO_LINES)
@pytest.mark.parametrize("place", [0, 1])
def test_a_urc_between_the_pdu_and_the_reference_or_between_that_and_the_ok(text: bytes, urc: Urc, place: int) -> None:
    answer = [b"+CMGS: 12", b"OK"]
    answer.insert(place, text)
    events = sending().receive(lines(*answer))
    assert events[0] == urc
    assert commands.submit(LENGTH, 60).parse(answers(events)[0].replies) == 12


@pytest.mark.parametrize(("text", "urc"), TWO_LINES)
@pytest.mark.parametrize("place", range(6))
def test_a_urc_anywhere_inside_a_listing(text: bytes, urc: Urc, place: int) -> None:
    listing = [b"+CMGL: 1,0,,23", ONE, b"+CMGL: 2,1,,30", TWO, b"OK"]
    listing.insert(place, text)
    dialogue = asking(commands.LIST_ALL)
    events = dialogue.receive(lines(*listing))
    assert urc in events
    entries = commands.LIST_ALL.parse(answers(events)[0].replies)
    assert [(entry.slot, entry.pdu) for entry in entries] == [(1, ONE), (2, TWO)]


@pytest.mark.parametrize(("text", "urc"), TWO_LINES)
@pytest.mark.parametrize("place", range(3))
def test_a_urc_anywhere_inside_a_read(text: bytes, urc: Urc, place: int) -> None:
    read = [b"+CMGR: 0,,23", ONE, b"OK"]
    read.insert(place, text)
    dialogue = asking(commands.read(1))
    events = dialogue.receive(lines(*read))
    assert urc in events
    assert commands.read(1).parse(answers(events)[0].replies) == commands.Stored(1, 0, ONE)


def test_a_notification_between_a_urc_and_its_pdu() -> None:
    events = Dialogue().receive(lines(b"+CMT: ,23", CMTI, ONE))
    assert events == [CMTI_URC, Urc("+CMT", b"+CMT: ,23", ONE)]


def test_a_final_result_between_a_urc_and_its_pdu() -> None:
    events = asking().receive(lines(b"+CMT: ,23", b"OK", ONE))
    assert [type(event) for event in events] == [Answer, Urc]
    assert events[1] == Urc("+CMT", b"+CMT: ,23", ONE)


def test_a_urc_while_out_of_step() -> None:
    dialogue = asking()
    dialogue.abandon()
    assert dialogue.receive(lines(CMTI)) == [CMTI_URC]


def test_a_urc_whose_pdu_is_lost_is_told_all_the_same() -> None:
    dialogue = Dialogue()
    events = dialogue.receive(lines(b"+CMT: ,23", *[b"^RSSI:1"] * 8))
    assert Urc("+CMT", b"+CMT: ,23", None) in events


def test_a_notification_behind_noise_is_not_lost() -> None:
    assert Dialogue().receive(b"\r\n\x80\xffgarb" + CMTI + b"\r\n") == [CMTI_URC]


def test_a_urc_of_the_same_name_is_not_taken_for_the_answer() -> None:
    dialogue = asking(commands.REGISTRATION)
    events = dialogue.receive(lines(b"+CREG: 2", b"+CREG: 1,1", b"OK"))
    assert events[0] == Urc("+CREG", b"+CREG: 2")
    assert commands.REGISTRATION.parse(answers(events)[0].replies) == commands.Registration(1)


def test_a_urc_without_a_prefix_is_not_taken_for_a_name() -> None:
    events = asking(commands.MANUFACTURER).receive(lines(b"RING", b"^RSSI:3", b"Invented", b"OK"))
    assert commands.MANUFACTURER.parse(answers(events)[0].replies) == "Invented"


def test_an_ok_inside_the_text_of_a_ussd_answer_is_no_result() -> None:
    dialogue = asking(commands.SIGNAL)
    events = dialogue.receive(b'\r\n+CUSD: 0,"Balance\r\nOK\r\n4,20",15\r\n')
    assert events == [Urc("+CUSD", b'+CUSD: 0,"Balance\nOK\n4,20",15')]
    assert len(answers(dialogue.receive(lines(b"+CSQ: 1,99", b"OK")))) == 1


def test_a_ussd_text_without_end_swallows_no_notification_and_ends_some_time() -> None:
    dialogue = asking()
    events = dialogue.receive(lines(b'+CUSD: 0,"cut', CMTI, *[b"x" * 100] * 12, b"OK"))
    assert events[0] == CMTI_URC
    assert len(answers(events)) == 1


def test_the_pdu_of_a_cut_off_entry_is_not_given_to_its_neighbour() -> None:
    dialogue = asking(commands.LIST_ALL)
    events = dialogue.receive(lines(b"+CMGL: 1,0,,23", b"+CMGL: 2,0,,30", TWO, b"OK"))
    entries = commands.LIST_ALL.parse(answers(events)[0].replies)
    assert [(entry.slot, entry.pdu) for entry in entries] == [(1, None), (2, TWO)]


# rule 5: no answer to the wrong question


def test_giving_up_writes_esc_and_what_comes_then_answers_nothing() -> None:
    dialogue = asking(commands.SIGNAL)
    assert dialogue.abandon() == b"\x1b"
    assert dialogue.state is DialogueState.DESYNCED
    assert answers(dialogue.receive(lines(b"+CSQ: 20,99", b"OK"))) == []


def test_out_of_step_every_result_is_a_stray() -> None:
    dialogue = asking(commands.SIGNAL)
    dialogue.abandon()
    dialogue.ask(commands.ATTENTION)
    events = dialogue.receive(lines(b"+CSQ: 20,99", b"OK", b"OK"))
    assert [event for event in events if isinstance(event, Stray)] == [Stray(OK, []), Stray(OK, [])]
    assert dialogue.state is DialogueState.DESYNCED


def test_the_answer_to_the_fence_is_told_from_older_ones() -> None:
    dialogue = asking(commands.SIGNAL)
    dialogue.abandon()
    dialogue.ask(commands.FENCE)
    older, own = dialogue.receive(lines(b"OK", b"+CMEE: 1", b"OK"))
    assert isinstance(older, Stray)
    assert isinstance(own, Stray)
    assert not commands.FENCE.parse(older.replies)
    assert commands.FENCE.parse(own.replies)


def test_a_prompt_that_nobody_asked_for_is_told() -> None:
    dialogue = asking()
    dialogue.abandon()
    assert dialogue.receive(b"\r\n> ") == [Prompted(False)]
    dialogue.resume()
    assert dialogue.receive(b"\r\n> ") == [Prompted(False)]


def test_the_late_listing_of_an_abandoned_command_gives_nothing_away() -> None:
    dialogue = asking(commands.LIST_ALL)
    dialogue.receive(lines(b"+CMGL: 1,0,,23"))
    dialogue.abandon()
    dialogue.resume()
    dialogue.ask(commands.read(9))
    events = dialogue.receive(lines(b"+CMGL: 2,0,,30", TWO, b"+CMGR: 0,,23", ONE, b"OK"))
    assert commands.read(9).parse(answers(events)[0].replies) == commands.Stored(9, 0, ONE)


# late results of a part


@pytest.mark.parametrize(("text", "outcome"), [(b"+CMGS: 12", 12), (b"+CMGS: 255,00", 255)])
def test_a_late_reference_settles_the_part_that_was_given_up(text: bytes, outcome: int) -> None:
    dialogue = sending(part_id=7)
    dialogue.abandon()
    dialogue.ask(commands.ATTENTION)
    assert dialogue.receive(lines(text, b"OK", b"OK")) == [LateResult(7, outcome), Stray(OK, [])]


def test_a_late_refusal_settles_the_part_that_was_given_up() -> None:
    dialogue = sending(part_id=7)
    dialogue.abandon()
    (late,) = dialogue.receive(lines(b"+CMS ERROR: 38"))
    assert isinstance(late, LateResult)
    assert late.part_id == 7
    assert isinstance(late.outcome, Final)
    assert late.outcome.code == 38


def test_a_late_reference_comes_even_between_a_later_command_and_its_answer() -> None:
    dialogue = sending(part_id=7)
    dialogue.abandon()
    dialogue.resume()
    dialogue.ask(commands.SIGNAL)
    late, answer = dialogue.receive(lines(b"+CMGS: 12", b"OK", b"+CSQ: 20,99", b"OK"))
    assert late == LateResult(7, 12)
    assert isinstance(answer, Answer)
    assert commands.SIGNAL.parse(answer.replies) == -73


def test_a_late_reference_before_the_next_prompt_is_not_the_next_part_s() -> None:
    dialogue = sending(part_id=7)
    dialogue.abandon()
    dialogue.resume()
    dialogue.ask(commands.submit(LENGTH, 60), part_id=8)
    assert dialogue.receive(lines(b"+CMGS: 12", b"OK") + b"\r\n> ") == [LateResult(7, 12), Prompted(True)]
    dialogue.body(PDU)
    (answer,) = answers(dialogue.receive(lines(b"+CMGS: 13", b"OK")))
    assert commands.submit(LENGTH, 60).parse(answer.replies) == 13


def test_a_part_given_up_before_its_ctrl_z_has_no_late_result() -> None:
    dialogue = prompted(part_id=7)
    dialogue.abandon()
    assert not any(isinstance(event, LateResult) for event in dialogue.receive(lines(b"+CMGS: 12", b"OK")))


def test_a_prompt_ends_the_wait_for_the_part_before() -> None:
    """The modem that gives a prompt is done with it; a reference that comes later could be anyone's."""
    dialogue = sending(part_id=7)
    dialogue.abandon()
    dialogue.resume()
    dialogue.ask(commands.submit(LENGTH, 60), part_id=8)
    dialogue.receive(b"\r\n> ")
    dialogue.body(PDU)
    assert len(answers(dialogue.receive(lines(b"+CMGS: 13", b"OK")))) == 1
    assert not any(isinstance(event, LateResult) for event in dialogue.receive(lines(b"+CMGS: 12", b"OK")))


def test_a_part_is_settled_once() -> None:
    dialogue = sending(part_id=7)
    dialogue.abandon()
    late = [e for e in dialogue.receive(lines(b"+CMGS: 12", b"OK", b"+CMGS: 13", b"OK")) if isinstance(e, LateResult)]
    assert late == [LateResult(7, 12)]


# whatever comes in

TEXTS = [b"OK", b"ERROR", b"+CMS ERROR: 38", b"+CMGS: 5", b"> ", b"\r\n> ", CMTI, b"+CMT: ,23", ONE, TWO, REPORT]
TEXTS += [
    b"+CDS: 26",
    b"+CMGL: 1,0,,23",
    b"+CMGR: 0,,30",
    b"RING",
    b'+CUSD: 0,"a',
    b'"',
    b"\xff\x00",
    b"AT",
    b"+CREG: 1",
]
STREAM = st.lists(st.sampled_from(TEXTS) | st.binary(max_size=12), max_size=12).map(
    lambda parts: b"".join(part + b"\r\n" if index % 3 else part for index, part in enumerate(parts))
)
STATES = st.sampled_from(["idle", "asking", "listing", "prompting", "sending", "abandoned", "late"])


def in_state(name: str) -> Dialogue:
    dialogue = Dialogue()
    if name == "asking":
        dialogue.ask(commands.SIGNAL)
    elif name == "listing":
        dialogue.ask(commands.LIST_ALL)
    elif name == "prompting":
        dialogue.ask(commands.submit(LENGTH, 60), part_id=7)
    elif name in ("sending", "late"):
        dialogue = sending()
    if name in ("abandoned", "late"):
        dialogue.abandon()
        dialogue.ask(commands.ATTENTION)
    return dialogue


@given(STATES, STREAM, st.data())
def test_any_split_of_the_stream_gives_the_same_events(name: str, stream: bytes, data: st.DataObject) -> None:
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=20)))
    split, whole = in_state(name), in_state(name)
    events = [
        event
        for start, end in zip([0, *cuts], [*cuts, len(stream)], strict=True)
        for event in split.receive(stream[start:end])
    ]
    assert events == whole.receive(stream)
    assert split.state is whole.state


@settings(max_examples=300)
@given(STATES, st.lists(st.binary(max_size=100) | STREAM, max_size=8))
def test_no_bytes_make_it_raise_or_grow(name: str, chunks: list[bytes]) -> None:
    dialogue = in_state(name)
    for chunk in chunks:
        dialogue.receive(chunk)
    assert len(dialogue._headers) <= 8
    assert len(dialogue.replies) <= 100


@given(STATES, STREAM)
def test_no_notification_is_lost_behind_whatever_came_before(name: str, stream: bytes) -> None:
    dialogue = in_state(name)
    dialogue.receive(stream)
    assert CMTI_URC in dialogue.receive(b"\r\n" + CMTI + b"\r\n")


@given(STREAM)
def test_out_of_step_nothing_is_an_answer(stream: bytes) -> None:
    assert answers(in_state("late").receive(stream)) == []
