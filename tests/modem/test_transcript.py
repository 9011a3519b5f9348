import re
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modemd.errors import SendInDoubt
from modemd.modem.lifecycle import State
from modemd.modem.masking import mask
from modemd.modem.transcript import KEPT_OF_A_MODEM, MOST_OCTETS, MOST_PIECES, Transcript, TranscriptFiles, render
from modemd.pdu import submit, tpdu
from modemd.pdu.deliver import Deliver
from modemd.pdu.submit import Submit
from tests.modem.bench import NOW, SMETKA, wired

REPORT = "0006290c91538918325476621132800000006211328000010000"


def pieces_of(transcript: Transcript) -> list[str]:
    return [line for line in render(*transcript.snapshot(), {}).splitlines() if not line.startswith("#")]


# masking


def test_a_received_message_keeps_all_but_number_and_text() -> None:
    masked = tpdu.decode(bytes.fromhex(mask(SMETKA.encode()).decode()))
    original = tpdu.decode(bytes.fromhex(SMETKA))
    assert isinstance(masked, Deliver)
    assert isinstance(original, Deliver)
    assert masked.number.number == "+359880000567"
    assert masked.text == "@@@@@@"
    assert masked.timestamp == original.timestamp


@pytest.mark.parametrize("text", ["Kod 482913", "Сметка 37,91", "Смет" * 40, "a" * 200])
def test_a_message_to_send_keeps_its_parts_and_its_coding(text: str) -> None:
    for part in submit.encode_message("+359881234567", text, concat_reference=7):
        masked = mask(part.pdu.encode()).decode()
        assert len(masked) == len(part.pdu)
        read, original = tpdu.decode(bytes.fromhex(masked)), tpdu.decode(bytes.fromhex(part.pdu))
        assert isinstance(read, Submit)
        assert isinstance(original, Submit)
        assert read.number.number == "+359880000567"
        assert (read.concatenation, read.dcs) == (original.concatenation, original.dcs)
        assert set(read.text or "") <= {"@", "*"}
        assert len(read.text or "") == len(original.text or "")


def test_a_status_report_keeps_its_reference_and_its_status() -> None:
    read = tpdu.describe(tpdu.decode(bytes.fromhex(mask(REPORT.encode()).decode())))
    assert (read["number"], read["reference"], read["status"]) == ("+359880000567", 0x29, 0)


@pytest.mark.parametrize(
    ("said", "masked"),
    [
        (b'AT+CPIN="4711"\r', b'AT+CPIN="****"\r'),
        (b"at+cpin=4711,1234\r", b"at+cpin=****,1234\r"),
        (b'+CLIP: "+359881234567",145', b'+CLIP: "+359880000567",145'),
        (b'+CMGR: 0,"Ivan",25', b'+CMGR: 0,"****",25'),
        (b'+CREG: 1,1,"00C3","0000A1B2"', b'+CREG: 1,1,"00C3","0000A1B2"'),
        (b"07915398 00040c9153891832547600006211328000", b"00000398 " + b"F" * 34),
        (b"43006F006400200034", b"0" * 18),
        (b'+CMTI: "SM",3', b'+CMTI: "SM",3'),
    ],
)
def test_what_is_masked_and_what_is_not(said: bytes, masked: bytes) -> None:
    assert mask(said) == masked


@given(st.binary(max_size=400) | st.text("0123456789abcdefABCDEF\r\n+", max_size=400).map(str.encode))
def test_masking_never_raises_and_keeps_every_length(said: bytes) -> None:
    masked = mask(said)
    assert len(masked) == len(said)
    assert [octet in b"\r\n" for octet in masked] == [octet in b"\r\n" for octet in said]


# the ring


@pytest.mark.parametrize("size", [1, 7, 16_384])
def test_the_ring_stays_small_however_much_is_said(size: int) -> None:
    transcript = Transcript()
    for _ in range(200_000 // size + MOST_PIECES):
        transcript.heard(b"x" * size)
    pieces, cut = transcript.snapshot()
    assert cut
    assert len(pieces) <= MOST_PIECES
    assert sum(len(piece.octets) for piece in pieces) <= MOST_OCTETS


def test_a_number_that_comes_in_two_pieces_is_masked() -> None:
    transcript = Transcript()
    transcript.heard(b'+CLIP: "+35988')
    transcript.said(b"\x1b")
    transcript.heard(b'1234567",145\r\n')
    assert "1234567" not in "".join(pieces_of(transcript))
    assert [line.split(" ", 1)[1] for line in pieces_of(transcript)] == [
        '< +CLIP: "+35988',
        "> \\x1b",
        '< 0000567",145\\r\\n',
    ]


def test_what_is_left_of_a_line_whose_front_is_gone_is_masked() -> None:
    transcript = Transcript()
    transcript.heard(b'AT+CPIN="')
    transcript.heard(b'4711"\r' + b"\r\nOK\r\n" * (MOST_OCTETS // 6 - 2))
    assert transcript.snapshot()[1]
    assert "4711" not in "".join(pieces_of(transcript))


def test_a_file_says_what_was_said_line_by_line_and_where_it_ends() -> None:
    transcript = Transcript()
    transcript.said(b"AT\r")
    transcript.heard(b"\r\nOK\r\n\r\n^BOOT:\\1\xff\r\n")
    assert re.sub(
        r"^\d\.\d\d\d", "0.000", render(*transcript.snapshot(), {"why": "silent", "model": None}), flags=re.M
    ) == ("# why: silent\n0.000 > AT\\r\n0.000 < \\r\\nOK\\r\\n\\r\\n\n0.000 < ^BOOT:\\\\1\\xff\\r\\n\n# end: 3\n")


# the files


def a_transcript() -> Transcript:
    transcript = Transcript()
    transcript.said(b"AT\r")
    return transcript


def kept(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.glob("*"))


async def test_a_failure_is_kept_once_an_hour_while_it_is_the_same(tmp_path: Path) -> None:
    files = TranscriptFiles(tmp_path / "transcripts")
    for minutes, why in ((0, "silent"), (1, "silent"), (2, "refused"), (63, "refused")):
        await files.keep("A1/first", a_transcript(), NOW + timedelta(minutes=minutes), why, {})
    assert kept(tmp_path / "transcripts") == [
        "A1_first-20261123T100000Z.txt",
        "A1_first-20261123T100200Z.txt",
        "A1_first-20261123T110300Z.txt",
    ]


async def test_old_files_and_more_than_so_many_of_a_modem_are_cleared_away(tmp_path: Path) -> None:
    (tmp_path / "gsm2-20261115T100000Z.txt").write_text("")
    (tmp_path / "gsm2-20261117T100000Z.txt").write_text("")
    files = TranscriptFiles(tmp_path)
    for minute in range(KEPT_OF_A_MODEM + 3):
        await files.keep("gsm1", a_transcript(), NOW + timedelta(minutes=minute), f"failure {minute}", {})
    own = [name for name in kept(tmp_path) if name.startswith("gsm1")]
    assert own[0] == "gsm1-20261123T100300Z.txt"
    assert len(own) == KEPT_OF_A_MODEM
    assert [name for name in kept(tmp_path) if name.startswith("gsm2")] == ["gsm2-20261117T100000Z.txt"]


async def test_a_folder_that_cannot_be_written_stops_nothing(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "transcripts").write_text("")
    assert await TranscriptFiles(tmp_path / "transcripts").keep("gsm1", a_transcript(), NOW, "silent", {}) is None
    assert "cannot be kept" in caplog.text


# when a modem fails


async def test_what_a_modem_said_before_it_fell_silent_is_kept(tmp_path: Path) -> None:
    async with wired(tmp_path) as bench:
        await bench.send()
        bench.peer.deaf = True
        await bench.state(State.RECOVERING, State.SILENT)
        await bench.state(State.STARTING, State.SILENT, State.QUARANTINED)
        bench.peer.deaf = False
        await bench.state(State.READY)
    (path, *_) = sorted((tmp_path / "transcripts").glob("gsm1-*.txt"))
    text = path.read_text()
    assert "# model: M1\n" in text
    assert "> AT+CMGS=22\\r\n" in text
    assert text.rstrip().splitlines()[-1].startswith("# end: ")


async def test_a_modem_that_hangs_up_in_mid_send_leaves_a_transcript_and_one_that_is_unplugged_none(
    tmp_path: Path,
) -> None:
    async with wired(tmp_path) as bench:
        bench.peer.hang_up()
        await bench.state(State.ABSENT)
        bench.peer.plug_in()
        await bench.state(State.READY)
        assert not (tmp_path / "transcripts").exists()
        bench.peer.on_pdu = lambda pdu: bench.peer.hang_up()
        with pytest.raises(SendInDoubt):
            await bench.send()
        await bench.state(State.ABSENT)
        bench.peer.on_pdu = bench.peer.take
        bench.peer.plug_in()
        await bench.state(State.READY)
    (path,) = (tmp_path / "transcripts").glob("*.txt")
    assert path.read_text().rstrip().splitlines()[-2].endswith(" ! hung up")
