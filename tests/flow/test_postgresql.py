"""The same service on PostgreSQL: created on purpose, woken by notifications, killed without loss."""

from collections import Counter
from collections.abc import Callable

from tests.flow.running import RunningService

ASKER = "+359888111001"
OTHER = "+359888111002"


def test_the_service_runs_on_postgresql_once_the_database_is_made(
    service: Callable[..., RunningService], empty_database: str
) -> None:
    running = service(modems=2, database_url=empty_database, bank_options=("--report-seconds", "0.2"))
    refused = running.run("run", "-c", running.config)
    assert refused.returncode == 1
    assert "modemd db upgrade" in refused.stderr
    assert running.run("db", "upgrade", "-c", running.config).returncode == 0
    running.start_bank()
    running.give_customers({ASKER: ["300000000001"]})
    running.start_daemon()
    running.wait_until_ready()
    assert "37,91 EUR" in running.answer_to(ASKER, "smetka")
    assert running.run("send", "-c", running.config, OTHER, "hello", "--wait").returncode == 0
    second = running.run("run", "-c", running.config)
    assert second.returncode == 1
    assert "already runs" in second.stderr
    running.kill_daemon()
    running.phones.text(ASKER, "smetka")
    running.start_daemon()
    running.until(lambda: len(running.phones.phone(ASKER)) == 2)
    running.until(lambda: {row.state for row in running.messages(direction="mt")} == {"delivered"})
    assert Counter(event["to"] for event in running.submitted()) == {ASKER: 2, OTHER: 1}
