"""What invented messages say is what the service would have said, although it writes only one reminder of each day."""

from datetime import UTC, date, datetime

import pytest

from modemd.config import Language
from modemd.pdu import segments
from modemd.scenarios import wordings
from modemd.scenarios.people import Phone
from modemd.service import notices
from modemd.service.notices import Owed

DAY = date(2026, 11, 30)


@pytest.mark.parametrize("language", ["bg-Latn", "bg-Cyrl", "en"])
@pytest.mark.parametrize("cents", [5, 900, 1_005, 20_999, 9_876_543])
@pytest.mark.parametrize("customer", ["300000000001", "300000009876", "300000007777"])
def test_a_reminder(language: Language, cents: int, customer: str) -> None:
    text, parts = wordings.reminder(Phone("+359999000001", customer, language, True, False), cents, DAY)
    said = notices.reminder(Owed((customer,), cents, DAY), language, notices.TEXTS, wordings.SETTINGS.service)
    assert (text, parts) == (said, segments.measure(said).parts)


@pytest.mark.parametrize("language", ["bg-Latn", "bg-Cyrl", "en"])
def test_a_bill(language: Language) -> None:
    phone = Phone("+359999000001", "300000000001", language, True, False)
    text, parts = wordings.bill(phone, 3_791, date(2026, 12, 9), datetime(2026, 11, 23, 10, tzinfo=UTC))
    assert "37,91 EUR" in text
    assert parts == segments.measure(text).parts
