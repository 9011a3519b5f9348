"""Every page of the panel on a year of traffic: none reads all messages. How long each takes is printed, not judged."""

import re
import statistics
import time
from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path

import pytest
from sqlalchemy import Engine, event

from modemd import retention
from modemd.config import SOFIA, Database, Settings, Web
from modemd.scenarios import plans, writing
from modemd.scenarios.plans import Plan
from modemd.store import database as opening
from modemd.store import staff
from tests.panels import PASSWORD, Visitor
from web.app import create_app
from web.panel import EXTENSION

LAST = date(2026, 11, 24)
NOW = datetime(2026, 11, 25, 10, 30, tzinfo=SOFIA)
YEAR = plans.year(LAST)
BIG = ("message", "part", "inbox", "inbox_part", "status_report")
ASKED = 5  # times, for the median
PAGES = {
    "bank": "/live",
    "bank, whole": "/",
    "a modem": "/modem/1",
    "messages": "/messages/",
    "messages of a line": "/messages/?line=1&state=undelivered",
    "messages with words": "/messages/?text=smetka&since=2026-11-20&until=2026-11-24",
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
    "report, a year": "/reports/?since=2025-11-25&until=2026-11-24",
    "people": "/people",
    "audit": "/audit",
}


_TO_THE_END = re.compile(r"\((line_id|kind|state)[<>]\?\)")  # SQLite calls a search what reads a whole index


class YearPanel:
    """The panel over a database that is filled to a plan, with a run that is under way."""

    def __init__(self, engine: Engine, folder: Path, plan: Plan) -> None:
        writing.write(engine, plan, lambda done, total: None)
        if plan is YEAR:
            retention.count_days(engine, NOW, lambda: None)
        key = folder / "secret_key"
        key.write_text("0123456789abcdef" * 4)
        url = engine.url.render_as_string(hide_password=False)
        app = create_app(Settings(database=Database(url=url), web=Web(secret_key_file=key)), now=lambda: NOW)
        app.testing = True
        self.engine: Engine = app.extensions[EXTENSION].engine
        with opening.writing(self.engine) as conn:
            staff.set_password(conn, "elena", PASSWORD, "admin", NOW)
        self.visitor = Visitor(app.test_client())
        self.visitor.sign_in("elena", PASSWORD)
        self.visitor.post("/reminders/preview", form_at="/reminders/")
        with opening.reading(self.engine) as conn:
            message = conn.exec_driver_sql("SELECT max(id) FROM message").scalar()
            customer = conn.exec_driver_sql("SELECT min(customer_no) FROM phone_customer").scalar()
        self.pages = {name: path.format(message=message, customer=customer) for name, path in PAGES.items()}

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

    def milliseconds(self, path: str) -> float:
        taken = []
        for _ in range(ASKED):
            began = time.perf_counter()
            self.visitor.page(path)
            taken.append((time.perf_counter() - began) * 1000)
        return statistics.median(taken)

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
    made = YearPanel(database, tmp_path, YEAR.scaled(5000))
    yield made
    made.close()


@pytest.mark.long
def test_no_page_reads_all_messages(small: YearPanel) -> None:
    assert {name: found for name, path in small.pages.items() if (found := small.whole_tables(path))} == {}


@pytest.mark.large
@pytest.mark.timeout(7200)
def test_no_page_reads_all_messages_of_a_year(database: Engine, tmp_path: Path) -> None:
    panel = YearPanel(database, tmp_path, YEAR)
    for name, path in panel.pages.items():
        assert panel.whole_tables(path) == [], name
        print(f"{database.dialect.name}: {name}: {panel.milliseconds(path):.0f} ms (median of {ASKED})")
    panel.close()
