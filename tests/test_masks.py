import pytest

from modemd import masks


@pytest.mark.parametrize(
    ("number", "shown"),
    [
        ("+359881234567", "+35988•••567"),
        ("170077", "170077"),
        ("A1 BG", "A1 BG"),
        ("", ""),
        ("+3598812", "+3•••12"),
    ],
)
def test_a_phone(number: str, shown: str) -> None:
    assert masks.phone(number) == shown


def test_every_number_in_words() -> None:
    words = "300000000001 and +359881234567 at 12:30, file 000012, 99999,99 EUR, 32Z000000000001M"
    assert masks.text(words) == "***0001 and +35988•••567 at 12:30, file 000012, 99999,99 EUR, 32Z***0001M"
