"""A real daemon and its drop folder: files in, results out, alarms, and answers meanwhile."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from modemd.billing import files
from modemd.store import alerts, database
from modemd.store.schema import dataset
from tests.flow.running import CUSTOMER_COLUMNS, RunningService

PHONE = "+359888111001"
CUSTOMER = "300000000001"


def there(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.glob("[!.]*")) if folder.exists() else []


def alarms(running: RunningService) -> set[str]:
    with running.engine() as engine, database.reading(engine) as conn:
        return {str(alert.kind) for alert in alerts.standing(conn)}


def test_the_daemon_takes_files_from_the_drop_folder_and_hands_results_back(
    service: Callable[..., RunningService],
) -> None:
    running = service(settings="billing.results_minutes = 0.01")
    running.start_bank()
    running.give_customers({PHONE: [CUSTOMER]})
    running.start_daemon()
    running.wait_until_ready()
    assert "37,91" in running.answer_to(PHONE, "smetka")

    payment = {
        "customer_no": CUSTOMER, "invoice_no": "0480000001", "paid_at": "2026-11-22", "amount": "7,91",
    }  # fmt: skip
    files.write(running.folder / "in", "PAYMENTS", "test", 1, "DELTA", datetime.now(UTC), [payment])
    running.until(lambda: there(running.folder / "archive") != [])
    assert "30,00" in running.answer_to(PHONE, "smetka")

    running.answer_to(PHONE, "stop")
    out = running.folder / "out"
    running.until(lambda: "registrations-modemd-000002.csv.sha256" in there(out))
    rows = [line for path in sorted(out.glob("*.csv")) for line in path.read_text().splitlines() if line[:2] == "D;"]
    assert [row.split(";")[3:5] for row in rows] == [
        ["BEGIN", "bill,reminder,outage"], ["END", "bill,reminder,outage"], ["BEGIN", "bill"],
    ]  # fmt: skip


@pytest.mark.long
def test_what_is_held_or_refused_or_old_is_an_alert_and_a_person_decides(
    service: Callable[..., RunningService],
) -> None:
    running = service(modems=1)
    running.start_bank()
    running.give_customers({f"+35988811100{n}": [f"30000000000{n}"] for n in range(1, 5)})
    running.start_daemon()
    running.wait_until_ready()
    rows = [dict(zip(CUSTOMER_COLUMNS, (CUSTOMER, "", "H", "", "bg-Latn", "1"), strict=True))]
    files.write(running.folder / "in", "CUSTOMERS", "test", 2, "FULL", datetime.now(UTC), rows)
    files.write(running.folder / "in", "OPENITEMS", "test", 9, "FULL", datetime.now(UTC), [])
    running.until(lambda: alarms(running) >= {"file_held", "file_refused"})
    listed = running.run("file", "list", "-c", running.config, "--state", "held", "--json").stdout.splitlines()
    [held] = map(json.loads, listed)
    assert (held["rows"], held["previous_rows"]) == (1, 4)
    assert running.run("file", "approve", "-c", running.config, str(held["id"])).returncode == 0
    running.until(lambda: "file_held" not in alarms(running))
    running.until(lambda: "customers-test-000002.csv" in there(running.folder / "archive"))
    again = running.run("file", "decline", "-c", running.config, str(held["id"]))
    assert (again.returncode, "is approved" in again.stderr) == (1, True)
    audited = running.run("audit", "list", "-c", running.config, "--json").stdout.splitlines()
    assert json.loads(audited[0])["action"] == "file.approve"

    with running.engine() as engine, database.writing(engine) as conn:
        conn.execute(dataset.update().values(data_at=datetime.now(UTC) - timedelta(hours=37)))
    running.until(lambda: "data_old" in alarms(running))
