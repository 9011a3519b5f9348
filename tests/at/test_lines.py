from hypothesis import given
from hypothesis import strategies as st

from modemd.at.lines import MAX_LINE, PROMPT, Lines


def taken(*chunks: bytes, prompt: bool = False) -> list[bytes]:
    lines, found = Lines(), []
    for chunk in chunks:
        lines.feed(chunk)
        while (line := lines.take(prompt=prompt)) is not None:
            found.append(line)
    return found


def test_a_line_is_complete_at_its_end_and_not_before() -> None:
    assert taken(b"\r\nO", b"K") == []
    assert taken(b"\r\nO", b"K", b"\r") == [b"OK"]


def test_cr_lf_and_crlf_end_a_line_and_blank_lines_are_none() -> None:
    assert taken(b"\r\n+CSQ: 20,99\r\n\r\nOK\r\nRING\nRDY\r\r\n") == [b"+CSQ: 20,99", b"OK", b"RING", b"RDY"]


def test_the_prompt_needs_no_line_end_and_no_space() -> None:
    assert taken(b"\r\n>", prompt=True) == [PROMPT]
    assert taken(b"\r\n> ", prompt=True) == [PROMPT]


def test_the_prompt_is_found_after_an_echo_a_urc_and_noise() -> None:
    assert taken(b"AT+CMGS=23\r\r\n> ", prompt=True) == [b"AT+CMGS=23", PROMPT]
    assert taken(b'\r\n+CMTI: "SM",3\r\n\r\n> ', prompt=True) == [b'+CMTI: "SM",3', PROMPT]
    assert taken(b"\xff\x00\xfe> ", prompt=True) == [PROMPT]


def test_a_greater_than_inside_a_line_is_no_prompt() -> None:
    assert taken(b'+CUSD: 0,"1> balance"\r\n', prompt=True) == [b'+CUSD: 0,"1> balance"']


def test_where_no_prompt_is_expected_it_is_cut_off_the_line() -> None:
    assert taken(b"> +CMGS: 5\r\n") == [b"+CMGS: 5"]


def test_noise_around_a_line_is_cut_off() -> None:
    assert taken(b"\xff\x00\x80OK\xfe\x1a\r\n") == [b"OK"]


def test_bytes_that_are_no_text_inside_a_line_are_kept() -> None:
    assert taken(b'+COPS: 0,0,"\xd0\x95\xff"\r\n') == [b'+COPS: 0,0,"\xd0\x95\xff"']


def test_a_line_without_end_takes_no_memory_and_the_next_line_is_read() -> None:
    lines = Lines()
    for _ in range(100):
        lines.feed(b"x" * 1000)
        assert lines.take(prompt=False) is None
        assert len(lines._buffer) - lines._at <= MAX_LINE
    lines.feed(b"\r\nOK\r\n")
    assert lines.take(prompt=False) == b"OK"


def test_the_longest_line_is_whole_and_one_octet_more_is_dropped() -> None:
    assert taken(b"x" * MAX_LINE + b"\rOK\r") == [b"x" * MAX_LINE, b"OK"]
    assert taken(b"x" * (MAX_LINE + 1) + b"\rOK\r") == [b"OK"]


PIECES = st.lists(
    st.sampled_from([b"\r", b"\n", b">", b" ", b"OK", b"+CMGS: 1", b"\xff", b"\0", b"x" * 5000, b"ERROR", b'"'])
    | st.binary(max_size=20)
)


@given(PIECES, st.booleans(), st.data())
def test_any_split_of_the_stream_gives_the_same_lines(pieces: list[bytes], prompt: bool, data: st.DataObject) -> None:
    stream = b"".join(pieces)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=20)))
    chunks = [stream[start:end] for start, end in zip([0, *cuts], [*cuts, len(stream)], strict=True)]
    assert taken(*chunks, prompt=prompt) == taken(stream, prompt=prompt)


@given(st.binary(max_size=200), st.booleans())
def test_byte_by_byte_gives_the_same_lines(stream: bytes, prompt: bool) -> None:
    assert taken(*(bytes([octet]) for octet in stream), prompt=prompt) == taken(stream, prompt=prompt)
