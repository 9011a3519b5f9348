"""A database from a backup, put back under a real daemon: what left since the backup is not sent again."""

import shutil
from pathlib import Path

import pytest

from tests.flow.running import RunningService

PHONES = [f"+35988100{number:04}" for number in range(12)]
ASKING = PHONES[:3]


@pytest.mark.long
@pytest.mark.parametrize(
    ("report_seconds", "in_doubt_seconds", "state"),
    [
        pytest.param(1, 86_400, "delivered", id="reports that the modems still hold say that they arrived"),
        pytest.param(86_400, 1, "held", id="without a report a person decides"),
    ],
)
def test_a_restored_database_sends_nothing_again(
    tmp_path: Path, report_seconds: int, in_doubt_seconds: int, state: str
) -> None:
    service = RunningService(
        tmp_path,
        settings=f"kinds.manual.in_doubt_seconds = {in_doubt_seconds}",
        bank_options=("--report-seconds", str(report_seconds)),
    )
    try:
        rows = "".join(f"{phone},Zdravey {number}\n" for number, phone in enumerate(PHONES))
        (tmp_path / "queue.csv").write_text(f"to,text\n{rows}")
        assert service.run("send", "-c", service.config, "--csv", tmp_path / "queue.csv").returncode == 0
        copied = service.run("db", "backup", "-c", service.config, tmp_path / "copies")
        assert copied.returncode == 0, copied.stderr

        service.start_bank()
        service.start_daemon()
        service.until(lambda: len(service.submitted()) == len(PHONES))
        service.kill_daemon()
        for file in tmp_path.glob("modemd.db*"):
            file.unlink()
        shutil.copy(copied.stdout.strip(), tmp_path / "modemd.db")

        service.start_daemon()
        service.until(lambda: len(service.messages(direction="mt", state=state)) == len(PHONES))
        for phone in ASKING:
            service.answer_to(phone, "help")
        assert len(service.submitted()) == len(PHONES) + len(ASKING)
    finally:
        service.close()
