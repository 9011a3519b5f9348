from datetime import UTC, date, datetime
from typing import get_args

import pytest

from modemd.config import Language, Service
from modemd.errors import SettingsError
from modemd.pdu import segments
from modemd.pdu.alphabet import Alphabet
from modemd.service import templates
from modemd.service.templates import Site

SERVICE = Service()
LANGUAGES: tuple[Language, ...] = get_args(Language)
FACTS = {"customer": "***0001", "amount": "37,91", "due": "09.12.2026", "day": "23.11.2026", "data": "23.11.2026 10:00"}
DATA_AT = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
WORST = Site("300000000001", 9_999_999, date(2026, 12, 9), overdue=False)
WORST_OVERDUE = Site("300000000001", 9_999_999, date(2026, 11, 9), overdue=True)


@pytest.mark.parametrize(
    ("name", "length"),
    [("bill", 109), ("nothing_due", 89), ("not_registered", 114), ("stopped", 135), ("help", 136)],
)
def test_the_lengths_that_the_domain_counts(name: templates.Name, length: int) -> None:
    text = templates.render(name, "bg-Latn", SERVICE, **FACTS)
    assert (len(text), segments.measure(text).parts) == (length, 1)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("site", [WORST, WORST_OVERDUE], ids=["due", "overdue"])
@pytest.mark.parametrize("count", range(1, 6))
def test_no_bill_needs_more_than_two_parts(language: Language, site: Site, count: int) -> None:
    assert segments.measure(templates.bill([site] * count, DATA_AT, language, SERVICE)).parts <= 2


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_text_names_the_information_line_and_has_no_link(language: Language) -> None:
    texts = [templates.render(name, language, SERVICE, **FACTS) for name in templates.TEXTS[language]]
    texts += [templates.bill([WORST] * count, DATA_AT, language, SERVICE) for count in range(1, 6)]
    for text in texts:
        assert "070010010" in text
        assert "://" not in text
        assert "€" not in text
        assert "300000000001" not in text


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_language_has_every_text(language: Language) -> None:
    assert set(templates.TEXTS[language]) == set(get_args(templates.Name))


@pytest.mark.parametrize("language", ["bg-Latn", "en"])
def test_latin_texts_stay_in_the_gsm_alphabet(language: Language) -> None:
    for name in templates.TEXTS[language]:
        assert segments.measure(templates.render(name, language, SERVICE, **FACTS)).alphabet is Alphabet.GSM7


def test_in_cyrillic_several_sites_are_told_as_fully_as_two_parts_hold() -> None:
    sites = [
        Site("300000000001", 3791, date(2026, 12, 9), overdue=False),
        Site("300000000002", 11240, date(2026, 11, 9), overdue=True),
        Site("300000000003", 0, None, overdue=False),
    ]
    assert templates.bill(sites[:2], DATA_AT, "bg-Cyrl", SERVICE) == (
        "Електрохолд, данни към 23.11.2026 10:00: ***0001 37,91 EUR до 09.12; ***0002 112,40 EUR просрочени."
        " Общо 150,31 EUR. Инфо 070010010"
    )
    assert templates.bill(sites, DATA_AT, "bg-Cyrl", SERVICE) == (
        "Електрохолд 23.11.2026 10:00: ***0001 37,91; ***0002 112,40; ***0003 0,00."
        " Общо 150,31 EUR, просрочени 112,40. Инфо 070010010"
    )
    assert templates.bill([*sites, *sites[:2]], DATA_AT, "bg-Cyrl", SERVICE) == (
        "Електрохолд: 5 клиента, общо 300,62 EUR, просрочени 224,80. Данни към 23.11.2026 10:00."
        " Един: СМЕТКА и номер. Инфо 070010010"
    )


def test_the_settings_that_texts_are_made_with_are_checked() -> None:
    templates.check(SERVICE)
    with pytest.raises(SettingsError, match="could need more than 2 parts"):
        templates.check(Service(supplier_cyrillic="Дружество за снабдяване с електричество"))


def test_braces_in_the_settings_are_just_text() -> None:
    assert templates.render("help", "en", Service(supplier="{x}")).startswith("{x}: text SMETKA")


@pytest.mark.parametrize(("cents", "text"), [(0, "0,00"), (5, "0,05"), (3791, "37,91"), (9_999_999, "99999,99")])
def test_money_has_a_decimal_comma(cents: int, text: str) -> None:
    assert templates.money(cents) == text
