"""Several daemons on one database: they hand over side by side, and nobody gets two messages."""

import threading
from collections import Counter

from sqlalchemy import Engine, func, select

from modemd.config import Settings
from modemd.service import campaigns, handover
from modemd.store import database as opening
from modemd.store import lines
from modemd.store.schema import campaign_recipient, message
from tests.service.desk import NOW, Desk
from tests.service.runs import ELENA, Runs

SETTINGS = Settings.model_validate({"reminders": {"pause_after": 0, "portion": 5}})


def tick(database: Engine) -> None:
    with opening.writing(database) as conn:
        handover.tick(conn, SETTINGS, NOW)


def at_once(*acts: object) -> None:
    """Do these in threads of their own, all released at one moment."""
    barrier = threading.Barrier(len(acts))
    failed: list[BaseException] = []

    def act(work: object) -> None:
        barrier.wait()
        try:
            work()  # type: ignore[operator]
        except BaseException as error:
            failed.append(error)

    threads = [threading.Thread(target=act, args=(work,)) for work in acts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []


def started(database: Engine, people: int) -> int:
    with opening.writing(database) as conn:
        line = lines.identify(conn, lines.Sim("8935901000000000001", None), "gsm-host-1", "p", NOW, adopt=True)
        runs = Runs(Desk(conn, line.id, SETTINGS), SETTINGS)
        runs.debtors(people)
        return runs.start()


def queued(database: Engine) -> Counter[str]:
    with opening.reading(database) as conn:
        return Counter(conn.scalars(select(message.c.recipient).where(message.c.state == "queued")))


def test_hosts_that_tick_at_once_hand_over_one_portion_and_nobody_twice(database: Engine) -> None:
    started(database, 12)
    at_once(*(lambda: tick(database) for _ in range(4)))
    assert len(queued(database)) == 5
    assert set(queued(database).values()) == {1}


def test_a_pause_while_hosts_hand_over_leaves_nothing_in_the_outbox(database: Engine) -> None:
    campaign_id = started(database, 12)

    def pause() -> None:
        with opening.writing(database) as conn:
            campaigns.pause(conn, campaign_id, ELENA, NOW)

    at_once(lambda: tick(database), pause, lambda: tick(database))
    tick(database)
    assert queued(database) == Counter()
    with opening.reading(database) as conn:
        waiting = select(func.count()).select_from(campaign_recipient).where(campaign_recipient.c.state == "waiting")
        assert conn.scalar(waiting) == 12
