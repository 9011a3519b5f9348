"""Every page of the panel on a year of traffic: none reads all messages. How long each takes is printed, not judged.

MODEMD_YEAR_DATABASE_URLS may name databases that `modemd sim-load --scenario year` has filled, with blanks between: of
each kind the first is used and stays, with a run that was previewed once more. Without, years are made for the test.
"""

import os
import re
import statistics
import time
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine, event, func, make_url, select

from modemd import retention
from modemd.config import SOFIA, Database, Settings, Web
from modemd.scenarios import plans, writing
from modemd.scenarios.plans import Plan
from modemd.store import database as opening
from modemd.store import staff
from modemd.store.schema import message as message_table
from modemd.store.schema import phone_customer
from tests.panels import PASSWORD, Visitor
from web.app import create_app
from web.panel import EXTENSION

PREPARED = "MODEMD_YEAR_DATABASE_URLS"
YEAR = plans.year(date(2026, 11, 24))
BIG = ("message", "part", "inbox", "inbox_part", "status_report")
ASKED = 5  # times, for the median
PAGES = {
    "bank": "/live",
    "bank, whole": "/",
    "a modem": "/modem/1",
    "messages": "/messages/",
    "messages of a line": "/messages/?line=1&state=undelivered",
    "messages with words": "/messages/?text=smetka&since={lately}&until={last}",
    "a message": "/messages/mt/{message}",
    "a conversation": "/messages/mt/{message}/phone",
    "held": "/messages/queue/held",
    "in doubt": "/messages/queue/in_doubt",
    "failed": "/messages/queue/failed",
    "not understood": "/messages/queue/unread",
    "write": "/write/",
    "customers": "/customers/",
    "a customer": "/customers/{customer}",
    "reminders": "/reminders/",
    "a run": "/reminders/1/live",
    "texts": "/reminders/texts/",
    "files": "/files/",
    "report": "/reports/",
    "report, a year": "/reports/?since={first}&until={last}",
    "people": "/people",
    "audit": "/audit",
}


_TO_THE_END = re.compile(r"\((line_id|kind|state)[<>]\?\)")  # SQLite calls a search what reads a whole index


class YearPanel:
    """The panel over a database that is filled to a plan, on the morning after, with a run that is under way."""

    def __init__(self, engine: Engine, folder: Path) -> None:
        key = folder / "secret_key"
        key.write_text("0123456789abcdef" * 4)
        with opening.reading(engine) as conn:
            last = conn.execute(select(func.max(message_table.c.created_at))).scalar_one().astimezone(SOFIA)
            message = conn.scalar(select(func.max(message_table.c.id)))
            customer = conn.scalar(select(func.min(phone_customer.c.customer_no)))
        now = (last + timedelta(days=1)).replace(hour=10, minute=30)
        retention.count_days(engine, now, lambda: None)
        url = engine.url.render_as_string(hide_password=False)
        app = create_app(Settings(database=Database(url=url), web=Web(secret_key_file=key)), now=lambda: now)
        app.testing = True
        self.engine: Engine = app.extensions[EXTENSION].engine
        with opening.writing(self.engine) as conn:
            staff.set_password(conn, "elena", PASSWORD, "admin", now)
        self.visitor = Visitor(app.test_client())
        self.visitor.sign_in("elena", PASSWORD)
        self.visitor.post("/reminders/preview", form_at="/reminders/")
        days = {name: (last - timedelta(days=n)).date() for name, n in {"last": 0, "lately": 4, "first": 364}.items()}
        self.pages = {name: path.format(message=message, customer=customer, **days) for name, path in PAGES.items()}

    def whole_tables(self, path: str) -> list[str]:
        """The statements of a page that read a big table from end to end."""
        seen: list[tuple[str, object]] = []

        def listen(_conn: object, _cursor: object, sql: str, parameters: object, *_: object) -> None:
            seen.append((sql, parameters))

        event.listen(self.engine, "before_cursor_execute", listen)
        self.visitor.page(path)
        event.remove(self.engine, "before_cursor_execute", listen)
        found = [each for each in seen if each[0].lstrip("( ").startswith(("SELECT", "WITH"))]
        assert found, path
        with opening.reading(self.engine) as conn:
            is_pg = conn.dialect.name == "postgresql"
            if is_pg:  # it reads a small table whole unless it is told not to: could it do without?
                conn.exec_driver_sql("SET LOCAL enable_seqscan = off")
            explain = "EXPLAIN" if is_pg else "EXPLAIN QUERY PLAN"
            plans_ = {sql: [str(row[-1]) for row in conn.exec_driver_sql(f"{explain} {sql}", of)] for sql, of in found}
        return [sql for sql, steps in plans_.items() if _reads_all(sql, steps)]

    def milliseconds(self, path: str) -> tuple[float, float]:
        """Medians: until the answer, and of it the processor's in this process (on SQLite, all of it)."""
        taken = []
        for _ in range(ASKED):
            began = time.perf_counter(), time.process_time()
            self.visitor.page(path)
            taken.append((time.perf_counter() - began[0], time.process_time() - began[1]))
        waited, worked = (statistics.median(each) * 1000 for each in zip(*taken, strict=True))
        return waited, worked

    def close(self) -> None:
        self.engine.dispose()


def _reads_all(sql: str, steps: list[str]) -> bool:
    """A scan in the order of the ids that ends at its limit is none of everything."""
    whole = re.compile(rf"(Seq Scan on|SCAN) ({'|'.join(BIG)})( |$)")
    if any(_TO_THE_END.search(step) for step in steps):
        return True
    newest = "ORDER BY" in sql and "LIMIT" in sql and not any("TEMP B-TREE" in step for step in steps)
    return not newest and any(whole.search(step) and "USING" not in step for step in steps)


@pytest.fixture
def small(database: Engine, tmp_path: Path) -> Iterator[YearPanel]:
    fill(database, YEAR.scaled(5000))
    made = YearPanel(database, tmp_path)
    yield made
    made.close()


def fill(engine: Engine, plan: Plan) -> None:
    writing.write(engine, plan, lambda done, total: None)


def prepared(kind: str) -> Engine | None:
    """A year that was made before, on this kind of database."""
    urls = [url for url in os.environ.get(PREPARED, "").split() if make_url(url).get_backend_name() == kind]
    if not urls:
        return None
    engine = opening.connect(urls[0])
    opening.upgrade(engine)
    return engine


@pytest.mark.long
def test_no_page_reads_all_messages(small: YearPanel) -> None:
    assert {name: found for name, path in small.pages.items() if (found := small.whole_tables(path))} == {}


@pytest.mark.large
@pytest.mark.timeout(7200)
def test_no_page_reads_all_messages_of_a_year(database: Engine, tmp_path: Path) -> None:
    engine = prepared(database.dialect.name)
    if engine is None:
        fill(engine := database, YEAR)
    panel = YearPanel(engine, tmp_path)
    engine.dispose()
    for name, path in panel.pages.items():
        waited, worked = panel.milliseconds(path)
        load = os.getloadavg()[0]
        print(f"{engine.dialect.name}: {name}: {waited:.0f} ms, {worked:.0f} of work (medians; load {load:.1f})")
        assert panel.whole_tables(path) == [], name
    panel.close()
