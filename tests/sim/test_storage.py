from modemd.sim import storage
from modemd.sim.storage import Slots, Status, Stored


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
