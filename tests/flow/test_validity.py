"""How long the network tries to deliver a message is what its kind says, and less when it has waited here (TP-VP)."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from modemd.store import database, outbox
from tests.flow.running import RunningService

ASKER = "+359888111001"
STEP = 1800.0  # s; of a relative TP-VP of less than a day (23.040, 9.2.3.12.1)


def test_each_kind_is_valid_for_as_long_as_its_setting_says(service: Callable[..., RunningService]) -> None:
    running = service(
        modems=1,
        settings="""
        kinds.reply.validity_hours = 3
        kinds.manual.validity_hours = 20
        """,
    )
    running.start_bank()
    now = datetime.now(UTC)
    waited = outbox.NewMessage("otp", "+359888222003", "waited", 1, 1, now + timedelta(minutes=40))
    with running.engine() as engine, database.writing(engine) as connection:
        outbox.enqueue(connection, [waited], now - timedelta(minutes=20))
    running.start_daemon()
    running.wait_until_ready()
    assert running.run("send", "-c", running.config, "+359888222002", "manual").returncode == 0
    running.answer_to(ASKER, "pomosht")
    running.until(lambda: len(running.submitted()) == 3)
    valid = {event["to"]: event["validity"] for event in running.submitted()}
    for phone, hours in ((ASKER, 3), ("+359888222002", 20), ("+359888222003", 40 / 60)):
        assert abs(valid[phone] - hours * 3600) <= STEP, f"{phone}: {valid[phone]}"
