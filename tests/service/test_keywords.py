import json
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modemd.service.keywords import explain

VECTORS = json.loads((Path(__file__).parents[1] / "vectors" / "keywords.json").read_text(encoding="utf-8"))
CUSTOMER = "300000000001"


def kind(text: str | None) -> str:
    return explain(text).kind


@pytest.mark.parametrize("vector", VECTORS, ids=[repr(vector["text"]) for vector in VECTORS])
def test_the_vectors_of_the_domain(vector: dict[str, object]) -> None:
    reading = explain(str(vector["text"]))
    assert (reading.kind, list(reading.customer_numbers)) == (vector["kind"], vector["customer_numbers"])


@pytest.mark.parametrize(
    "text",
    [
        "smetki", "smetkite", "сметки", "сметките", "zadalzhenie", "задължение", "SMETKATA", "smetka\n", "Smetka!!!",
        "zadyljenie", "zadaljenie", "zadulzhenie", "zadulženie", "задълженiе", "zadalzenie", "zadylvenie smetka",
        "CMETKATA", "ΣΜΕΤΚΑ", "смeткa", "cmetкa", "ｓｍｅｔｋａ", "𝐬𝐦𝐞𝐭𝐤𝐚", "ⓢⓜⓔⓣⓚⓐ", "s\u00adm\u200be\u2060tka",
        "sme\u0301tka", "сме\u0300тка", "s m e t k a", "s.m.e.t.k.a", "smetka🙂", "🙂smetka", "smetka,molya",
        "<smetka>", "sme-tka", "smetka-molya", "\u202esmetka", "smetka\x00", "_smetka_", "help smetka",
        "info za smetka",
    ],
)  # fmt: skip
def test_other_spellings_of_a_bill_check(text: str) -> None:
    assert kind(text) == "bill"


def one_edit(word: str) -> set[str]:
    cuts = [(word[:at], word[at:]) for at in range(len(word) + 1)]
    letters = "abehkmstxz"
    return (
        {a + b[1:] for a, b in cuts if b}
        | {a + b[1] + b[0] + b[2:] for a, b in cuts if len(b) > 1}
        | {a + letter + b[1:] for a, b in cuts if b for letter in letters}
        | {a + letter + b for a, b in cuts for letter in letters}
    )


def test_every_single_edit_of_smetka_is_a_bill_check() -> None:
    assert {kind(word) for word in one_edit("smetka")} == {"bill"}
    assert {kind(word) for word in ("сетка", "смекта", "сметкса", "смятка", "smyatka", "smqtka", "сме4ка")} == {"bill"}


@pytest.mark.parametrize("text", ["smet", "mekta", "smetana", "сметана", "smetkalo", "smtak1", "kasmet", "esmtak"])
def test_two_edits_from_smetka_are_not_understood(text: str) -> None:
    assert kind(text) == "unknown"


@pytest.mark.parametrize("text", ["smetkaatta", "zadalzheni", "smettkite"])
def test_only_smetka_itself_is_fuzzy(text: str) -> None:
    assert kind(text) == "unknown"


@pytest.mark.parametrize(
    "text",
    [
        "Stop", "stop!", "STOP.", "„стоп“", "спри", "spri", "SPRI", "otpisvane", "отписване", "otpiswane", "отказ",
        "CTOП", "CTOP", "СТОР", "ЅТОР", "ΣΤΟΠ", "STΟΡ", "сtоп", "ＳＴＯＰ", "𝐒𝐓𝐎𝐏", "s\u200bt\u00adop", "сто\u0301п",
        "S T O P", "S.T.O.P.", "s-t-o-p", "otka3", "st0p", "molya stop", "smetka, stop!", "smetka-stop", "STOP help",
        "stop 300000000001", "STOP300000000001", "stop\nsmetka", "🛑stop🛑", "stop/otkaz", "STOP170077 stop",
    ],
)  # fmt: skip
def test_a_stop_word_anywhere_wins(text: str) -> None:
    assert kind(text) == "stop"


@pytest.mark.parametrize("word", ["stop", "otkaz", "spri"])
def test_stop_is_never_fuzzy(word: str) -> None:
    spelled_alike = {"ctop", "sто", "otcaz"}
    assert not {other for other in one_edit(word) - {word} - spelled_alike if kind(other) == "stop"}


@pytest.mark.parametrize(
    "text", ["stopka", "nonstop", "non-stop", "нон-стоп", "otkazah", "отказах", "престоп", "sprina"]
)
def test_a_stop_word_inside_another_word_stops_nothing(text: str) -> None:
    assert kind(text) == "unknown"


@pytest.mark.parametrize(
    "text", ["HELP", "хелп", "НЕLР", "pomosht", "pomo6t", "помош", "info", "инфо", "INFO?", "Iнфо"]
)
def test_other_spellings_of_help(text: str) -> None:
    assert kind(text) == "help"


@pytest.mark.parametrize("text", [None, "", " ", "...", "🙂", "nyama tok", "12", "\ufffd", "?", "za", "300"])
def test_what_says_nothing_we_know_is_unknown(text: str | None) -> None:
    assert explain(text) == explain("zdr")


@pytest.mark.parametrize(
    "written",
    [
        CUSTOMER, f" {CUSTOMER}.", f"№{CUSTOMER}", f"#{CUSTOMER}", "3000 0000 0001", "300-000-000-001",
        "300 000 000 001", "３００００００００００１", "٣٠٠٠٠٠٠٠٠٠٠١", f"({CUSTOMER})", "3000\u00a00000\u00a00001",
    ],
)  # fmt: skip
def test_a_bare_customer_number_is_found_however_it_is_grouped(written: str) -> None:
    assert (kind(written), explain(written).customer_numbers) == ("number", (CUSTOMER,))
    assert (kind(f"smetka {written}"), explain(f"smetka {written}").customer_numbers) == ("bill", (CUSTOMER,))


def test_a_number_glued_to_the_keyword_is_found() -> None:
    assert explain(f"smetka{CUSTOMER}") == explain(f"smetka {CUSTOMER}")


def test_several_numbers_are_given_in_their_order() -> None:
    numbers = ("300000000002", "300000000001", "300000000003")
    assert explain(f"smetka {numbers[0]}, {numbers[1]} {numbers[2]}").customer_numbers == numbers


@pytest.mark.parametrize(
    "text",
    ["1234567890123", "12345678901", "+359888123456", "+359 888 123 456", "abc300000000001", "300000000001abc",
     "3000 0000 0001 0002", "3000 0000 001", "300 000 000"],
)  # fmt: skip
def test_other_digits_are_no_customer_number(text: str) -> None:
    assert explain(text).customer_numbers == ()
    assert kind(text) == "unknown"


def test_a_number_among_words_that_say_nothing_is_for_a_person() -> None:
    assert kind(f"nyama tok {CUSTOMER}") == "unknown"


@pytest.mark.parametrize(
    "text",
    ["🙂" * 10_000, "a" * 40_000, "s " * 20_000, "\u0301\u0316" * 20_000, "300 " * 10_000, "ﷺ" * 5_000, "+" * 40_000,
     "smekt-" * 6_000, "e\u0316\u0301" * 13_000, "a" + "1" * 40_000, "3-" * 20_000, "\ud800" * 40_000],
)  # fmt: skip
def test_a_hostile_text_is_read_as_fast_as_any_other(text: str) -> None:
    began = time.process_time()
    explain(text)
    assert time.process_time() - began < 1.0  # it takes some 30 ms; anything quadratic takes minutes


@given(st.text())
def test_any_text_is_read(text: str) -> None:
    reading = explain(text)
    assert reading.kind in ("bill", "stop", "help", "number", "unknown")
    assert all(len(number) == 12 and number.isascii() and number.isdecimal() for number in reading.customer_numbers)


@given(st.sampled_from(["smetka", "СМЕТКА", "CMETKA"]), st.text(" .,!?🙂\u200d\ufe0f\n\t", max_size=8))
def test_punctuation_and_emoji_around_the_word_change_nothing(word: str, noise: str) -> None:
    assert kind(noise + word + noise) == "bill"
