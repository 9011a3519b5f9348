"""The pump between the drop folder and the daemon: what it does when something does not work."""

import asyncio
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import Engine

from modemd import handover
from modemd.config import Settings
from modemd.handover import LOOK_SECONDS, PATIENCE_SECONDS, HandOver
from modemd.messages import AlertKind
from modemd.store import alerts
from modemd.store.database import reading
from modemd.store.ledger import Ledger

NOW = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)


def clock() -> datetime:
    return NOW


async def rounds(engine: Engine, data: Path, faults: list[bool], monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The pauses after rounds that do or do not meet a full disk."""
    settings = Settings.model_validate({"daemon": {"name": "gsm-host-1", "data": str(data)}})
    ledger = Ledger(engine, clock)
    await ledger.start()
    pump = HandOver(settings, engine, ledger, clock)
    pauses = []
    for fault in faults:
        with monkeypatch.context() as context:
            if fault:
                context.setattr(pump._folder, "prepare", full)
            pauses.append(await pump._round())
    await ledger.close()
    return pauses


def full() -> None:
    raise OSError(28, "No space left on device")


def standing(engine: Engine) -> dict[AlertKind, str]:
    with reading(engine) as conn:
        return {alert.kind: alert.text for alert in alerts.standing(conn)}


def test_a_fault_is_an_alert_and_the_pump_goes_on(
    database: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert asyncio.run(rounds(database, tmp_path, [True], monkeypatch)) == [PATIENCE_SECONDS]
    assert standing(database) == {AlertKind.HAND_OVER: "files are not taken: No space left on device"}
    assert asyncio.run(rounds(database, tmp_path, [True, False], monkeypatch)) == [PATIENCE_SECONDS, LOOK_SECONDS]
    assert standing(database) == {}


def test_results_are_written_at_once_and_then_only_when_they_are_due(
    database: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[datetime] = []
    monkeypatch.setattr(handover.results, "write", lambda engine, out, host, now: calls.append(now))
    asyncio.run(rounds(database, tmp_path, [False, False], monkeypatch))
    assert calls == [NOW]


def test_a_process_that_fails_is_an_alert(database: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(handover.taking, "run", lambda order, stopping: 1)
    monkeypatch.setattr(handover.DropFolder, "has_work", lambda self, now: True)
    assert asyncio.run(rounds(database, tmp_path, [False], monkeypatch)) == [PATIENCE_SECONDS]
    assert standing(database) == {AlertKind.HAND_OVER: "files are not taken: see the log"}
