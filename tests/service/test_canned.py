"""Canned answers keep the rules of every text of ours, or the daemon does not start."""

from typing import get_args

import pytest
from pydantic import ValidationError

from modemd.config import Language, Settings
from modemd.errors import SettingsError
from modemd.pdu import segments
from modemd.service import canned

GOOD = {
    "bg-Latn": "{supplier}: zapitvaneto e polucheno. Info {info}",
    "bg-Cyrl": "{supplier}: запитването е получено. Инфо {info}",
    "en": "{supplier}: we have your question. Info {info}",
}


def settings(**texts: str) -> Settings:
    of_language = {key.replace("_", "-"): text for key, text in texts.items()}
    return Settings.model_validate({"canned": {"received": {"texts": GOOD | of_language}}})


def test_a_canned_answer_of_ones_own_stands_beside_the_one_that_is_there() -> None:
    own = settings()
    canned.check(own)
    assert set(own.canned) == {"no_power", "received"}
    assert canned.render("received", "en", own) == "Elektrohold: we have your question. Info 070010010"


@pytest.mark.parametrize("language", get_args(Language))
def test_the_answer_to_no_power_keeps_the_rules_in_every_language(language: Language) -> None:
    text = canned.render("no_power", language, Settings())
    assert segments.measure(text).parts <= 2
    assert "070010010" in text
    assert "070010020" in text
    canned.check(Settings())


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("{supplier}: {customer}. Info {info}", "names {customer}; it may have {emergency}, {info}, {supplier}"),
        ("{supplier}: zdraveyte", "does not name the information line"),
        ("{supplier}: www.example.org. Info {info}", "holds a link"),
        ("{info}" + "a" * 300, "needs more than 2 parts"),
        ("{info", "has a fault in its braces"),
    ],
)
def test_a_canned_answer_that_breaks_a_rule_is_refused_with_its_name(text: str, fault: str) -> None:
    with pytest.raises(SettingsError, match="'received'") as refused:
        canned.check(settings(en=text))
    assert fault in str(refused.value)


@pytest.mark.parametrize("missing", ["bg-Latn", "bg-Cyrl", "en"])
def test_a_canned_answer_has_every_language(missing: str) -> None:
    texts = {language: text for language, text in GOOD.items() if language != missing}
    with pytest.raises(ValidationError, match=f"the text in {missing} is missing"):
        Settings.model_validate({"canned": {"received": {"texts": texts}}})
