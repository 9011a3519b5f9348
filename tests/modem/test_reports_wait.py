"""Status reports are no questions: while a modem sends they wait for each other."""

import asyncio
from pathlib import Path

import pytest

from tests.modem.bench import wired
from tests.modem.scripted_modem import ERROR, OK, line
from tests.modem.test_incoming import REPORT, Slots


@pytest.fixture
def reports() -> list[str]:
    """Ten status reports, each for a part of its own."""
    return [REPORT[:4] + f"{reference:02x}" + REPORT[6:] for reference in range(10)]


async def test_while_the_modem_sends_reports_are_taken_in_by_one_listing(tmp_path: Path, reports: list[str]) -> None:
    async with wired(tmp_path) as bench:
        slots = Slots(bench.peer, SM={}, SR={})
        bench.peer.on("AT.CMGD=1,1", lambda command: slots.storages["SR"].clear() or slots.happened() or OK)
        await bench.send()
        del bench.peer.heard[:]
        for slot, report in enumerate(reports[:4]):
            slots.storages["SR"][slot] = report
            bench.peer.say(line(f'+CDSI: "SR",{slot}'))
            await asyncio.sleep(0.05)
        assert bench.peer.heard == []
        await slots.happened.until(lambda: not slots.storages["SR"])
        assert bench.peer.heard == ['AT+CPMS="SR"', "AT+CMGL=4", "AT+CMGD=1,1"]
        assert [report.reference for report in bench.gateway.reports] == list(range(4))


async def test_before_their_storage_is_full_they_wait_no_longer(tmp_path: Path, reports: list[str]) -> None:
    async with wired(tmp_path) as bench:
        slots = Slots(bench.peer, SM={}, SR={})
        await bench.send()
        for slot, report in enumerate(reports[:5]):  # of 10
            slots.storages["SR"][slot] = report
            bench.peer.say(line(f'+CDSI: "SR",{slot}'))
        await bench.told("reports", seconds=1)


async def test_an_idle_modem_s_report_is_read_at_once(tmp_path: Path, reports: list[str]) -> None:
    async with wired(tmp_path) as bench:
        slots = Slots(bench.peer, SM={}, SR={})
        slots.storages["SR"][1] = reports[0]
        bench.peer.say(line('+CDSI: "SR",1'))
        await bench.told("reports", seconds=1)


async def test_after_the_last_part_they_are_read_as_soon_as_the_modem_is_at_rest(
    tmp_path: Path, reports: list[str]
) -> None:
    async with wired(tmp_path) as bench:
        slots = Slots(bench.peer, SM={}, SR={})
        await bench.send()
        slots.storages["SR"][1] = reports[0]
        bench.peer.say(line('+CDSI: "SR",1'))
        await bench.told("reports", seconds=2)


async def test_an_sms_does_not_wait_for_them(tmp_path: Path, reports: list[str]) -> None:
    async with wired(tmp_path) as bench:
        slots = Slots(bench.peer, SM={}, SR={1: reports[0]})
        await bench.send()
        bench.peer.say(line('+CDSI: "SR",1'))
        slots.arrive(1)
        await bench.told("sms", seconds=1)
        assert not bench.gateway.reports
        await bench.told("reports", seconds=15)


async def test_rule_1_reports_are_deleted_in_one_go_only_when_all_are_committed(
    tmp_path: Path, reports: list[str]
) -> None:
    async with wired(tmp_path) as bench:
        slots = Slots(bench.peer, SM={}, SR=dict(enumerate(reports)))
        bench.peer.on("AT.CMGD=1,1", lambda command: slots.storages["SR"].clear() or slots.happened() or OK)
        taken = bench.gateway.status_reports_received

        async def refuse_one(modem: object, batch: list) -> None:
            if any(report.reference == 3 for report in batch):
                raise OSError("it cannot be written")
            await taken(bench.modem, batch)

        bench.gateway.status_reports_received = refuse_one  # type: ignore[assignment]
        bench.peer.say(b"".join(line(f'+CDSI: "SR",{slot}') for slot in range(10)))
        await slots.happened.until(lambda: set(slots.storages["SR"]) == {3})
        assert "AT+CMGD=1,1" not in bench.peer.heard


async def test_where_they_cannot_be_deleted_in_one_go_they_are_deleted_one_by_one(
    tmp_path: Path, reports: list[str]
) -> None:
    async with wired(tmp_path) as bench:
        slots = Slots(bench.peer, SM={}, SR=dict(enumerate(reports)))
        bench.peer.on("AT.CMGD=1,1", ERROR)
        bench.peer.say(b"".join(line(f'+CDSI: "SR",{slot}') for slot in range(10)))
        await slots.happened.until(lambda: not slots.storages["SR"])
        assert len(bench.gateway.reports) == 10
