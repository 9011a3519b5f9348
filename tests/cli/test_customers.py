"""The commands about customers and files, over the real database."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from modemd.billing import files
from modemd.cli.main import cli
from modemd.config import load
from modemd.service import subscriptions
from modemd.store import database
from tests.billing.office import NOW

PHONE, A = "+359888000101", "300000000001"
ESC = "\x1b[31m"


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "modemd.toml"
    key = tmp_path / "key"
    key.write_text("k" * 32)
    path.write_text(
        f'database.url = "sqlite:///{tmp_path}/modemd.db"\ndaemon.data = "{tmp_path}"\n'
        f'service.identity_key_file = "{key}"\n'
    )
    customer = {"customer_no": A, "itn": "", "class": "H", "identity": "", "language": "", "active": "1"}
    handed = files.write(tmp_path / "billing", "CUSTOMERS", "test", 1, "FULL", NOW, [customer])
    assert run(path, "import", str(handed)).exit_code == 0
    assert run(path, "register", PHONE, A).exit_code == 0
    return path


def run(config: Path, *arguments: str) -> Result:
    return CliRunner().invoke(cli, [*arguments, "-c", str(config)])


def test_a_customer_is_found_and_shown_with_masked_numbers(config: Path) -> None:
    assert run(config, "customer", "find", "0888000101").output == f"{A}\n"
    assert run(config, "customer", "find", "0888000102").exit_code == 1
    shown = json.loads(run(config, "customer", "show", A, "--json").output)
    assert [phone["number"] for phone in shown["phones"]] == ["+35988•••101"]
    assert [consent["phone"] for consent in shown["consents"]] == ["+35988•••101"]
    table = run(config, "customer", "show", A)
    assert table.exit_code == 0
    assert "+35988•••101" in table.output
    assert PHONE not in table.output


def test_a_registration_ends_by_command(config: Path) -> None:
    assert run(config, "customer", "end", PHONE, "--services", "outage").exit_code == 0
    shown = json.loads(run(config, "customer", "show", A, "--json").output)
    assert shown["phones"][0]["services"] == ["bill", "reminder"]
    assert run(config, "customer", "end", PHONE, A, "--services", "bill").exit_code == 2
    assert run(config, "customer", "end", PHONE, A).exit_code == 0
    assert json.loads(run(config, "customer", "show", A, "--json").output)["phones"] == []
    assert "is not registered" in str(run(config, "customer", "end", PHONE).exception)


def test_a_wrong_number_is_marked_and_the_mark_lifted(config: Path) -> None:
    assert run(config, "customer", "wrong-number", PHONE).exit_code == 0
    assert "marked as a wrong number" in str(run(config, "register", PHONE, A).exception)
    assert run(config, "customer", "right-number", PHONE).exit_code == 0
    assert run(config, "register", PHONE, A).exit_code == 0


def test_erasing_asks_and_then_erases(config: Path) -> None:
    asked = CliRunner().invoke(cli, ["customer", "erase", A, "-c", str(config)], input="n\n")
    assert asked.exit_code == 1
    assert "1 phones forgotten" in run(config, "customer", "erase", A, "--yes").output
    with database.reading(database.connect(load(config).database.url)) as conn:
        assert subscriptions.phones_of(conn, A) == []


def test_the_audit_log_is_verified_and_listed(config: Path) -> None:
    verified = run(config, "audit", "verify")
    assert verified.output.startswith("1 entries, none altered. Head: 1:")
    head = verified.output.split()[-1]
    assert run(config, "audit", "verify", "--head", head).exit_code == 0
    assert run(config, "audit", "verify", "--head", "1:" + "0" * 64).exit_code == 1
    assert run(config, "audit", "verify", "--head", "x").exit_code == 2
    assert "phone.register" in run(config, "audit", "list").output


def test_retention_runs_by_command(config: Path) -> None:
    assert run(config, "retention").output == (
        "0 texts redacted, 0 raw PDUs, 0 consents, 0 payments and 0 files deleted.\n"
    )


def test_a_file_with_a_hostile_name_is_listed_and_does_nothing(config: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    path = config.parent / f"{ESC}[b]a.csv"
    path.write_text("x")
    refused = run(config, "import", str(path))
    assert refused.exit_code == 1
    listed = run(config, "file", "list", "--state", "refused")
    for output in (refused.output, listed.output):
        assert "\x1b" not in output
        assert "\\x1b[31m[b]a.csv" in output


def test_a_held_file_is_decided_by_command(config: Path) -> None:
    rows = [
        {"customer_no": f"30000000000{n}", "itn": "", "class": "H", "identity": "", "language": "", "active": "1"}
        for n in range(1, 4)
    ]
    held = files.write(config.parent / "billing", "CUSTOMERS", "test", 2, "FULL", NOW, rows)
    assert run(config, "import", str(held)).exit_code == 1
    [found] = map(json.loads, run(config, "file", "list", "--state", "held", "--json").output.splitlines())
    assert run(config, "file", "approve", str(found["id"])).exit_code == 0
    assert run(config, "import", str(held)).exit_code == 0
    assert "is approved" in str(run(config, "file", "decline", str(found["id"])).exception)
