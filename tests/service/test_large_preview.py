"""A preview stays quick. Figures are printed; a small one is in the usual run, the published size in the long one."""

import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any, TypeVar

import pytest
from sqlalchemy import Engine, insert, text

from modemd.config import Settings
from modemd.service.reminders import preview
from modemd.store import database as opening
from modemd.store.schema import customer as customers
from modemd.store.schema import dataset, open_item, phone_customer
from modemd.store.schema import phone as phones
from tests.service.desk import DATA_AT, GENERATION, NOW
from tests.service.runs import CUTOFF, DUE, ELENA, customer, phone

T = TypeVar("T")
CHUNK = 20_000
SETTINGS = Settings()


def fill(database: Engine, registered: int, items: int) -> None:
    """So many registered customers, of whom so many owe an invoice; every tenth of those is disputed."""

    def add(table: Any, count: int, row: Callable[[int], dict[str, Any]]) -> None:
        for start in range(0, count, CHUNK):
            with opening.writing(database) as conn:
                conn.execute(insert(table), [row(number) for number in range(start, min(start + CHUNK, count))])

    no = {"bill": True, "reminder": True, "outage": True, "language": "bg-Latn", "created_at": NOW}
    add(customers, registered, lambda n: {"generation": 7, "customer_no": customer(n), "class": "H", "active": True})
    add(phones, registered, lambda n: {"number": phone(n), **no})
    add(phone_customer, registered, lambda n: {"phone": phone(n), "customer_no": customer(n), "created_at": NOW})
    dates = {"invoice_date": DUE - timedelta(days=14), "due_date": DUE, "cutoff_date": CUTOFF}
    fixed = {"generation": GENERATION, "status": "OPEN", "level": 1, "class": "H", **dates}
    every = registered // items
    add(
        open_item,
        items,
        lambda n: {
            **fixed,
            "customer_no": customer(n * every),
            "invoice_no": f"{480000000 + n:010}",
            "total_cents": 1000 + n,
            "open_cents": 1000 + n,
            "flags": "D" if n % 10 == 0 else "",
        },
    )
    with opening.writing(database) as conn:
        for type_ in ("CUSTOMERS", "OPENITEMS"):
            conn.execute(dataset.insert(), {"type": type_, "generation": GENERATION, "data_at": DATA_AT})
        conn.execute(text("ANALYZE"))


def timed(work: Callable[[], T]) -> tuple[T, float, float]:
    """What it gives, the seconds of our processor and those on the wall: only the first bear a busy machine."""
    used, began = time.process_time(), time.perf_counter()
    return work(), time.process_time() - used, time.perf_counter() - began


def previewed(database: Engine) -> preview.Preview:
    with opening.reading(database) as conn:
        return preview.preview(conn, SETTINGS, NOW)


def proposed(database: Engine, made: preview.Preview) -> int:
    with opening.writing(database) as conn:
        return preview.propose(conn, made, SETTINGS, ELENA.name, NOW)


def measure(database: Engine, items: int) -> float:
    """Preview and keep it; returns the seconds of our processor that both took."""
    made, counted, wall = timed(lambda: previewed(database))
    run, kept, more = timed(lambda: proposed(database, made))
    assert (made.audience.rows, made.recipients) == (items, items - items // 10)
    assert proposed(database, previewed(database)) == run
    print(f"\n{database.dialect.name}: {items} items previewed in {wall:.2f} s, kept in {more:.2f} s on the wall")
    return counted + kept


def test_a_preview_of_2000_items_takes_no_time_to_speak_of(database: Engine) -> None:
    fill(database, 4_000, 2_000)
    assert measure(database, 2_000) < 1


@pytest.mark.large
def test_a_preview_of_27000_items_among_203300_customers_takes_5_seconds_at_most(database: Engine) -> None:
    fill(database, 203_300, 27_000)
    assert measure(database, 27_000) <= 5
