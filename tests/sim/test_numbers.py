import pytest

from modemd.sim.numbers import normalise


@pytest.mark.parametrize(
    "written",
    ["0881234567", "881234567", "+359 88 123 4567", "00359881234567", "359881234567", "+359 (0)88 1234567"],
)
def test_one_phone_has_one_number_however_it_is_written(written: str) -> None:
    assert normalise(written) == "+359881234567"


@pytest.mark.parametrize("written", ["170077", "112", "A1 BG", "+491701234567", "*100#"])
def test_short_codes_names_and_foreign_numbers_stay(written: str) -> None:
    assert normalise(written) == written
