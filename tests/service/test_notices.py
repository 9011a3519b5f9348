from datetime import UTC, date, datetime
from typing import get_args

import pytest
from sqlalchemy import Connection

from modemd.config import Language, Service
from modemd.errors import TemplateRefused
from modemd.pdu import segments
from modemd.pdu.alphabet import Alphabet
from modemd.service import notices
from modemd.service.notices import TEXTS, Owed

SERVICE = Service()
LANGUAGES: tuple[Language, ...] = get_args(Language)
NAMES: tuple[notices.Name, ...] = get_args(notices.Name)
NOW = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)
BEGINS, ENDS = datetime(2026, 12, 2, 7, 0, tzinfo=UTC), datetime(2026, 12, 2, 12, 0, tzinfo=UTC)
ONE = Owed(("300000000001",), 11240, date(2026, 11, 27))
FIVE = tuple(f"30000000000{number}" for number in range(1, 6))
GOOD = "{supplier}: {amount} EUR, {customer}, {cutoff}. {info}"


def said(name: notices.Name, language: Language) -> str:
    """A notice as the domain's table has it."""
    match name:
        case "reminder":
            return notices.reminder(ONE, language, TEXTS, SERVICE)
        case "reminder_several":
            return notices.reminder(Owed(FIVE[:2], 15031, ONE.cutoff), language, TEXTS, SERVICE)
        case "welcome":
            return notices.welcome(FIVE[:1], language, TEXTS, SERVICE)
        case "code_portal" | "code_centre":
            return notices.code(name, "482913", 10, language, TEXTS, SERVICE)
        case "outage" | "outage_off":
            return notices.outage(name, BEGINS, ENDS, FIVE[:1], "", language, TEXTS, SERVICE)


@pytest.mark.parametrize(
    ("name", "language", "text", "length", "parts"),
    [
        (
            "reminder",
            "bg-Latn",
            "Elektrohold: prosrocheni 112,40 EUR, klient ***0001. Vazmozhno prekasvane na toka sled 27.11.2026. Ako ste"
            " platili, prenebregnete. Info 070010010. Otkaz: STOP",
            158,
            1,
        ),
        (
            "reminder",
            "bg-Cyrl",
            "Електрохолд: неплатени 112,40 EUR, ***0001. След 27.11 токът може да спре. Ако е платено, пренебрегнете."
            " Инфо 070010010. Отказ: СТОП",
            132,
            2,
        ),
        (
            "welcome",
            "bg-Latn",
            "Elektrohold: tozi nomer e registriran za SMS uslugi, klient ***0001. Ako ne ste Vie, otgovorete STOP. Info"
            " 070010010",
            116,
            1,
        ),
        (
            "code_portal",
            "bg-Latn",
            "Elektrohold: kod 482913, validen 10 min. Ne go kazvayte na nikogo. Info 070010010",
            81,
            1,
        ),
        (
            "code_centre",
            "bg-Latn",
            "Elektrohold: kod 482913, validen 10 min. Kazhete go samo na sluzhitelya pred Vas. Info 070010010",
            96,
            1,
        ),
    ],
)
def test_the_texts_that_the_domain_counts(
    name: notices.Name, language: Language, text: str, length: int, parts: int
) -> None:
    assert said(name, language) == text
    assert (len(text), segments.measure(text).parts) == (length, parts)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", NAMES)
def test_every_text_comes_in_every_language_and_fits_two_parts_at_its_worst(
    name: notices.Name, language: Language
) -> None:
    notices.check(name, language, TEXTS[language][name], SERVICE)
    text = said(name, language)
    assert "070010010" in text
    assert "€" not in text
    assert not {"{", "}"} & set(text)
    assert not any(number in text for number in FIVE)


@pytest.mark.parametrize("language", ["bg-Latn", "en"])
@pytest.mark.parametrize("name", NAMES)
def test_latin_texts_stay_in_the_gsm_alphabet(name: notices.Name, language: Language) -> None:
    assert segments.measure(said(name, language)).alphabet is Alphabet.GSM7


def test_a_merged_reminder_says_the_total_and_the_earliest_cut_off() -> None:
    text = said("reminder_several", "bg-Latn")
    assert text.startswith("Elektrohold: prosrocheni 150,31 EUR za 2 klienta. Vazmozhno prekasvane na toka sled 27.11")
    assert segments.measure(text).parts == 1


@pytest.mark.parametrize("language", LANGUAGES)
def test_where_five_customers_are_too_many_the_first_is_named_and_how_many_more(language: Language) -> None:
    long_night = datetime(2026, 12, 3, 1, 0, tzinfo=UTC)
    text = notices.outage("outage", BEGINS, long_night, FIVE, "", language, TEXTS, SERVICE)
    assert segments.measure(text).parts <= 2
    assert ("***0005" in text) is (language != "bg-Cyrl")
    assert ("***0001 +4" in text) is (language == "bg-Cyrl")


def test_an_outage_of_one_day_names_the_day_once_and_says_what_was_added() -> None:
    text = notices.outage("outage", BEGINS, ENDS, FIVE[:1], "Remont na trafopost.", "bg-Latn", TEXTS, SERVICE)
    assert text == (
        "Elektrohold: planirano spirane na toka 02.12.2026 09:00-14:00, klient ***0001. Remont na trafopost."
        " Info 070010010. Otkaz: STOP"
    )


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("{supplier}: {amount} EUR, {customer}, {cutoff}. {info}" + " mnogo dalag tekst" * 19, "would need 3 parts"),
        ("x" * 401, "401 characters"),
        ("{supplier}: {amount} EUR, {customer}, {cutoff}", "{info} is missing"),
        ("{supplier}: {amount} EUR, {customer}. {info}", "{cutoff} is missing"),
        (GOOD + " {phone}", "{phone} is nothing it could say"),
        (GOOD + " {supplier.__class__}", "is nothing it could say"),
        (GOOD + " {supplier!r}", "is nothing it could say"),
        (GOOD + " {amount:>9999999}", "is nothing it could say"),
        (GOOD + " {", "braces do not fit"),
        (GOOD + " {}", "is nothing it could say"),
        (GOOD + " https://example.com", "link"),
        (GOOD + " pay.example.bg", "link"),
        (GOOD + " €", "two parts"),
        (GOOD + " Щ", "GSM 03.38"),
    ],
)
def test_a_bad_text_is_refused_when_it_is_saved(conn: Connection, text: str, reason: str) -> None:
    if reason == "two parts":  # € is two septets and allowed: only its length counts
        notices.save(conn, "reminder", "bg-Latn", text, SERVICE, "elena", NOW)
        return
    with pytest.raises(TemplateRefused, match=reason.replace("{", r"\{")):
        notices.save(conn, "reminder", "bg-Latn", text, SERVICE, "elena", NOW)
    assert notices.wording(conn) == TEXTS


@pytest.mark.parametrize(("name", "language"), [("bill", "bg-Latn"), ("reminder", "de")])
def test_only_these_texts_can_be_changed(conn: Connection, name: str, language: str) -> None:
    with pytest.raises(TemplateRefused, match="there are reminder, reminder_several"):
        notices.save(conn, name, language, GOOD, SERVICE, "elena", NOW)


def test_in_cyrillic_135_characters_are_too_many(conn: Connection) -> None:
    spare = 134 - segments_at_worst("bg-Cyrl")
    notices.save(conn, "reminder", "bg-Cyrl", TEXTS["bg-Cyrl"]["reminder"] + "!" * spare, SERVICE, "elena", NOW)
    with pytest.raises(TemplateRefused, match="3 parts"):
        notices.save(conn, "reminder", "bg-Cyrl", TEXTS["bg-Cyrl"]["reminder"] + "!" * (spare + 1), SERVICE, "e", NOW)


def segments_at_worst(language: Language) -> int:
    """Characters of the reminder with 99999,99 EUR."""
    return len(notices.reminder(Owed(FIVE[:1], 9_999_999, ONE.cutoff), language, TEXTS, SERVICE))


def test_a_saved_text_is_said_from_then_on_and_can_be_taken_back(conn: Connection) -> None:
    notices.save(conn, "reminder", "bg-Latn", GOOD, SERVICE, "elena", NOW)
    notices.save(conn, "reminder", "bg-Latn", GOOD + "!", SERVICE, "elena", NOW)
    wording = notices.wording(conn)
    assert (
        notices.reminder(ONE, "bg-Latn", wording, SERVICE) == "Elektrohold: 112,40 EUR, ***0001, 27.11.2026. 070010010!"
    )
    assert [saved.name for saved in notices.overview(conn, SERVICE) if saved.changed] == ["reminder"]
    notices.save(conn, "reminder", "bg-Latn", None, SERVICE, "elena", NOW)
    assert notices.wording(conn) == TEXTS


def test_braces_in_what_the_network_company_adds_are_just_text() -> None:
    text = notices.outage("outage", BEGINS, ENDS, FIVE[:1], "{supplier}", "en", TEXTS, SERVICE)
    assert "{supplier}. Info" in text
