import asyncio
from collections.abc import Sequence
from pathlib import Path

import pytest

from modemd.messages import ReceivedSms
from modemd.modem.lifecycle import State
from tests.modem.bench import NOW, SMETKA, SMETKA_LENGTH, Happening, a_part, wired
from tests.modem.scripted_modem import ERROR, OK, ScriptedModem, line

REPORT = "0006290c91538918325476621132800000006211328000010000"  # part 0x29 to +359881234567: delivered
REPORT_LENGTH = len(REPORT) // 2 - 1


class Slots:
    """The storages of a scripted modem: reads, lists and deletes as real ones do."""

    def __init__(self, peer: ScriptedModem, **storages: dict[int, str]) -> None:
        self.peer = peer
        self.storages = storages
        self.selected = "SM"
        self.happened = Happening()
        offered = ",".join(f'"{name}"' for name in storages)
        peer.on(r"AT\+CPMS=\?", line(f'+CPMS: ({offered}),("SM"),("SM")', "OK"))
        peer.on(r'AT\+CPMS="\w+"', self._select)
        peer.on(r"AT\+CPMS\?", self._state)
        peer.on(r"AT\+CMGL=4", self._list)
        peer.on(r"AT\+CMGR=\d+", self._read)
        peer.on(r"AT\+CMGD=\d+", self._delete)

    def _select(self, command: str) -> bytes:
        self.selected = command.split('"')[1]
        used = len(self.storages[self.selected])
        return line(f"+CPMS: {used},10,{used},10,{used},10", "OK")

    def _state(self, command: str) -> bytes:
        return line("+CPMS: " + ",".join(f'"{name}",{len(slots)},10' for name, slots in self.storages.items()), "OK")

    def _list(self, command: str) -> bytes:
        entries = self.storages[self.selected].items()
        return b"".join(line(f"+CMGL: {slot},1,,{length(pdu)}", pdu) for slot, pdu in entries) + OK

    def _read(self, command: str) -> bytes:
        pdu = self.storages[self.selected].get(int(command.split("=")[1]))
        return line("+CMS ERROR: 321") if pdu is None else line(f"+CMGR: 0,,{length(pdu)}", pdu, "OK")

    def _delete(self, command: str) -> bytes:
        self.storages[self.selected].pop(int(command.split("=")[1]), None)
        self.happened()
        return OK

    def arrive(self, slot: int, pdu: str = SMETKA, storage: str = "SM") -> None:
        self.storages[storage][slot] = pdu
        self.peer.say(line(f'+CMTI: "{storage}",{slot}'))


def length(pdu: str) -> int:
    return len(pdu) // 2 - 1 - int(pdu[:2], 16)


async def empty(slots: Slots, storage: str = "SM") -> None:
    await slots.happened.until(lambda: not slots.storages[storage])


async def test_an_announced_sms_is_read_handed_over_and_deleted(tmp_path: Path) -> None:
    async with wired(tmp_path) as bench:
        slots = Slots(bench.peer, SM={}, SR={})
        del bench.peer.heard[:]
        slots.arrive(3)
        await bench.told("deleted")
        (sms,) = bench.gateway.sms
        assert (sms.number, sms.text, sms.pdu) == ("+359881234567", "smetka", SMETKA)
        assert (sms.storage, sms.index, sms.received_at, sms.replyable) == ("SM", 3, NOW, True)
        assert bench.peer.heard == ["AT+CMGR=3", "AT+CMGD=3"]
        assert bench.gateway.of("deleted") == [[sms]]


async def test_rule_1_nothing_is_deleted_before_it_is_committed(tmp_path: Path) -> None:
    async with wired(tmp_path) as bench:
        slots = Slots(bench.peer, SM={}, SR={})
        bench.gateway.hold.clear()
        slots.arrive(3)
        await bench.peer.until("AT.CMGR=3")
        await asyncio.sleep(30)
        assert "AT+CMGD=3" not in bench.peer.heard
        bench.gateway.hold.set()
        await bench.peer.until("AT.CMGD=3")


async def test_an_announced_sms_counts_as_not_taken_in_until_it_is_committed(tmp_path: Path) -> None:
    async with wired(tmp_path) as bench:
        slots = Slots(bench.peer, SM={}, SR={})
        await asyncio.wait_for(bench.modem.messages_taken_in(), 30)
        bench.gateway.hold.clear()
        slots.arrive(3)
        await bench.peer.until("AT.CMGR=3")
        assert bench.modem.has_messages
        bench.gateway.hold.set()
        await asyncio.wait_for(bench.modem.messages_taken_in(), 30)
        assert len(bench.gateway.sms) == 1


async def test_rule_1_what_cannot_be_committed_stays_and_is_read_again(tmp_path: Path) -> None:
    async with wired(tmp_path) as bench:
        slots = Slots(bench.peer, SM={}, SR={})
        failures = iter([True, True, False])

        def fail(received: Sequence[ReceivedSms]) -> None:
            if next(failures):
                assert slots.storages["SM"]
                raise OSError("the database is away")

        bench.gateway.on_received = fail
        slots.arrive(3)
        await empty(slots)
        assert len(bench.gateway.sms) == 1
        assert bench.modem.state is State.READY


async def test_one_sms_that_cannot_be_recorded_holds_up_no_other(tmp_path: Path) -> None:
    poison = SMETKA.replace("32547600", "32547700")
    async with wired(tmp_path, start=True) as bench:
        slots = Slots(bench.peer, SM={}, SR={})

        def fail(received: Sequence[ReceivedSms]) -> None:
            if any(sms.pdu == poison for sms in received):
                raise OSError("it cannot be written")

        bench.gateway.on_received = fail
        for slot in range(6):
            slots.arrive(slot, poison if slot == 2 else SMETKA)
        await slots.happened.until(lambda: set(slots.storages["SM"]) == {2})


async def test_many_announced_at_once_are_listed_and_handed_over_together(tmp_path: Path) -> None:
    async with wired(tmp_path) as bench:
        slots = Slots(bench.peer, SM={}, SR={})
        slots.storages["SM"] = dict.fromkeys(range(20), SMETKA)
        del bench.peer.heard[:]
        bench.peer.say(b"".join(line(f'+CMTI: "SM",{slot}') for slot in range(20)))
        await empty(slots)
        assert "AT+CMGL=4" in bench.peer.heard
        assert not any(heard.startswith("AT+CMGR") for heard in bench.peer.heard[2:])
        assert max(len(batch) for batch in bench.gateway.of("sms")) > 10


async def test_what_came_while_the_daemon_was_down_is_read_at_the_start_from_every_storage(tmp_path: Path) -> None:
    async with wired(tmp_path, ready=False) as bench:
        slots = Slots(bench.peer, SM={1: SMETKA}, ME={0: SMETKA}, SR={2: REPORT}, MT={})
        for storage in ("SM", "ME", "SR"):
            await empty(slots, storage)
        assert [(sms.storage, sms.index) for sms in bench.gateway.sms] == [("ME", 0), ("SM", 1)]
        (report,) = bench.gateway.reports
        assert (report.recipient, report.reference, report.status) == ("+359881234567", 0x29, 0)


async def test_a_sweep_finds_what_no_urc_announced(tmp_path: Path) -> None:
    async with wired(tmp_path) as bench:
        slots = Slots(bench.peer, SM={}, SR={})
        slots.storages["SM"][4] = SMETKA
        await bench.told("deleted")


async def test_a_storage_that_fills_up_unannounced_is_emptied_within_a_minute(tmp_path: Path) -> None:
    async with wired(tmp_path) as bench:
        slots = Slots(bench.peer, SM=dict.fromkeys(range(10), SMETKA), SR={})
        before = asyncio.get_running_loop().time()
        await empty(slots)
        assert asyncio.get_running_loop().time() - before < 65


async def test_a_modem_that_does_not_tell_how_full_it_is_is_asked_once(tmp_path: Path) -> None:
    async with wired(tmp_path) as bench:
        bench.peer.on(r"AT\+CPMS\?", ERROR)
        await asyncio.sleep(300)
        assert bench.peer.heard.count("AT+CPMS?") == 1


async def test_after_a_disturbance_the_storages_are_looked_through(tmp_path: Path) -> None:
    async with wired(tmp_path) as bench:
        slots = Slots(bench.peer, SM={}, SR={})
        bench.peer.next(r"AT\+CMGS=22", None)
        slots.storages["SM"][4] = SMETKA
        with pytest.raises(Exception, match="no answer"):
            await bench.send()
        await bench.told("deleted", seconds=30)


async def test_a_full_storage_is_emptied_at_once(tmp_path: Path) -> None:
    async with wired(tmp_path) as bench:
        slots = Slots(bench.peer, SM={}, SR={})
        slots.storages["SM"][4] = SMETKA
        await asyncio.sleep(2)
        bench.peer.say(line('^SMMEMFULL: "SM"'))
        await bench.told("deleted", seconds=5)


async def test_texts_to_be_sent_that_lie_in_the_modem_are_left_alone(tmp_path: Path) -> None:
    async with wired(tmp_path) as bench:
        bench.peer.on(r"AT\+CMGL=4", line(f"+CMGL: 1,2,,{SMETKA_LENGTH}", SMETKA, "OK"))
        bench.peer.say(line('^SMMEMFULL: "SM"'))
        await bench.peer.until(r"AT\+CMGL=4", 4)
        assert not bench.gateway.sms
        assert "AT+CMGD=1" not in bench.peer.heard


@pytest.mark.parametrize("pdu", ["00ffffff", "00fffff"])
async def test_rule_6_a_pdu_that_cannot_be_read_is_kept_raw_handed_over_and_blocks_nothing(
    tmp_path: Path, pdu: str
) -> None:
    async with wired(tmp_path) as bench:
        slots = Slots(bench.peer, SM={}, SR={})
        slots.arrive(1, pdu)
        slots.arrive(2)
        await empty(slots)
        bad, good = bench.gateway.sms
        assert bad.error is not None
        assert (bad.pdu, bad.text, bad.number) == (pdu, None, None)
        assert good.text == "smetka"


async def test_a_pdu_damaged_on_the_serial_line_is_read_again(tmp_path: Path) -> None:
    async with wired(tmp_path) as bench:
        slots = Slots(bench.peer, SM={}, SR={})
        bench.peer.next(r"AT\+CMGR=1", line(f"+CMGR: 0,,{SMETKA_LENGTH}", SMETKA[:-6], "OK"))
        slots.arrive(1)
        await empty(slots)
        assert [sms.text for sms in bench.gateway.sms] == ["smetka"]


async def test_a_pdu_lost_on_the_serial_line_is_not_deleted_unread(tmp_path: Path) -> None:
    async with wired(tmp_path) as bench:
        slots = Slots(bench.peer, SM={}, SR={})
        bench.peer.next(r"AT\+CMGR=1", line(f"+CMGR: 0,,{SMETKA_LENGTH}", SMETKA[:10] + "\xff" + SMETKA[10:], "OK"))
        slots.arrive(1)
        await empty(slots)
        assert [sms.text for sms in bench.gateway.sms] == ["smetka"]


async def test_where_listing_is_refused_the_slots_are_read_one_by_one(tmp_path: Path) -> None:
    async with wired(tmp_path, ready=False) as bench:
        slots = Slots(bench.peer, SM={0: SMETKA, 7: SMETKA})
        bench.peer.on(r"AT\+CMGL=4", ERROR)
        await empty(slots)
        assert [sms.index for sms in bench.gateway.sms] == [0, 7]


async def test_a_modem_that_announces_nothing_is_looked_into_every_few_seconds(tmp_path: Path) -> None:
    async with wired(tmp_path, ready=False) as bench:
        bench.peer.on(r"AT\+CNMI=.*", ERROR)
        slots = Slots(bench.peer, SM={})
        await bench.state(State.READY)
        loop = asyncio.get_running_loop()
        for slot in (1, 2):
            before = loop.time()
            slots.storages["SM"][slot] = SMETKA
            await empty(slots)
            assert loop.time() - before < 7


async def test_an_sms_that_comes_straight_to_us_is_acknowledged_after_its_commit(tmp_path: Path) -> None:
    async with wired(tmp_path) as bench:
        bench.gateway.hold.clear()
        bench.peer.say(line(f"+CMT: ,{SMETKA_LENGTH}")[:-2] + line(SMETKA))
        await asyncio.sleep(5)
        assert "AT+CNMA" not in bench.peer.heard
        bench.gateway.hold.set()
        await bench.peer.until(r"AT\+CNMA")
        (sms,) = bench.gateway.sms
        assert (sms.text, sms.storage, sms.index) == ("smetka", None, None)


async def test_in_phase_2_nothing_is_acknowledged(tmp_path: Path) -> None:
    async with wired(tmp_path, ready=False) as bench:
        bench.peer.on(r"AT\+CSMS=1", ERROR)
        await bench.state(State.READY)
        bench.peer.say(line(f"+CMT: ,{SMETKA_LENGTH}", SMETKA))
        await bench.told("sms")
        await bench.send()
        assert "AT+CNMA" not in bench.peer.heard


async def test_a_status_report_straight_to_us(tmp_path: Path) -> None:
    async with wired(tmp_path) as bench:
        bench.peer.say(line(f"+CDS: {REPORT_LENGTH}", REPORT))
        await bench.peer.until(r"AT\+CNMA")
        assert [report.reference for report in bench.gateway.reports] == [0x29]


async def test_a_stored_status_report(tmp_path: Path) -> None:
    async with wired(tmp_path) as bench:
        slots = Slots(bench.peer, SM={}, SR={5: REPORT})
        bench.peer.say(line('+CDSI: "SR",5'))
        await empty(slots, "SR")
        assert [(report.storage, report.index) for report in bench.gateway.reports] == [("SR", 5)]
        assert not bench.gateway.of("deleted")


async def test_rule_4_a_urc_inside_the_listing_of_a_start_is_not_lost(tmp_path: Path) -> None:
    async with wired(tmp_path) as bench:
        slots = Slots(bench.peer, SM={}, SR={})
        slots.storages["SM"] = {1: SMETKA, 2: SMETKA, 9: SMETKA}
        listing = line(f"+CMGL: 1,1,,{SMETKA_LENGTH}", '+CMTI: "SM",9', SMETKA, f"+CMGL: 2,1,,{SMETKA_LENGTH}")
        listing += line(f"+CDS: {REPORT_LENGTH}", REPORT, SMETKA, "OK")
        bench.peer.next(r"AT\+CMGL=4", OK, listing)
        bench.peer.say(line('^SMMEMFULL: "SM"'))
        await empty(slots)
        assert [sms.index for sms in bench.gateway.sms] == [1, 2, 9]
        assert len(bench.gateway.reports) == 1


async def test_an_answered_delete_that_fails_is_tried_again_and_the_sms_handed_over_again(tmp_path: Path) -> None:
    async with wired(tmp_path) as bench:
        slots = Slots(bench.peer, SM={}, SR={})
        bench.peer.next(r"AT\+CMGD=3", line("+CMS ERROR: 320"))
        slots.arrive(3)
        await empty(slots)
        await bench.told("deleted")
        assert len(bench.gateway.sms) == 2
        assert len(bench.gateway.of("deleted")) == 1


async def test_a_storm_of_urcs_takes_bounded_memory_and_sending_goes_on(tmp_path: Path) -> None:
    async with wired(tmp_path) as bench:
        Slots(bench.peer, SM={}, SR={})
        bench.gateway.hold.clear()
        storm = b"".join(line(f'+CMTI: "S{index % 9}",{index}', "RING", "^RSSI:1") for index in range(2000))
        bench.peer.say(storm)
        assert await bench.send(a_part()) == 1
        inbound = bench.modem._session.inbound
        assert sum(map(len, inbound._announced.values())) <= 10_000
        bench.gateway.hold.set()


async def test_a_flood_of_direct_messages_stops_the_reading_until_they_are_committed(tmp_path: Path) -> None:
    async with wired(tmp_path, ready=False) as bench:
        bench.peer.on(r"AT\+CSMS=1", ERROR)
        await bench.state(State.READY)
        bench.gateway.hold.clear()
        bench.peer.say(line(f"+CMT: ,{SMETKA_LENGTH}", SMETKA) * 2000)
        await asyncio.sleep(1)
        assert len(bench.modem._session.inbound._direct._pdus) < 1000
        bench.gateway.hold.set()
        await bench.until(lambda: len(bench.gateway.sms) == 2000)
