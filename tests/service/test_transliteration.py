import json
from pathlib import Path

import pytest

from modemd.service.transliteration import to_latin

VECTORS = json.loads((Path(__file__).parents[1] / "vectors" / "transliteration.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("vector", VECTORS, ids=[vector["bg"] for vector in VECTORS])
def test_the_vectors_of_the_domain(vector: dict[str, str]) -> None:
    assert to_latin(vector["bg"]) == vector["latin"]


@pytest.mark.parametrize(
    ("bulgarian", "latin"),
    [("БЪЛГАРИЯ", "BULGARIA"), ("в България,", "v Bulgaria,"), ("СОФИЯ", "SOFIA"), ("Ия", "Ia"),
     ("Я", "Ya"), ("ЮГ", "YUG"), ("Юг", "Yug"), ("шофьор", "shofyor"),
     ("чорапи и шапка", "chorapi i shapka"), ("Инфо 070", "Info 070"), ("", ""),
     ("Жълт ЖЪЛТ", "Zhalt ZHALT"), ("ы", "ы")],
)  # fmt: skip
def test_capitals_follow_the_word_and_the_rest_stays(bulgarian: str, latin: str) -> None:
    assert to_latin(bulgarian) == latin
