import pytest

from modemd.errors import TextError
from modemd.pdu import segments
from modemd.pdu.alphabet import Alphabet
from modemd.pdu.segments import TextSize

GSM7, UCS2 = Alphabet.GSM7, Alphabet.UCS2


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("a", TextSize(GSM7, 1, 1, 159)),
        ("a" * 160, TextSize(GSM7, 160, 1, 0)),
        ("a" * 161, TextSize(GSM7, 161, 2, 145)),
        ("a" * 306, TextSize(GSM7, 306, 2, 0)),
        ("a" * 307, TextSize(GSM7, 307, 3, 152)),
        ("a" * 1530, TextSize(GSM7, 1530, 10, 0)),
        ("€" * 80, TextSize(GSM7, 160, 1, 0)),
        ("a" + "€" * 80, TextSize(GSM7, 161, 2, 145)),
        ("с", TextSize(UCS2, 1, 1, 69)),
        ("с" * 70, TextSize(UCS2, 70, 1, 0)),
        ("с" * 71, TextSize(UCS2, 71, 2, 63)),
        ("с" * 134, TextSize(UCS2, 134, 2, 0)),
        ("с" * 670, TextSize(UCS2, 670, 10, 0)),
        ("😀" * 35, TextSize(UCS2, 70, 1, 0)),
        ("a" * 69 + "😀", TextSize(UCS2, 71, 2, 63)),
    ],
)
def test_a_text_is_measured_in_septets_or_ucs2_characters(text: str, size: TextSize) -> None:
    assert segments.measure(text) == size


def test_an_escape_pair_moves_whole_into_the_next_part() -> None:
    text = "a" * 152 + "€" + "b" * 20
    assert segments.split(text) == ["a" * 152, "€" + "b" * 20]
    assert segments.measure(text) == TextSize(GSM7, 174, 2, 153 - 22)


def test_an_escape_pair_that_just_fits_stays() -> None:
    assert segments.split("a" * 151 + "€" + "b" * 20) == ["a" * 151 + "€", "b" * 20]


def test_pairs_that_move_can_make_one_part_more() -> None:
    assert len(segments.split("€" * 153)) == 3  # 306 septets would be 2 parts, but 76 pairs fit into each


def test_a_surrogate_pair_moves_whole_into_the_next_part() -> None:
    assert segments.split("с" * 66 + "😀" + "т" * 9) == ["с" * 66, "😀" + "т" * 9]
    assert segments.split("с" * 65 + "😀" + "т" * 9) == ["с" * 65 + "😀", "т" * 9]
    assert [len(part) for part in segments.split("😀" * 100)] == [33, 33, 33, 1]


def test_a_text_that_fits_is_one_part() -> None:
    assert segments.split("smetka") == ["smetka"]
    assert segments.split("сметка [€]") == ["сметка [€]"]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "it is empty"),
        ("a" * 1531, "it needs 11 parts, and 10 are the most"),
        ("с" * 671, "it needs 11 parts, and 10 are the most"),
        ("с" * 7000, "it needs 105 parts, and 10 are the most"),
        ("a\ud83d", "half a surrogate pair"),
        ("\ude00", "half a surrogate pair"),
    ],
)
def test_a_text_that_cannot_be_sent_says_why(text: str, reason: str) -> None:
    for verb in (segments.measure, segments.split):
        with pytest.raises(TextError, match=reason):
            verb(text)
