import pytest

from modemd.sim import identity


def test_identities_are_the_same_for_a_seed_and_differ_within_a_bank() -> None:
    bank = [identity.invent(7, index) for index in range(64)]
    assert bank == [identity.invent(7, index) for index in range(64)]
    for field in ("imei", "iccid", "imsi", "number"):
        assert len({getattr(each, field) for each in bank}) == 64
    assert bank[0].imei != identity.invent(8, 0).imei


def test_identities_have_their_lengths_and_check_digits() -> None:
    made = identity.invent(1, 63)
    assert (len(made.imei), len(made.iccid), len(made.imsi)) == (15, 20, 15)
    assert made.number == "+359889000063"
    for digits in (made.imei, made.iccid):
        assert digits[-1] == identity.luhn_digit(digits[:-1])


def test_the_luhn_digit_is_that_of_the_standard() -> None:
    assert identity.luhn_digit("7992739871") == "3"  # the usual example
    assert identity.luhn_digit("49015420323751") == "8"


@pytest.mark.parametrize("seed", [1, 2646837199, 2**63])
def test_no_two_modems_of_a_bank_are_the_same_whatever_the_seed(seed: int) -> None:
    bank = [identity.invent(seed, index) for index in range(64)]
    for number, digits in (("imei", 15), ("iccid", 20), ("imsi", 15), ("number", 13)):
        told = {getattr(each, number) for each in bank}
        assert len(told) == 64
        assert {len(each) for each in told} == {digits}
