"""Numbers, identities, storages and phones: the small parts that need no modem."""

import pytest

from modemd.errors import SimulatorError
from modemd.messages import Concatenation
from modemd.sim import identity, models, storage
from modemd.sim.numbers import normalise
from modemd.sim.phones import Phone
from modemd.sim.storage import Slots, Status, Stored
from tests.sim.bench import START


@pytest.mark.parametrize(
    "written",
    ["0881234567", "881234567", "+359 88 123 4567", "00359881234567", "359881234567", "+359 (0)88 1234567"],
)
def test_one_phone_has_one_number_however_it_is_written(written: str) -> None:
    assert normalise(written) == "+359881234567"


@pytest.mark.parametrize("written", ["170077", "112", "A1 BG", "+491701234567", "*100#"])
def test_short_codes_names_and_foreign_numbers_stay(written: str) -> None:
    assert normalise(written) == written


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


def test_an_unknown_model_is_refused_with_those_there_are() -> None:
    with pytest.raises(SimulatorError, match="generic, huawei, simcom"):
        models.find("nokia")


def test_a_storage_gives_out_its_lowest_free_slot() -> None:
    slots = Slots(3)
    assert [slots.put(Stored("00", 0, Status.UNREAD)) for _ in range(4)] == [1, 2, 3, None]
    assert slots.delete(2)
    assert not slots.delete(2)
    assert slots.delete(1)
    assert [slots.put(Stored("00", 0, Status.UNREAD)) for _ in range(3)] == [1, 2, None]


def test_a_storage_made_of_two_keeps_their_indices_apart() -> None:
    storages = storage.build({"SM": 2, "ME": 1}, has_mt=True)
    for _ in range(3):
        storages["MT"].put(Stored("00", 0, Status.UNREAD))
    assert [index for index, _ in storages["MT"].items()] == [1, 2, 3]
    assert (len(storages["ME"]), len(storages["SM"]), storages["MT"].size) == (1, 2, 3)
    assert storages["MT"].delete(3)
    assert [index for index, _ in storages["SM"].items()] == [1]


def test_a_phone_joins_parts_in_any_order_and_keeps_senders_apart() -> None:
    phone = Phone()
    assert phone.take("a", "two", Concatenation(1, 2, 2), START) is None
    assert phone.take("b", "other", Concatenation(1, 2, 1), START) is None
    shown = phone.take("a", "one ", Concatenation(1, 2, 1), START)
    assert shown is not None
    assert shown.text == "one two"
    assert [each.text for each in phone.received] == ["one two"]
