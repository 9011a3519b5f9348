import contextlib
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modemd.errors import NotABulgarianMobile, NotAPhone
from modemd.service import phones

VECTORS = json.loads((Path(__file__).parents[1] / "vectors" / "phones.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("vector", VECTORS, ids=[repr(vector["input"]) for vector in VECTORS])
def test_the_vectors_of_the_domain(vector: dict[str, str | None]) -> None:
    written, expected = str(vector["input"]), vector["e164"]
    if expected is None:
        with pytest.raises(NotABulgarianMobile):
            phones.normalise(written)
    else:
        assert phones.normalise(written) == expected


@pytest.mark.parametrize(
    "written", ["0888-123-456", "(0888) 123456", "0888/123.456", "０８８８１２３４５６", " 0888123456 "]
)
def test_separators_and_full_width_digits_are_read_over(written: str) -> None:
    assert phones.normalise(written) == "+359888123456"


@pytest.mark.parametrize("written", ["0896123456", "0878123456", "0996123456", "+35999612345", "+359999123456"])
def test_the_whole_plan_of_mobiles_is_known(written: str) -> None:
    assert phones.normalise(written).startswith("+359")


@pytest.mark.parametrize(
    "written",
    ["+35943012345", "043012345", "+35948123456", "+359481234567", "+4915112345678", "+359881", "+3598812345678",
     "0888FLOWER", "0888123456 ext. 5", "0888123456;", "1" * 10_000, "++359888123456", "+", "\u200b"],
)  # fmt: skip
def test_what_is_no_bulgarian_mobile_is_refused(written: str) -> None:
    with pytest.raises(NotABulgarianMobile):
        phones.normalise(written)


@pytest.mark.parametrize(
    ("written", "number"),
    [("170077", "170077"), ("112", "112"), ("+4915112345678", "+4915112345678"), ("0888123456", "+359888123456"),
     ("00359888123456", "+359888123456"), ("+35943123456789", "+35943123456789"), ("029871234", "+35929871234"),
     ("+1 202 555 0147", "+12025550147")],
)  # fmt: skip
def test_an_sms_may_go_to_any_number_or_short_code(written: str, number: str) -> None:
    assert phones.recipient(written) == number


@pytest.mark.parametrize(
    "written", ["", "12", "abc", "A1 BG", "+0123456789", "+1234567890123456", "1" * 10_000, "+12", "🙂"]
)
def test_what_is_no_number_gets_no_sms(written: str) -> None:
    with pytest.raises(NotAPhone):
        phones.recipient(written)


@pytest.mark.parametrize("number", [None, "", "170077", "12345", "+12345", "A1 BG", "Vivacom", "*100#", "1" * 21])
def test_short_codes_and_names_are_no_phone_to_answer(number: str | None) -> None:
    assert phones.sender(number) is None


@pytest.mark.parametrize(
    ("number", "phone"),
    [("+359888123456", "+359888123456"), ("0888123456", "+359888123456"), ("00359888123456", "+359888123456"),
     ("+4915112345678", "+4915112345678"), ("1700771", "1700771")],
)  # fmt: skip
def test_any_other_sender_is_one_phone_however_the_network_writes_it(number: str, phone: str) -> None:
    assert phones.sender(number) == phone


@given(st.text())
def test_any_text_is_a_number_or_refused(written: str) -> None:
    for read, refusal in ((phones.normalise, NotABulgarianMobile), (phones.recipient, NotAPhone)):
        with contextlib.suppress(refusal):
            assert read(written).lstrip("+").isdecimal()


def test_every_spelling_of_a_sender_is_taken_for_him() -> None:
    written = phones.spellings("+359888000101")
    assert {phones.sender(each) for each in written} == {"+359888000101"}
    assert len(set(written)) == 5
    assert phones.spellings("+4915112345678") == ("+4915112345678",)
