"""What somebody who writes an SMS sees while typing."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modemd.pdu import segments
from modemd.service import drafts


def test_a_latin_text_is_as_it_is_and_has_no_other_form() -> None:
    draft = drafts.look_at("Zdraveyte, 37,91 EUR")
    assert (draft.written.alphabet, draft.written.units, draft.written.parts, draft.written.left) == (
        "gsm7",
        20,
        1,
        140,
    )
    assert draft.written.forcing == ()
    assert draft.latin is None


def test_cyrillic_is_shown_with_what_transliteration_would_save() -> None:
    draft = drafts.look_at("Уважаеми клиенти, планирано прекъсване на тока на 27.11 от 9 до 12 ч. Благодарим!")
    assert (draft.written.alphabet, draft.written.parts) == ("ucs2", 2)
    assert draft.latin is not None
    assert draft.latin.text.startswith("Uvazhaemi klienti, planirano prekasvane na toka")
    assert (draft.latin.alphabet, draft.latin.parts, draft.latin.forcing) == ("gsm7", 1, ())


def test_the_letters_that_force_ucs_2_are_named_once_in_their_order() -> None:
    assert drafts.look_at("Zdravey, жаба и ж").written.forcing == ("ж", "а", "б", "и")
    assert drafts.look_at("cena 5 € {ok} 🙂").written.forcing == ("🙂",)


def test_signs_of_word_processors_become_plain_and_what_stays_is_named() -> None:
    draft = drafts.look_at("„Ток“ – №\u00a05…")
    assert draft.latin is not None
    assert draft.latin.text == '"Tok" - No 5...'
    assert drafts.look_at("ток 🙂").latin == drafts.look_at("tok 🙂").written


def test_a_euro_sign_takes_two() -> None:
    assert drafts.look_at("5 €").written.units == 4


@pytest.mark.parametrize(
    ("text", "problem"), [("", "it is empty"), ("a" * 1531, "it needs 11 parts"), ("\ud83d", "half a surrogate pair")]
)
def test_a_text_that_cannot_be_sent_says_why(text: str, problem: str) -> None:
    written = drafts.look_at(text).written
    assert written.problem is not None
    assert problem in written.problem
    assert written.parts == 0


@given(st.text(max_size=400))
def test_what_is_shown_is_what_would_be_sent(text: str) -> None:
    draft = drafts.look_at(text)
    for measured in (draft.written, *([draft.latin] if draft.latin else [])):
        if measured.problem is None:
            size = segments.measure(measured.text)
            assert (measured.alphabet, measured.units, measured.parts, measured.left) == (
                size.alphabet, size.units, size.parts, size.left,
            )  # fmt: skip


@given(st.text(alphabet=st.characters(categories=["Cs", "Lu", "Ll", "So", "Zs", "Cf"]), max_size=50))
def test_no_text_is_too_much_for_it(text: str) -> None:
    drafts.look_at(text)
