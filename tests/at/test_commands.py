import pytest
from hypothesis import given, note, settings
from hypothesis import strategies as st

from modemd.at import commands
from modemd.at.commands import Command, Fill, Reply, Storages, Stored


def parsed(command: Command, *lines: bytes) -> object:
    return command.parse([Reply(line) for line in lines if command.own is not None and command.own.match(line)])


@pytest.mark.parametrize(
    ("line", "dbm"),
    [(b"+CSQ: 20,99", -73), (b"+CSQ: 0,0", -113), (b"+CSQ:31,99", -51), (b"+CSQ: 99,99", None), (b"+CSQ: ?", None)],
)
def test_signal(line: bytes, dbm: int | None) -> None:
    assert parsed(commands.SIGNAL, line) == dbm


@pytest.mark.parametrize(
    ("line", "registered", "word"),
    [
        (b"+CREG: 0,1", True, "home"),
        (b"+CREG: 1,5", True, "roaming"),
        (b'+CREG: 2,1,"00C3","0001A2B3"', True, "home"),
        (b"+CREG:0,2", False, "searching"),
        (b"+CREG: 1,3", False, "denied"),
        (b"+CREG: 1,6", True, "home"),
    ],
)
def test_registration(line: bytes, registered: bool, word: str) -> None:
    found = parsed(commands.REGISTRATION, line)
    assert isinstance(found, commands.Registration)
    assert (found.registered, found.word) == (registered, word)


@pytest.mark.parametrize("line", [b"+CREG: 1", b'+CREG: 1,"00C3","0001A2B3"', b'+CREG: 5,"1234","5678",7'])
def test_an_unsolicited_registration_is_no_answer_to_the_question(line: bytes) -> None:
    assert parsed(commands.REGISTRATION, line) is None


@pytest.mark.parametrize(
    ("line", "name"),
    [
        (b'+COPS: 0,0,"A1 BG"', "A1 BG"),
        (b'+COPS: 0,0,"Vivacom",7', "Vivacom"),
        (b"+COPS: 0,2,28401", "28401"),
        (b"+COPS: 0", None),
        (b'+COPS: 0,0,"\xff"', "\ufffd"),
    ],
)
def test_operator(line: bytes, name: str | None) -> None:
    assert parsed(commands.OPERATOR, line) == name


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("AT+CCID", b"8935901000000000001"),
        ("AT+CCID", b"+CCID: 8935901000000000001"),
        ("AT+CCID", b'+CCID: "8935901000000000001"'),
        ("AT+CCID", b"CCID: 8935901000000000001"),
        ("AT^ICCID?", b"^ICCID: 8935901000000000001F"),
        ("AT+QCCID", b"+QCCID: 8935901000000000001"),
        ("AT#CCID", b"#CCID: 8935901000000000001"),
        ("AT^SCID", b"^SCID: 8935901000000000001"),
        ("AT+ICCID", b"ICCID:8935901000000000001"),
    ],
)
def test_iccid_in_every_maker_s_form(text: str, line: bytes) -> None:
    assert parsed(commands.iccid(text), line) == "8935901000000000001"


def test_imei_and_imsi_with_and_without_a_prefix() -> None:
    assert parsed(commands.IMEI, b"351234567890123") == "351234567890123"
    assert parsed(commands.IMEI, b'+CGSN: "351234567890123"') == "351234567890123"
    assert parsed(commands.IMEI, b"3512345678901234") == "351234567890123"  # with the software version behind it
    assert parsed(commands.IMSI, b"284010000000001") == "284010000000001"


def test_names_with_and_without_a_prefix() -> None:
    assert parsed(commands.MANUFACTURER, b"SIMCOM_Ltd") == "SIMCOM_Ltd"
    assert parsed(commands.MANUFACTURER, b'+CGMI: "Telit"') == "Telit"
    assert parsed(commands.FIRMWARE, b"Revision:1418B05SIM800L24") == "Revision:1418B05SIM800L24"


@pytest.mark.parametrize(
    ("line", "state"),
    [(b"+CPIN: READY", "READY"), (b"+CPIN:SIM PIN", "SIM PIN"), (b'+CPIN: "SIM PUK"', "SIM PUK"), (b"+CPIN:", None)],
)
def test_pin_state(line: bytes, state: str | None) -> None:
    assert parsed(commands.PIN_STATE, line) == state


def test_the_pin_is_in_the_text_and_never_in_what_a_log_shows() -> None:
    command = commands.enter_pin("4711")
    assert "4711" in command.text
    assert "4711" not in str(command)


def test_storages_offered() -> None:
    line = b'+CPMS: ("SM","ME","SR"),("SM","ME"),("SM")'
    assert parsed(commands.OFFERED_STORAGES, line) == Storages(("SM", "ME", "SR"), ("SM",))
    assert parsed(commands.OFFERED_STORAGES, b"+CPMS: (SM),(SM)") == Storages(("SM",), ("SM",))
    assert parsed(commands.OFFERED_STORAGES, b"+CPMS: what") is None


def test_how_full_a_storage_is() -> None:
    assert parsed(commands.select_storage("SM"), b"+CPMS: 3,20,3,20,0,100") == Fill(3, 20)
    assert parsed(commands.select_storage("SM"), b'+CPMS: "SM",3,20,"SM",3,20') == Fill(3, 20)


def test_which_storages_are_in_use_and_how_full_they_are() -> None:
    line = b'+CPMS: "SM",3,20,"ME",0,100,"MT",3,120'
    expected = {"SM": Fill(3, 20), "ME": Fill(0, 100), "MT": Fill(3, 120)}
    assert parsed(commands.STORAGE_STATE, line) == expected
    assert parsed(commands.STORAGE_STATE, b"+CPMS: what") == {}


def test_one_entry_read() -> None:
    command = commands.read(7)
    assert command.text == "AT+CMGR=7"
    assert command.parse([Reply(b"+CMGR: 1,,23", b"00AA")]) == Stored(7, 1, b"00AA")
    assert command.parse([]) is None


def test_a_listing() -> None:
    replies = [Reply(b"+CMGL: 1,0,,23", b"00AA"), Reply(b'+CMGL: 2,3,"",19', b"00BB"), Reply(b"+CMGL: what")]
    assert commands.LIST_ALL.parse(replies) == [Stored(1, 0, b"00AA"), Stored(2, 3, b"00BB")]


@pytest.mark.parametrize(
    ("line", "reference"), [(b"+CMGS: 0", 0), (b"+CMGS:255", 255), (b'+CMGS: 12,"0791"', 12), (b"+CMGS: 260", 4)]
)
def test_the_reference_of_a_sent_message(line: bytes, reference: int) -> None:
    assert parsed(commands.submit(23, 60), line) == reference


ROWS = [row for row in vars(commands).values() if isinstance(row, Command)]
ROWS += [commands.read(1), commands.select_storage("SM"), commands.iccid("AT+CCID"), commands.submit(1, 1)]
ROWS += [commands.pin_tries("AT+SPIC", r"\+SPIC: *(\d+)")]


HINTS = [b"+CSQ: ", b"+CREG: 1,", b"+CPMS: (", b"+CMGL: 1,", b"+CMGR: ", b"+COPS: 0,0,", b"+CPIN: "]
LINE = st.binary(max_size=40) | st.builds(bytes.__add__, st.sampled_from(HINTS), st.binary(max_size=20))


@settings(max_examples=200, deadline=None)
@given(st.lists(LINE, max_size=4))
def test_no_parser_raises_whatever_it_is_given(lines: list[bytes]) -> None:
    replies = [Reply(line) for line in lines]
    for row in ROWS:
        note(str(row))
        row.parse(replies)
