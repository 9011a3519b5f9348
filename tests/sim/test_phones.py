from modemd.messages import Concatenation
from modemd.sim.phones import Phone
from tests.sim.bench import START


def test_a_phone_joins_parts_in_any_order_and_keeps_senders_apart() -> None:
    phone = Phone()
    assert phone.take("a", "two", Concatenation(1, 2, 2), START) is None
    assert phone.take("b", "other", Concatenation(1, 2, 1), START) is None
    shown = phone.take("a", "one ", Concatenation(1, 2, 1), START)
    assert shown is not None
    assert shown.text == "one two"
    assert [each.text for each in phone.received] == ["one two"]
