import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modemd.errors import TranscriptRefused
from modemd.modem.transcript import Transcript, render
from modemd.sim import recording
from modemd.sim.recording import MOST_OCTETS, Piece, Who

WHOLE = "# model: M1\n0.000 > AT\\r\n0.004 < \\r\\nOK\\r\\n\n# it slept\n9.120 ! hung up\n# end: 3\n"


def read(folder: Path, text: str) -> recording.Recording:
    path = folder / "gsm1.txt"
    path.write_bytes(text.encode("latin-1"))
    return recording.read(path)


def test_a_transcript_is_read(tmp_path: Path) -> None:
    found = read(tmp_path, WHOLE)
    assert found.facts == {"model": "M1"}
    assert found.pieces == (
        Piece(0.0, Who.US, b"AT\r"),
        Piece(0.004, Who.MODEM, b"\r\nOK\r\n"),
        Piece(9.12, Who.LINE, b""),
    )


@given(st.lists(st.tuples(st.booleans(), st.binary(min_size=1, max_size=40)), min_size=1, max_size=20))
def test_what_the_flight_recorder_writes_is_read_back_octet_for_octet(
    tmp_path_factory: pytest.TempPathFactory, said: list[tuple[bool, bytes]]
) -> None:
    transcript = Transcript()
    transcript.heard(b"\r\n")
    for ours, octets in said:
        (transcript.said if ours else transcript.heard)(octets)
    transcript.hung_up()
    pieces, cut = transcript.snapshot()
    found = read(tmp_path_factory.getbasetemp(), render(pieces, cut, {"model": "M1"})).pieces
    for ours, who in ((True, Who.US), (False, Who.MODEM)):
        written = b"".join(piece.octets for piece in pieces if piece.ours is ours)
        assert len(b"".join(piece.octets for piece in found if piece.who is who)) == len(written)
    assert found[-1].who is Who.LINE


def test_a_hang_up_stands_in_the_file_where_it_came(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time, "monotonic", lambda: 5.0)
    transcript = Transcript()
    transcript.heard(b"\r\nOK")
    transcript.hung_up()
    transcript.heard(b"RDY\r\n")
    assert render(*transcript.snapshot(), {}).splitlines() == [
        "0.000 < \\r\\nOK",
        "0.000 ! hung up",
        "0.000 < RDY\\r\\n",
        "# end: 3",
    ]


@pytest.mark.parametrize(
    ("text", "what_to_mend"),
    [
        (WHOLE[: len(WHOLE) // 2], r"line \d+ breaks off: the file was cut; fetch it again, or drop this line"),
        (WHOLE.replace("# end: 3\n", ""), r"line 6 is the last, and `# end: 3` is missing"),
        (WHOLE.replace("0.000 > AT\\r\n", ""), r"line 5 says 3 lines and there are 2.*or write `# end: 2`"),
        (WHOLE.replace("# end: 3", "# end: soon"), r"line 6 says soon lines and there are 3"),
        (WHOLE + "10 > AT\n", r"line 7 stands behind the end"),
        (WHOLE.replace("0.004 <", "0.004 ="), r"line 3 is neither `<seconds> > text`"),
        (WHOLE.replace("0.004 <", "soon <"), r"line 3 is neither"),
        (WHOLE.replace("OK\\r", "OK\\q"), r"line 3 has an escape that is none of"),
        (WHOLE.replace("OK\\r", "OK\\xA"), r"line 3 has an escape"),
        (WHOLE.replace("OK", "O\xd6"), r"line 3 has an octet that is not ASCII; write it as \\xNN"),
        (WHOLE.replace("0.004", "9.121"), r"line 5 goes back in time, behind 9.121 s; order the lines by time"),
        (WHOLE.replace("hung up", "died"), r"line 5 says `! died`; only `! hung up`"),
        ("0.0 > AT\\r\n# end: 1\n", "no modem says anything in it; a `<` line is needed"),
        ("", r"line 1 is the last"),
        ("0.0 < " + "x" * MOST_OCTETS + "\n# end: 1\n", "more than 4194304 octets"),
    ],
)
def test_a_transcript_that_is_cut_or_broken_is_refused_with_the_line_and_what_to_mend(
    tmp_path: Path, text: str, what_to_mend: str
) -> None:
    with pytest.raises(TranscriptRefused, match=what_to_mend):
        read(tmp_path, text)


def test_half_of_a_transcript_is_refused_wherever_it_was_cut(tmp_path: Path) -> None:
    for length in range(len(WHOLE) - 1):
        with pytest.raises(TranscriptRefused):
            read(tmp_path, WHOLE[:length])


def test_a_transcript_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(TranscriptRefused, match=r"nothing\.txt cannot be replayed: it cannot be read"):
        recording.read(tmp_path / "nothing.txt")
