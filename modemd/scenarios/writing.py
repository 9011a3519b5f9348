"""Writing a scenario: into an empty database, wholly or not at all, and the same whenever it is written."""

from collections.abc import Callable
from datetime import timedelta
from random import Random

from sqlalchemy import Engine, text

from modemd.errors import ScenarioRefused
from modemd.scenarios import ground, people
from modemd.scenarios.plans import Plan
from modemd.scenarios.traffic import Traffic
from modemd.store import database, loading
from modemd.store.schema import metadata

SEED = 170077
_MAY_BE_THERE = ("staff", "audit")  # whoever wants to look at it


def write(engine: Engine, plan: Plan, progress: Callable[[int, int], None], seed: int = SEED) -> None:
    """Fill the database as the plan says. `progress(done, total)` counts rows. Raises ScenarioRefused if it has any."""
    random = Random(seed)  # noqa: S311 -- nothing secret
    total, done = people.rows(plan) + plan.messages, 0

    def moved(count: int) -> None:
        nonlocal done
        done += count
        progress(min(done, total), total)

    tables = [table for table in metadata.sorted_tables if table.name not in _MAY_BE_THERE]
    with database.writing(engine) as conn:
        found = loading.first_with_rows(conn, tables)
        if found is not None:
            raise ScenarioRefused(url=database.shown(engine.url), table=found)
        end = people.midnight(plan.last + timedelta(days=1))
        with loading.bare(conn, tables):
            lines = ground.lay(conn, plan.lines, plan.active + plan.ended, plan.open_items, end)
            phones = people.settle(conn, plan, random, moved)
            Traffic(conn, phones, lines, random).play(plan, moved)
    _tidy(engine)
    progress(total, total)


def _tidy(engine: Engine) -> None:
    """What a database that has lived does by itself: PostgreSQL knows which pages it need not visit."""
    if engine.dialect.name == "postgresql":
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as conn:
            conn.execute(text("VACUUM ANALYZE"))
