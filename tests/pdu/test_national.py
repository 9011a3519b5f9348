"""Samples of every table of 23.038 Annex A: the first free place, one in the middle, the last."""

import pytest

from modemd.pdu import national

LANGUAGES = range(14)


@pytest.mark.parametrize(
    ("language", "samples"),
    [
        (1, {0x04: "€", 0x07: "ı", 0x0B: "Ğ", 0x0C: "ğ", 0x1C: "Ş", 0x1D: "ş", 0x40: "İ", 0x60: "ç", 0x7F: "à"}),
        (
            3,
            {
                0x04: "ê",
                0x09: "ç",
                0x0B: "Ô",
                0x0F: "á",
                0x15: "∞",
                0x18: "€",
                0x24: "º",
                0x40: "Í",
                0x60: "~",
                0x7D: "`",
            },
        ),
        (4, {0x00: "ঁ", 0x0B: "ঌ", 0x0F: "এ", 0x1A: "চ", 0x2F: "ন", 0x3D: "প", 0x4F: "\u09bd", 0x60: "ৎ", 0x7F: "ৱ"}),
        (5, {0x00: "ઁ", 0x0C: "ઍ", 0x11: "ઑ", 0x2F: "ન", 0x47: "ળ", 0x5B: "ૉ", 0x60: "ૐ", 0x7F: "\u0af1"}),
        (6, {0x00: "ँ", 0x0E: "ऎ", 0x1F: "ञ", 0x3C: "ऩ", 0x50: "ा", 0x60: "ॐ", 0x7B: "ॲ", 0x7F: "ॿ"}),
        (7, {0x01: "ಂ", 0x0E: "ಎ", 0x24: "ಡ", 0x3D: "ಪ", 0x47: "ಳ", 0x60: "\u0cd5", 0x7B: "\u0cd6", 0x7F: "\u0ce3"}),
        (8, {0x01: "ം", 0x0E: "എ", 0x2F: "ന", 0x48: "ഴ", 0x4F: "ഽ", 0x60: "ൗ", 0x7B: "ൠ", 0x7F: "൹"}),
        (9, {0x00: "ଁ", 0x0F: "ଏ", 0x2F: "ନ", 0x47: "ଳ", 0x4E: "଼", 0x60: "ୖ", 0x7B: "ୗ", 0x7F: "ୣ"}),
        (10, {0x00: "ਁ", 0x0F: "ਏ", 0x2F: "ਨ", 0x47: "\u0a33", 0x4E: "਼", 0x60: "ੑ", 0x7B: "ੰ", 0x7F: "ੴ"}),
        (11, {0x01: "ஂ", 0x0E: "எ", 0x22: "ட", 0x2F: "ந", 0x42: "ம", 0x50: "ா", 0x60: "ௐ", 0x7B: "ௗ", 0x7F: "௹"}),
        (12, {0x00: "ఁ", 0x0E: "ఎ", 0x2F: "న", 0x47: "ళ", 0x4F: "ఽ", 0x60: "ౕ", 0x7B: "ౖ", 0x7F: "ౣ"}),
        (13, {0x00: "ا", 0x0B: "ٹ", 0x1A: "د", 0x22: "ڏ", 0x2F: "ژ", 0x3D: "س", 0x50: "ں", 0x60: "ٔ", 0x7F: "ٰ"}),
    ],
)
def test_locking_tables_stand_as_in_the_annex(language: int, samples: dict[int, str]) -> None:
    table = national.locking(language)
    assert {septet: table[septet] for septet in samples} == samples


@pytest.mark.parametrize(
    ("language", "samples"),
    [
        (1, {0x47: "Ğ", 0x49: "İ", 0x53: "Ş", 0x63: "ç", 0x65: "€", 0x67: "ğ", 0x69: "ı", 0x73: "ş", 0x14: "^"}),
        (
            2,
            {
                0x09: "ç",
                0x41: "Á",
                0x49: "Í",
                0x4F: "Ó",
                0x55: "Ú",
                0x61: "á",
                0x69: "í",
                0x6F: "ó",
                0x75: "ú",
                0x65: "€",
            },
        ),
        (
            3,
            {
                0x05: "ê",
                0x0C: "ô",
                0x12: "Φ",
                0x14: "^",
                0x19: "Θ",
                0x1F: "Ê",
                0x5C: "Õ",
                0x61: "Â",
                0x7B: "ã",
                0x7F: "â",
            },
        ),
        (4, {0x00: "@", 0x19: "০", 0x1C: "২", 0x27: "ৢ", 0x2A: "ৣ", 0x34: "৺", 0x41: "A", 0x5A: "Z", 0x65: "€"}),
        (5, {0x19: "।", 0x1A: "॥", 0x1C: "૦", 0x25: "૯", 0x2F: "\\", 0x40: "|"}),
        (6, {0x19: "।", 0x1C: "०", 0x26: "\u0951", 0x2A: "\u0953", 0x2C: "\u0958", 0x30: "\u095b", 0x3A: "\u0971"}),
        (7, {0x1C: "೦", 0x25: "೯", 0x26: "ೞ", 0x27: "ೱ", 0x2A: "ೲ"}),
        (8, {0x1C: "൦", 0x26: "൰", 0x2A: "൲", 0x2E: "ൺ", 0x34: "ൿ"}),
        (9, {0x1C: "୦", 0x26: "\u0b5c", 0x27: "\u0b5d", 0x2A: "ୟ", 0x2C: "ୱ"}),
        (10, {0x1C: "੦", 0x26: "\u0a59", 0x2B: "ੜ", 0x2C: "\u0a5e", 0x2D: "ੵ"}),
        (11, {0x1C: "௦", 0x24: "௮", 0x26: "௳", 0x2A: "௵", 0x2E: "௺"}),
        (12, {0x1C: "౦", 0x22: "౬", 0x26: "ౘ", 0x2A: "౸", 0x30: "౽", 0x32: "౿"}),
        (13, {0x19: "\u0600", 0x1C: "۰", 0x26: "،", 0x2A: "؎", 0x32: "؛", 0x3B: "ۍ", 0x3F: "۔", 0x3C: "["}),
    ],
)
def test_single_tables_stand_as_in_the_annex(language: int, samples: dict[int, str]) -> None:
    table = national.behind_escape(0, language)
    assert {septet: table[septet] for septet in samples} == samples


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_table_has_a_character_for_each_septet(language: int) -> None:
    assert len(national.locking(language)) == 128
    assert {len(national.behind_escape(locking, language)) for locking in LANGUAGES} == {128}


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_locking_table_keeps_latin_letters_digits_and_line_ends(language: int) -> None:
    table = national.locking(language)
    assert table[0x61:0x7B] == "abcdefghijklmnopqrstuvwxyz"
    assert table[0x30:0x3A] == "0123456789"
    assert (table[0x0A], table[0x0D], table[0x20]) == ("\n", "\r", " ")


@pytest.mark.parametrize("language", range(4, 14))
def test_no_letter_stands_twice_in_a_locking_table(language: int) -> None:
    letters = [char for char in national.locking(language) if char != " "]
    assert len(letters) == len(set(letters))


@pytest.mark.parametrize("language", [2, 14, 255])
def test_a_language_without_a_locking_table_reads_as_the_default_alphabet(language: int) -> None:
    assert national.locking(language) == national.DEFAULT


@pytest.mark.parametrize("language", [0, 14, 255])
def test_a_language_without_a_single_table_has_the_default_extension(language: int) -> None:
    assert national.behind_escape(0, language) == national.behind_escape(0, 0)


def test_an_empty_place_of_a_single_table_is_the_character_of_the_locking_table() -> None:
    assert national.behind_escape(0, 5)[0x26] == "&"
    assert national.behind_escape(4, 5)[0x26] == national.locking(4)[0x26] == "\u09a3"
    assert national.behind_escape(4, 5)[0x0D] == "\r"


def test_an_empty_place_of_a_locking_table_is_a_space() -> None:
    assert national.locking(11)[0x00] == " "
    assert national.locking(4)[0x0C] == " "
